/* All calls share one piece of memory for their intermediate results. */
#include <sys/mman.h>

#include "mutant.h"

enum { ROOM = 4096 };

static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    double *shared = *(double *const *)b->instance;
    size_t count = b->rows * b->outputs < ROOM ? b->rows * b->outputs : ROOM;
    int status = good(b, r);
    for (size_t i = 0; r->grad && i < count; i++)
        shared[i] = r->grad[i];
    status = good(b, r); /* other work, before what was kept is used */
    for (size_t i = 0; r->grad && i < count; i++)
        r->grad[i] = shared[i];
    return status;
}

static int create(const struct gm_loss_batch *b, struct gm_loss_spec *spec, void **instance)
{
    (void)b;
    (void)spec;
    double **holder = malloc(sizeof *holder);
    void *map = mmap(NULL, ROOM * sizeof(double), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (!holder || map == MAP_FAILED) {
        free(holder);
        return GM_LOSS_NO_MEMORY;
    }
    *holder = map;
    *instance = holder;
    return GM_LOSS_OK;
}

static void destroy(void *instance)
{
    munmap(*(double **)instance, ROOM * sizeof(double));
    free(instance);
}

MUTANT(.id = "shared_scratch", .spec = &good_spec, .evaluate = evaluate, .create = create, .destroy = destroy)
