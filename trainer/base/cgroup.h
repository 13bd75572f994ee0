/* What the control groups (cgroup v1 and v2) allow this process: its own group and every ancestor that can be seen. */
#ifndef BASE_CGROUP_H
#define BASE_CGROUP_H

#include <stdint.h>

struct cgroup_limits {
    uint64_t memory; /* bytes; UINT64_MAX: no limit */
    double cpus;     /* processors' worth of time; INFINITY: no limit */
};

/* `root` stands before every path that is read: "" for this machine, a made-up tree in tests. What cannot be read sets
 * no limit. Source: Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/{memory,cpuacct}.rst, proc(5). */
struct cgroup_limits cgroup_limits(const char *root);

#endif
