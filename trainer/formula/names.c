/* What a name in a formula stands for. */
#include <string.h>

#include "base/text.h"
#include "formula/parser.h"

static const struct function {
    const char *name;
    enum dag_op op;
    unsigned arguments; /* exactly; for min and max at least */
} functions[] = {
    {"abs", DAG_ABS, 1},           {"exp", DAG_EXP, 1},           {"log", DAG_LOG, 1},   {"log1p", DAG_LOG1P, 1},
    {"expm1", DAG_EXPM1, 1},       {"sqrt", DAG_SQRT, 1},         {"tanh", DAG_TANH, 1}, {"sigmoid", DAG_SIGMOID, 1},
    {"softplus", DAG_SOFTPLUS, 1}, {"min", DAG_MIN, 2},           {"max", DAG_MAX, 2},   {"where", DAG_WHERE, 3},
    {"sum_j", DAG_SUM_J, 1},       {"logsumexp_j", DAG_LSE_J, 1},
};
enum { FUNCTIONS = sizeof functions / sizeof *functions };

static const char *const variables[] = {"pred", "target", "j", "outputs", "pi", "e"};
enum { VARIABLES = sizeof variables / sizeof *variables };

/* The bracket after pred or target: a number, j or `target`. */
struct index {
    enum { INDEX_NUMBER, INDEX_J, INDEX_LABEL } kind;
    size_t number, at;
};

static enum gm_code read_index(struct parser *p, struct index *out, struct gm_error *err)
{
    enum gm_code code = lexer_next(&p->lexer, err);
    if (code != GM_OK)
        return code;
    const struct token token = p->lexer.token;
    *out = (struct index){.at = token.at};
    if (token.kind == TOKEN_NUMBER) {
        if (!(token.number >= 0 && token.number < FORMULA_OUTPUTS) || token.number != (double)(size_t)token.number)
            return lexer_error(&p->lexer, token.at, err, "an index is a whole number from 0 to %d",
                               FORMULA_OUTPUTS - 1);
        out->number = (size_t)token.number;
    } else if (lexer_is(&p->lexer, "j")) {
        if (p->sums == 0)
            return lexer_error(&p->lexer, token.at, err, "j has a meaning only inside sum_j(...) and logsumexp_j(...)");
        out->kind = INDEX_J;
    } else if (lexer_is(&p->lexer, "target")) {
        out->kind = INDEX_LABEL;
    } else {
        return lexer_error(&p->lexer, token.at, err, "an index is a whole number, j, or target");
    }
    code = lexer_next(&p->lexer, err);
    return code == GM_OK ? parser_expect(p, "]", err) : code;
}

static enum gm_code plain_pred(struct parser *p, struct operand *out, struct gm_error *err)
{
    if (p->sums > 0)
        return lexer_error(&p->lexer, out->at, err, "inside sum_j and logsumexp_j write pred[j]");
    if (p->uses.indexed_pred)
        return lexer_error(&p->lexer, out->at, err, "pred without an index cannot stand beside pred[...]");
    p->uses.plain_pred = true;
    out->id = dag_leaf(p->dag, DAG_PRED, 0);
    return GM_OK;
}

static enum gm_code parse_pred(struct parser *p, struct operand *out, struct gm_error *err)
{
    struct index index;
    if (!lexer_is(&p->lexer, "["))
        return plain_pred(p, out, err);
    enum gm_code code = read_index(p, &index, err);
    if (code != GM_OK)
        return code;
    if (p->uses.plain_pred)
        return lexer_error(&p->lexer, out->at, err, "pred[...] cannot stand beside pred without an index");
    p->uses.indexed_pred = true;
    if (index.kind == INDEX_J) {
        out->id = dag_leaf(p->dag, DAG_PRED_J, 0);
    } else if (index.kind == INDEX_LABEL) {
        if (p->formula->request->target_kind != GM_TARGET_CLASS)
            return lexer_error(&p->lexer, index.at, err, "pred[target] needs a class target: add --target class");
        p->uses.over_outputs = true;
        p->uses.target_columns = 1;
        out->id = dag_leaf(p->dag, DAG_PRED_LABEL, 0);
    } else {
        if (index.number >= p->uses.outputs)
            p->uses.outputs = index.number + 1;
        out->id = dag_leaf(p->dag, DAG_PRED, (uint32_t)index.number);
    }
    return GM_OK;
}

