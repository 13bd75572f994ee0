/*
 * The language: errors that point at the character, precedence, settings. Positions in the table are counted by hand;
 * values of expressions are what the same line means on paper.
 */
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dag_value.h"
#include "formula/formula.h"
#include "support.h"

static const struct formula_name params[] = {{.name = "delta", .value = 1, .bounds = {.low = 0, .high = INFINITY}}};

static enum gm_code parse(struct formula *f, const char *text, uint32_t kind, bool with_delta, struct gm_error *err)
{
    static struct formula_request request;
    request = (struct formula_request){.name = "test",
                                       .formula = text,
                                       .params = params,
                                       .n_params = with_delta,
                                       .target_kind = kind,
                                       .target = {.low = -INFINITY, .high = INFINITY}};
    *err = (struct gm_error){0};
    return formula_parse(f, &request, err);
}

/* The column of the caret on the last line of a message, from the start of the formula; -1: none. */
static int caret_of(const char *message)
{
    const char *line = strrchr(message, '\n');
    const char *caret = line ? strchr(line, '^') : NULL;
    return caret ? (int)(caret - line - 1) - 4 : -1;
}

static void errors_point_at_the_character(void)
{
    static const struct {
        const char *text;
        int at;
        const char *says;
        uint32_t kind;
    } table[] = {
        {"", 0, "ends where a value", GM_TARGET_REAL},
        {"pred +", 6, "ends where a value", GM_TARGET_REAL},
        {"pred + * 2", 7, "a value is expected", GM_TARGET_REAL},
        {"2pred", 1, "write *", GM_TARGET_REAL},
        {"pred 2", 5, "operator or the end", GM_TARGET_REAL},
        {"(pred", 5, "')' is expected", GM_TARGET_REAL},
        {"pred)", 4, "operator or the end", GM_TARGET_REAL},
        {"abs(pred", 8, "')' is expected", GM_TARGET_REAL},
        {"abs pred", 4, "'(' is expected", GM_TARGET_REAL},
        {"abs(pred, 1)", 8, "abs takes 1 argument", GM_TARGET_REAL},
        {"min(pred)", 8, "2 arguments or more", GM_TARGET_REAL},
        {"where(pred < 1, 2)", 17, "where takes 3 arguments, here are 2", GM_TARGET_REAL},
        {"where(pred, 1, 2)", 6, "a condition is expected", GM_TARGET_REAL},
        {"pred + (pred < 1)", 7, "this is a condition", GM_TARGET_REAL},
        {"pred < 1", 0, "this is a condition", GM_TARGET_REAL},
        {"where(0 < pred < 1, 1, 2)", 15, "do not chain", GM_TARGET_REAL},
        {"where(pred = 1, 1, 2)", 11, "equality is written ==", GM_TARGET_REAL},
        {"where(pred < 1 && target > 1, 1, 2)", 15, "'and'", GM_TARGET_REAL},
        {"where(!(pred < 1), 1, 2)", 6, "'not'", GM_TARGET_REAL},
        {"where(not pred, 1, 2)", 10, "a condition is expected", GM_TARGET_REAL},
        {"pred ** 2", 5, "powers are written with ^", GM_TARGET_REAL},
        {"pred - traget", 7, "did you mean 'target'?", GM_TARGET_REAL},
        {"pred * width", 7, "--param width=DEFAULT", GM_TARGET_REAL},
        {"softplu(pred)", 0, "did you mean 'softplus'?", GM_TARGET_REAL},
        {"pred # 2", 5, "means nothing here", GM_TARGET_REAL},
        {"(pred - \xC3\xA9)", 8, "means nothing here", GM_TARGET_REAL},
        {"pred + 1e999", 7, "not a number that fits", GM_TARGET_REAL},
        {"target^2", 0, "does not depend on pred", GM_TARGET_REAL},
        {"pred - pred + 1", 0, "does not depend on pred", GM_TARGET_REAL},
        {"pred + pred[0]", 7, "cannot stand beside", GM_TARGET_REAL},
        {"pred[0] + pred", 10, "cannot stand beside", GM_TARGET_REAL},
        {"pred[1.5]", 5, "whole number from 0 to 31", GM_TARGET_REAL},
        {"pred[32]", 5, "whole number from 0 to 31", GM_TARGET_REAL},
        {"pred[x]", 5, "whole number, j, or target", GM_TARGET_REAL},
        {"pred[0", 6, "']' is expected", GM_TARGET_REAL},
        {"pred[j]", 5, "only inside sum_j", GM_TARGET_REAL},
        {"pred + j", 7, "only inside sum_j", GM_TARGET_REAL},
        {"sum_j(pred)", 6, "write pred[j]", GM_TARGET_REAL},
        {"pred[target]", 5, "--target class", GM_TARGET_REAL},
        {"sum_j(pred[j]) + target[0]", 17, "class target is one number", GM_TARGET_CLASS},
        {"pred - target", 7, "there is no target", GM_TARGET_NONE},
        {"pred[0] - target + target[0]", 19, "cannot stand in one formula", GM_TARGET_REAL},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct formula f;
        struct gm_error err;
        CU_ASSERT_EQUAL(parse(&f, table[i].text, table[i].kind, false, &err), GM_USAGE);
        ASSERT_HOLDS(err.text, table[i].says);
        if (caret_of(err.text) != table[i].at)
            printf("\n    caret at %d, expected %d, in\n%s\n", caret_of(err.text), table[i].at, err.text);
        CU_ASSERT_EQUAL(caret_of(err.text), table[i].at);
    }
}

