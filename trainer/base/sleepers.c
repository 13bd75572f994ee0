/* Threads of this process that wait for a disk, by what /proc tells of them. */
#include "base/sleepers.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/tasks.h"

/* "ID (NAME) STATE ppid pgrp session tty tpgid flags minflt cminflt majflt cmajflt utime stime ...": proc(5). The name
 * may hold anything, also brackets. */
static bool asleep(const char *text, unsigned long long *work)
{
    char *at = strrchr(text, ')');
    if (!at || strncmp(at, ") D ", 4) != 0)
        return false;
    *work = 0;
    at += 3;
    for (int field = 4; field <= 15; field++) {
        unsigned long long value = strtoull(at, &at, 10);
        *work += field >= 10 ? value : 0;
    }
    return true;
}

static double seen_since(const struct sleepers *sleepers, const struct sleeper *sleeper)
{
    for (size_t i = 0; i < sleepers->count; i++)
        if (sleepers->list[i].thread == sleeper->thread && sleepers->list[i].work == sleeper->work)
            return sleepers->list[i].since;
    return sleeper->since;
}

struct look {
    const struct sleepers *before;
    struct sleepers now;
    double time, longest;
};

static void look_at(void *context, long thread, char *text)
{
    struct look *look = context;
    if (look->now.count == SLEEPERS_MOST)
        return;
    struct sleeper *sleeper = &look->now.list[look->now.count];
    *sleeper = (struct sleeper){.thread = thread, .since = look->time};
    if (!asleep(text, &sleeper->work))
        return;
    sleeper->since = seen_since(look->before, sleeper);
    look->longest = fmax(look->longest, look->time - sleeper->since);
    look->now.count++;
}

double sleepers_look(struct sleepers *sleepers)
{
    struct look look = {.before = sleepers, .time = clock_seconds()};
    tasks_read("stat", look_at, &look);
    *sleepers = look.now;
    return look.longest;
}
