/* Parameters, targets, links. Plugin: plugins/every_parameter.c. */
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "loss/plugin.h"

static struct loss_plugin plugin;

static void load(void)
{
    char name[512];
    struct gm_error err = {0};
    if (plugin.path)
        return;
    snprintf(name, sizeof name, "%s/tests/plugins/every_parameter.so:every_parameter", getenv("GRADMILL_BUILD"));
    CU_ASSERT_EQUAL_FATAL(loss_load(&plugin, name, NULL, NULL, &err), GM_OK);
}

static enum gm_code bind(struct loss *loss, const char *name, const char *value, struct gm_error *err)
{
    struct loss_setting settings[] = {{"must", "7"}, {name, value}};
    load();
    return loss_bind(loss, &plugin, settings, name ? 2 : 1, 1, 0, err);
}

static void accepted(const char *name, const char *value, const char *json)
{
    struct loss loss;
    struct gm_error err = {0};
    char *text = NULL;
    CU_ASSERT_EQUAL(bind(&loss, name, value, &err), GM_OK);
    if (err.code)
        printf("\n    %s=%s: %s", name, value, err.text);
    else {
        CU_ASSERT_EQUAL(loss_params_text(&loss, &text, &err), GM_OK);
        ASSERT_HOLDS(text, json);
        memory_free(text);
    }
    loss_release(&loss);
}

static void refused(const char *name, const char *value, const char *part)
{
    struct loss loss;
    struct gm_error err = {0};
    CU_ASSERT_EQUAL(bind(&loss, name, value, &err), GM_BAD_JOB);
    ASSERT_HOLDS(err.text, part);
    CU_ASSERT_PTR_NULL(loss.param);
}

static void defaults_are_filled_in_and_written_canonically(void)
{
    struct loss loss;
    struct gm_error err = {0};
    char *text;
    CU_ASSERT_EQUAL_FATAL(bind(&loss, NULL, NULL, &err), GM_OK);
    CU_ASSERT_EQUAL(loss_params_text(&loss, &text, &err), GM_OK);
    CU_ASSERT_STRING_EQUAL(text,
                           "{\"delta\":1,\"count\":2,\"sharp\":false,\"kind\":\"hard\",\"levels\":[0.5],\"must\":7}");
    CU_ASSERT_EQUAL(loss.outputs, 2); /* refined by create() */
    memory_free(text);
    loss_release(&loss);
}

static void every_type_is_parsed(void)
{
    accepted("delta", "0.1", "\"delta\":0.1,");
    accepted("delta", "1e-300", "\"delta\":1e-300,");
    accepted("count", "9", "\"count\":9,");
    accepted("sharp", "true", "\"sharp\":true,");
    accepted("sharp", "0", "\"sharp\":false,");
    accepted("kind", "mixed", "\"kind\":\"mixed\"");
    accepted("levels", "0.1,0.5,0.9", "\"levels\":[0.1,0.5,0.9]");
    accepted("levels", "[0.1, 0.25 ]", "\"levels\":[0.1,0.25]");
}

static void bounds_are_kept_open_and_closed(void)
{
    refused("delta", "0", "> 0 and <= 10");
    refused("delta", "-1", "> 0 and <= 10");
    refused("delta", "10.000000000000002", "<= 10"); /* one ulp above */
    refused("delta", "10", "too wide for words");    /* within the schema; create() speaks */
    accepted("count", "1", "\"count\":1,");
    refused("count", "0", ">= 1 and <= 9");
    refused("count", "10", ">= 1 and <= 9");
    refused("levels", "0.5,1", "> 0 and < 1");
    refused("levels", "", "a list of real numbers");
    refused("levels", "0.5,", "a list of real numbers");
    refused("levels", ",0.5", "a list of real numbers");
}

static void nonsense_is_refused_with_what_is_expected(void)
{
    refused("delta", "wide", "\"wide\"; it must be a real number");
    refused("delta", "nan", "it must be a real number");
    refused("delta", "inf", "it must be a real number");
    refused("count", "2.5", "a whole number");
    refused("sharp", "maybe", "true or false");
    refused("kind", "medium", "one of soft|hard|mixed");
    refused("dleta", "1", "Did you mean \"delta\"?");
    refused("must", "8", "given twice");
    struct loss loss;
    struct gm_error err = {0};
    CU_ASSERT_EQUAL(loss_bind(&loss, &plugin, NULL, 0, 1, 0, &err), GM_BAD_JOB);
    ASSERT_HOLDS(err.text, "needs the parameter must (has no default)");
}

