/* Checked, zeroed, cache-line aligned allocation, and how much memory this process may use. */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gradmill/status.h>

#define MEMORY_ALIGN 64 /* bytes */

/* count * size bytes, zeroed, aligned to MEMORY_ALIGN; never NULL on GM_OK, also for 0 bytes.
 * Pages that come fresh from the system are not touched: their first user decides where they live.
 * GM_SYSTEM when the product overflows or there is no memory; `what` goes into the message. Free with memory_free. */
enum gm_code memory_alloc(void **out, size_t count, size_t size, const char *what, struct gm_error *err);

/* The same for blocks that are walked in strides again and again, as parameters and their state: huge pages are asked
 * for from 512 KiB on, not 4 MiB, and less than 2 MiB may then take 2. */
enum gm_code memory_alloc_walked(void **out, size_t count, size_t size, const char *what, struct gm_error *err);
void memory_free(void *pointer);

/* Copy of a string; free with memory_free. */
enum gm_code memory_string(char **out, const char *text, struct gm_error *err);

/* a * b, or false when it does not fit. */
bool memory_product(size_t a, size_t b, size_t *out);

/* Bytes this process may use: the cgroup limits (v1 and v2, all ancestors), the limit on address space (ulimit -v) and
 * physical memory, whichever is least. */
uint64_t memory_limit(void);

/* Bytes of peak resident memory of this process so far; 0 when the system does not say. */
uint64_t memory_peak(void);

#endif
