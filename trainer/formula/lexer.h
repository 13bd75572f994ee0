/* Words of a formula, and errors that point at them. */
#ifndef FORMULA_LEXER_H
#define FORMULA_LEXER_H

#include <stdbool.h>
#include <stddef.h>

#include <gradmill/status.h>

enum token_kind {
    TOKEN_END,
    TOKEN_NUMBER,
    TOKEN_NAME,
    TOKEN_SYMBOL /* + - * / ^ ( ) [ ] , < <= > >= == != */
};

struct token {
    enum token_kind kind;
    size_t at, length; /* bytes of the text */
    double number;
};

/* A text being read: the option it came from, and the current token. */
struct lexer {
    const char *option, *text;
    struct token token;
};

/* On the first token. */
enum gm_code lexer_start(struct lexer *lexer, const char *option, const char *text, struct gm_error *err);
enum gm_code lexer_next(struct lexer *lexer, struct gm_error *err);
bool lexer_is(const struct lexer *lexer, const char *word); /* the current token's text */

/* GM_USAGE: "--formula: <sentence>", the text around the place, and a caret below byte `at`. */
enum gm_code lexer_error(const struct lexer *lexer, size_t at, struct gm_error *err, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
