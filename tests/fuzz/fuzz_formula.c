/*
 * Fuzzing formulas: lines of an input are the formula, a bound of the target, then parameters and learned parameters in
 * turn. What is accepted becomes source.
 */
#include "base/memory.h"
#include "formula/formula.h"
#include "tests/fuzz/fuzz.h"

#define MOST_LINES 8

/* Cut at newlines, in place. */
static size_t split(char *text, char *lines[MOST_LINES])
{
    size_t count = 0;
    for (char *line = text; line && count < MOST_LINES;) {
        char *end = strchr(line, '\n');
        lines[count++] = line;
        if (end)
            *end++ = 0;
        line = end;
    }
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[2048], *lines[MOST_LINES], *source = NULL;
    if (size == 0 || size >= sizeof text)
        return 0;
    memcpy(text, data + 1, size - 1);
    text[size - 1] = 0;
    size_t count = split(text, lines);
    struct formula_name names[2][MOST_LINES];
    struct formula_request request = {.name = "fuzzed",
                                      .formula = lines[0],
                                      .params = names[0],
                                      .thetas = names[1],
                                      .target_kind = data[0] % 4,
                                      .convex = data[0] & 16,
                                      .target = {.low = -1e300 * 1e300, .high = 1e300 * 1e300}};
    struct gm_error err = {0};
    if (count > 1 && lines[1][0])
        require_reason(formula_read_bounds(&request.target, "--target-range", lines[1], &err), &err);
    for (size_t i = 2; i < count; i++) {
        size_t *n = i % 2 ? &request.n_thetas : &request.n_params;
        enum gm_code code = formula_read_name(&names[i % 2][*n], "--param", lines[i], &err);
        require_reason(code, &err);
        *n += code == GM_OK;
    }
    enum gm_code code = formula_source(&source, &request, &err);
    require_reason(code, &err);
    require(code == GM_OK || code == GM_USAGE, "the code of a formula");
    require(code != GM_OK || (source && strstr(source, "GM_LOSS_PLUGIN")), "the source of a plugin");
    memory_free(source);
    return 0;
}
