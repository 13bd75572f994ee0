/*
 * The generated C, compiled and called: loss, gradient, Hessians and learned parameters of random formulas over rows
 * with weights. Expected values come from random_formula.h (complex step in long double), not from the room's graph.
 */
#include <dlfcn.h>
#include <math.h>
#include <stdlib.h>

#include <gradmill/loss.h>

#include "base/memory.h"
#include "formula/formula.h"
#include "random_formula.h"
#include "support.h"

enum { FORMULAS = 14, ROWS = 5 };

static const struct formula_name parameter = {
    .name = "a", .value = 1, .bounds = {.low = 0, .high = INFINITY, .low_open = true}};
static const struct formula_name learned = {.name = "shift", .bounds = {.low = -INFINITY, .high = INFINITY}};

/* Compile a source in the test directory and load its loss. NULL after saying why. */
static const struct gm_loss *build(const char *source, const char *optimise)
{
    static int built;
    char command[2048], c[64], so[64];
    snprintf(c, sizeof c, "random_%d.c", ++built);
    snprintf(so, sizeof so, "random_%d.so", built);
    test_write(test_path(c), source);
    snprintf(command, sizeof command,
             "%s -std=c17 %s -Wall -Wextra -Werror -fPIC -shared -ffp-contract=off -I'%s' -o '%s' '%s' -lm",
             getenv("CC") ? getenv("CC") : "cc", optimise, test_source("include"), test_path(so), test_path(c));
    void *handle = system(command) == 0 ? dlopen(test_path(so), RTLD_NOW | RTLD_LOCAL) : NULL;
    union {
        void *object;
        gm_loss_entry_fn *function;
    } entry = {handle ? dlsym(handle, "gm_loss_entry_v1") : NULL};
    CU_ASSERT_PTR_NOT_NULL(entry.object);
    return entry.object ? entry.function(0) : NULL;
}

static enum gm_code write(struct tree *t, char **source, struct formula_request *r, struct gm_error *err)
{
    *r = (struct formula_request){
        .name = "random",
        .formula = t->text,
        .params = &parameter,
        .thetas = &learned,
        .n_params = 1,
        .n_thetas = 1,
        .target_kind = t->style == TREE_CLASS ? GM_TARGET_CLASS : GM_TARGET_REAL,
        .target = {.low = -INFINITY, .high = INFINITY},
        .task = GM_TASK_REGRESSION,
    };
    enum gm_code code = formula_source(source, r, err);
    if (code != GM_OK && strstr(err->text, "does not use 'a'")) {
        r->n_params = 0;
        code = formula_source(source, r, err);
    }
    if (code != GM_OK && strstr(err->text, "does not use 'shift'")) {
        r->n_thetas = 0;
        code = formula_source(source, r, err);
    }
    return code;
}

static bool near(const struct tree *t, const char *what, double found, long double expected, double tolerance)
{
    bool same = fabsl((long double)found - expected) <= tolerance * (1 + fabsl(expected));
    if (!same)
        printf("\n    %s: %.17g, expected %.17Lg, of\n    %s", what, found, expected, t->text);
    CU_ASSERT(same);
    return same;
}

/* Inputs and outputs of one call. */
struct call {
    size_t outputs, targets;
    struct point_values at[ROWS];
    double pred[ROWS * TREE_OUTPUTS], target[ROWS * TREE_OUTPUTS], weight[ROWS], theta[1], theta_grad[1];
    double grad[ROWS * TREE_OUTPUTS], hess_diag[ROWS * TREE_OUTPUTS], hess[ROWS * TREE_OUTPUTS * TREE_OUTPUTS];
    double row_loss[ROWS];
    union gm_loss_value param[1];
    struct gm_loss_batch batch;
    struct gm_loss_result result;
};

