/* Files that are whole or absent. */
#include "support.h"

#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"

#define LIMIT ((size_t)1 << 20)

static bool exists(const char *path)
{
    return access(path, F_OK) == 0;
}

static bool file_is(const char *path, const char *text)
{
    void *bytes = NULL;
    size_t size = 0;
    bool same =
        file_read(path, LIMIT, &bytes, &size, NULL) == GM_OK && size == strlen(text) && !memcmp(bytes, text, size);
    memory_free(bytes);
    return same;
}

static void files_are_read_whole_with_a_zero_behind(void)
{
    void *bytes = NULL;
    size_t size = 1;
    const char *path = test_path("read");
    test_write(path, "loss: mse\n");
    CU_ASSERT_EQUAL_FATAL(file_read(path, LIMIT, &bytes, &size, NULL), GM_OK);
    CU_ASSERT_EQUAL(size, 10);
    CU_ASSERT_STRING_EQUAL((char *)bytes, "loss: mse\n");
    memory_free(bytes);
    test_write(path, "");
    CU_ASSERT_EQUAL_FATAL(file_read(path, 0, &bytes, &size, NULL), GM_OK);
    CU_ASSERT(size == 0 && ((char *)bytes)[0] == 0);
    memory_free(bytes);
}

static void pipes_are_read_to_their_end(void)
{
    int ends[2];
    char name[64];
    void *bytes = NULL;
    size_t size = 0;
    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        char part[1000];
        memset(part, 'p', sizeof part);
        for (int i = 0; i < 100; i++)
            if (write(ends[1], part, sizeof part) != (ssize_t)sizeof part)
                _exit(1);
        _exit(0);
    }
    close(ends[1]);
    snprintf(name, sizeof name, "/proc/self/fd/%d", ends[0]);
    CU_ASSERT_EQUAL(file_read(name, LIMIT, &bytes, &size, NULL), GM_OK);
    CU_ASSERT_EQUAL(size, 100000);
    memory_free(bytes);
    close(ends[0]);
    waitpid(child, NULL, 0);
}

static void what_cannot_be_read_says_why(void)
{
    struct gm_error err = {0};
    void *bytes = NULL;
    size_t size;
    const char *path = test_path("long");
    CU_ASSERT_EQUAL(file_read(test_path("missing"), LIMIT, &bytes, &size, &err), GM_NO_INPUT);
    ASSERT_HOLDS(err.text, "missing");
    CU_ASSERT_EQUAL(file_read(test_directory(), LIMIT, &bytes, &size, &err), GM_NO_INPUT);
    ASSERT_HOLDS(err.text, "directory");
    test_write(path, "0123456789");
    CU_ASSERT_EQUAL(file_read(path, 9, &bytes, &size, &err), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "holds 10 bytes; at most 9 are read");
    CU_ASSERT_EQUAL(file_read("/dev/zero", 10000, &bytes, &size, &err), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "is longer than the 10000 bytes that are read at most");
    if (geteuid() != 0) { /* root may read everything */
        chmod(path, 0);
        CU_ASSERT_EQUAL(file_read(path, LIMIT, &bytes, &size, &err), GM_DENIED);
    }
}

static void replacing_makes_the_new_file_and_leaves_nothing_else(void)
{
    const char *path = test_path("model.h5"), *temporary = test_path("model.h5.tmp");
    struct stat status;
    CU_ASSERT_EQUAL(file_replace(path, "first", 5, NULL), GM_OK);
    CU_ASSERT(file_is(path, "first"));
    chmod(path, 0640);
    test_write(temporary, "stale, and longer than what follows, from a run that was killed");
    CU_ASSERT_EQUAL(file_replace(path, "second", 6, NULL), GM_OK);
    CU_ASSERT(file_is(path, "second"));
    CU_ASSERT(stat(path, &status) == 0 && (status.st_mode & 0777) == 0640);
    CU_ASSERT_FALSE(exists(temporary));
}

static void a_link_stays_a_link(void)
{
    const char *target = test_path("target"), *name = test_path("link");
    struct stat status;
    test_write(target, "old");
    CU_ASSERT_EQUAL_FATAL(symlink("target", name), 0);
    CU_ASSERT_EQUAL(file_replace(name, "new", 3, NULL), GM_OK);
    CU_ASSERT(lstat(name, &status) == 0 && S_ISLNK(status.st_mode));
    CU_ASSERT(file_is(target, "new"));
}

/* The kernel's own limit on file size makes write fail half-way; nothing of ours is imitated. */
static void a_failed_write_keeps_the_old_file(void)
{
    const char *path = test_path("limited");
    static char bytes[100000];
    test_write(path, "old");
    pid_t child = fork();
    if (child == 0) {
        struct rlimit size = {50000, 50000};
        struct gm_error err = {0};
        signal(SIGXFSZ, SIG_IGN);
        bool failed = setrlimit(RLIMIT_FSIZE, &size) == 0 && file_replace(path, bytes, sizeof bytes, &err) == GM_IO;
        _exit(failed && strstr(err.text, "limited") && strstr(err.text, "writing failed") ? 0 : 1);
    }
    int status = -1;
    waitpid(child, &status, 0);
    CU_ASSERT_EQUAL(status, 0);
    CU_ASSERT(file_is(path, "old"));
    CU_ASSERT_FALSE(exists(test_path("limited.tmp")));
}

