/*
 * What is known on paper: derivatives of named losses in their stable form, digits kept where the naive form loses
 * them, which formulas are convex.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "dag_value.h"
#include "formula/convex.h"
#include "formula/derive.h"
#include "formula/formula.h"
#include "support.h"

static const struct formula_name params[] = {
    {.name = "delta", .value = 1, .bounds = {.low = 0, .high = INFINITY, .low_open = true}},
    {.name = "tau", .value = 0.5, .bounds = {.low = 0, .high = 1}}};

/* The formula with those of delta and tau that it names, derived. */
static bool prepare(const char *text, uint32_t kind, struct formula *f, struct derivatives *s)
{
    static struct formula_request r;
    struct gm_error err = {0};
    bool delta = strstr(text, "delta"), tau = strstr(text, "tau");
    r = (struct formula_request){.name = "known",
                                 .formula = text,
                                 .params = delta ? params : params + 1,
                                 .n_params = (size_t)delta + tau,
                                 .target_kind = kind,
                                 .target = {.low = 0, .high = INFINITY}};
    enum gm_code code = formula_parse(f, &r, &err);
    if (code == GM_OK)
        code = derive_all(f, s, &err);
    if (code != GM_OK)
        printf("\n%s\n", err.text);
    CU_ASSERT_EQUAL(code, GM_OK);
    return code == GM_OK;
}

/* The derivatives are the very expressions that `slope` and `curve` parse to: same nodes, not only same values. */
static void derives_to(const char *text, const char *slope, const char *curve)
{
    static struct derivatives s;
    struct formula f;
    char both[400];
    if (!prepare(text, GM_TARGET_REAL, &f, &s))
        return;
    struct dag_inputs in = {.outputs = 1, .param = {1.25L, 0.3L}};
    if (strstr(text, "tau"))
        in.param[0] = 0.3L;
    for (int i = 0; i < 2; i++) {
        struct formula expected;
        static struct derivatives unused;
        snprintf(both, sizeof both, "%s + 1e-300*pred%s", i ? curve : slope,
                 strstr(text, "delta") ? " + 0.0*delta" : "");
        static struct formula_request r;
        struct gm_error err = {0};
        r = *f.request;
        r.formula = both;
        (void)unused;
        enum gm_code code = formula_parse(&expected, &r, &err);
        if (code != GM_OK) {
            printf("\n%s\n", err.text);
            CU_FAIL("the expected derivative does not parse");
            continue;
        }
        for (int k = 0; k < 25; k++) {
            in.pred[0] = -3 + 0.27L * k;
            in.target[0] = 0.1L * k;
            long double(*found)[DAG_VALUE_OUTPUTS] = dag_values(&f.dag, &in);
            long double(*wanted)[DAG_VALUE_OUTPUTS] = dag_values(&expected.dag, &in);
            ASSERT_CLOSE((double)found[i ? s.hess[0][0] : s.grad[0]][0], (double)wanted[expected.loss][0], 1e-15);
            free(found);
            free(wanted);
        }
        formula_release(&expected);
    }
    formula_release(&f);
}

static void named_losses_have_their_known_derivatives(void)
{
    derives_to("(pred - target)^2", "2*(pred - target)", "2");
    derives_to("softplus(pred) - target*pred", "sigmoid(pred) - target", "sigmoid(pred)*sigmoid(-pred)");
    derives_to("log(1 + exp(pred)) - target*pred", "sigmoid(pred) - target", "sigmoid(pred)*sigmoid(-pred)");
    derives_to("exp(pred) - target*pred", "exp(pred) - target", "exp(pred)");
    derives_to("target*exp(-pred) + pred", "1 - target*exp(-pred)", "target*exp(-pred)"); /* gamma, log link */
    derives_to("log(exp(pred - target) + exp(target - pred))", "tanh(pred - target)", "1 - tanh(pred - target)^2");
    derives_to("log(1 + (pred - target)^2)", "2*(pred - target)/(1 + (pred - target)^2)",
               "2*(1 - (pred - target)^2)/(1 + (pred - target)^2)^2"); /* Cauchy */
    derives_to("where(pred < target, (1 - tau), tau)*(pred - target)^2",
               "2*where(pred < target, 1 - tau, tau)*(pred - target)", "2*where(pred < target, 1 - tau, tau)");
}

