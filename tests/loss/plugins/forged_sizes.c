/* Plugins of another age: one built when the vtable ended behind evaluate, one of a later time with more behind it. */
#include <string.h>

#include "common.h"

static const struct gm_loss_spec newer_spec_head = {.struct_size = sizeof(struct gm_loss_spec) + 32,
                                                    .target_rule = GM_TARGET_LOW};
static struct {
    struct gm_loss_spec spec;
    unsigned char tail[32];
} newer_spec;
static struct {
    struct gm_loss vtable;
    unsigned char tail[64];
} newer;
static struct gm_loss older;

const struct gm_loss *gm_loss_entry_v1(uint32_t index)
{
    if (index == 0) {
        older = (struct gm_loss){GM_LOSS_HEADER, .id = "older", .evaluate = squared};
        older.struct_size = offsetof(struct gm_loss, create);
        /* what lies behind an old vtable is somebody else's memory */
        memset((unsigned char *)&older + older.struct_size, 0xA5, sizeof older - older.struct_size);
        return &older;
    }
    if (index == 1) {
        memset(&newer_spec, 0xA5, sizeof newer_spec);
        newer_spec.spec = newer_spec_head;
        memset(&newer, 0xA5, sizeof newer);
        newer.vtable = (struct gm_loss){GM_LOSS_HEADER, .id = "newer", .evaluate = squared, .spec = &newer_spec.spec};
        newer.vtable.struct_size = sizeof newer;
        newer.vtable.abi_minor = 7;
        return &newer.vtable;
    }
    return NULL;
}
