/* The processors that this process may use, and the memory nodes (NUMA) they belong to. */
#ifndef BASE_AFFINITY_H
#define BASE_AFFINITY_H

#include <sched.h>
#include <stdbool.h>
#include <stddef.h>

struct affinity { /* the kernel's mask may be larger than the C library's fixed cpu_set_t */
    cpu_set_t *set;
    size_t bytes;
};

/* The mask that the process was started with. OMP_PROC_BIND and OMP_PLACES bind the main thread to one place before
 * main begins: then it is all places together. False: the system does not say. To be released when true. */
bool affinity_init(struct affinity *a);
void affinity_release(struct affinity *a);

int affinity_count(const struct affinity *a);
/* Is every thread of OpenMP bound to a place? */
bool affinity_is_bound(void);

/* Memory nodes that have a processor of the mask; at least 1. `root` stands before the path: "" for this machine, a
 * made-up tree in tests. Source: Documentation/ABI/stable/sysfs-devices-node. */
int affinity_nodes(const struct affinity *a, const char *root);

#endif
