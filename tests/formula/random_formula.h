/*
 * Random formulas that are defined everywhere, as a tree of this file's own, and their values in complex long double:
 * an evaluation that shares nothing with trainer/formula. The derivative by a variable is Im f(x + ih) / h with h =
 * 1e-40, exact to rounding (Squire and Trapp, SIAM Review 40 (1998)); comparisons look at real parts.
 */
#ifndef TESTS_FORMULA_RANDOM_FORMULA_H
#define TESTS_FORMULA_RANDOM_FORMULA_H

#include <complex.h>
#include <stdio.h>
#include <string.h>

#include "base/random.h"

#define TREE_NODES   4000
#define TREE_TEXT    16000
#define TREE_OUTPUTS 4

typedef long double complex number;

enum tree_op {
    TREE_NUMBER,
    TREE_PARAM,
    TREE_THETA,
    TREE_PRED,
    TREE_PRED_J,
    TREE_PRED_LABEL,
    TREE_TARGET,
    TREE_TARGET_J,
    TREE_J,
    TREE_ADD,
    TREE_SUB,
    TREE_MUL,
    TREE_SAFE_DIV,
    TREE_NEG,
    TREE_SQUARE,
    TREE_CUBE,
    TREE_ROOT_POWER,
    TREE_PARAM_POWER,
    TREE_ABS,
    TREE_MIN,
    TREE_MAX,
    TREE_EXP,
    TREE_LOG,
    TREE_LOG1P,
    TREE_EXPM1,
    TREE_SQRT,
    TREE_TANH,
    TREE_SIGMOID,
    TREE_SOFTPLUS,
    TREE_WHERE,
    TREE_NAIVE_SOFTPLUS,
    TREE_NAIVE_SIGMOID,
    TREE_SUM_J,
    TREE_LSE_J,
    TREE_IF_LABEL
};

enum tree_style { TREE_EACH, TREE_FIXED, TREE_INDEXED, TREE_CLASS };

struct tree {
    struct tree_node {
        enum tree_op op;
        int child[4];
        double value;
    } nodes[TREE_NODES];
    int count;
    enum tree_style style;
    bool smooth; /* no abs, min, max, where */
    uint64_t drawn;
    struct random_key key;
    char text[TREE_TEXT];
    size_t length;
};

/* Where a formula is evaluated. */
struct point_values {
    number pred[TREE_OUTPUTS];
    long double target[TREE_OUTPUTS], a; /* a > 0: the parameter */
    number theta;
    int outputs, label;
};

static inline uint64_t draw(struct tree *t, uint64_t n)
{
    return random_below(t->key, t->drawn++, n);
}

static inline double draw_between(struct tree *t, double low, double high)
{
    return low + (high - low) * random_uniform(t->key, t->drawn++);
}

/* ---- making ---- */

static inline int tree_node(struct tree *t, enum tree_op op, double value)
{
    t->nodes[t->count] = (struct tree_node){.op = op, .value = value};
    return t->count++;
}

static inline int tree_leaf(struct tree *t, bool element)
{
    static const double numbers[] = {0, 1, 2, 0.5, 3, 0.25, 1.5, 0.1};
    uint64_t pick = draw(t, 10);
    if (pick == 0)
        return tree_node(t, TREE_NUMBER, numbers[draw(t, 8)]);
    if (pick == 1)
        return tree_node(t, TREE_PARAM, 0);
    if (pick == 2)
        return tree_node(t, TREE_THETA, 0);
    if (t->style == TREE_EACH || t->style == TREE_FIXED)
        return tree_node(t, pick < 7 ? TREE_PRED : TREE_TARGET, t->style == TREE_EACH ? -1 : (double)draw(t, 3));
    if (element)
        return tree_node(t, pick < 7 || t->style == TREE_CLASS ? TREE_PRED_J : TREE_TARGET_J, 0);
    if (t->style == TREE_CLASS)
        return tree_node(t, TREE_PRED_LABEL, 0);
    return tree_node(t, TREE_PRED, (double)draw(t, 3));
}

/* A reduction whose body is drawn on the level of elements. */
static inline int tree_make(struct tree *t, int depth, bool element);

static inline int tree_operation(struct tree *t, enum tree_op op, int arity, int depth, bool element)
{
    int id = tree_node(t, op, 0);
    for (int i = 0; i < arity; i++) {
        int child = tree_make(t, depth - 1, element || op == TREE_SUM_J || op == TREE_LSE_J);
        t->nodes[id].child[i] = child;
    }
    return id;
}

