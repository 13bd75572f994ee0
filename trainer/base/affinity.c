/* The processors that this process may use. */
#include "base/affinity.h"

#include <dirent.h>
#include <errno.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>

#define CPUS_MOST (1 << 20) /* far beyond any kernel's */

static bool take(struct affinity *a, int cpus)
{
    *a = (struct affinity){CPU_ALLOC(cpus), CPU_ALLOC_SIZE(cpus)};
    if (a->set)
        CPU_ZERO_S(a->bytes, a->set);
    return a->set != NULL;
}

static bool thread_mask(struct affinity *a)
{
    for (int cpus = 1024; cpus <= CPUS_MOST && take(a, cpus); cpus *= 4) {
        if (sched_getaffinity(0, a->bytes, a->set) == 0)
            return true;
        int failed = errno;
        affinity_release(a);
        if (failed != EINVAL) /* EINVAL: the set is too small */
            break;
    }
    return false;
}

/* All places of OpenMP together. */
static bool places(struct affinity *a, int n)
{
    if (!take(a, CPUS_MOST))
        return false;
    for (int place = 0; place < n; place++) {
        int count = omp_get_place_num_procs(place), *ids = count > 0 ? calloc((size_t)count, sizeof *ids) : NULL;
        if (ids)
            omp_get_place_proc_ids(place, ids);
        for (int i = 0; ids && i < count; i++)
            if (ids[i] >= 0 && ids[i] < CPUS_MOST)
                CPU_SET_S((size_t)ids[i], a->bytes, a->set);
        free(ids);
    }
    if (affinity_count(a) > 0)
        return true;
    affinity_release(a);
    return false;
}

bool affinity_init(struct affinity *a)
{
    int n = omp_get_num_places();
    return (n > 0 && places(a, n)) || thread_mask(a);
}

void affinity_release(struct affinity *a)
{
    if (a->set)
        CPU_FREE(a->set);
    *a = (struct affinity){0};
}

int affinity_count(const struct affinity *a)
{
    return CPU_COUNT_S(a->bytes, a->set);
}

bool affinity_is_bound(void)
{
    return omp_get_proc_bind() != omp_proc_bind_false;
}

/* "0-3,8,10-11": has the list a processor of the mask? */
static bool shares(const struct affinity *a, FILE *list)
{
    size_t first, last;
    while (fscanf(list, "%zu", &first) == 1) {
        int next = fgetc(list);
        last = first;
        if (next == '-') {
            if (fscanf(list, "%zu", &last) != 1)
                return false;
            next = fgetc(list);
        }
        for (size_t cpu = first; cpu <= last && cpu < 8 * a->bytes; cpu++)
            if (CPU_ISSET_S(cpu, a->bytes, a->set))
                return true;
        if (next != ',')
            break;
    }
    return false;
}

/* The kernel's directory names few nodes; to try every number would take as long as reading 10 MB of values. */
int affinity_nodes(const struct affinity *a, const char *root)
{
    char path[512];
    snprintf(path, sizeof path, "%s/sys/devices/system/node", root);
    DIR *all = opendir(path);
    int nodes = 0, node;
    for (struct dirent *entry; all && (entry = readdir(all)) != NULL;) {
        if (sscanf(entry->d_name, "node%d", &node) != 1)
            continue;
        snprintf(path, sizeof path, "%s/sys/devices/system/node/node%d/cpulist", root, node);
        FILE *list = fopen(path, "re");
        if (!list)
            continue;
        nodes += shares(a, list);
        fclose(list);
    }
    if (all)
        closedir(all);
    return nodes > 1 ? nodes : 1;
}
