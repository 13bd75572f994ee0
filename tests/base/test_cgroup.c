/* Limits of control groups, read from made-up trees. Layouts are those that systemd, Docker and Slurm make. */
#include "support.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cgroup.h"

#define MIB ((uint64_t)1 << 20)

static const char *root; /* of the tree that the running test makes */

static void plant(const char *name)
{
    root = test_path(name);
}

static void put(const char *path, const char *text)
{
    test_plant(root, path, text);
}

#define V2_MOUNT "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"

static void nothing_there_is_no_limit(void)
{
    plant("bare");
    struct cgroup_limits limits = cgroup_limits(root);
    CU_ASSERT_EQUAL(limits.memory, UINT64_MAX);
    CU_ASSERT(isinf(limits.cpus));
}

static void v2_takes_the_least_of_all_ancestors(void)
{
    plant("v2");
    put("/proc/self/cgroup", "0::/batch.slice/job7/step0\n");
    put("/proc/self/mountinfo", "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n" V2_MOUNT);
    put("/sys/fs/cgroup/batch.slice/job7/step0/memory.max", "max\n");
    put("/sys/fs/cgroup/batch.slice/job7/step0/cpu.max", "max 100000\n");
    put("/sys/fs/cgroup/batch.slice/job7/memory.max", "536870912\n");
    put("/sys/fs/cgroup/batch.slice/job7/cpu.max", "250000 100000\n");
    put("/sys/fs/cgroup/batch.slice/memory.max", "1073741824\n");
    put("/sys/fs/cgroup/batch.slice/cpu.max", "150000 100000\n");
    struct cgroup_limits limits = cgroup_limits(root);
    CU_ASSERT_EQUAL(limits.memory, 512 * MIB);
    CU_ASSERT_EQUAL(limits.cpus, 1.5);
    put("/sys/fs/cgroup/batch.slice/job7/step0/memory.high", "104857600\n");
    CU_ASSERT_EQUAL(cgroup_limits(root).memory, 100 * MIB);
}

static void v2_in_a_container_sees_its_own_group_as_the_root(void)
{
    plant("container");
    put("/proc/self/cgroup", "0::/\n");
    put("/proc/self/mountinfo", V2_MOUNT);
    put("/sys/fs/cgroup/memory.max", "2147483648\n");
    put("/sys/fs/cgroup/cpu.max", "50000 100000\n");
    struct cgroup_limits limits = cgroup_limits(root);
    CU_ASSERT_EQUAL(limits.memory, 2048 * MIB);
    CU_ASSERT_EQUAL(limits.cpus, 0.5);
}

static void v1_controllers_have_their_own_mounts_and_paths(void)
{
    plant("v1");
    put("/proc/self/cgroup",
        "12:cpu,cpuacct:/slurm/uid_1/job_2\n9:memory:/slurm/uid_1/job_2/step_0\n1:name=systemd:/x\n");
    put("/proc/self/mountinfo",
        "31 30 0:27 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd\n"
        "40 30 0:35 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:18 - cgroup cgroup rw,cpu,cpuacct\n"
        "41 30 0:36 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n");
    put("/sys/fs/cgroup/memory/slurm/uid_1/job_2/step_0/memory.limit_in_bytes", "9223372036854771712\n");
    put("/sys/fs/cgroup/memory/slurm/uid_1/job_2/memory.limit_in_bytes", "314572800\n");
    put("/sys/fs/cgroup/cpu,cpuacct/slurm/uid_1/job_2/cpu.cfs_quota_us", "-1\n");
    put("/sys/fs/cgroup/cpu,cpuacct/slurm/uid_1/job_2/cpu.cfs_period_us", "100000\n");
    put("/sys/fs/cgroup/cpu,cpuacct/slurm/cpu.cfs_quota_us", "300000\n");
    put("/sys/fs/cgroup/cpu,cpuacct/slurm/cpu.cfs_period_us", "100000\n");
    struct cgroup_limits limits = cgroup_limits(root);
    CU_ASSERT_EQUAL(limits.memory, 300 * MIB);
    CU_ASSERT_EQUAL(limits.cpus, 3.0);
}

static void v1_in_docker_shows_the_group_at_the_mount_point(void)
{
    plant("docker");
    put("/proc/self/cgroup", "9:memory:/docker/abc\n0::/docker/abc\n");
    put("/proc/self/mountinfo", "41 30 0:36 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n");
    put("/sys/fs/cgroup/memory/memory.limit_in_bytes", "67108864\n");
    CU_ASSERT_EQUAL(cgroup_limits(root).memory, 64 * MIB);
}

static void mount_points_with_spaces_are_found(void)
{
    plant("spaces");
    put("/proc/self/cgroup", "0::/a b\n");
    put("/proc/self/mountinfo", "30 23 0:26 / /my\\040groups rw - cgroup2 none rw\n");
    put("/my groups/a b/memory.max", "1048576\n");
    CU_ASSERT_EQUAL(cgroup_limits(root).memory, MIB);
}

static void nonsense_is_no_limit(void)
{
    static const char *const texts[] = {"",     "\n\n",         ":", "0:", "0::", "::::", " - ", "1 2 3 - cgroup2",
                                        "\\04", "0::/../../x\n"};
    plant("nonsense");
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        for (size_t j = 0; j < sizeof texts / sizeof *texts; j++) {
            put("/proc/self/cgroup", texts[i]);
            put("/proc/self/mountinfo", texts[j]);
            CU_ASSERT_EQUAL(cgroup_limits(root).memory, UINT64_MAX);
        }
    put("/proc/self/cgroup", "0::/\n");
    put("/proc/self/mountinfo", V2_MOUNT);
    put("/sys/fs/cgroup/memory.max", "lots");
    put("/sys/fs/cgroup/cpu.max", "0 0");
    CU_ASSERT_EQUAL(cgroup_limits(root).memory, UINT64_MAX);
    CU_ASSERT(isinf(cgroup_limits(root).cpus));
}

TEST_MAIN("cgroup", TEST(nothing_there_is_no_limit), TEST(v2_takes_the_least_of_all_ancestors),
          TEST(v2_in_a_container_sees_its_own_group_as_the_root), TEST(v1_controllers_have_their_own_mounts_and_paths),
          TEST(v1_in_docker_shows_the_group_at_the_mount_point), TEST(mount_points_with_spaces_are_found),
          TEST(nonsense_is_no_limit))
