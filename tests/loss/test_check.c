/*
 * The checker is checked: every mutant of tests/mutants/ is caught by the check meant for it, the loss they are mutants
 * of and every shipped loss pass.
 *
 * The shipped losses run with one seed here; all the seeds of a release are run by
 *     GRADMILL_CHECK_SEEDS=100 ctest --preset release -R loss/check
 */
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "loss/check.h"

struct answer {
    char failed[256]; /* names of failed checks, "a, b" */
    char text[CHECK_TEXT];
    size_t run;
};

static void listen(void *context, const struct check_result *result)
{
    struct answer *answer = context;
    answer->run++;
    if (result->verdict != CHECK_FAILED)
        return;
    size_t used = strlen(answer->failed);
    snprintf(answer->failed + used, sizeof answer->failed - used, "%s%s", used ? ", " : "", result->name);
    if (!used)
        snprintf(answer->text, sizeof answer->text, "%s", result->text);
}

static enum gm_code check(const char *name, const char *only, uint64_t seed, struct answer *answer,
                          struct gm_error *err)
{
    struct check_options options = {.name = name, .seed = seed, .only = only, .time_limit = 60};
    *answer = (struct answer){0};
    *err = (struct gm_error){0};
    return check_run(&options, listen, answer, err);
}

static const char *mutant_path(const char *name)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/tests/mutants/%s.so", getenv("GRADMILL_BUILD"), name);
    return path;
}

/* mutant, the check meant for it, a word of what is said */
static const char *const mutants[][3] = {
    {"wrong_sign", "gradient", "the loss changes by"},
    {"wrong_scale", "gradient", "the loss changes by"},
    {"slightly_wrong", "gradient", "the loss changes by"},
    {"mean_for_sum", "blocks", "no mean"},
    {"first_row_special", "blocks", "cut into blocks"},
    {"writes_beyond", "bounds", "wrote beyond the end of grad"},
    {"writes_before", "bounds", "row_loss"},
    {"reads_beyond", "bounds", "beyond the end of pred"},
    {"writes_input", "bounds", "into pred, which is read-only"},
    {"scratch_overrun", "bounds", "scratch"},
    {"ignores_null", "bounds", "NULL pointer"},
    {"hidden_nan", "nan", "the NaN is hidden"},
    {"nan_spreads", "nan", "changes the results of row"},
    {"static_buffer", "purity", "static or global variable"},
    {"counts_in_instance", "purity", "or the instance"},
    {"shared_scratch", "threads", "Something is shared"},
    {"weight_ignored", "weights", "weights 3"},
    {"weight_needed", "weights", "NULL pointer"},
    {"weight_in_row_loss", "weights", "the weight is not in it"},
    {"hessian_off_by_two", "hessian", "GM_NATURE_HESS_BOUND"},
    {"hessian_asymmetric", "hessian", "not symmetric"},
    {"bound_below", "hessian", "lies below"},
    {"hidden_valley", "hessian", "GM_NATURE_NON_CONVEX"},
    {"not_constant", "hessian", "GM_NATURE_HESS_CONSTANT"},
    {"fp_mode", "fp mode", "floating-point mode"},
    {"leaks_instance", "leaks", "instances made and destroyed"},
    {"leaks_call", "leaks", "calls of evaluate"},
    {"unwritten_row", "unwritten output", "was not written"},
    {"unwritten_tail", "unwritten output", "was not written"},
    {"theta_overwritten", "unwritten output", "added into"},
    {"theta_wrong", "theta", "theta_grad[0]"},
    {"infinite_loop", "calls", "did not return"},
    {"segfault", "calls", "crash: evaluate"},
    {"exits", "calls", "exit(3)"},
    {"prints", "behaviour", "It prints"},
    {"locale", "behaviour", "locale"},
    {"starts_thread", "behaviour", "threads"},
    {"random", "determinism", "again"},
    {"dirty_scratch", "determinism", "again"},
    {"other_when_alone", "determinism", "a subset of the outputs"},
    {"order_matters", "permutation", "in another order"},
    {"overflows", "extremes", "Up to 40"},
    {"zero_target", "targets", "target 0 is inside"},
    {"wrong_bad_row", "targets", "names row"},
    {"bent_link", "link", "not monotone"},
    {"wrong_baseline", "link", "baseline"},
    {"exact_size", "forged versions", "struct_size"},
    {"reads_tail", "forged versions", "a later time"},
    {"closed_bound", "parameters", "delta = 0"},
    {"silent_refusal", "parameters", "without a reason"},
    {"exports_more", "abi", "\"square\""},
    {"restless_entry", "abi", "another pointer"},
};

static void every_mutant_is_caught_by_the_check_meant_for_it(void)
{
    struct answer answer;
    struct gm_error err;
    for (size_t i = 0; i < sizeof mutants / sizeof *mutants; i++) {
        enum gm_code code = check(mutant_path(mutants[i][0]), mutants[i][1], 1, &answer, &err);
        bool caught = code == GM_PLUGIN_BROKEN && strcmp(answer.failed, mutants[i][1]) == 0;
        if (!caught)
            printf("\n    %s: failed \"%s\" instead of \"%s\"; %s %s", mutants[i][0], answer.failed, mutants[i][1],
                   answer.text, err.text);
        CU_ASSERT(caught);
        ASSERT_HOLDS(answer.text, mutants[i][2]);
    }
}