/* Huber with delta, by hand: r inside, delta sign(r) outside; 1 inside, 0 outside. */
static void huber_has_its_known_derivatives(void)
{
    static struct derivatives s;
    struct formula f;
    if (!prepare("where(abs(pred - target) <= delta, 0.5*(pred-target)^2, delta*(abs(pred-target) - 0.5*delta))",
                 GM_TARGET_REAL, &f, &s))
        return;
    for (int k = -20; k <= 20; k++) {
        struct dag_inputs in = {.outputs = 1, .pred = {0.17L * k}, .target = {0.3L}, .param = {1.25L}};
        long double r = in.pred[0] - in.target[0];
        long double(*v)[DAG_VALUE_OUTPUTS] = dag_values(&f.dag, &in);
        ASSERT_CLOSE((double)v[s.grad[0]][0], (double)(fabsl(r) <= 1.25L ? r : copysignl(1.25L, r)), 1e-18);
        CU_ASSERT_EQUAL(v[s.hess[0][0]][0], fabsl(r) <= 1.25L ? 1 : 0);
        free(v);
    }
    formula_release(&f);
}

/* Softmax cross-entropy: g_j = p_j - [j = t], H_jk = p_j [j = k] - p_j p_k (Bishop 2006, eq. 4.109 and 4.110). */
static void cross_entropy_has_its_known_derivatives(void)
{
    static struct derivatives s;
    struct formula f;
    static const char *const forms[] = {"logsumexp_j(pred[j]) - pred[target]",
                                        "-log(exp(pred[target]) / sum_j(exp(pred[j])))",
                                        "sum_j(where(j == target, logsumexp_j(pred[j]) - pred[j], 0))"};
    for (int form = 0; form < 3; form++) {
        if (!prepare(forms[form], GM_TARGET_CLASS, &f, &s))
            return;
        struct dag_inputs in = {.outputs = 4, .label = 2, .class_target = true, .pred = {0.3L, -1.2L, 0.8L, 2.1L}};
        long double sum = 0, p[4];
        for (int j = 0; j < 4; j++)
            sum += expl(in.pred[j]);
        for (int j = 0; j < 4; j++)
            p[j] = expl(in.pred[j]) / sum;
        long double(*v)[DAG_VALUE_OUTPUTS] = dag_values(&f.dag, &in);
        ASSERT_CLOSE((double)v[s.loss][0], (double)(logl(sum) - 0.8L), 1e-18);
        for (int j = 0; j < 4; j++) {
            ASSERT_CLOSE((double)v[s.grad_j][j], (double)(p[j] - (j == 2)), 1e-17);
            ASSERT_CLOSE((double)v[s.hess_diag_j][j], (double)(p[j] - p[j] * p[j]), 1e-17);
            for (int k = 0; k < 4; k++) {
                long double h = j == k ? v[s.own_j][j] : 0;
                for (size_t i = 0; i < s.parts; i++)
                    h += v[s.by_scalar[i]][j] * v[s.of_scalar[i]][k];
                ASSERT_CLOSE((double)h, (double)(p[j] * (j == k) - p[j] * p[k]), 1e-17);
            }
        }
        free(v);
        formula_release(&f);
    }
}

/* ---- the simplifier ---- */

/* Both texts become the same node of one graph. */
static void same_node(const char *one, const char *other)
{
    char text[400];
    struct formula f;
    struct gm_error err = {0};
    struct formula_request r = {.name = "same", .target = {.low = -INFINITY, .high = INFINITY}, .formula = text};
    snprintf(text, sizeof text, "where((%s) == (%s), pred, 2*pred)", one, other);
    CU_ASSERT_EQUAL_FATAL(formula_parse(&f, &r, &err), GM_OK);
    bool same = false;
    for (dag_id id = 0; id < f.dag.count; id++)
        if (dag_is(&f.dag, id, DAG_EQUAL))
            same = dag_at(&f.dag, id)->a == dag_at(&f.dag, id)->b;
    if (!same)
        printf("\n    %s and %s are different expressions", one, other);
    CU_ASSERT(same);
    formula_release(&f);
}

static void naive_forms_become_their_stable_primitive(void)
{
    same_node("log(1 + exp(pred))", "softplus(pred)");
    same_node("log1p(exp(-pred))", "softplus(-pred)");
    same_node("1/(1 + exp(-pred))", "sigmoid(pred)");
    same_node("exp(pred)/(1 + exp(pred))", "sigmoid(pred)");
    same_node("1 - sigmoid(pred)", "sigmoid(-pred)");
    same_node("log(sigmoid(pred))", "-softplus(-pred)");
    same_node("log(1 - sigmoid(pred))", "-softplus(pred)");
    same_node("log(1 + pred^2)", "log1p(pred^2)");
    same_node("exp(pred) - 1", "expm1(pred)");
    same_node("sqrt(pred^2)", "abs(pred)");
    same_node("pred*pred*pred", "pred^3");
    same_node("pred + pred", "2*pred");
    same_node("3*pred - 2*pred", "pred");
    same_node("-(pred - target)", "target - pred");
    same_node("(pred - target)*0.5*2", "pred - target");
    same_node("where(pred < 1, where(pred < 1, pred, 3), 4)", "where(pred < 1, pred, 4)");
}

