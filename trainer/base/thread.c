/* Threads of our own, beside OpenMP's. */
#include "base/thread.h"

#include <signal.h>

#include "base/affinity.h"

/* What is not said is inherited; a mask that the system no longer grants too. */
static int create(pthread_t *thread, void *(*run)(void *context), void *context)
{
    struct affinity all;
    pthread_attr_t how;
    int status = -1;
    if (affinity_is_bound() && affinity_init(&all)) {
        pthread_attr_init(&how);
        if (pthread_attr_setaffinity_np(&how, all.bytes, all.set) == 0)
            status = pthread_create(thread, &how, run, context);
        pthread_attr_destroy(&how);
        affinity_release(&all);
    }
    return status == 0 ? 0 : pthread_create(thread, NULL, run, context);
}

int thread_start(pthread_t *thread, void *(*run)(void *context), void *context)
{
    sigset_t most, before;
    sigfillset(&most);
    sigdelset(&most, SIGSEGV);
    sigdelset(&most, SIGBUS);
    sigdelset(&most, SIGFPE);
    sigdelset(&most, SIGILL);
    pthread_sigmask(SIG_SETMASK, &most, &before);
    int status = create(thread, run, context);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return status;
}