static void targets_are_checked_with_their_row(void)
{
    struct loss loss;
    struct gm_error err = {0};
    CU_ASSERT_EQUAL_FATAL(bind(&loss, NULL, NULL, &err), GM_OK);
    const double good[] = {1, 7, 1e-300}, low[] = {1, 0}, high[] = {7, 7, 7.0000001}, nan[] = {NAN}, odd[] = {1, 0.125};
    CU_ASSERT_EQUAL(loss_check_targets(&loss, good, 3, 0, "d.h5:/y", &err), GM_OK);
    CU_ASSERT_EQUAL(loss_check_targets(&loss, low, 2, 100, "d.h5:/y", &err), GM_BAD_DATA);
    CU_ASSERT_STRING_EQUAL(
        err.text, "d.h5:/y row 101: the target is 0; loss every_parameter takes a finite number > 0 and <= 7.");
    CU_ASSERT_EQUAL(loss_check_targets(&loss, high, 3, 0, "d.h5:/y", &err), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "row 2");
    CU_ASSERT_EQUAL(loss_check_targets(&loss, nan, 1, 0, "d.h5:/y", &err), GM_BAD_DATA);
    CU_ASSERT_EQUAL(loss_check_targets(&loss, odd, 2, 5, "d.h5:/y", &err), GM_BAD_DATA);
    CU_ASSERT_STRING_EQUAL(err.text, "d.h5:/y row 6: loss every_parameter: an eighth is not welcome.");
    loss_release(&loss);
}

static void class_targets_are_whole_and_below_the_number_of_classes(void)
{
    struct loss_plugin of_class = {.vtable = {.id = "of_class"},
                                   .spec = {.target_kind = GM_TARGET_CLASS, .outputs = -1}};
    struct loss loss;
    struct gm_error err = {0};
    CU_ASSERT_EQUAL(loss_bind(&loss, &of_class, NULL, 0, 0, 3, &err), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "needs a target");
    CU_ASSERT_EQUAL(loss_bind(&loss, &of_class, NULL, 0, 2, 3, &err), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "2 columns");
    CU_ASSERT_EQUAL(loss_bind(&loss, &of_class, NULL, 0, 1, 0, &err), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "number of classes");
    CU_ASSERT_EQUAL_FATAL(loss_bind(&loss, &of_class, NULL, 0, 1, 3, &err), GM_OK);
    CU_ASSERT_EQUAL(loss.outputs, 3);
    const double values[] = {0, 2, 3, 0.5, -1};
    CU_ASSERT_EQUAL(loss_check_targets(&loss, values, 2, 0, "y", &err), GM_OK);
    for (size_t i = 2; i < 5; i++)
        CU_ASSERT_EQUAL(loss_check_targets(&loss, values + i, 1, 0, "y", &err), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "a class index from 0 to 2");
    loss_release(&loss);
}

/* Closed forms: log 2 -> 2, logit of 3/4 is log 3, softmax of (log 1, log 2, log 5) is (1, 2, 5) / 8. */
static void inverse_links_have_their_closed_forms(void)
{
    struct loss_plugin any = {.vtable = {.id = "any"}};
    struct loss loss = {.plugin = &any, .outputs = 3};
    struct gm_error err = {0};
    double row[] = {log(2), 0, -1000};
    loss.spec.link = GM_LINK_LOG;
    CU_ASSERT_EQUAL(loss_inverse_link(&loss, row, 1, &err), GM_OK);
    ASSERT_CLOSE(row[0], 2, 1e-15);
    ASSERT_CLOSE(row[2], 0, 0);
    double logits[] = {log(3), -log(3), 1000, -1000, 0, 40};
    loss.spec.link = GM_LINK_LOGIT;
    CU_ASSERT_EQUAL(loss_inverse_link(&loss, logits, 2, &err), GM_OK);
    ASSERT_CLOSE(logits[0], 0.75, 1e-15);
    ASSERT_CLOSE(logits[1], 0.25, 1e-15);
    CU_ASSERT_EQUAL(logits[2], 1);
    CU_ASSERT_EQUAL(logits[3], 0);
    static const double shares[] = {0.125, 0.25, 0.625};
    double scores[] = {log(1), log(2), log(5), 1000 + log(1), 1000 + log(2), 1000 + log(5)};
    loss.spec.link = GM_LINK_SOFTMAX;
    CU_ASSERT_EQUAL(loss_inverse_link(&loss, scores, 2, &err), GM_OK);
    for (size_t i = 0; i < 6; i++)
        ASSERT_CLOSE(scores[i], shares[i % 3], 1e-12);
}

TEST_MAIN("params", TEST(defaults_are_filled_in_and_written_canonically), TEST(every_type_is_parsed),
          TEST(bounds_are_kept_open_and_closed), TEST(nonsense_is_refused_with_what_is_expected),
          TEST(targets_are_checked_with_their_row), TEST(class_targets_are_whole_and_below_the_number_of_classes),
          TEST(inverse_links_have_their_closed_forms))
