/*
 * A formula's text to its graph, by recursive descent; one function a level of the grammar:
 *
 *     condition  := conjunction ('or' conjunction)*
 *     conjunction := negation ('and' negation)*
 *     negation   := 'not' negation | comparison
 *     comparison := sum (('<' | '<=' | '>' | '>=' | '==' | '!=') sum)?
 *     sum        := product (('+' | '-') product)*
 *     product    := unary (('*' | '/') unary)*
 *     unary      := ('-' | '+') unary | power
 *     power      := atom ('^' unary)?                      -x^2 is -(x^2), 2^-x works, 2^3^2 is 2^9
 *     atom       := number | '(' condition ')' | a name (names.c)
 */
#include <string.h>

#include "base/error.h"
#include "formula/parser.h"

enum { DEEPEST = 100, LONGEST = 20000 }; /* brackets within brackets; bytes of a formula */
#define TOO_DEEP "signs, powers and brackets are nested more than %d deep"

enum gm_code parser_expect(struct parser *p, const char *symbol, struct gm_error *err)
{
    if (lexer_is(&p->lexer, symbol))
        return lexer_next(&p->lexer, err);
    if (p->lexer.token.kind == TOKEN_END)
        return lexer_error(&p->lexer, p->lexer.token.at, err, "the formula ends where '%s' is expected", symbol);
    return lexer_error(&p->lexer, p->lexer.token.at, err, "'%s' is expected here", symbol);
}

static enum gm_code want_number(struct parser *p, const struct operand *x, struct gm_error *err)
{
    if (!x->condition)
        return GM_OK;
    return lexer_error(&p->lexer, x->at, err,
                       "a number is expected, this is a condition: write where(condition, 1, 0)");
}

static enum gm_code want_condition(struct parser *p, const struct operand *x, struct gm_error *err)
{
    if (x->condition)
        return GM_OK;
    return lexer_error(&p->lexer, x->at, err, "a condition is expected, this is a number: compare it with something");
}

static enum gm_code parse_atom(struct parser *p, struct operand *out, struct gm_error *err)
{
    struct token token = p->lexer.token;
    *out = (struct operand){.at = token.at};
    if (token.kind == TOKEN_NUMBER) {
        out->id = dag_const(p->dag, token.number);
        return lexer_next(&p->lexer, err);
    }
    if (token.kind == TOKEN_NAME)
        return parser_name(p, out, err);
    if (lexer_is(&p->lexer, "(")) {
        enum gm_code code = lexer_next(&p->lexer, err);
        if (code == GM_OK)
            code = parser_expression(p, out, err);
        out->at = token.at;
        return code == GM_OK ? parser_expect(p, ")", err) : code;
    }
    if (token.kind == TOKEN_END)
        return lexer_error(&p->lexer, token.at, err, "the formula ends where a value is expected");
    return lexer_error(&p->lexer, token.at, err, "a value is expected here");
}

static enum gm_code parse_unary(struct parser *p, struct operand *out, struct gm_error *err);

static enum gm_code parse_power(struct parser *p, struct operand *out, struct gm_error *err)
{
    struct operand exponent;
    enum gm_code code = parse_atom(p, out, err);
    if (code != GM_OK || !lexer_is(&p->lexer, "^"))
        return code;
    if (++p->depth > DEEPEST)
        return lexer_error(&p->lexer, p->lexer.token.at, err, TOO_DEEP, DEEPEST);
    if ((code = want_number(p, out, err)) != GM_OK || (code = lexer_next(&p->lexer, err)) != GM_OK ||
        (code = parse_unary(p, &exponent, err)) != GM_OK || (code = want_number(p, &exponent, err)) != GM_OK)
        return code;
    p->depth--;
    out->id = dag_pow(p->dag, out->id, exponent.id);
    return GM_OK;
}

static enum gm_code parse_unary(struct parser *p, struct operand *out, struct gm_error *err)
{
    bool minus = lexer_is(&p->lexer, "-");
    size_t at = p->lexer.token.at;
    if (!minus && !lexer_is(&p->lexer, "+"))
        return parse_power(p, out, err);
    if (++p->depth > DEEPEST)
        return lexer_error(&p->lexer, at, err, TOO_DEEP, DEEPEST);
    enum gm_code code = lexer_next(&p->lexer, err);
    if (code == GM_OK)
        code = parse_unary(p, out, err);
    if (code == GM_OK)
        code = want_number(p, out, err);
    p->depth--;
    out->at = at;
    if (code == GM_OK && minus)
        out->id = dag_neg(p->dag, out->id);
    return code;
}

