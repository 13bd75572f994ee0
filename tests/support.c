/* What every test program shares. */
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char directory[256];

static void remove_directory(void)
{
    char command[512];
    snprintf(command, sizeof command, "rm -rf '%s'", directory);
    if (system(command) != 0)
        fprintf(stderr, "could not remove %s\n", directory);
}

const char *test_directory(void)
{
    if (!directory[0]) {
        const char *base = getenv("TMPDIR");
        snprintf(directory, sizeof directory, "%s/gradmill-test-XXXXXX", base ? base : "/tmp");
        if (!mkdtemp(directory)) {
            perror(directory);
            exit(99);
        }
        atexit(remove_directory);
    }
    return directory;
}

static const char *join(const char *base, const char *name)
{
    static char paths[16][512];
    static unsigned turn;
    char *path = paths[turn++ % 16];
    snprintf(path, sizeof paths[0], "%s/%s", base, name);
    return path;
}

const char *test_path(const char *name)
{
    return join(test_directory(), name);
}

const char *test_source(const char *name)
{
    const char *source = getenv("GRADMILL_SOURCE");
    return join(source ? source : ".", name);
}

void test_write(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    if (!file || fputs(text, file) < 0 || fclose(file) != 0) {
        perror(path);
        exit(99);
    }
}

char *test_text(const char *path)
{
    char *text = NULL;
    size_t room = 0;
    FILE *file = fopen(path, "r");
    if (!file || getdelim(&text, &room, 0, file) < 0)
        text = NULL;
    if (file)
        fclose(file);
    return text;
}

void test_plant(const char *root, const char *path, const char *text)
{
    char full[1024];
    snprintf(full, sizeof full, "%s%s", root, path);
    for (char *slash = full + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = 0;
        mkdir(full, 0777);
        *slash = '/';
    }
    test_write(full, text);
}

void test_close(double a, double b, double tolerance, const char *what, const char *file, int line)
{
    double scale = fabs(b) > 1 ? fabs(b) : 1;
    bool same = a == b || fabs(a - b) <= tolerance * scale;
    if (!same)
        printf("\n    %s:%d: %s: %.17g against %.17g, relative %.3g > %.3g", file, line, what, a, b,
               fabs(a - b) / scale, tolerance);
    CU_assertImplementation(same, (unsigned)line, what, file, "", CU_FALSE);
}

void test_holds(const char *text, const char *part, const char *file, int line)
{
    bool holds = text && strstr(text, part);
    if (!holds)
        printf("\n    %s:%d: no \"%s\" in:\n%s\n", file, line, part, text ? text : "(null)");
    CU_assertImplementation(holds, (unsigned)line, part, file, "", CU_FALSE);
}

static char *read_all(int fd)
{
    size_t size = 0, room = 4096;
    char *text = malloc(room);
    lseek(fd, 0, SEEK_SET);
    for (;;) {
        ssize_t got = read(fd, text + size, room - size - 1);
        if (got <= 0)
            break;
        size += (size_t)got;
        if (room - size < 2)
            text = realloc(text, room *= 2);
    }
    text[size] = 0;
    return text;
}

static int temporary_file(void)
{
    char path[300];
    snprintf(path, sizeof path, "%s/.out-XXXXXX", test_directory());
    int fd = mkstemp(path);
    if (fd < 0) {
        perror(path);
        exit(99);
    }
    unlink(path);
    return fd;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

struct test_result test_program(const char *const *arguments)
{
    const char *program = getenv("GRADMILL");
    if (!program) {
        fprintf(stderr, "GRADMILL is not set: run the tests with ctest\n");
        exit(99);
    }
    char *argv[64] = {(char *)(size_t)program};
    for (size_t i = 0; arguments[i] && i < 62; i++)
        argv[i + 1] = (char *)(size_t)arguments[i];
    int out = temporary_file(), err = temporary_file();
    double start = now();
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        int null = open("/dev/null", O_RDONLY);
        if (chdir(test_directory()) != 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
            _exit(99);
        execv(program, argv);
        _exit(98);
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    struct test_result result = {
        .exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
        .out = read_all(out),
        .err = read_all(err),
        .seconds = now() - start,
    };
    close(out);
    close(err);
    return result;
}

void test_result_free(struct test_result *result)
{
    free(result->out);
    free(result->err);
    *result = (struct test_result){0};
}

int test_run(const char *suite_name, const struct test_case *cases, size_t count)
{
    if (CU_initialize_registry() != CUE_SUCCESS)
        return 99;
    CU_pSuite suite = CU_add_suite(suite_name, NULL, NULL);
    for (size_t i = 0; i < count; i++)
        CU_add_test(suite, cases[i].name, cases[i].run);
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    unsigned failures = CU_get_number_of_failures(), ran = CU_get_number_of_tests_run();
    CU_cleanup_registry();
    if (ran != count || count == 0)
        return 97;
    return failures > 255 ? 255 : (int)failures;
}

/* A parent that waits for the child of a vfork is in that state. The child has its own memory here, since the
 * sanitizers do not know of one that has not. */
void test_wait_as_for_a_disk(double seconds)
{
    struct timespec time = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
    pid_t child = (pid_t)syscall(SYS_clone, (long)(CLONE_VFORK | SIGCHLD), 0L, 0L, 0L, 0L);
    if (child == 0) {
        syscall(SYS_nanosleep, &time, NULL);
        syscall(SYS_exit_group, 0);
    }
    waitpid(child, NULL, 0);
}
