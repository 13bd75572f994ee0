/* Words and numbers that people type. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The candidate nearest to `word` by edit distance (insert, delete, replace, swap of neighbours; case ignored), or NULL
 * when none is near enough to be a likely slip (distance > max(1, length / 3)). */
const char *text_nearest(const char *word, const char *const *candidates, size_t count);

/* "1e-3" -> 0.001. The whole text must be a number in the C locale's notation, whatever the locale. */
bool text_real(const char *text, double *out);
bool text_integer(const char *text, int64_t *out);
/* "4GiB", "512MiB", "100MB", "1024" -> bytes. */
bool text_bytes(const char *text, uint64_t *out);
/* "30s", "10m", "2h", "1.5h", "90" -> seconds. */
bool text_duration(const char *text, double *out);

/* The shortest decimal text that reads back as the same double (at most 17 digits), '.' in every locale. Non-finite:
 * "nan", "inf", "-inf". Returns buffer. */
char *text_from_real(double value, char buffer[32]);
/* 1536 -> "1.5 KiB". Returns buffer. */
char *text_from_bytes(uint64_t bytes, char buffer[32]);

#endif
