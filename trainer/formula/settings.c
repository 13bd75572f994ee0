/*
 * What people type about parameters and targets:
 *
 *     --param 'delta=1.0 >0 <=10 # where the loss turns linear'
 *     --theta log_scale=0
 *     --target-range '>=0 integer'
 */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "formula/formula.h"
#include "formula/lexer.h"

/* Words that mean something in a formula, in C, or in the generated source. */
static const char *const taken[] = {
    "pred",     "target",      "j",        "outputs", "pi",     "e",      "abs",      "min",      "max",
    "exp",      "log",         "log1p",    "expm1",   "sqrt",   "tanh",   "sigmoid",  "softplus", "where",
    "sum_j",    "logsumexp_j", "and",      "or",      "not",    "auto",   "break",    "case",     "char",
    "const",    "continue",    "default",  "do",      "double", "else",   "enum",     "extern",   "float",
    "for",      "goto",        "if",       "inline",  "int",    "long",   "register", "restrict", "return",
    "short",    "signed",      "sizeof",   "static",  "struct", "switch", "typedef",  "union",    "unsigned",
    "void",     "volatile",    "while",    "asm",     "typeof", "bool",   "true",     "false",    "i",
    "k",        "row",         "hess",     "value",   "slope",  "label",  "power",    "constant", "point",
    "via",      "theta_slope", "is_class", "entry",   "at",     "result", "evaluate", "create",   "theta_start",
    "row_loss", "row_theta",   "linux",    "unix",
};

bool formula_name_ok(const char *name)
{
    size_t n = strlen(name);
    if (n == 0 || n >= FORMULA_NAME || name[0] < 'a' || name[0] > 'z')
        return false;
    return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == n;
}

static bool is_taken(const char *name)
{
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        if (strcmp(name, taken[i]) == 0)
            return true;
    static const char *const starts[] = {"gm_", "pred_", "target_", "top_", "total_", "left_"};
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
        if (strncmp(name, starts[i], strlen(starts[i])) == 0)
            return true;
    return false;
}

/* A number with its sign. */
static enum gm_code read_signed(struct lexer *lexer, double *out, struct gm_error *err)
{
    double sign = 1;
    enum gm_code code = GM_OK;
    if (lexer_is(lexer, "-") || lexer_is(lexer, "+")) {
        sign = lexer_is(lexer, "-") ? -1 : 1;
        code = lexer_next(lexer, err);
    }
    if (code == GM_OK && lexer->token.kind != TOKEN_NUMBER)
        return lexer_error(lexer, lexer->token.at, err, "a number is expected here");
    if (code == GM_OK) {
        *out = sign * lexer->token.number;
        code = lexer_next(lexer, err);
    }
    return code;
}

/* ">0", ">=0", "<1", "<=1", "integer", in any order up to the end. */
static enum gm_code read_bounds(struct lexer *lexer, struct formula_bounds *out, struct gm_error *err)
{
    *out = (struct formula_bounds){.low = -INFINITY, .high = INFINITY};
    while (lexer->token.kind != TOKEN_END) {
        size_t at = lexer->token.at;
        bool low = lexer_is(lexer, ">") || lexer_is(lexer, ">="), high = lexer_is(lexer, "<") || lexer_is(lexer, "<=");
        bool open = lexer->token.length == 1;
        double bound = 0;
        if (!low && !high && !lexer_is(lexer, "integer"))
            return lexer_error(lexer, at, err, "a bound is expected here: >0, >=0, <1, <=1 or integer");
        enum gm_code code = lexer_next(lexer, err);
        if (code == GM_OK && (low || high))
            code = read_signed(lexer, &bound, err);
        if (code != GM_OK)
            return code;
        if ((low && isfinite(out->low)) || (high && isfinite(out->high)))
            return lexer_error(lexer, at, err, "there is a %s bound already", low ? "lower" : "upper");
        if (low) {
            out->low = bound;
            out->low_open = open;
        } else if (high) {
            out->high = bound;
            out->high_open = open;
        } else {
            out->integer = true;
        }
        if (!(out->low < out->high || (out->low == out->high && !out->low_open && !out->high_open)))
            return lexer_error(lexer, at, err, "no number is inside these bounds");
    }
    return GM_OK;
}

static bool inside(const struct formula_bounds *b, double x)
{
    return (b->low_open ? x > b->low : x >= b->low) && (b->high_open ? x < b->high : x <= b->high) &&
           (!b->integer || x == floor(x));
}

enum gm_code formula_read_bounds(struct formula_bounds *out, const char *option, const char *text, struct gm_error *err)
{
    struct lexer lexer;
    enum gm_code code = lexer_start(&lexer, option, text, err);
    return code == GM_OK ? read_bounds(&lexer, out, err) : code;
}

/* Everything after '#' is help; the lexer reads a copy without it. */
static enum gm_code split_help(char *text, size_t room, struct formula_name *out, const char *typed,
                               struct gm_error *err)
{
    const char *hash = strchr(typed, '#');
    size_t length = hash ? (size_t)(hash - typed) : strlen(typed);
    if (length >= room)
        return error_set(err, GM_USAGE, "'%.40s...': more than %zu characters before the help text.", typed, room - 1);
    memcpy(text, typed, length);
    text[length] = 0;
    if (!hash)
        return GM_OK;
    hash += 1 + strspn(hash + 1, " ");
    if (strlen(hash) >= sizeof out->help)
        return error_set(err, GM_USAGE, "'%.40s...': the help text has more than %zu characters.", typed,
                         sizeof out->help - 1);
    memcpy(out->help, hash, strlen(hash) + 1);
    return GM_OK;
}

enum gm_code formula_read_name(struct formula_name *out, const char *option, const char *text, struct gm_error *err)
{
    struct lexer lexer;
    char settings[400];
    *out = (struct formula_name){.bounds = {.low = -INFINITY, .high = INFINITY}};
    enum gm_code code = split_help(settings, sizeof settings, out, text, err);
    if (code != GM_OK)
        return code;
    size_t length = strcspn(settings, "= ");
    if (length > 0 && length < FORMULA_NAME)
        memcpy(out->name, settings, length);
    lexer = (struct lexer){.option = option, .text = settings};
    if (!formula_name_ok(out->name))
        return lexer_error(&lexer, 0, err,
                           "a name is a small letter, then small letters, digits and _, at most %d in all",
                           FORMULA_NAME - 1);
    if (is_taken(out->name))
        return lexer_error(&lexer, 0, err, "'%s' has a meaning already: choose another name", out->name);
    size_t equals = length + strspn(settings + length, " ");
    if (settings[equals] != '=')
        return lexer_error(&lexer, equals, err, "'=' and a number are expected: %s=1.0", out->name);
    lexer.token = (struct token){.at = equals, .length = 1};
    if ((code = lexer_next(&lexer, err)) != GM_OK)
        return code;
    size_t at = lexer.token.at;
    if ((code = read_signed(&lexer, &out->value, err)) != GM_OK ||
        (code = read_bounds(&lexer, &out->bounds, err)) != GM_OK)
        return code;
    if (!inside(&out->bounds, out->value))
        return lexer_error(&lexer, at, err, "this value is outside its own bounds");
    return GM_OK;
}
