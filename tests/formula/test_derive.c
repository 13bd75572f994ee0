/*
 * Derivatives and simplification of random formulas. Expected values come from random_formula.h: an evaluation of the
 * tree the text was printed from, in complex long double (complex step), and central differences.
 */
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "dag_value.h"
#include "formula/derive.h"
#include "formula/formula.h"
#include "random_formula.h"
#include "support.h"

enum { FORMULAS = 150 };

static const struct formula_name parameter = {.name = "a", .value = 1, .bounds = {.low = 0, .high = INFINITY}};
static const struct formula_name learned = {.name = "shift", .bounds = {.low = -INFINITY, .high = INFINITY}};

/* The tree's formula parsed and derived; false: it does not use the parameter it was given (tried again without). */
static bool prepare(struct tree *t, struct formula *f, struct formula_request *r, struct derivatives *s)
{
    struct gm_error err = {0};
    *r = (struct formula_request){
        .name = "random",
        .formula = t->text,
        .params = &parameter,
        .thetas = &learned,
        .target_kind = t->style == TREE_CLASS ? GM_TARGET_CLASS : GM_TARGET_REAL,
        .target = {.low = -INFINITY, .high = INFINITY},
        .n_params = strstr(t->text, "a)") || strchr(t->text, 'a') ? 1 : 0,
        .n_thetas = 1,
    };
    enum gm_code code = formula_parse(f, r, &err);
    if (code != GM_OK && strstr(err.text, "does not use 'a'")) {
        r->n_params = 0;
        code = formula_parse(f, r, &err);
    }
    if (code != GM_OK && strstr(err.text, "does not use 'shift'")) {
        r->n_thetas = 0;
        code = formula_parse(f, r, &err);
    }
    if (code != GM_OK && strstr(err.text, "does not depend on pred")) { /* right only if the slope is zero everywhere */
        struct point_values at;
        tree_point(t, &at);
        CU_ASSERT(fabsl(tree_slope(t, &at, 0)) < 1e-15L);
        return false;
    }
    if (code == GM_OK)
        code = derive_all(f, s, &err);
    if (code != GM_OK)
        printf("\n    %s\n    %s\n", t->text, err.text);
    CU_ASSERT_EQUAL(code, GM_OK);
    return code == GM_OK;
}

static struct dag_inputs inputs_of(const struct tree *t, const struct point_values *at)
{
    struct dag_inputs in = {
        .outputs = (size_t)at->outputs, .label = (size_t)at->label, .class_target = t->style == TREE_CLASS};
    for (int k = 0; k < TREE_OUTPUTS; k++) {
        in.pred[k] = creall(at->pred[k]);
        in.target[k] = at->target[k];
    }
    in.param[0] = at->a;
    in.theta[0] = creall(at->theta);
    return in;
}

static bool near(const struct tree *t, const char *what, long double found, long double expected, long double tolerance)
{
    bool same = fabsl(found - expected) <= tolerance * (1 + fabsl(expected));
    if (!same)
        printf("\n    %s: %.18Lg, expected %.18Lg, of\n    %s", what, found, expected, t->text);
    CU_ASSERT(same);
    return same;
}

/* Second derivative [k][l] of the parts the room hands out. */
static long double hessian_entry(const struct formula *f, const struct derivatives *s,
                                 long double (*v)[DAG_VALUE_OUTPUTS], size_t k, size_t l)
{
    if (f->shape != FORMULA_INDEXED)
        return v[s->hess[k > l ? k : l][k > l ? l : k]][0];
    long double sum = k == l ? v[s->own_j][k] : 0;
    for (size_t i = 0; i < s->parts; i++)
        sum += v[s->by_scalar[i]][k] * v[s->of_scalar[i]][l];
    return sum;
}

