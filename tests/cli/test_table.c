/* Tables for people: aligned, nothing that does not apply, nothing twice. Expected texts are written by hand. */
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/table.h"
#include "cli/train_report.h"

static char *text;
static size_t size;

static FILE *capture(void)
{
    free(text);
    text = NULL;
    return open_memstream(&text, &size);
}

static void names_and_columns_are_aligned(void)
{
    struct table table = {0};
    table_add(&table, "a", "%d", 1);
    table_gap(&table);
    table_heading(&table, "training", "validation");
    table_pair(&table, "long name", 0.5, 0.25);
    table_pair(&table, "left out", NAN, NAN);
    table_real(&table, "left out", NAN);
    FILE *out = capture();
    table_print(&table, out);
    fclose(out);
    CU_ASSERT_STRING_EQUAL(text, "a          1\n"
                                 "\n"
                                 "           training  validation\n"
                                 "long name  0.5       0.25\n");
}

static void more_rows_than_fit_do_no_harm(void)
{
    struct table table = {0};
    for (int i = 0; i < 1000; i++)
        table_add(&table, "a name that is longer than the room for it is", "%d", i);
    CU_ASSERT_EQUAL(table.count, TABLE_ROWS);
}

static void a_loss_that_is_a_metric_is_told_once(void)
{
    const struct gm_metrics metrics = {.task = GM_TASK_IS_REGRESSION,
                                       .rows = 3,
                                       .loss = 4,
                                       .mse = 4,
                                       .rmse = 2,
                                       .mae = 1.5,
                                       .r2 = 0.75,
                                       .accuracy = NAN,
                                       .log_loss = NAN,
                                       .top5_accuracy = NAN,
                                       .inertia = NAN,
                                       .hit_rate = NAN,
                                       .ndcg = NAN,
                                       .auc = NAN};
    struct table table = {0};
    table_metrics(&table, &metrics, NULL);
    FILE *out = capture();
    table_print(&table, out);
    fclose(out);
    CU_ASSERT_STRING_EQUAL(text, "rmse  2\nmae   1.5\nr2    0.75\n");
}

static const char *animal(const void *context, size_t index)
{
    const char *const *names = context;
    return names[index];
}

static void a_confusion_matrix_has_names_and_percentages(void)
{
    static const char *const names[] = {"cat", "h\xc3\xb6rnchen", "a very long name indeed"};
    double counts[] = {8, 2, 0, 0, 5.5, 0, 0, 0, 0};
    const struct gm_metrics metrics = {.classes = 3, .confusion = counts};
    FILE *out = capture();
    table_confusion(&metrics, animal, names, out);
    fclose(out);
    CU_ASSERT_STRING_EQUAL(text, "confusion matrix: a row per true class, a column per prediction\n"
                                 "                           cat        h\xc3\xb6rnchen  a very long na    correct\n"
                                 "           cat               8               2               .     80.0 %\n"
                                 "      h\xc3\xb6rnchen               .            5.50               .    100.0 %\n"
                                 "a very long na               .               .               .      none\n");
}

static void names_from_files_reach_no_terminal_raw(void)
{
    static const char *const names[] = {"\033[31mred", "b"};
    double counts[] = {1, 0, 0, 1};
    const struct gm_metrics metrics = {.classes = 2, .confusion = counts};
    FILE *out = capture();
    table_confusion(&metrics, animal, names, out);
    fclose(out);
    CU_ASSERT_PTR_NULL(strchr(text, '\033'));
    ASSERT_HOLDS(text, "?[31mred");
}

static void many_classes_give_the_worst_pairs(void)
{
    enum { CLASSES = 40 };
    double *counts = calloc(CLASSES * CLASSES, sizeof *counts);
    counts[0] = 100;
    counts[1 * CLASSES + 2] = 7;
    counts[3 * CLASSES + 4] = 9;
    counts[5 * CLASSES + 6] = 7;
    const struct gm_metrics metrics = {.classes = CLASSES, .confusion = counts};
    FILE *out = capture();
    table_confusion(&metrics, NULL, NULL, out);
    fclose(out);
    CU_ASSERT_STRING_EQUAL(text,
                           "most frequent mistakes\n  3 taken for 4: 9\n  1 taken for 2: 7\n  5 taken for 6: 7\n");
    free(counts);
}

static void the_report_says_why_and_where(void)
{
    struct gm_job job;
    gm_job_init(&job);
    const struct gm_metrics nothing = {.mse = NAN,
                                       .rmse = NAN,
                                       .mae = NAN,
                                       .r2 = NAN,
                                       .accuracy = NAN,
                                       .log_loss = NAN,
                                       .top5_accuracy = NAN,
                                       .inertia = NAN,
                                       .hit_rate = NAN,
                                       .ndcg = NAN,
                                       .auc = NAN};
    const struct gm_summary summary = {.stop_reason = "max_epochs",
                                       .epochs = 1000,
                                       .best_epoch = 999,
                                       .passes = 1000,
                                       .train_loss = 0.5,
                                       .objective = 0.75,
                                       .validation_loss = NAN,
                                       .gradient_norm = NAN,
                                       .seconds = 2,
                                       .rows = 5000,
                                       .features = 12,
                                       .threads = 1,
                                       .resident = true,
                                       .peak_memory_bytes = 1536,
                                       .train = nothing,
                                       .validation = nothing};
    FILE *out = capture();
    train_report_table(&job, &summary, out);
    fclose(out);
    ASSERT_HOLDS(text, "stop.max_epochs was reached");
    ASSERT_HOLDS(text, "1000, the best was 999");
    ASSERT_HOLDS(text, "5000 rows x 12 features, in memory");
    ASSERT_HOLDS(text, "2 s on 1 thread, 2.50M rows/s");
    ASSERT_HOLDS(text, "1.5 KiB");
    ASSERT_HOLDS(text, "model.h5");
    ASSERT_HOLDS(text, "log.jsonl");
    CU_ASSERT_PTR_NULL(strstr(text, "nan"));
    CU_ASSERT_PTR_NULL(strstr(text, "validation"));
}

static void every_stop_reason_has_words(void)
{
    static const char *const reasons[] = {"loss_change",   "max_epochs", "max_time",   "target_loss",
                                          "gradient_norm", "diverged",   "interrupted"};
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        CU_ASSERT(strlen(train_reason(reasons[i])) > strlen("interrupte"));
    CU_ASSERT_STRING_EQUAL(train_reason("something new"), "something new");
    free(text);
    text = NULL;
}

TEST_MAIN("table", TEST(names_and_columns_are_aligned), TEST(more_rows_than_fit_do_no_harm),
          TEST(a_loss_that_is_a_metric_is_told_once), TEST(a_confusion_matrix_has_names_and_percentages),
          TEST(names_from_files_reach_no_terminal_raw), TEST(many_classes_give_the_worst_pairs),
          TEST(the_report_says_why_and_where), TEST(every_stop_reason_has_words))
