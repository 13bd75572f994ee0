/* What the two halves of the parser share: parse.c (the grammar) and names.c (what a name stands for). */
#ifndef FORMULA_PARSER_H
#define FORMULA_PARSER_H

#include "formula/dag.h"
#include "formula/formula.h"
#include "formula/lexer.h"

/* How the formula uses its variables, as far as it has been read. */
struct uses {
    bool plain_pred, indexed_pred;     /* pred; pred[...] */
    bool plain_target, indexed_target; /* target; target[...] */
    bool target_j;                     /* target[j] */
    bool over_outputs;                 /* sum_j, logsumexp_j, pred[target] */
    size_t outputs;                    /* 1 + the largest constant index of pred */
    size_t target_columns;
    bool params[FORMULA_NAMES], thetas[FORMULA_NAMES];
};

struct parser {
    struct lexer lexer;
    struct formula *formula;
    struct dag *dag;
    struct uses uses;
    int depth; /* of brackets */
    int sums;  /* sum_j and logsumexp_j around this place */
};

struct operand {
    dag_id id;
    bool condition;
    size_t at; /* where it starts */
};

enum gm_code parser_expression(struct parser *p, struct operand *out, struct gm_error *err);
enum gm_code parser_number(struct parser *p, struct operand *out, struct gm_error *err);
enum gm_code parser_condition(struct parser *p, struct operand *out, struct gm_error *err);
enum gm_code parser_expect(struct parser *p, const char *symbol, struct gm_error *err);
/* The current token is a name: a constant, a variable, a parameter or a function with its arguments. */
enum gm_code parser_name(struct parser *p, struct operand *out, struct gm_error *err);

#endif
