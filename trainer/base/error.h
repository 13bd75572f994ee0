/* Filling a struct gm_error. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stddef.h>

#include <gradmill/status.h>

/* Store code and a formatted sentence in *err (err may be NULL) and return code, so that a failing function ends with
 *     return error_set(err, GM_BAD_DATA, "%s: row %zu ...", path, row);
 */
enum gm_code error_set(struct gm_error *err, enum gm_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* "Out of memory: could not allocate N bytes for WHAT." with GM_SYSTEM. */
enum gm_code error_memory(struct gm_error *err, const char *what, size_t bytes);

#ifdef __clang_analyzer__ /* it looks at one file at a time: tell it that the result is the code that was given */
#define error_set(err, code, ...) ((error_set)(err, code, __VA_ARGS__), (code))
#define error_memory(...)         ((error_memory)(__VA_ARGS__), GM_SYSTEM)
#endif

#endif