static void fill(struct tree *t, struct call *c, const struct gm_loss *loss)
{
    memset(c, 0, sizeof *c);
    struct point_values first;
    tree_point(t, &first);
    c->outputs = loss->spec->outputs > 0 ? (size_t)loss->spec->outputs : (size_t)first.outputs;
    c->targets = t->style == TREE_CLASS ? 1 : strstr(t->text, "target[2]") || t->style == TREE_INDEXED ? 3 : 2;
    if (t->style == TREE_EACH)
        c->targets = 1;
    if (t->style == TREE_FIXED && !strstr(t->text, "target[2]"))
        c->targets = strstr(t->text, "target[1]") ? 2 : strstr(t->text, "target[0]") ? 1 : 3;
    if (t->style == TREE_INDEXED)
        c->targets = c->outputs;
    for (size_t i = 0; i < ROWS; i++) {
        tree_point(t, &c->at[i]);
        c->at[i].a = first.a;
        c->at[i].theta = first.theta;
        c->weight[i] = draw_between(t, 0.5, 2);
        for (size_t k = 0; k < c->outputs; k++)
            c->pred[i * c->outputs + k] = (double)creall(c->at[i].pred[k]);
        for (size_t k = 0; k < c->targets; k++)
            c->target[i * c->targets + k] = t->style == TREE_CLASS ? c->at[i].label : (double)c->at[i].target[k];
    }
    c->param[0].real = (double)first.a;
    c->theta[0] = (double)creall(first.theta);
    c->batch = (struct gm_loss_batch){.struct_size = sizeof c->batch,
                                      .rows = ROWS,
                                      .outputs = c->outputs,
                                      .targets = c->targets,
                                      .pred = c->pred,
                                      .target = c->target,
                                      .weight = c->weight,
                                      .theta = c->theta,
                                      .param = c->param};
    c->result = (struct gm_loss_result){
        .struct_size = sizeof c->result, .grad = c->grad, .theta_grad = c->theta_grad, .row_loss = c->row_loss};
    if (loss->spec->gives & GM_GIVES_HESS) {
        c->result.hess_diag = c->hess_diag;
        c->result.hess = c->hess;
    }
}

static void compare_row(struct tree *t, const struct call *c, size_t i)
{
    size_t n = c->outputs;
    near(t, "row loss", c->row_loss[i], tree_real(t, &c->at[i]), 1e-12);
    for (size_t k = 0; k < n; k++) {
        if (!near(t, "gradient", c->grad[i * n + k], c->weight[i] * tree_slope(t, &c->at[i], (int)k), 1e-11))
            return;
        for (size_t l = 0; c->result.hess && l < n; l++)
            near(t, "hessian", c->hess[(i * n + k) * n + l], c->weight[i] * tree_curve(t, &c->at[i], (int)k, (int)l),
                 1e-7);
        if (c->result.hess_diag)
            near(t, "diagonal", c->hess_diag[i * n + k], c->hess[(i * n + k) * n + k], 1e-10);
    }
}

static void compare(struct tree *t, const struct formula_request *r, const struct gm_loss *loss)
{
    static struct call c;
    fill(t, &c, loss);
    for (size_t i = 0; i < ROWS; i++)
        if (!(fabsl(tree_real(t, &c.at[i])) < 1e5L))
            return;
    void *instance = NULL;
    struct gm_loss_spec spec = *loss->spec;
    CU_ASSERT_EQUAL(loss->create ? loss->create(&c.batch, &spec, &instance) : GM_LOSS_OK, GM_LOSS_OK);
    CU_ASSERT_EQUAL(loss->evaluate(&c.batch, &c.result), GM_LOSS_OK);
    long double sum = 0, theta = 0;
    for (size_t i = 0; i < ROWS; i++) {
        compare_row(t, &c, i);
        sum += c.weight[i] * tree_real(t, &c.at[i]);
        theta += c.weight[i] * tree_slope(t, &c.at[i], -1);
    }
    near(t, "loss", c.result.loss, sum, 1e-12);
    near(t, "theta", c.theta_grad[0], r->n_thetas ? theta : 0, 1e-11);
}

