/* Starts a thread and leaves it running. */
#include <pthread.h>
#include <unistd.h>

#include "mutant.h"

static void *wait(void *nothing)
{
    sleep(1);
    return nothing;
}

static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    int status = good(b, r);
    pthread_t thread;
    if (b->rows == 33 && pthread_create(&thread, NULL, wait, NULL) == 0)
        pthread_detach(thread);
    return status;
}

MUTANT(.id = "starts_thread", .spec = &good_spec, .evaluate = evaluate)
