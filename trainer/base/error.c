/* Filling a struct gm_error. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>

enum gm_code(error_set)(struct gm_error *err, enum gm_code code, const char *format, ...)
{
    if (!err)
        return code;
    va_list args;
    va_start(args, format);
    err->code = code;
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    return code;
}

enum gm_code(error_memory)(struct gm_error *err, const char *what, size_t bytes)
{
    return error_set(err, GM_SYSTEM, "Out of memory: could not allocate %zu bytes for %s.", bytes, what);
}
