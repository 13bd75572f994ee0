/* Buffers between pages that may not be touched: the first byte too far is a fault whose address says which buffer. */
#include "loss/check_kit.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    SLACK = 0xC5, /* pattern of bytes that belong to nobody */
    MARGIN = 2048 /* bytes on both sides of a buffer that is not placed strictly */
};

static size_t page_size(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

bool guarded_make(struct guarded *b, size_t room)
{
    size_t page = page_size();
    room = (room + 2 * MARGIN + page) / page * page;
    unsigned char *map = mmap(NULL, room + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (map == MAP_FAILED)
        return false;
    *b = (struct guarded){.map = map + page, .room = room, .at = map + page};
    guarded_protect(b, true);
    return true;
}

void guarded_free(struct guarded *b)
{
    size_t page = page_size();
    if (b->map)
        munmap(b->map - page, b->room + 2 * page);
    *b = (struct guarded){0};
}

void guarded_protect(struct guarded *b, bool writable)
{
    mprotect(b->map, b->room, writable ? PROT_READ | PROT_WRITE : PROT_READ);
}

void guarded_strict(struct check *c, bool strict)
{
    for (int i = 0; i < BUFFER_COUNT; i++) {
        guarded_protect(&c->buffers[i], true);
        c->buffers[i].is_strict = strict;
    }
}

/* Bytes of slack that are looked at, on either side. */
static size_t slack_before(const struct guarded *b)
{
    size_t all = (size_t)(b->at - b->map);
    return all < 256 ? all : 256;
}

static size_t slack_behind(const struct guarded *b)
{
    size_t all = b->room - (size_t)(b->at - b->map) - b->size;
    return all < 256 ? all : 256;
}

void guarded_place(struct guarded *b, size_t size, size_t align, bool at_front)
{
    if (!b->is_strict) {
        b->at = b->map + MARGIN - (at_front ? MARGIN / 2 : 0);
        b->size = size;
        return;
    }
    size_t offset = at_front ? 0 : (b->room - size) / align * align;
    guarded_protect(b, true);
    b->at = b->map + offset;
    b->size = size;
    memset(b->at - slack_before(b), SLACK, slack_before(b));
    memset(b->at + size, SLACK, slack_behind(b));
}

static bool is_all_slack(const unsigned char *at, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (at[i] != SLACK)
            return false;
    return true;
}

bool guarded_is_clean(const struct guarded *b)
{
    return !b->is_strict ||
           (is_all_slack(b->at - slack_before(b), slack_before(b)) && is_all_slack(b->at + b->size, slack_behind(b)));
}

const char *buffer_name(enum check_buffer which)
{
    static const char *const names[BUFFER_COUNT] = {
        [BUFFER_PRED] = "pred",
        [BUFFER_TARGET] = "target",
        [BUFFER_WEIGHT] = "weight",
        [BUFFER_GROUP] = "group",
        [BUFFER_THETA] = "theta",
        [BUFFER_PARAM] = "param",
        [BUFFER_LISTS] = "a list in param",
        [BUFFER_BATCH] = "struct gm_loss_batch",
        [BUFFER_GRAD] = "grad",
        [BUFFER_HESS_DIAG] = "hess_diag",
        [BUFFER_HESS] = "hess",
        [BUFFER_THETA_GRAD] = "theta_grad",
        [BUFFER_ROW_LOSS] = "row_loss",
        [BUFFER_RESULT] = "struct gm_loss_result",
        [BUFFER_SCRATCH] = "scratch",
    };
    return names[which];
}