static inline int tree_make(struct tree *t, int depth, bool element)
{
    static const enum tree_op smooth[] = {
        TREE_ADD,           TREE_SUB,        TREE_MUL,         TREE_SAFE_DIV, TREE_NEG,      TREE_SQUARE,
        TREE_CUBE,          TREE_ROOT_POWER, TREE_PARAM_POWER, TREE_EXP,      TREE_LOG,      TREE_LOG1P,
        TREE_EXPM1,         TREE_SQRT,       TREE_TANH,        TREE_SIGMOID,  TREE_SOFTPLUS, TREE_NAIVE_SOFTPLUS,
        TREE_NAIVE_SIGMOID, TREE_ADD,        TREE_SUB,         TREE_MUL};
    static const enum tree_op kinked[] = {TREE_ABS, TREE_MIN, TREE_MAX, TREE_WHERE};
    bool sums = t->style == TREE_INDEXED || t->style == TREE_CLASS;
    if (depth <= 0)
        return tree_leaf(t, element);
    if (sums && !element && draw(t, 3) == 0)
        return tree_operation(t, draw(t, 2) ? TREE_SUM_J : TREE_LSE_J, 1, depth, false);
    if (element && t->style == TREE_CLASS && draw(t, 6) == 0)
        return tree_operation(t, TREE_IF_LABEL, 2, depth, true);
    if (element && draw(t, 8) == 0) /* a scalar within an element: broadcast */
        return tree_make(t, depth - 1, false);
    if (!t->smooth && draw(t, 4) == 0) {
        enum tree_op op = kinked[draw(t, 4)];
        return tree_operation(t, op, op == TREE_ABS ? 1 : op == TREE_WHERE ? 4 : 2, depth, element);
    }
    enum tree_op op = smooth[draw(t, sizeof smooth / sizeof *smooth)];
    bool binary = op == TREE_ADD || op == TREE_SUB || op == TREE_MUL || op == TREE_SAFE_DIV;
    return tree_operation(t, op, binary ? 2 : 1, depth, element);
}

/* ---- text ---- */

static inline void tree_add(struct tree *t, const char *text)
{
    size_t n = strlen(text);
    if (t->length + n < TREE_TEXT) {
        memcpy(t->text + t->length, text, n + 1);
        t->length += n;
    }
}

static inline void tree_print(struct tree *t, int id);

/* "before x between y ... after" */
static inline void tree_parts(struct tree *t, int id, const char *const *parts)
{
    tree_add(t, parts[0]);
    for (int i = 0; parts[i + 1]; i++) {
        tree_print(t, t->nodes[id].child[i]);
        tree_add(t, parts[i + 1]);
    }
}
#define PARTS(...) tree_parts(t, id, (const char *const[]){__VA_ARGS__, NULL})

static inline void tree_indexed(struct tree *t, const char *name, double index)
{
    char text[32];
    if (index < 0)
        snprintf(text, sizeof text, "%s", name);
    else
        snprintf(text, sizeof text, "%s[%d]", name, (int)index);
    tree_add(t, text);
}