static enum gm_code parse_target(struct parser *p, struct operand *out, struct gm_error *err)
{
    struct uses *u = &p->uses;
    struct index index = {0};
    uint32_t kind = p->formula->request->target_kind;
    if (kind == GM_TARGET_NONE)
        return lexer_error(&p->lexer, out->at, err, "there is no target: --target none was given");
    bool indexed = lexer_is(&p->lexer, "[");
    if (indexed) {
        if (kind == GM_TARGET_CLASS)
            return lexer_error(&p->lexer, out->at, err, "a class target is one number a row: write target");
        enum gm_code code = read_index(p, &index, err);
        if (code != GM_OK)
            return code;
        if (index.kind == INDEX_LABEL)
            return lexer_error(&p->lexer, index.at, err, "an index of target is a whole number or j");
    }
    if (indexed ? u->plain_target : u->indexed_target)
        return lexer_error(&p->lexer, out->at, err, "target and target[...] cannot stand in one formula");
    u->plain_target |= !indexed;
    u->indexed_target |= indexed;
    if (indexed && index.kind == INDEX_J) {
        u->target_j = true;
        out->id = dag_leaf(p->dag, DAG_TARGET_J, 0);
        return GM_OK;
    }
    if (index.number >= u->target_columns)
        u->target_columns = index.number + 1;
    out->id = dag_leaf(p->dag, DAG_TARGET, (uint32_t)index.number);
    return GM_OK;
}

/* j, outputs, pi, e */
static enum gm_code parse_constant(struct parser *p, char first, struct operand *out, struct gm_error *err)
{
    switch (first) {
    case 'j':
        if (p->sums == 0)
            return lexer_error(&p->lexer, out->at, err, "j has a meaning only inside sum_j(...) and logsumexp_j(...)");
        out->id = dag_leaf(p->dag, DAG_INDEX_J, 0);
        return GM_OK;
    case 'o':
        p->uses.over_outputs = true;
        out->id = dag_leaf(p->dag, DAG_OUTPUTS, 0);
        return GM_OK;
    case 'p':
        out->id = dag_const(p->dag, 3.14159265358979323846);
        return GM_OK;
    default:
        out->id = dag_const(p->dag, 2.71828182845904523536);
        return GM_OK;
    }
}

static dag_id apply(struct parser *p, const struct function *f, const struct operand *x)
{
    switch (f->op) {
    case DAG_MIN:
        return dag_min(p->dag, x[0].id, x[1].id);
    case DAG_MAX:
        return dag_max(p->dag, x[0].id, x[1].id);
    case DAG_WHERE:
        return dag_where(p->dag, x[0].id, x[1].id, x[2].id);
    case DAG_SUM_J:
    case DAG_LSE_J:
        return dag_reduce(p->dag, f->op, x[0].id);
    default:
        return dag_function(p->dag, f->op, x[0].id);
    }
}