static void a_long_formula_is_shown_around_the_place(void)
{
    char text[400] = "", *end = text;
    struct formula f;
    struct gm_error err;
    for (int i = 0; i < 40; i++)
        end += sprintf(end, "pred + ");
    sprintf(end, "wrong + pred + pred + pred + pred + pred + pred + pred + pred + pred + pred + pred");
    CU_ASSERT_EQUAL(parse(&f, text, GM_TARGET_REAL, false, &err), GM_USAGE);
    const char *caret_line = strrchr(err.text, '\n'), *shown = strstr(err.text, "    ...");
    CU_ASSERT_PTR_NOT_NULL_FATAL(shown);
    CU_ASSERT_EQUAL(strncmp(shown + (strchr(caret_line, '^') - caret_line - 1), "wrong", 5), 0);
    CU_ASSERT(strlen(err.text) < 300);
}

static void deep_nesting_is_refused_not_crashed_on(void)
{
    static char text[60000];
    struct formula f;
    struct gm_error err;
    static const char *const openers[] = {"(", "-", "abs(", "not ", "2^"};
    for (size_t k = 0; k < 5; k++) {
        size_t n = 0;
        while (n < 15000)
            n += (size_t)sprintf(text + n, "%s", openers[k]);
        CU_ASSERT_EQUAL(parse(&f, text, GM_TARGET_REAL, false, &err), GM_USAGE);
        ASSERT_HOLDS(err.text, "nested");
    }
    memset(text, '1', 30000);
    text[30000] = 0;
    CU_ASSERT_EQUAL(parse(&f, text, GM_TARGET_REAL, false, &err), GM_USAGE);
    ASSERT_HOLDS(err.text, "more than 20000 characters");
}

static void a_parameter_that_is_not_used_is_refused(void)
{
    struct formula f;
    struct gm_error err;
    CU_ASSERT_EQUAL(parse(&f, "(pred - target)^2", GM_TARGET_REAL, true, &err), GM_USAGE);
    ASSERT_HOLDS(err.text, "does not use 'delta'");
}

static double value_at(const char *text, double pred, double target)
{
    struct formula f;
    struct gm_error err;
    if (parse(&f, text, GM_TARGET_REAL, false, &err) != GM_OK) {
        printf("\n%s\n", err.text);
        return NAN;
    }
    struct dag_inputs in = {.outputs = 1, .pred = {(long double)pred}, .target = {(long double)target}};
    long double(*v)[DAG_VALUE_OUTPUTS] = dag_values(&f.dag, &in);
    double value = (double)v[f.loss][0];
    free(v);
    formula_release(&f);
    return value;
}