static inline void tree_print(struct tree *t, int id)
{
    const struct tree_node *n = &t->nodes[id];
    char text[32];
    switch (n->op) {
    case TREE_NUMBER:
        snprintf(text, sizeof text, "%g", n->value);
        tree_add(t, text);
        break;
    case TREE_PARAM:
        tree_add(t, "a");
        break;
    case TREE_THETA:
        tree_add(t, "shift");
        break;
    case TREE_PRED:
        tree_indexed(t, "pred", n->value);
        break;
    case TREE_PRED_J:
        tree_add(t, "pred[j]");
        break;
    case TREE_PRED_LABEL:
        tree_add(t, "pred[target]");
        break;
    case TREE_TARGET:
        tree_indexed(t, "target", n->value);
        break;
    case TREE_TARGET_J:
        tree_add(t, "target[j]");
        break;
    case TREE_J:
        tree_add(t, "j");
        break;
    case TREE_ADD:
        PARTS("(", " + ", ")");
        break;
    case TREE_SUB:
        PARTS("(", " - ", ")");
        break;
    case TREE_MUL:
        PARTS("(", " * ", ")");
        break;
    case TREE_SAFE_DIV:
        PARTS("(", " / (1 + (", ")^2))");
        break;
    case TREE_NEG:
        PARTS("(-", ")");
        break;
    case TREE_SQUARE:
        PARTS("(", ")^2");
        break;
    case TREE_CUBE:
        PARTS("tanh(", ")^3");
        break;
    case TREE_ROOT_POWER:
        PARTS("(1 + (", ")^2)^-1.5");
        break;
    case TREE_PARAM_POWER:
        PARTS("(0.5 + sigmoid(", "))^a");
        break;
    case TREE_ABS:
        PARTS("abs(", ")");
        break;
    case TREE_MIN:
        PARTS("min(", ", ", ")");
        break;
    case TREE_MAX:
        PARTS("max(", ", ", ")");
        break;
    case TREE_EXP:
        PARTS("exp(tanh(", "))");
        break;
    case TREE_LOG:
        PARTS("log(2 + tanh(", "))");
        break;
    case TREE_LOG1P:
        PARTS("log1p((", ")^2)");
        break;
    case TREE_EXPM1:
        PARTS("expm1(sigmoid(", "))");
        break;
    case TREE_SQRT:
        PARTS("sqrt(1 + (", ")^2)");
        break;
    case TREE_TANH:
        PARTS("tanh(", ")");
        break;
    case TREE_SIGMOID:
        PARTS("sigmoid(", ")");
        break;
    case TREE_SOFTPLUS:
        PARTS("softplus(", ")");
        break;
    case TREE_WHERE:
        PARTS("where(", " < ", ", ", ", ", ")");
        break;
    case TREE_NAIVE_SOFTPLUS:
        PARTS("log(1 + exp(", "))");
        break;
    case TREE_NAIVE_SIGMOID:
        PARTS("1/(1 + exp(-", "))");
        break;
    case TREE_SUM_J:
        PARTS("sum_j(", ")");
        break;
    case TREE_LSE_J:
        PARTS("logsumexp_j(", ")");
        break;
    case TREE_IF_LABEL:
        PARTS("where(j == target, ", ", ", ")");
        break;
    }
}

/* ---- values ---- */

static inline number tree_value(const struct tree *t, int id, const struct point_values *at, int j);

static inline number tree_reduce(const struct tree *t, const struct tree_node *n, const struct point_values *at)
{
    number sum = 0;
    for (int j = 0; j < at->outputs; j++) {
        number x = tree_value(t, n->child[0], at, j);
        sum += n->op == TREE_LSE_J ? cexpl(x) : x;
    }
    return n->op == TREE_LSE_J ? clogl(sum) : sum;
}

static inline number tree_value(const struct tree *t, int id, const struct point_values *at, int j)
{
    const struct tree_node *n = &t->nodes[id];
    number x[4] = {0};
    int arity = n->op < TREE_ADD || n->op == TREE_SUM_J || n->op == TREE_LSE_J ? 0
                : n->op == TREE_WHERE                                          ? 4
                : n->op == TREE_ADD || n->op == TREE_SUB || n->op == TREE_MUL || n->op == TREE_SAFE_DIV ||
                        n->op == TREE_MIN || n->op == TREE_MAX || n->op == TREE_IF_LABEL
                    ? 2
                    : 1;
    for (int i = 0; i < arity; i++)
        x[i] = tree_value(t, n->child[i], at, j);
    switch (n->op) {
    case TREE_NUMBER:
        return n->value;
    case TREE_PARAM:
        return at->a;
    case TREE_THETA:
        return at->theta;
    case TREE_PRED:
        return at->pred[n->value < 0 ? 0 : (int)n->value];
    case TREE_PRED_J:
        return at->pred[j];
    case TREE_PRED_LABEL:
        return at->pred[at->label];
    case TREE_TARGET:
        return at->target[n->value < 0 ? 0 : (int)n->value];
    case TREE_TARGET_J:
        return at->target[j];
    case TREE_J:
        return j;
    case TREE_ADD:
        return x[0] + x[1];
    case TREE_SUB:
        return x[0] - x[1];
    case TREE_MUL:
        return x[0] * x[1];
    case TREE_SAFE_DIV:
        return x[0] / (1 + x[1] * x[1]);
    case TREE_NEG:
        return -x[0];
    case TREE_SQUARE:
        return x[0] * x[0];
    case TREE_CUBE:
        return ctanhl(x[0]) * ctanhl(x[0]) * ctanhl(x[0]);
    case TREE_ROOT_POWER:
        return 1 / ((1 + x[0] * x[0]) * csqrtl(1 + x[0] * x[0]));
    case TREE_PARAM_POWER:
        return cexpl(at->a * clogl(0.5L + 1 / (1 + cexpl(-x[0]))));
    case TREE_ABS:
        return creall(x[0]) < 0 ? -x[0] : x[0];
    case TREE_MIN:
        return creall(x[0]) <= creall(x[1]) ? x[0] : x[1];
    case TREE_MAX:
        return creall(x[0]) >= creall(x[1]) ? x[0] : x[1];
    case TREE_EXP:
        return cexpl(ctanhl(x[0]));
    case TREE_LOG:
        return clogl(2 + ctanhl(x[0]));
    case TREE_LOG1P:
        return clogl(1 + x[0] * x[0]);
    case TREE_EXPM1:
        return cexpl(1 / (1 + cexpl(-x[0]))) - 1;
    case TREE_SQRT:
        return csqrtl(1 + x[0] * x[0]);
    case TREE_TANH:
        return ctanhl(x[0]);
    case TREE_NAIVE_SIGMOID:
    case TREE_SIGMOID:
        return 1 / (1 + cexpl(-x[0]));
    case TREE_NAIVE_SOFTPLUS:
    case TREE_SOFTPLUS:
        return creall(x[0]) > 0 ? x[0] + clogl(1 + cexpl(-x[0])) : clogl(1 + cexpl(x[0]));
    case TREE_WHERE:
        return creall(x[0]) < creall(x[1]) ? x[2] : x[3];
    case TREE_SUM_J:
    case TREE_LSE_J:
        return tree_reduce(t, n, at);
    case TREE_IF_LABEL:
        return j == at->label ? x[0] : x[1];
    }
    return 0;
}

