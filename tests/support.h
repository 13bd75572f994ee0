/*
 * What every test program shares: a main in one line, temporary directories, running the program.
 *
 *     static void splits_rows_evenly(void) { ... CU_ASSERT_EQUAL(...); }
 *     TEST_MAIN("lanes", TEST(splits_rows_evenly), TEST(...))
 */
#ifndef TESTS_SUPPORT_H
#define TESTS_SUPPORT_H

#include <stdbool.h>
#include <stddef.h>

#include <CUnit/Basic.h>

struct test_case {
    const char *name;
    void (*run)(void);
};
#define TEST(function)      \
    {                       \
#function, function \
    }
#define TEST_MAIN(suite, ...)                                        \
    int main(void)                                                   \
    {                                                                \
        const struct test_case cases[] = {__VA_ARGS__};              \
        return test_run(suite, cases, sizeof cases / sizeof *cases); \
    }
/* Runs all, prints CUnit's summary, returns the number of failed assertions (at most 255), non-zero when nothing ran.
 */
int test_run(const char *suite, const struct test_case *cases, size_t count);

/* The thread sanitizer looks for races, ten times slower, and these need neither many rows nor many threads: bits are
 * compared at all numbers of threads by the release build. */
#if defined(__SANITIZE_THREAD__)
#define TEST_RACES 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TEST_RACES 1
#endif
#endif
#ifndef TEST_RACES
#define TEST_RACES 0
#endif
/* Under a sanitizer, two numbers of threads; the other builds compare all. */
#if TEST_RACES || defined(__SANITIZE_ADDRESS__)
#define THREADS_COMPARED \
    {                    \
        1, 3             \
    }
#else
#define THREADS_COMPARED \
    {                    \
        1, 2, 3, 5, 8    \
    }
#endif

/* |a - b| <= tolerance * max(1, |b|) */
#define ASSERT_CLOSE(a, b, tolerance) test_close((a), (b), (tolerance), #a " ~ " #b, __FILE__, __LINE__)
void test_close(double a, double b, double tolerance, const char *what, const char *file, int line);
/* The text holds the part; prints both when not. */
#define ASSERT_HOLDS(text, part) test_holds((text), (part), __FILE__, __LINE__)
void test_holds(const char *text, const char *part, const char *file, int line);

/* A directory of this test program's own, removed at its end. */
const char *test_directory(void);
/* "<test directory>/name" in one of several rotating buffers. */
const char *test_path(const char *name);
/* "<source tree>/name", from GRADMILL_SOURCE. */
const char *test_source(const char *name);
/* Write a text file. */
void test_write(const char *path, const char *text);
/* The same of ROOT/PATH, with the directories on the way. */
void test_plant(const char *root, const char *path, const char *text);
/* What a file holds, ended by a zero; NULL: it cannot be read. To be freed. */
char *test_text(const char *path);

/* Run the program (GRADMILL) with arguments, NULL-terminated, in the test directory. */
struct test_result {
    int exit_code; /* 128 + signal when killed */
    char *out, *err;
    double seconds;
};
struct test_result test_program(const char *const *arguments);
#define PROGRAM(...) test_program((const char *const[]){__VA_ARGS__, NULL})
void test_result_free(struct test_result *result);

/* The calling thread waits for that long in the state of one that waits for a disk: D of proc(5). */
void test_wait_as_for_a_disk(double seconds);

#endif
