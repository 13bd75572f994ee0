/* One vtable a fault in the header, picked by the environment: the entry function is the only code that may run. */
#include <stdlib.h>
#include <string.h>

#include "common.h"

static const struct gm_loss_param twice[] = {{.name = "delta", .fallback = 1}, {.name = "delta", .fallback = 1}};
static const struct gm_loss_param outside[] = {{.name = "delta", .fallback = -1, .high = 1}};
static const struct gm_loss_param bad_name[] = {{.name = "Delta", .fallback = 0}};
static const struct gm_loss_param no_choices[] = {{.name = "kind", .type = GM_PARAM_CHOICE}};
static const struct gm_loss_spec small_spec = {.struct_size = 8};
static const struct gm_loss_spec bad_kind = {.struct_size = sizeof bad_kind, .target_kind = 17};
static const struct gm_loss_spec no_inverse = {.struct_size = sizeof no_inverse, .link = GM_LINK_CUSTOM};
static struct gm_loss vtable;

const struct gm_loss *gm_loss_entry_v1(uint32_t index)
{
    const char *fault = getenv("GRADMILL_TEST_FAULT");
    vtable = (struct gm_loss){GM_LOSS_HEADER, .id = "faulty_headers", .evaluate = squared, .n_params = 1};
    vtable.params = outside;
    if (!fault)
        return NULL;
    if (strcmp(fault, "magic") == 0)
        vtable.magic = 1;
    else if (strcmp(fault, "major") == 0)
        vtable.abi_major = 2;
    else if (strcmp(fault, "needs_minor") == 0)
        vtable.needs_minor = 1000;
    else if (strcmp(fault, "struct_size") == 0)
        vtable.struct_size = 40;
    else if (strcmp(fault, "id") == 0)
        vtable.id = "../Evil";
    else if (strcmp(fault, "no_id") == 0)
        vtable.id = NULL;
    else if (strcmp(fault, "destroy") == 0)
        vtable.destroy = free;
    else if (strcmp(fault, "evaluate") == 0)
        vtable.evaluate = NULL;
    else if (strcmp(fault, "spec_size") == 0)
        vtable.spec = &small_spec;
    else if (strcmp(fault, "target_kind") == 0)
        vtable.spec = &bad_kind;
    else if (strcmp(fault, "inverse_link") == 0)
        vtable.spec = &no_inverse;
    else if (strcmp(fault, "twice") == 0) {
        vtable.params = twice;
        vtable.n_params = 2;
    } else if (strcmp(fault, "name") == 0)
        vtable.params = bad_name;
    else if (strcmp(fault, "choices") == 0)
        vtable.params = no_choices;
    else if (strcmp(fault, "no_params") == 0)
        vtable.params = NULL;
    else if (strcmp(fault, "endless") == 0) {
        vtable.n_params = 0;
        return &vtable;
    }
    return index == 0 ? &vtable : NULL;
}