/* One binary operator and its right side, which `next` reads. */
typedef enum gm_code parse_fn(struct parser *p, struct operand *out, struct gm_error *err);

static enum gm_code right_side(struct parser *p, parse_fn *next, struct operand *right, struct gm_error *err)
{
    enum gm_code code = lexer_next(&p->lexer, err);
    return code == GM_OK ? next(p, right, err) : code;
}

static enum gm_code numbers(struct parser *p, struct operand *left, struct operand *right, struct gm_error *err)
{
    enum gm_code code = want_number(p, left, err);
    return code == GM_OK ? want_number(p, right, err) : code;
}

static enum gm_code parse_product(struct parser *p, struct operand *out, struct gm_error *err)
{
    enum gm_code code = parse_unary(p, out, err);
    while (code == GM_OK && (lexer_is(&p->lexer, "*") || lexer_is(&p->lexer, "/"))) {
        bool times = lexer_is(&p->lexer, "*");
        struct operand right;
        code = right_side(p, parse_unary, &right, err);
        if (code == GM_OK)
            code = numbers(p, out, &right, err);
        if (code == GM_OK)
            out->id = times ? dag_mul(p->dag, out->id, right.id) : dag_div(p->dag, out->id, right.id);
    }
    return code;
}

static enum gm_code parse_sum(struct parser *p, struct operand *out, struct gm_error *err)
{
    enum gm_code code = parse_product(p, out, err);
    while (code == GM_OK && (lexer_is(&p->lexer, "+") || lexer_is(&p->lexer, "-"))) {
        bool plus = lexer_is(&p->lexer, "+");
        struct operand right;
        code = right_side(p, parse_product, &right, err);
        if (code == GM_OK)
            code = numbers(p, out, &right, err);
        if (code == GM_OK)
            out->id = plus ? dag_add(p->dag, out->id, right.id) : dag_sub(p->dag, out->id, right.id);
    }
    return code;
}

static const struct relation {
    const char *word;
    enum dag_op op;
    bool swapped, negated;
} relations[] = {{"<", DAG_LESS, false, false},   {"<=", DAG_LESS_EQUAL, false, false},
                 {">", DAG_LESS, true, false},    {">=", DAG_LESS_EQUAL, true, false},
                 {"==", DAG_EQUAL, false, false}, {"!=", DAG_EQUAL, false, true}};

static const struct relation *relation_here(const struct parser *p)
{
    for (size_t i = 0; i < sizeof relations / sizeof *relations; i++)
        if (lexer_is(&p->lexer, relations[i].word))
            return &relations[i];
    return NULL;
}

static enum gm_code parse_comparison(struct parser *p, struct operand *out, struct gm_error *err)
{
    enum gm_code code = parse_sum(p, out, err);
    const struct relation *r = relation_here(p);
    if (code != GM_OK || !r)
        return code;
    struct operand right;
    code = right_side(p, parse_sum, &right, err);
    if (code == GM_OK)
        code = numbers(p, out, &right, err);
    if (code == GM_OK && relation_here(p))
        return lexer_error(&p->lexer, p->lexer.token.at, err, "comparisons do not chain: write low < x and x < high");
    if (code != GM_OK)
        return code;
    out->id =
        r->swapped ? dag_compare(p->dag, r->op, right.id, out->id) : dag_compare(p->dag, r->op, out->id, right.id);
    if (r->negated)
        out->id = dag_not(p->dag, out->id);
    out->condition = true;
    return GM_OK;
}

static enum gm_code parse_negation(struct parser *p, struct operand *out, struct gm_error *err)
{
    size_t at = p->lexer.token.at;
    if (!lexer_is(&p->lexer, "not"))
        return parse_comparison(p, out, err);
    if (++p->depth > DEEPEST)
        return lexer_error(&p->lexer, at, err, TOO_DEEP, DEEPEST);
    enum gm_code code = right_side(p, parse_negation, out, err);
    if (code == GM_OK)
        code = want_condition(p, out, err);
    p->depth--;
    out->at = at;
    if (code == GM_OK)
        out->id = dag_not(p->dag, out->id);
    return code;
}