/* With pred = 800 the naive log(1 + exp(pred)) is infinite, with pred = -40 it is 0. */
static void digits_are_kept_far_out(void)
{
    static struct derivatives s;
    struct formula f;
    if (!prepare("log(1 + exp(pred)) - target*pred", GM_TARGET_REAL, &f, &s))
        return;
    struct dag_inputs in = {.outputs = 1, .pred = {20000}, .target = {0}};
    long double(*v)[DAG_VALUE_OUTPUTS] = dag_values(&f.dag, &in);
    ASSERT_CLOSE((double)v[s.loss][0], 20000, 1e-18);
    free(v);
    in.pred[0] = -40;
    v = dag_values(&f.dag, &in);
    ASSERT_CLOSE((double)(v[s.loss][0] / expl(-40)), 1, 1e-16);
    ASSERT_CLOSE((double)(v[s.grad[0]][0] / expl(-40)), 1, 1e-16);
    ASSERT_CLOSE((double)(v[s.hess[0][0]][0] / expl(-40)), 1, 1e-16);
    free(v);
    formula_release(&f);
}

/* A branch that is not taken must not make NaN of the slope: 0 * (1 / 0). */
static void a_branch_not_taken_does_not_spoil_the_slope(void)
{
    static struct derivatives s;
    struct formula f;
    if (!prepare("where(target > 0, target*log(target/exp(pred)), 0) + exp(pred)", GM_TARGET_REAL, &f, &s))
        return;
    struct dag_inputs in = {.outputs = 1, .pred = {0.5L}, .target = {0}};
    long double(*v)[DAG_VALUE_OUTPUTS] = dag_values(&f.dag, &in);
    ASSERT_CLOSE((double)v[s.grad[0]][0], exp(0.5), 1e-15);
    free(v);
    formula_release(&f);
}

/* ---- convexity ---- */

static void convexity_is_claimed_only_when_proven(void)
{
    static const struct {
        const char *text;
        uint32_t kind;
        bool convex; /* proven; the mathematics is in every book on convex optimisation (Boyd, Vandenberghe 2004, ch. 3)
                      */
    } table[] = {
        {"(pred - target)^2", GM_TARGET_REAL, true},
        {"abs(pred - target)", GM_TARGET_REAL, true},
        {"softplus(pred) - target*pred", GM_TARGET_REAL, true},
        {"exp(pred) - target*pred", GM_TARGET_REAL, true},
        {"max(0, 1 - target*pred)", GM_TARGET_REAL, true},
        {"max(0, 1 - target*pred)^2", GM_TARGET_REAL, true},
        {"max(tau*(target - pred), (tau - 1)*(target - pred))", GM_TARGET_REAL, true},
        {"logsumexp_j(pred[j]) - pred[target]", GM_TARGET_CLASS, true},
        {"sum_j((pred[j] - target[j])^2)", GM_TARGET_REAL, true},
        {"sqrt(1 + (pred - target)^2)", GM_TARGET_REAL, false}, /* convex, but beyond these rules */
        {"log(1 + (pred - target)^2)", GM_TARGET_REAL, false},  /* not convex */
        {"-(pred - target)^2", GM_TARGET_REAL, false},
        {"min(abs(pred - target), 1)", GM_TARGET_REAL, false},
        {"where(pred < 0, pred, -pred)", GM_TARGET_REAL, false}, /* not convex, though its second derivative is 0 */
        {"-logsumexp_j(-pred[j]^2)", GM_TARGET_NONE, false},
        {"pred[0]*pred[1]", GM_TARGET_NONE, false},
        {"-delta*abs(pred)", GM_TARGET_REAL, false},
        {"tanh(pred - target)^2", GM_TARGET_REAL, false},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        static struct derivatives s;
        struct formula f;
        struct gm_error err = {0};
        bool proven = !table[i].convex;
        if (!prepare(table[i].text, table[i].kind, &f, &s))
            continue;
        CU_ASSERT_EQUAL(convex_proven(&f, &s, &proven, &err), GM_OK);
        if (proven != table[i].convex)
            printf("\n    %s: %s", table[i].text, proven ? "proven convex" : "not proven");
        CU_ASSERT_EQUAL(proven, table[i].convex);
        formula_release(&f);
    }
}

TEST_MAIN("known formulas", TEST(named_losses_have_their_known_derivatives), TEST(huber_has_its_known_derivatives),
          TEST(cross_entropy_has_its_known_derivatives), TEST(naive_forms_become_their_stable_primitive),
          TEST(digits_are_kept_far_out), TEST(a_branch_not_taken_does_not_spoil_the_slope),
          TEST(convexity_is_claimed_only_when_proven))