static void run(enum tree_style style, const char *optimise, uint32_t count)
{
    static struct tree t;
    for (uint32_t i = 0, done = 0; done < count && i < 10 * count; i++) {
        struct formula_request r;
        struct gm_error err = {0};
        char *source = NULL;
        tree_draw(&t, style, i % 2 == 0, 4711u + (unsigned)style, i);
        if (t.length > 1500)
            continue;
        enum gm_code code = write(&t, &source, &r, &err);
        if (code != GM_OK && strstr(err.text, "does not depend on pred"))
            continue;
        CU_ASSERT_EQUAL_FATAL(code, GM_OK);
        const struct gm_loss *loss = build(source, optimise);
        if (loss)
            compare(&t, &r, loss);
        memory_free(source);
        done++;
    }
}

static void one_output(void)
{
    run(TREE_EACH, "-O0", FORMULAS);
}
static void three_outputs(void)
{
    run(TREE_FIXED, "-O0", FORMULAS);
}
static void sums_over_outputs(void)
{
    run(TREE_INDEXED, "-O0", FORMULAS);
}
static void class_targets(void)
{
    run(TREE_CLASS, "-O0", FORMULAS);
}
static void optimised_code_gives_the_same(void)
{
    run(TREE_EACH, "-O3", 2);
    run(TREE_CLASS, "-O3", 2);
}

/* A comparison must not hide a NaN: where(NaN < 1, ..) takes a branch that does not hold pred. */
static void a_nan_shows_in_the_loss(void)
{
    struct formula_request r = {.name = "capped",
                                .formula = "where(abs(pred - target) < 1, (pred - target)^2, 1)",
                                .target = {.low = -INFINITY, .high = INFINITY}};
    struct gm_error err = {0};
    char *source = NULL;
    CU_ASSERT_EQUAL_FATAL(formula_source(&source, &r, &err), GM_OK);
    const struct gm_loss *loss = build(source, "-O0");
    double pred[3] = {0.5, NAN, 0.25}, target[3] = {0, 0, NAN}, row[3];
    struct gm_loss_batch b = {
        .struct_size = sizeof b, .rows = 3, .outputs = 1, .targets = 1, .pred = pred, .target = target};
    struct gm_loss_result result = {.struct_size = sizeof result, .row_loss = row};
    if (loss)
        CU_ASSERT_EQUAL(loss->evaluate(&b, &result), GM_LOSS_OK);
    CU_ASSERT_EQUAL(row[0], 0.25); /* 0.5 squared */
    CU_ASSERT(isnan(row[1]));
    CU_ASSERT(isnan(row[2]));
    memory_free(source);
}

/* A function of parameters or the target alone is none that rows are kept waiting for, and nothing is left unused. */
static void functions_without_pred_build_without_warnings(void)
{
    static const char *const formulas[] = {"exp(a) * (pred - target)^2", "softplus(a) * (pred - target)^2",
                                           "softplus(target - a) * (pred - target)^2",
                                           "exp(target) * softplus(a * pred) + exp(a) * pred^2"};
    for (size_t i = 0; i < sizeof formulas / sizeof *formulas; i++) {
        struct formula_request r = {.name = "scaled",
                                    .formula = formulas[i],
                                    .params = &parameter,
                                    .n_params = 1,
                                    .target = {.low = -INFINITY, .high = INFINITY}};
        struct gm_error err = {0};
        char *source = NULL;
        CU_ASSERT_EQUAL_FATAL(formula_source(&source, &r, &err), GM_OK);
        CU_ASSERT_PTR_NOT_NULL(build(source, "-O0"));
        CU_ASSERT_EQUAL(strstr(source, "gm_pointwise_via") != NULL, i == 3);
        memory_free(source);
    }
}

TEST_MAIN("formula source", TEST(functions_without_pred_build_without_warnings), TEST(one_output), TEST(three_outputs),
          TEST(sums_over_outputs), TEST(class_targets), TEST(optimised_code_gives_the_same),
          TEST(a_nan_shows_in_the_loss))