static void compare_at(struct tree *t, const struct formula *f, const struct derivatives *s,
                       const struct point_values *at)
{
    struct dag_inputs in = inputs_of(t, at);
    long double(*v)[DAG_VALUE_OUTPUTS] = dag_values(&f->dag, &in);
    size_t outputs = f->shape == FORMULA_INDEXED ? in.outputs : f->outputs;
    near(t, "value", v[s->loss][0], tree_real(t, at), 1e-15L);
    for (size_t k = 0; k < outputs; k++) {
        long double slope = f->shape == FORMULA_INDEXED ? v[s->grad_j][k] : v[s->grad[k]][0];
        if (!near(t, "gradient", slope, tree_slope(t, at, (int)k), 1e-14L))
            break;
        for (size_t l = 0; l < outputs; l++)
            near(t, "hessian", hessian_entry(f, s, v, k, l), tree_curve(t, at, (int)k, (int)l), 1e-7L);
        if (f->shape == FORMULA_INDEXED)
            near(t, "hessian diagonal", v[s->hess_diag_j][k], hessian_entry(f, s, v, k, k), 1e-14L);
    }
    if (f->request->n_thetas)
        near(t, "theta", v[s->theta_grad[0]][0], tree_slope(t, at, -1), 1e-14L);
    free(v);
}

static void run(enum tree_style style, bool smooth)
{
    static struct tree t;
    static struct derivatives s;
    int compared = 0;
    for (uint32_t i = 0; i < FORMULAS; i++) {
        struct formula f;
        struct formula_request r;
        struct point_values at;
        tree_draw(&t, style, smooth, 20240u + (unsigned)style, i + (smooth ? 0u : 100000u));
        if (t.length > 5000 || !prepare(&t, &f, &r, &s))
            continue;
        for (int p = 0; p < 3; p++) {
            tree_point(&t, &at);
            if (fabsl(tree_real(&t, &at)) < 1e8L) {
                compare_at(&t, &f, &s, &at);
                compared++;
            }
        }
        formula_release(&f);
    }
    CU_ASSERT(compared > 2 * FORMULAS);
}

static void smooth_formulas_of_one_output(void)
{
    run(TREE_EACH, true);
}
static void formulas_with_kinks(void)
{
    run(TREE_EACH, false);
}
static void smooth_formulas_of_three_outputs(void)
{
    run(TREE_FIXED, true);
}
static void formulas_of_three_outputs_with_kinks(void)
{
    run(TREE_FIXED, false);
}
static void formulas_with_sums(void)
{
    run(TREE_INDEXED, true);
}
static void formulas_with_sums_and_kinks(void)
{
    run(TREE_INDEXED, false);
}
static void formulas_of_a_class(void)
{
    run(TREE_CLASS, true);
}
static void formulas_of_a_class_with_kinks(void)
{
    run(TREE_CLASS, false);
}

/* The same slopes once more by another method: central differences of the tree in long double. */
static void slopes_agree_with_central_differences(void)
{
    static struct tree t;
    static struct derivatives s;
    int compared = 0;
    for (uint32_t i = 0; i < FORMULAS; i++) {
        struct formula f;
        struct formula_request r;
        struct point_values at, up, down;
        tree_draw(&t, TREE_EACH, true, 777, i);
        if (!prepare(&t, &f, &r, &s))
            continue;
        tree_point(&t, &at);
        up = down = at;
        up.pred[0] += 1e-6L;
        down.pred[0] -= 1e-6L;
        struct dag_inputs in = inputs_of(&t, &at);
        long double(*v)[DAG_VALUE_OUTPUTS] = dag_values(&f.dag, &in);
        if (fabsl(tree_real(&t, &at)) < 1e4L) {
            near(&t, "difference", v[s.grad[0]][0], (tree_real(&t, &up) - tree_real(&t, &down)) / 2e-6L, 1e-7L);
            compared++;
        }
        free(v);
        formula_release(&f);
    }
    CU_ASSERT(compared > FORMULAS / 2);
}

TEST_MAIN("formula derivatives", TEST(smooth_formulas_of_one_output), TEST(formulas_with_kinks),
          TEST(smooth_formulas_of_three_outputs), TEST(formulas_of_three_outputs_with_kinks), TEST(formulas_with_sums),
          TEST(formulas_with_sums_and_kinks), TEST(formulas_of_a_class), TEST(formulas_of_a_class_with_kinks),
          TEST(slopes_agree_with_central_differences))
