/* Words and numbers that people type. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The candidate nearest to `word` by edit distance (insert, delete, replace, swap of neighbours; case ignored), or NULL
 * when none is near enough to be a likely slip (distance > max(1, length / 3)). */
const char *text_nearest(const char *word, const char *const *candidates, size_t count);

/* "1e-3" -> 0.001. The whole text must be a decimal number, "inf" or "nan" (any case, with a sign) in the C locale's
 * notation, whatever the locale; no spaces, no hexadecimal. False also when it is too large for a double. */
bool text_real(const char *text, double *out);
/* A decimal whole number with or without a sign; false when it does not fit. */
bool text_integer(const char *text, int64_t *out);
/* "4GiB", "512MiB", "100MB", "1.5 GiB", "1024" -> bytes. KiB and K are 1024, KB is 1000 (and so on to T); case ignored.
 */
bool text_bytes(const char *text, uint64_t *out);
/* "30s", "10m", "2h", "1.5h", "1d", "200ms", "90" -> seconds; not negative, finite. */
bool text_duration(const char *text, double *out);

/* The shortest correctly rounded decimal text that reads back as the same double (at most 17 digits), '.' in every
 * locale: "0.1", "1000", "1e-07". Non-finite: "nan", "inf", "-inf". Returns buffer. */
char *text_from_real(double value, char buffer[32]);
/* 1536 -> "1.5 KiB". Returns buffer. */
char *text_from_bytes(uint64_t bytes, char buffer[32]);

#endif
