/* Has the machine become too small for a run? */
#include "train/crowd.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/cpu.h"
#include "base/memory.h"
#include "base/text.h"

void crowd_start(struct crowd *c, int threads, uint64_t memory)
{
    int allowed = cpu_threads();
    uint64_t limit = memory_limit();
    *c = (struct crowd){.threads = threads, .memory = memory < limit ? memory : limit};
    c->next = clock_seconds() + CROWD_SECONDS;
    if (allowed < threads) { /* the user wanted more than there are, and has been told: they wait for each other */
        c->threads = allowed;
        c->told_of_others = true;
    }
    cpu_times(&c->ran, &c->waited);
}

/* What the kernel and other programs left of the processors since the last look. */
static bool others_take(struct crowd *c, char text[GM_ERROR_TEXT])
{
    double ran = 0, waited = 0;
    if (!cpu_times(&ran, &waited))
        return false;
    double used = ran - c->ran, lost = waited - c->waited; /* below 0 when a thread has ended */
    c->ran = ran;
    c->waited = waited;
    if (c->told_of_others || used < 0 || lost < 0 || used + lost < CROWD_SECONDS / 4 ||
        lost < CROWD_WAITING * (used + lost))
        return false;
    c->told_of_others = true;
    snprintf(text, GM_ERROR_TEXT,
             "For %.0f %% of the last %.0f seconds the threads waited for a processor: other work runs here. Fewer of "
             "them (run.threads) may be faster; the result is the same.",
             100 * lost / (used + lost), CROWD_SECONDS);
    return true;
}

bool crowd_look(struct crowd *c, char text[GM_ERROR_TEXT])
{
    double now = clock_seconds();
    if (!c->threads || now < c->next)
        return false;
    c->next = now + CROWD_SECONDS;
    int allowed = cpu_threads();
    uint64_t memory = memory_limit();
    if (allowed < c->threads) {
        snprintf(text, GM_ERROR_TEXT,
                 "Only %d processor%s allowed now (affinity, CPU quota); the run keeps its threads: slower, same "
                 "result. Stopped and started again with --resume it takes as many as there are.",
                 allowed, allowed == 1 ? " is" : "s are");
        c->threads = allowed;
        c->told_of_others = true; /* that the run's own threads wait for each other is no news */
        return true;
    }
    if (memory < c->memory) {
        char less[32], planned[32];
        snprintf(text, GM_ERROR_TEXT,
                 "The memory limit is %s now; the run plans with %s (run.memory) and keeps that. Stopped and started "
                 "again with --resume it plans with less.",
                 text_from_bytes(memory, less), text_from_bytes(c->memory, planned));
        c->memory = memory;
        return true;
    }
    return others_take(c, text);
}