/* Some mutants with all checks: a report has more than the first mistake, and a crash does not end it. */
static void other_checks_go_on_after_a_failure(void)
{
    struct answer answer;
    struct gm_error err;
    CU_ASSERT_EQUAL(check(mutant_path("wrong_sign"), NULL, 1, &answer, &err), GM_PLUGIN_BROKEN);
    CU_ASSERT_EQUAL(answer.run, check_count());
    ASSERT_HOLDS(answer.failed, "gradient");
    CU_ASSERT_EQUAL(check(mutant_path("writes_beyond"), NULL, 1, &answer, &err), GM_PLUGIN_BROKEN);
    CU_ASSERT_STRING_EQUAL(answer.failed, "bounds");
    CU_ASSERT_EQUAL(answer.run, check_count());
    CU_ASSERT_EQUAL(check(mutant_path("segfault"), NULL, 1, &answer, &err), GM_PLUGIN_BROKEN);
    CU_ASSERT(answer.run < check_count()); /* nothing can be checked of what cannot be called */
}

static size_t seeds(void)
{
    const char *text = getenv("GRADMILL_CHECK_SEEDS");
    long count = text ? strtol(text, NULL, 10) : 1;
    return count > 0 ? (size_t)count : 1;
}

static void the_loss_without_mistake_passes(void)
{
    struct answer answer;
    struct gm_error err;
    for (uint64_t seed = 1; seed <= 3 * seeds(); seed++)
        if (check(mutant_path("correct"), NULL, seed, &answer, &err)) {
            printf("\n    seed %llu: %s: %s", (unsigned long long)seed, answer.failed, err.text);
            CU_FAIL("the correct loss fails");
        }
}

struct shipped {
    char names[128][64];
    size_t count;
};

static void collect(void *context, const struct loss_plugin *plugin)
{
    struct shipped *all = context;
    if (all->count < 128)
        snprintf(all->names[all->count++], sizeof all->names[0], "%s", plugin->vtable.id);
}

static void every_shipped_loss_passes_within_ten_seconds(void)
{
    struct shipped all = {0};
    struct answer answer;
    struct gm_error err = {0};
    CU_ASSERT_EQUAL_FATAL(loss_list(NULL, collect, NULL, &all, &err), GM_OK);
    CU_ASSERT(all.count > 0);
    for (size_t i = 0; i < all.count; i++)
        for (uint64_t seed = 1; seed <= seeds(); seed++)
            if (check(all.names[i], NULL, seed, &answer, &err)) {
                printf("\n    %s, seed %llu: %s: %s", all.names[i], (unsigned long long)seed, answer.failed, err.text);
                CU_FAIL("a shipped loss fails");
            }
}

/* ---- the short check before training ---- */

static enum gm_code quick(const char *name, struct gm_error *err, double *seconds)
{
    struct loss_plugin plugin;
    struct loss loss;
    *err = (struct gm_error){0};
    CU_ASSERT_EQUAL_FATAL(loss_load(&plugin, name, NULL, NULL, err), GM_OK);
    bool has_classes = plugin.spec.target_kind == GM_TARGET_CLASS;
    enum gm_code bound = GM_BUG;
    for (size_t targets = 1; targets <= 4 && bound != GM_OK; targets++)
        bound = loss_bind(&loss, &plugin, NULL, 0, targets, has_classes ? 4 : 0, err);
    CU_ASSERT_EQUAL_FATAL(bound, GM_OK);
    if (loss.outputs == 0)
        loss.outputs = 4;
    *err = (struct gm_error){0};
    double start = clock_seconds();
    enum gm_code code = loss_check_quick(&loss, err);
    *seconds = clock_seconds() - start;
    loss_release(&loss);
    loss_plugin_release(&plugin);
    return code;
}

static void short_check_catches_wrong_gradients_in_this_process(void)
{
    static const char *const wrong[] = {"wrong_sign", "wrong_scale", "slightly_wrong", "random", "mean_for_sum"};
    struct gm_error err;
    double seconds;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        CU_ASSERT_EQUAL(quick(mutant_path(wrong[i]), &err, &seconds), GM_PLUGIN_BROKEN);
        ASSERT_HOLDS(err.text, "check-loss");
    }
    CU_ASSERT_EQUAL(quick(mutant_path("correct"), &err, &seconds), GM_OK);
    CU_ASSERT_EQUAL(quick(mutant_path("hidden_nan"), &err, &seconds), GM_OK); /* that takes the long check */
}

static void short_check_passes_shipped_losses_quickly(void)
{
    struct shipped all = {0};
    struct gm_error err = {0};
    CU_ASSERT_EQUAL_FATAL(loss_list(NULL, collect, NULL, &all, &err), GM_OK);
    for (size_t i = 0; i < all.count; i++) {
        double seconds;
        if (quick(all.names[i], &err, &seconds))
            printf("\n    %s: %s", all.names[i], err.text);
        CU_ASSERT_EQUAL(err.code, GM_OK);
        for (int again = 0; again < 20 && seconds >= 0.5; again++) /* held up by others */
            (void)quick(all.names[i], &err, &seconds);
        CU_ASSERT(seconds < 0.5); /* 50 ms on an idle machine without sanitizers */
    }
}

TEST_MAIN("check", TEST(every_mutant_is_caught_by_the_check_meant_for_it), TEST(other_checks_go_on_after_a_failure),
          TEST(the_loss_without_mistake_passes), TEST(every_shipped_loss_passes_within_ten_seconds),
          TEST(short_check_catches_wrong_gradients_in_this_process), TEST(short_check_passes_shipped_losses_quickly))
