/* Of tasks that run on all threads, the first in order that failed: the same whatever the threads do, since a task is
 * left out only behind one that failed. */
#ifndef DATA_FAILURE_H
#define DATA_FAILURE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gradmill/status.h>

struct failure {
    _Atomic size_t task; /* SIZE_MAX: none */
    enum gm_code code;
    struct gm_error err;
};

static inline void failure_init(struct failure *failure)
{
    atomic_init(&failure->task, SIZE_MAX);
    failure->code = GM_OK;
}

/* Need `task` not be tried? */
static inline bool failure_before(const struct failure *failure, size_t task)
{
    return task > atomic_load(&failure->task);
}

/* What `task` returned, with its reason; may be GM_OK. */
static inline void failure_note(struct failure *failure, size_t task, enum gm_code code, const struct gm_error *err)
{
    if (code == GM_OK)
        return;
#pragma omp critical(data_failure)
    if (task < atomic_load(&failure->task)) {
        atomic_store(&failure->task, task);
        failure->code = code;
        failure->err = *err;
    }
}

/* After all tasks, on one thread. */
static inline enum gm_code failure_tell(const struct failure *failure, struct gm_error *err)
{
    if (failure->code != GM_OK && err)
        *err = failure->err;
    return failure->code;
}

#endif
