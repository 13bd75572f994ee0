/* Filling an error. */
#include "support.h"

#include <string.h>

#include "base/error.h"

static void code_and_sentence_are_stored(void)
{
    struct gm_error err = {0};
    CU_ASSERT_EQUAL(error_set(&err, GM_BAD_DATA, "%s: row %zu", "d.h5", (size_t)7), GM_BAD_DATA);
    CU_ASSERT_EQUAL(err.code, GM_BAD_DATA);
    CU_ASSERT_STRING_EQUAL(err.text, "d.h5: row 7");
}

static void nobody_has_to_listen(void)
{
    CU_ASSERT_EQUAL(error_set(NULL, GM_IO, "%d", 1), GM_IO);
    CU_ASSERT_EQUAL(error_memory(NULL, "x", 1), GM_SYSTEM);
}

static void long_sentences_are_cut_with_a_zero(void)
{
    struct gm_error err;
    char text[3 * GM_ERROR_TEXT];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = 0;
    memset(&err, 0xA5, sizeof err);
    error_set(&err, GM_BUG, "%s", text);
    CU_ASSERT_EQUAL(strlen(err.text), GM_ERROR_TEXT - 1);
}

static void memory_errors_say_how_much_and_what_for(void)
{
    struct gm_error err;
    CU_ASSERT_EQUAL(error_memory(&err, "the weights", 12345), GM_SYSTEM);
    ASSERT_HOLDS(err.text, "12345 bytes for the weights");
}

TEST_MAIN("error", TEST(code_and_sentence_are_stored), TEST(nobody_has_to_listen),
          TEST(long_sentences_are_cut_with_a_zero), TEST(memory_errors_say_how_much_and_what_for))