/* The arguments of `f`, after its name. min and max take two or more. */
static enum gm_code parse_call(struct parser *p, const struct function *f, struct operand *out, struct gm_error *err)
{
    struct operand x[3] = {{0}};
    bool extreme = f->op == DAG_MIN || f->op == DAG_MAX, sum = f->op == DAG_SUM_J || f->op == DAG_LSE_J;
    unsigned count = 0;
    enum gm_code code = parser_expect(p, "(", err);
    p->sums += sum;
    while (code == GM_OK) {
        unsigned slot = extreme && count > 1 ? 1 : count;
        code = f->op == DAG_WHERE && count == 0 ? parser_condition(p, &x[slot], err) : parser_number(p, &x[slot], err);
        count++;
        if (extreme && count > 1 && code == GM_OK)
            x[0].id = apply(p, f, x);
        if (code != GM_OK || !lexer_is(&p->lexer, ","))
            break;
        if (count == f->arguments && !extreme)
            return lexer_error(&p->lexer, p->lexer.token.at, err, "%s takes %u argument%s", f->name, f->arguments,
                               f->arguments == 1 ? "" : "s");
        code = lexer_next(&p->lexer, err);
    }
    p->sums -= sum;
    if (code == GM_OK && count < f->arguments && lexer_is(&p->lexer, ")"))
        return lexer_error(&p->lexer, p->lexer.token.at, err, "%s takes %u arguments%s, here are %u", f->name,
                           f->arguments, extreme ? " or more" : "", count);
    if (code == GM_OK)
        code = parser_expect(p, ")", err);
    if (code == GM_OK)
        out->id = extreme ? x[0].id : apply(p, f, x);
    p->uses.over_outputs |= sum;
    return code;
}

/* Index of the token among the names of the request, or `count`. */
static size_t find_name(const struct lexer *lexer, const struct formula_name *names, size_t count)
{
    size_t i = 0;
    while (i < count && !lexer_is(lexer, names[i].name))
        i++;
    return i;
}

static enum gm_code unknown_name(struct parser *p, struct gm_error *err)
{
    const struct formula_request *r = p->formula->request;
    const char *all[FUNCTIONS + VARIABLES + 2 * FORMULA_NAMES];
    char word[FORMULA_NAME];
    size_t n = 0;
    const struct token *t = &p->lexer.token;
    size_t length = t->length < sizeof word - 1 ? t->length : sizeof word - 1;
    memcpy(word, p->lexer.text + t->at, length);
    word[length] = 0;
    for (size_t i = 0; i < FUNCTIONS; i++)
        all[n++] = functions[i].name;
    for (size_t i = 0; i < VARIABLES; i++)
        all[n++] = variables[i];
    for (size_t i = 0; i < r->n_params; i++)
        all[n++] = r->params[i].name;
    for (size_t i = 0; i < r->n_thetas; i++)
        all[n++] = r->thetas[i].name;
    const char *near = text_nearest(word, all, n);
    if (near)
        return lexer_error(&p->lexer, t->at, err, "unknown name '%s'; did you mean '%s'?", word, near);
    return lexer_error(&p->lexer, t->at, err, "unknown name '%s'; a parameter is declared with --param %s=DEFAULT",
                       word, word);
}

enum gm_code parser_name(struct parser *p, struct operand *out, struct gm_error *err)
{
    const struct formula_request *r = p->formula->request;
    const struct function *f = NULL;
    const char *variable = NULL;
    for (size_t i = 0; i < FUNCTIONS; i++)
        if (lexer_is(&p->lexer, functions[i].name))
            f = &functions[i];
    for (size_t i = 0; i < VARIABLES; i++)
        if (lexer_is(&p->lexer, variables[i]))
            variable = variables[i];
    size_t param = find_name(&p->lexer, r->params, r->n_params), theta = find_name(&p->lexer, r->thetas, r->n_thetas);
    if (!f && !variable && param == r->n_params && theta == r->n_thetas)
        return unknown_name(p, err);
    enum gm_code code = lexer_next(&p->lexer, err);
    if (code != GM_OK)
        return code;
    if (f)
        return parse_call(p, f, out, err);
    if (param < r->n_params) {
        p->uses.params[param] = true;
        out->id = dag_leaf(p->dag, DAG_PARAM, (uint32_t)param);
        return GM_OK;
    }
    if (theta < r->n_thetas) {
        p->uses.thetas[theta] = true;
        out->id = dag_leaf(p->dag, DAG_THETA, (uint32_t)theta);
        return GM_OK;
    }
    if (strcmp(variable, "pred") == 0)
        return parse_pred(p, out, err);
    if (strcmp(variable, "target") == 0)
        return parse_target(p, out, err);
    return parse_constant(p, variable[0], out, err);
}