static void operators_bind_as_on_paper(void)
{
    ASSERT_CLOSE(value_at("1 + 2*pred", 3, 0), 7, 0);
    ASSERT_CLOSE(value_at("-pred^2", 3, 0), -9, 0);
    ASSERT_CLOSE(value_at("pred^-1", 4, 0), 0.25, 0);
    ASSERT_CLOSE(value_at("2^pred^2", 3, 0), 512, 1e-15);
    ASSERT_CLOSE(value_at("8 - pred - 1", 3, 0), 4, 0);
    ASSERT_CLOSE(value_at("12 / pred / 2", 3, 0), 2, 0);
    ASSERT_CLOSE(value_at("12 / (pred / 2)", 3, 0), 8, 0);
    ASSERT_CLOSE(value_at("- -pred", 3, 0), 3, 0);
    ASSERT_CLOSE(value_at("2 * -pred", 3, 0), -6, 0);
    ASSERT_CLOSE(value_at("where(pred > 2 and not pred == 3 or target >= 1, pred, 2*pred)", 3, 0), 6, 0);
    ASSERT_CLOSE(value_at("where(pred > 2 and (not pred == 3 or target >= 1), pred, 2*pred)", 3, 1), 3, 0);
    ASSERT_CLOSE(value_at("max(1, 2, pred, 0) + min(pred, 7, 5)", 3, 0), 6, 0);
    ASSERT_CLOSE(value_at("pred*pi + 1.5e1 + .5 + e", 1, 0), 3.141592653589793 + 15.5 + 2.718281828459045, 1e-15);
    ASSERT_CLOSE(value_at("where(pred != 3, 1, pred)", 3, 0), 3, 0);
}

static void numbers_do_not_depend_on_the_locale(void)
{
    setlocale(LC_ALL, "de_DE.UTF-8"); /* decimal comma; where it is not installed the test still holds */
    ASSERT_CLOSE(value_at("1.5*pred", 2, 0), 3, 0);
    setlocale(LC_ALL, "C");
}

static void settings_are_read(void)
{
    struct formula_name n;
    struct gm_error err = {0};
    CU_ASSERT_EQUAL(formula_read_name(&n, "--param", "delta=1.0", &err), GM_OK);
    CU_ASSERT_STRING_EQUAL(n.name, "delta");
    ASSERT_CLOSE(n.value, 1, 0);
    CU_ASSERT(isinf(n.bounds.low) && isinf(n.bounds.high));
    CU_ASSERT_EQUAL(formula_read_name(&n, "--param", "tau = -0.5 > -1 <=2 # in units, of the target", &err), GM_OK);
    ASSERT_CLOSE(n.value, -0.5, 0);
    CU_ASSERT(n.bounds.low == -1 && n.bounds.low_open && n.bounds.high == 2 && !n.bounds.high_open);
    CU_ASSERT_STRING_EQUAL(n.help, "in units, of the target");
    CU_ASSERT_EQUAL(formula_read_name(&n, "--param", "shape=3 integer >=1", &err), GM_OK);
    CU_ASSERT(n.bounds.integer && n.bounds.low == 1);
    struct formula_bounds b;
    CU_ASSERT_EQUAL(formula_read_bounds(&b, "--target-range", ">=0 integer", &err), GM_OK);
    CU_ASSERT(b.integer && b.low == 0 && !b.low_open && isinf(b.high));
}

static void wrong_settings_point_at_the_character(void)
{
    static const struct {
        const char *text;
        int at;
        const char *says;
    } table[] = {
        {"Delta=1", 0, "a name is"},
        {"=1", 0, "a name is"},
        {"delta", 5, "'=' and a number"},
        {"delta=", 6, "a number is expected"},
        {"delta=x", 6, "a number is expected"},
        {"delta=1 2", 8, "a bound is expected"},
        {"delta=1 >2", 6, "outside its own bounds"},
        {"delta=1 >0 >1", 11, "lower bound already"},
        {"delta=1 >2 <1", 11, "no number is inside"},
        {"pred=1", 0, "has a meaning already"},
        {"double=1", 0, "has a meaning already"},
        {"k2=1.5 integer", 3, "outside its own bounds"},
        {"gm_exp=1", 0, "has a meaning already"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct formula_name n;
        struct gm_error err = {0};
        CU_ASSERT_EQUAL(formula_read_name(&n, "--param", table[i].text, &err), GM_USAGE);
        ASSERT_HOLDS(err.text, table[i].says);
        if (caret_of(err.text) != table[i].at)
            printf("\n    caret at %d, expected %d, in\n%s\n", caret_of(err.text), table[i].at, err.text);
        CU_ASSERT_EQUAL(caret_of(err.text), table[i].at);
    }
}

TEST_MAIN("formula language", TEST(errors_point_at_the_character), TEST(a_long_formula_is_shown_around_the_place),
          TEST(deep_nesting_is_refused_not_crashed_on), TEST(a_parameter_that_is_not_used_is_refused),
          TEST(operators_bind_as_on_paper), TEST(numbers_do_not_depend_on_the_locale), TEST(settings_are_read),
          TEST(wrong_settings_point_at_the_character))
