/* Words of a formula, and errors that point at them. */
#include "formula/lexer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"

/* Bytes shown before and after the place of an error. */
enum { WINDOW = 60 };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_continuation(char c) /* of a UTF-8 character */
{
    return ((unsigned char)c & 0xC0) == 0x80;
}

enum gm_code lexer_error(const struct lexer *lexer, size_t at, struct gm_error *err, const char *format, ...)
{
    char sentence[400], shown[2 * WINDOW + 16], caret[2 * WINDOW + 16];
    const char *text = lexer->text;
    va_list args;
    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);

    size_t length = strlen(text), first = at > WINDOW ? at - WINDOW : 0;
    while (first < at && is_continuation(text[first]))
        first++;
    size_t end = length - at > WINDOW ? at + WINDOW : length;
    while (end < length && is_continuation(text[end]))
        end++;
    int left = first > 0 ? 3 : 0;
    snprintf(shown, sizeof shown, "%.*s%.*s%s", left, "...", (int)(end - first), text + first,
             end < length ? "..." : "");
    for (char *c = shown; *c; c++)
        if (*c == '\n' || *c == '\t' || *c == '\r')
            *c = ' ';
    size_t column = (size_t)left;
    for (size_t i = first; i < at; i++)
        column += !is_continuation(text[i]);
    memset(caret, ' ', column);
    memcpy(caret + column, "^", 2);
    return error_set(err, GM_USAGE, "%s: %s\n    %s\n    %s", lexer->option, sentence, shown, caret);
}

/* The length of a number at `text` (digits, point, exponent), 0: none. */
static size_t number_length(const char *text)
{
    size_t n = 0, digits = 0;
    for (; is_digit(text[n]); n++)
        digits++;
    if (text[n] == '.')
        for (n++; is_digit(text[n]); n++)
            digits++;
    if (digits == 0)
        return 0;
    if (text[n] == 'e' || text[n] == 'E') {
        size_t k = n + 1 + (text[n + 1] == '+' || text[n + 1] == '-');
        if (is_digit(text[k])) {
            for (n = k; is_digit(text[n]); n++)
                ;
        }
    }
    return n;
}

static enum gm_code read_number(struct lexer *lexer, size_t at, size_t length, struct gm_error *err)
{
    char digits[64];
    const char *text = lexer->text + at;
    if (is_letter(text[length]) || text[length] == '.')
        return lexer_error(lexer, at + length, err, "a number ends here; write * between a number and a name");
    if (length >= sizeof digits)
        return lexer_error(lexer, at, err, "this number has more than %zu characters", sizeof digits - 1);
    memcpy(digits, text, length);
    digits[length] = 0;
    lexer->token = (struct token){TOKEN_NUMBER, at, length, 0};
    if (!text_real(digits, &lexer->token.number) || lexer->token.number - lexer->token.number != 0)
        return lexer_error(lexer, at, err, "'%s' is not a number that fits", digits);
    return GM_OK;
}

enum gm_code lexer_next(struct lexer *lexer, struct gm_error *err)
{
    static const char *const pairs[] = {"<=", ">=", "==", "!="};
    size_t at = lexer->token.at + lexer->token.length;
    const char *text = lexer->text;
    while (text[at] == ' ' || text[at] == '\t' || text[at] == '\n' || text[at] == '\r')
        at++;
    size_t length = number_length(text + at);
    if (length > 0)
        return read_number(lexer, at, length, err);
    lexer->token = (struct token){TOKEN_END, at, 0, 0};
    if (!text[at])
        return GM_OK;
    if (is_letter(text[at])) {
        while (is_letter(text[at + length]) || is_digit(text[at + length]))
            length++;
        lexer->token = (struct token){TOKEN_NAME, at, length, 0};
        return GM_OK;
    }
    if (strncmp(text + at, "**", 2) == 0)
        return lexer_error(lexer, at, err, "powers are written with ^");
    if (strncmp(text + at, "&&", 2) == 0 || strncmp(text + at, "||", 2) == 0)
        return lexer_error(lexer, at, err, "conditions are joined with the words 'and' and 'or'");
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (strncmp(text + at, pairs[i], 2) == 0)
            length = 2;
    if (length == 0 && strchr("+-*/^()[],<>", text[at]))
        length = 1;
    if (length == 0 && text[at] == '=')
        return lexer_error(lexer, at, err, "equality is written ==");
    if (length == 0 && text[at] == '!')
        return lexer_error(lexer, at, err, "negation is written with the word 'not'");
    if (length == 0)
        return lexer_error(lexer, at, err, "this character means nothing here");
    lexer->token = (struct token){TOKEN_SYMBOL, at, length, 0};
    return GM_OK;
}

enum gm_code lexer_start(struct lexer *lexer, const char *option, const char *text, struct gm_error *err)
{
    *lexer = (struct lexer){.option = option, .text = text};
    return lexer_next(lexer, err);
}

bool lexer_is(const struct lexer *lexer, const char *word)
{
    const struct token *t = &lexer->token;
    return t->length == strlen(word) && t->length > 0 && memcmp(lexer->text + t->at, word, t->length) == 0;
}
