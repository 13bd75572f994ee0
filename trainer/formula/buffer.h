/* A text that grows: what the source is written into. */
#ifndef FORMULA_BUFFER_H
#define FORMULA_BUFFER_H

#include <stddef.h>

#include <gradmill/status.h>

/* When memory runs out, `failure` is set and everything after it is dropped: look once, at the end. A zeroed struct is
 * an empty text. */
struct buffer {
    char *text; /* NULL while empty, else zero-terminated */
    size_t size, room;
    struct gm_error failure;
};

void buffer_add(struct buffer *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* As a C string literal, with its quotes. */
void buffer_add_literal(struct buffer *b, const char *text);
/* As lines of a comment, each after `prefix` (and `first` instead of it on the first), broken at blanks before column
 * 116; whatever would end the comment is defused. */
void buffer_add_comment(struct buffer *b, const char *first, const char *prefix, const char *text);
/* A double as a C constant that reads back as the same number: "1.0", "-INFINITY". */
void buffer_add_real(struct buffer *b, double value);
void buffer_release(struct buffer *b);
/* The text moves to *out (memory_free it), or the failure to *err. */
enum gm_code buffer_take(struct buffer *b, char **out, struct gm_error *err);

#endif