static void outputs_that_cannot_be_made_are_found_before(void)
{
    struct gm_error err = {0};
    const char *fresh = test_path("fresh.h5");
    CU_ASSERT_EQUAL(file_check_writable(fresh, &err), GM_OK);
    CU_ASSERT_FALSE(exists(fresh) || exists(test_path("fresh.h5.tmp")));
    test_write(fresh, "kept");
    CU_ASSERT_EQUAL(file_check_writable(fresh, &err), GM_OK);
    CU_ASSERT(file_is(fresh, "kept"));
    CU_ASSERT_EQUAL(file_check_writable(test_path("no/such/model.h5"), &err), GM_CANNOT_CREATE);
    ASSERT_HOLDS(err.text, "directory does not exist");
    CU_ASSERT_EQUAL(file_check_writable(test_directory(), &err), GM_CANNOT_CREATE);
    ASSERT_HOLDS(err.text, "a directory");
    CU_ASSERT_EQUAL(file_check_writable("/dev/null", &err), GM_CANNOT_CREATE);
    CU_ASSERT_EQUAL(file_check_writable("", &err), GM_CANNOT_CREATE);
    CU_ASSERT_EQUAL(file_replace("/dev/null", "x", 1, &err), GM_CANNOT_CREATE);
    CU_ASSERT_EQUAL(file_check_writable("/proc/gradmill.h5", &err) == GM_OK, false);
    if (geteuid() != 0) {
        mkdir(test_path("closed"), 0500);
        CU_ASSERT_EQUAL(file_check_writable(test_path("closed/m.h5"), &err), GM_DENIED);
    }
}

static void a_lock_has_one_holder_at_a_time(void)
{
    struct file_lock lock = {0}, again = {0};
    struct gm_error err = {0};
    char pid[32];
    const char *path = test_path("locked");
    CU_ASSERT_EQUAL_FATAL(file_lock_take(&lock, path, &err), GM_OK);
    CU_ASSERT(exists(test_path("locked.lock")));
    snprintf(pid, sizeof pid, "process %ld", (long)getpid());
    CU_ASSERT_EQUAL(file_lock_take(&again, path, &err), GM_DENIED);
    ASSERT_HOLDS(err.text, pid);
    file_lock_release(&again);
    file_lock_release(&lock);
    CU_ASSERT_FALSE(exists(test_path("locked.lock")));
    CU_ASSERT_EQUAL(file_lock_take(&again, path, &err), GM_OK);
    file_lock_release(&again);
    file_lock_release(&again);
    CU_ASSERT_EQUAL(file_lock_take(&lock, test_path("no/such"), &err), GM_CANNOT_CREATE);
}

static void a_killed_holder_leaves_no_lock_though_its_child_lives_on(void)
{
    const char *path = test_path("killed");
    int ready[2];
    char byte;
    CU_ASSERT_EQUAL_FATAL(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        struct file_lock lock;
        byte = file_lock_take(&lock, path, NULL) == GM_OK;
        if (fork() == 0) { /* as a probe does, and gets its turn late */
            usleep(200000);
            _exit(0);
        }
        if (write(ready[1], &byte, 1) == 1)
            pause();
        _exit(1);
    }
    struct file_lock lock = {0};
    struct gm_error err = {0};
    CU_ASSERT(read(ready[0], &byte, 1) == 1 && byte == 1);
    CU_ASSERT_EQUAL(file_lock_take(&lock, path, &err), GM_DENIED);
    ASSERT_HOLDS(err.text, "Wait for that run or name another output.");
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    CU_ASSERT_EQUAL(file_lock_take(&lock, path, NULL), GM_OK);
    file_lock_release(&lock);
    close(ready[0]);
    close(ready[1]);
}

/* FIPS 180-4's examples: the empty message, "abc", 448 bits, and a million times "a". */
static void hashes_are_those_of_the_standard(void)
{
    static const struct {
        const char *text, *hex;
    } cases[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    char hex[65];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        file_sha256_bytes(cases[i].text, strlen(cases[i].text), hex);
        CU_ASSERT_STRING_EQUAL(hex, cases[i].hex);
    }
    static char million[1000000];
    memset(million, 'a', sizeof million);
    CU_ASSERT_EQUAL_FATAL(file_replace(test_path("million"), million, sizeof million, NULL), GM_OK);
    int fd = open(test_path("million"), O_RDONLY);
    CU_ASSERT_EQUAL(lseek(fd, 17, SEEK_SET), 17);
    CU_ASSERT_EQUAL(file_sha256(fd, "million", hex, NULL), GM_OK);
    CU_ASSERT_STRING_EQUAL(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    CU_ASSERT_EQUAL(lseek(fd, 0, SEEK_CUR), 17);
    close(fd);
    struct gm_error err = {0};
    CU_ASSERT_EQUAL(file_sha256(fd, "closed.so", hex, &err), GM_IO);
    ASSERT_HOLDS(err.text, "closed.so");
}

TEST_MAIN("file", TEST(files_are_read_whole_with_a_zero_behind), TEST(pipes_are_read_to_their_end),
          TEST(what_cannot_be_read_says_why), TEST(replacing_makes_the_new_file_and_leaves_nothing_else),
          TEST(a_link_stays_a_link), TEST(a_failed_write_keeps_the_old_file),
          TEST(outputs_that_cannot_be_made_are_found_before), TEST(a_lock_has_one_holder_at_a_time),
          TEST(a_killed_holder_leaves_no_lock_though_its_child_lives_on), TEST(hashes_are_those_of_the_standard))