/* `next` (word `next`)*, for 'and' and 'or' */
static enum gm_code parse_joined(struct parser *p, enum dag_op op, parse_fn *next, struct operand *out,
                                 struct gm_error *err)
{
    enum gm_code code = next(p, out, err);
    while (code == GM_OK && lexer_is(&p->lexer, dag_op_name(op))) {
        struct operand right;
        if ((code = want_condition(p, out, err)) != GM_OK || (code = right_side(p, next, &right, err)) != GM_OK ||
            (code = want_condition(p, &right, err)) != GM_OK)
            return code;
        out->id = dag_compare(p->dag, op, out->id, right.id);
    }
    return code;
}

static enum gm_code parse_conjunction(struct parser *p, struct operand *out, struct gm_error *err)
{
    return parse_joined(p, DAG_AND, parse_negation, out, err);
}

enum gm_code parser_expression(struct parser *p, struct operand *out, struct gm_error *err)
{
    if (++p->depth > DEEPEST)
        return lexer_error(&p->lexer, p->lexer.token.at, err, TOO_DEEP, DEEPEST);
    enum gm_code code = parse_joined(p, DAG_OR, parse_conjunction, out, err);
    p->depth--;
    return code;
}

enum gm_code parser_number(struct parser *p, struct operand *out, struct gm_error *err)
{
    enum gm_code code = parser_expression(p, out, err);
    return code == GM_OK ? want_number(p, out, err) : code;
}

enum gm_code parser_condition(struct parser *p, struct operand *out, struct gm_error *err)
{
    enum gm_code code = parser_expression(p, out, err);
    return code == GM_OK ? want_condition(p, out, err) : code;
}

/* The shape that the uses of pred ask for, and the columns of the target. */
static enum gm_code settle_shape(struct formula *f, const struct parser *p, struct gm_error *err)
{
    const struct uses *u = &p->uses;
    if (!dag_has(&f->dag, f->loss, DAG_ON_PRED))
        return lexer_error(&p->lexer, 0, err, "the value does not depend on pred: there is nothing to learn from it");
    for (size_t i = 0; i < f->request->n_params; i++)
        if (!u->params[i])
            return error_set(err, GM_USAGE, "--param: the formula does not use '%s'.", f->request->params[i].name);
    for (size_t i = 0; i < f->request->n_thetas; i++)
        if (!u->thetas[i])
            return error_set(err, GM_USAGE, "--theta: the formula does not use '%s'.", f->request->thetas[i].name);
    f->targets = u->target_columns;
    f->outputs = u->outputs;
    f->plain = u->plain_pred;
    f->target_j = u->target_j;
    if (u->plain_pred) {
        f->shape = f->request->target_kind == GM_TARGET_CLASS ? FORMULA_FIXED : FORMULA_EACH;
        f->outputs = 1;
    } else {
        f->shape = u->over_outputs || dag_has(&f->dag, f->loss, DAG_REDUCES) ? FORMULA_INDEXED : FORMULA_FIXED;
    }
    return GM_OK;
}

enum gm_code formula_parse(struct formula *f, const struct formula_request *request, struct gm_error *err)
{
    *f = (struct formula){.request = request};
    struct parser p = {.formula = f, .dag = &f->dag};
    struct operand value = {0};
    enum gm_code code = dag_init(&f->dag, err);
    if (code == GM_OK && strlen(request->formula) > LONGEST)
        code = error_set(err, GM_USAGE, "--formula: more than %d characters; write the loss by hand.", LONGEST);
    if (code == GM_OK)
        code = lexer_start(&p.lexer, "--formula", request->formula, err);
    if (code == GM_OK)
        code = parser_number(&p, &value, err);
    if (code == GM_OK && p.lexer.token.kind != TOKEN_END)
        code = lexer_error(&p.lexer, p.lexer.token.at, err, "an operator or the end of the formula is expected here");
    f->loss = value.id;
    if (code == GM_OK && f->dag.failure.code != GM_OK)
        code = error_set(err, f->dag.failure.code, "%s", f->dag.failure.text);
    if (code == GM_OK)
        code = settle_shape(f, &p, err);
    if (code != GM_OK)
        formula_release(f);
    return code;
}

void formula_release(struct formula *f)
{
    dag_release(&f->dag);
    *f = (struct formula){0};
}
