/* Threads that share work of some microseconds, again and again. */
#include "base/team.h"

#include <pthread.h>
#include <sched.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/thread.h"

#define LINE        64
#define SPINS       2000 /* some tens of microseconds */
#define YIELDS      20
#define COUNT_BITS  8 /* of a round: its number of items stands below its own number */
#define ROUND(n, c) ((uint64_t)(n) << COUNT_BITS | (c))

struct helper {
    struct team *team;
    size_t number;
    pthread_t thread;
};

struct item {
    alignas(LINE) atomic_uint_least64_t round; /* the last in which it was taken */
};

struct team {
    size_t threads, started; /* helpers that run */
    struct helper *helpers;  /* [threads - 1] */
    /* Of the round, read by who has taken an item of it. */
    team_fn *fn;
    void *context;
    uint64_t number;
    alignas(LINE) atomic_uint_least64_t round; /* no items: the end */
    alignas(LINE) atomic_size_t done;          /* items of the round */
    alignas(LINE) atomic_int sleepers;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct item items[TEAM_ITEMS];
};

static inline void relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* An item of an earlier round is free; one taken in this round or (by who is late) a later one is not. */
static bool take(struct item *item, uint64_t round)
{
    uint_least64_t last = atomic_load_explicit(&item->round, memory_order_relaxed);
    return last < round && atomic_compare_exchange_strong_explicit(&item->round, &last, round, memory_order_acq_rel,
                                                                   memory_order_relaxed);
}

/* fn and context stand still as long as an item of the round is not done. */
static void work(struct team *team, size_t thread, uint64_t round)
{
    size_t items = round & (((uint64_t)1 << COUNT_BITS) - 1), own = thread * items / team->threads;
    for (size_t i = 0; i < items; i++) {
        size_t item = own + i < items ? own + i : own + i - items;
        if (!take(&team->items[item], round))
            continue;
        team->fn(team->context, thread, item);
        atomic_fetch_add_explicit(&team->done, 1, memory_order_release);
    }
}

static uint64_t sleep_until_round(struct team *team, uint64_t seen)
{
    uint64_t round;
    pthread_mutex_lock(&team->lock);
    atomic_fetch_add(&team->sleepers, 1);
    while ((round = atomic_load(&team->round)) == seen)
        pthread_cond_wait(&team->wake, &team->lock);
    atomic_fetch_sub(&team->sleepers, 1);
    pthread_mutex_unlock(&team->lock);
    return round;
}

static uint64_t next_round(struct team *team, uint64_t seen)
{
    for (int i = 0; i < SPINS + YIELDS; i++) {
        uint64_t round = atomic_load_explicit(&team->round, memory_order_acquire);
        if (round != seen)
            return round;
        if (i < SPINS)
            relax();
        else
            sched_yield();
    }
    return sleep_until_round(team, seen);
}

static void *help(void *context)
{
    struct helper *helper = context;
    uint64_t round = 0;
    for (;;) {
        round = next_round(helper->team, round);
        if ((round & (((uint64_t)1 << COUNT_BITS) - 1)) == 0)
            return NULL;
        work(helper->team, helper->number, round);
    }
}

static void publish(struct team *team, size_t items)
{
    atomic_store(&team->round, ROUND(++team->number, items));
    if (atomic_load(&team->sleepers) == 0) /* who is about to sleep looks at the round again first */
        return;
    pthread_mutex_lock(&team->lock);
    pthread_cond_broadcast(&team->wake);
    pthread_mutex_unlock(&team->lock);
}

void team_run(struct team *team, size_t items, team_fn *fn, void *context)
{
    team->fn = fn;
    team->context = context;
    atomic_store_explicit(&team->done, 0, memory_order_relaxed);
    publish(team, items);
    work(team, 0, ROUND(team->number, items));
    for (size_t i = 0; atomic_load_explicit(&team->done, memory_order_acquire) != items; i++)
        if (i < SPINS)
            relax();
        else
            sched_yield();
}

enum gm_code team_open(struct team **out, size_t threads, struct gm_error *err)
{
    struct team *team = NULL;
    enum gm_code code = memory_alloc((void **)&team, 1, sizeof *team, "a team of threads", err);
    *out = NULL;
    if (code)
        return code;
    team->threads = threads;
    pthread_mutex_init(&team->lock, NULL);
    pthread_cond_init(&team->wake, NULL);
    code = memory_alloc((void **)&team->helpers, threads - 1, sizeof *team->helpers, "a team of threads", err);
    for (size_t t = 1; !code && t < threads; t++) {
        struct helper *helper = &team->helpers[t - 1];
        helper->team = team;
        helper->number = t;
        int status = thread_start(&helper->thread, help, helper);
        if (status)
            code = error_set(err, GM_SYSTEM, "Thread %zu of %zu could not be started: %s.", t + 1, threads,
                             strerror(status));
        else
            team->started++;
    }
    if (code)
        team_close(team);
    else
        *out = team;
    return code;
}

void team_close(struct team *team)
{
    if (!team)
        return;
    publish(team, 0);
    for (size_t t = 0; t < team->started; t++)
        pthread_join(team->helpers[t].thread, NULL);
    pthread_cond_destroy(&team->wake);
    pthread_mutex_destroy(&team->lock);
    memory_free(team->helpers);
    memory_free(team);
}