/* ---- use ---- */

/* Formula number `index` of a seed: its tree and text. The root is node 0. pred is always in it. */
static inline void tree_draw(struct tree *t, enum tree_style style, bool smooth, uint64_t seed, uint32_t index)
{
    *t = (struct tree){.style = style, .smooth = smooth, .key = {seed, RANDOM_CHECK, index}};
    int root = tree_node(t, TREE_ADD, 0), depth = 2 + (int)draw(t, 3);
    bool sums = style == TREE_INDEXED || style == TREE_CLASS;
    t->nodes[root].child[0] = sums ? tree_operation(t, TREE_SUM_J, 1, depth, false) : tree_make(t, depth, false);
    int anchor = tree_operation(t, sums ? TREE_LSE_J : TREE_SQUARE, 0, 0, false);
    int variable = tree_node(t, sums ? TREE_PRED_J : TREE_PRED, style == TREE_EACH ? -1 : 0);
    t->nodes[anchor].child[0] = variable;
    t->nodes[root].child[1] = anchor;
    tree_print(t, root);
}

static inline void tree_point(struct tree *t, struct point_values *at)
{
    *at = (struct point_values){.outputs = t->style == TREE_EACH ? 1 : t->style == TREE_FIXED ? 3 : TREE_OUTPUTS};
    for (int k = 0; k < TREE_OUTPUTS; k++) {
        at->pred[k] = draw_between(t, -2, 2);
        at->target[k] = draw_between(t, -2, 2);
    }
    at->a = draw_between(t, 0.5, 2);
    at->theta = draw_between(t, -1, 1);
    at->label = (int)draw(t, (uint64_t)at->outputs);
}

static inline long double tree_real(const struct tree *t, const struct point_values *at)
{
    return creall(tree_value(t, 0, at, 0));
}

/* d f / d pred[k], or by theta for k = -1 */
static inline long double tree_slope(const struct tree *t, const struct point_values *at, int k)
{
    const long double h = 1e-40L;
    struct point_values moved = *at;
    if (k < 0)
        moved.theta += I * h;
    else
        moved.pred[k] += I * h;
    return cimagl(tree_value(t, 0, &moved, 0)) / h;
}

/* d2 f / d pred[k] d pred[l]: central differences of the complex-step slope, extrapolated once (Richardson). */
static inline long double tree_curve(const struct tree *t, const struct point_values *at, int k, int l)
{
    long double difference[2];
    for (int i = 0; i < 2; i++) {
        long double h = i ? 5e-5L : 1e-4L;
        struct point_values up = *at, down = *at;
        up.pred[l] += h;
        down.pred[l] -= h;
        difference[i] = (tree_slope(t, &up, k) - tree_slope(t, &down, k)) / (2 * h);
    }
    return (4 * difference[1] - difference[0]) / 3;
}

#endif
