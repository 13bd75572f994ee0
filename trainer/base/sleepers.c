/* Threads of this process that wait for a disk, by what /proc tells of them. */
#include "base/sleepers.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

/* "ID (NAME) STATE ppid pgrp session tty tpgid flags minflt cminflt majflt cmajflt utime stime ...": proc(5). The name
 * may hold anything, also brackets. */
static bool asleep(const char *id, unsigned long long *work)
{
    char path[64], text[512], *at;
    snprintf(path, sizeof path, "/proc/self/task/%.20s/stat", id);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
    if (fd >= 0)
        close(fd);
    text[size > 0 ? size : 0] = 0;
    at = strrchr(text, ')');
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

double sleepers_look(struct sleepers *sleepers)
{
    struct sleepers now = {.count = 0};
    double time = clock_seconds(), longest = 0;
    DIR *tasks = opendir("/proc/self/task");
    const struct dirent *task;
    while (tasks && now.count < SLEEPERS_MOST && (task = readdir(tasks))) {
        struct sleeper *sleeper = &now.list[now.count];
        *sleeper = (struct sleeper){.thread = strtol(task->d_name, NULL, 10), .since = time};
        if (task->d_name[0] == '.' || !asleep(task->d_name, &sleeper->work))
            continue;
        sleeper->since = seen_since(sleepers, sleeper);
        longest = time - sleeper->since > longest ? time - sleeper->since : longest;
        now.count++;
    }
    if (tasks)
        closedir(tasks);
    *sleepers = now;
    return longest;
}
