/* What a child process that tries something can end with. Codes: README, "Exit codes". */
#include "support.h"

#include <signal.h>
#include <stdio.h>

#include "base/error.h"
#include "base/probe.h"

static enum gm_code raise_it(void *context, struct gm_error *err)
{
    raise(*(const int *)context);
    return error_set(err, GM_NO_INPUT, "It went on.");
}

static enum gm_code ends_with(int number, struct gm_error *err)
{
    fflush(NULL);
    return probe_run(raise_it, &number, "a.h5", err);
}

/* systemd and terminals send these to all processes of a job; gradmill itself decides what follows. */
static void a_stop_meant_for_the_parent_is_no_answer(void)
{
    struct gm_error err;
    CU_ASSERT_EQUAL(ends_with(SIGTERM, &err), GM_NO_INPUT);
    CU_ASSERT_EQUAL(ends_with(SIGINT, &err), GM_NO_INPUT);
    ASSERT_HOLDS(err.text, "It went on.");
}

static void a_crash_is_damage(void)
{
    static const int crashes[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE};
    struct gm_error err;
    for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++) {
        CU_ASSERT_EQUAL(ends_with(crashes[i], &err), GM_BAD_DATA);
        ASSERT_HOLDS(err.text, "a.h5: the file is damaged: it crashed the HDF5 library");
    }
    CU_ASSERT_EQUAL(ends_with(SIGXCPU, &err), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "looking at it did not end.");
}

static void a_killed_child_is_no_damage(void)
{
    struct gm_error err;
    CU_ASSERT_EQUAL(ends_with(SIGKILL, &err), GM_PEER_LOST);
    ASSERT_HOLDS(err.text, "a.h5: the process that looks at the file first was killed (signal 9)");
}

TEST_MAIN("probe", TEST(a_stop_meant_for_the_parent_is_no_answer), TEST(a_crash_is_damage),
          TEST(a_killed_child_is_no_damage))
