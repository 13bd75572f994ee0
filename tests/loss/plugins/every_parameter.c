/* A parameter of every type, bounds open and closed, a spec that create() refines, and two losses in one file. */
#include <stdlib.h>

#include "common.h"

static const struct gm_loss_param params[] = {
    {.name = "delta",
     .help = "width, in target units",
     .fallback = 1,
     .low = 0,
     .high = 10,
     .flags = GM_PARAM_LOW_OPEN},
    {.name = "count", .help = "outputs", .type = GM_PARAM_INTEGER, .fallback = 2, .low = 1, .high = 9},
    {.name = "sharp", .help = "whether", .type = GM_PARAM_BOOLEAN, .fallback = 0},
    {.name = "kind", .help = "which", .type = GM_PARAM_CHOICE, .fallback = 1, .choices = "soft|hard|mixed"},
    {.name = "levels",
     .help = "quantiles",
     .type = GM_PARAM_LIST,
     .fallback = 0.5,
     .high = 1,
     .flags = GM_PARAM_LOW_OPEN | GM_PARAM_HIGH_OPEN},
    {.name = "must", .help = "has no default", .flags = GM_PARAM_REQUIRED},
};

static int create(const struct gm_loss_batch *b, struct gm_loss_spec *spec, void **instance)
{
    if (b->param[0].real > 9)
        return gm_fail(b, GM_LOSS_BAD_PARAM, "delta above 9 is too wide for words");
    spec->outputs = (int32_t)b->param[1].integer;
    spec->target_rule = GM_TARGET_LOW_OPEN | GM_TARGET_HIGH;
    spec->target_low = 0;
    spec->target_high = b->param[5].real;
    *instance = malloc(16);
    return *instance ? GM_LOSS_OK : GM_LOSS_NO_MEMORY;
}

static int check_targets(const struct gm_loss_batch *b, size_t *bad_row)
{
    for (size_t row = 0; row < b->rows; row++)
        if (b->target[row * b->targets] == 0.125) {
            *bad_row = row;
            return gm_fail(b, GM_LOSS_BAD_TARGET, "an eighth is not welcome");
        }
    return GM_LOSS_OK;
}

static const struct gm_loss losses[] = {
    {GM_LOSS_HEADER, .id = "every_parameter", .version = "1.0", .params = params, .n_params = 6, .evaluate = squared,
     .create = create, .destroy = free, .check_targets = check_targets},
    {GM_LOSS_HEADER, .id = "second_in_file", .version = "1.0", .evaluate = squared},
};

const struct gm_loss *gm_loss_entry_v1(uint32_t index)
{
    return index < sizeof losses / sizeof *losses ? &losses[index] : NULL;
}
