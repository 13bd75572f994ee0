/* The identity of a dataset's content: XXH3-128 over its schema, side arrays, and the hashes of its units of rows. */
#ifndef DATA_FINGERPRINT_H
#define DATA_FINGERPRINT_H

#include <stddef.h>

#include <gradmill/status.h>

struct fingerprint;
struct data_set;

/* Starts with schema, target, weights and groups of a loaded set. GM_SYSTEM. */
enum gm_code fingerprint_open(struct fingerprint **out, const struct data_set *set, struct gm_error *err);
void fingerprint_add(struct fingerprint *fingerprint, const void *bytes, size_t size);
void fingerprint_finish(const struct fingerprint *fingerprint, char hex[33]);
void fingerprint_close(struct fingerprint *fingerprint); /* NULL is fine */

#endif
