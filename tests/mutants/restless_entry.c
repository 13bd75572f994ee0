/* Makes a new vtable whenever it is asked. */
#include "mutant.h"

static struct gm_loss copies[2];

const struct gm_loss *gm_loss_entry_v1(uint32_t index)
{
    static unsigned turn;
    struct gm_loss *copy = &copies[turn++ % 2];
    *copy = (struct gm_loss){GM_LOSS_HEADER, .id = "restless_entry", .version = "1.0", .evaluate = good};
    return index == 0 ? copy : NULL;
}
