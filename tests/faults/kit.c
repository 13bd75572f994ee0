/* What the rows of the table of faults share. */
#include "tests/faults/kit.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

#include "base/random.h"

static char errors[65536];

bool faults_full(void)
{
    const char *how = getenv("GRADMILL_FAULTS");
    return how && strcmp(how, "full") == 0;
}

size_t faults_count(size_t reduced, size_t full)
{
    return faults_full() ? full : reduced;
}

unsigned faults_random(unsigned below)
{
    static uint64_t index;
    return (unsigned)random_below((struct random_key){1, RANDOM_CHECK, 0}, index++, below);
}

/* Tells the shim where in the program HDF5's own functions lie, when it is linked from its archive. */
static void tell_foreign(const char *program)
{
    char command[4200], range[64] = "";
    snprintf(
        command, sizeof command,
        "nm -n '%s' | awk '$3 ~ /^H5/ && $3 !~ /cold/ && /[tT]/ { if (!a) a = $1; b = $1 } END { print a \"-\" b }'",
        program);
    FILE *names = popen(command, "r");
    if (!names || !fgets(range, sizeof range, names) || pclose(names) != 0) {
        fprintf(stderr, "nm does not read %s\n", program);
        exit(99);
    }
    setenv("FAULT_FOREIGN", range, 1);
}

static void prepare(void)
{
    static bool done;
    const char *build = getenv("GRADMILL_BUILD"), *program = getenv("GRADMILL");
    char path[4096];
    if (done)
        return;
    done = true;
    if (!build || !program || chdir(test_directory()) != 0) {
        fprintf(stderr, "GRADMILL, GRADMILL_BUILD: run the tests with ctest\n");
        exit(99);
    }
    setenv("G", program, 1);
    tell_foreign(program);
    setenv("OMP_WAIT_POLICY", "passive", 1);
    snprintf(path, sizeof path, "%s/tests/plugins", build);
    setenv("P", path, 1);
    snprintf(path, sizeof path, "%s/tests/mutants", build);
    setenv("M", path, 1);
    snprintf(path, sizeof path, "%s/tests/faults/fault_shim.so", build);
    setenv("SHIM", path, 1);
    /* the address sanitizer must stand first, and lets our calls through to itself */
    test_write("faulty",
               "#!/bin/sh\nexport FAULT_CALLS=\"$1\" FAULT_PATH=\"$2\" FAULT_N=\"$3\" FAULT_HOW=\"$4\"\nshift 4\n"
               "LD_PRELOAD=\"$SHIM\" exec \"$@\"\n");
    if (system("chmod +x faulty") != 0)
        exit(99);
}

static void read_errors(void)
{
    FILE *file = fopen("err", "r");
    size_t size = file ? fread(errors, 1, sizeof errors - 1, file) : 0;
    errors[size] = 0;
    if (file)
        fclose(file);
}

int faults_run(const char *format, ...)
{
    char command[6000], line[6200];
    va_list args;
    prepare();
    va_start(args, format);
    vsnprintf(command, sizeof command, format, args);
    va_end(args);
    snprintf(line, sizeof line, "PATH=$PATH:.; { %s\n} >out 2>err", command);
    fflush(NULL);
    int status = system(line);
    read_errors();
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return code;
}

bool faults_err_holds(const char *part)
{
    return strstr(errors, part) != NULL;
}

const char *faults_err(void)
{
    return errors;
}

static pid_t start(const char *command)
{
    char line[4096];
    prepare();
    unlink("err");
    snprintf(line, sizeof line, "PATH=$PATH:.; exec %s >out 2>err", command);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        execl("/bin/sh", "sh", "-c", line, (char *)NULL);
        _exit(98);
    }
    return child;
}

static int signal_and_wait(pid_t child, int number, bool twice)
{
    int status = 0;
    kill(child, number);
    if (twice) {
        usleep(500000);
        kill(child, number);
    }
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    read_errors();
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int faults_run_and_signal(const char *command, int number, unsigned microseconds, bool twice)
{
    pid_t child = start(command);
    usleep(microseconds);
    return signal_and_wait(child, number, twice);
}

int faults_run_and_signal_at(const char *command, int number, const char *part, bool twice)
{
    pid_t child = start(command);
    errors[0] = 0;
    for (int i = 0; i < 3000 && !faults_err_holds(part); i++) {
        usleep(10000);
        read_errors();
    }
    return signal_and_wait(child, number, twice);
}

bool faults_exists(const char *name)
{
    return access(name, F_OK) == 0;
}

void faults_flip(const char *from, const char *to, unsigned at)
{
    faults_run("cp %s %s", from, to);
    FILE *file = fopen(to, "r+b");
    if (!file)
        return;
    fseek(file, (long)at, SEEK_SET);
    int byte = fgetc(file);
    fseek(file, (long)at, SEEK_SET);
    if (byte != EOF)
        fputc(byte ^ (int)(1 + faults_random(255)), file);
    fclose(file);
}

unsigned faults_job_microseconds(void)
{
    static unsigned took;
    if (!took) {
        faults_job();
        faults_run("s=$(date +%%s%%N); $G train j.yaml -q; e=$(date +%%s%%N); echo $(( (e - s) / 1000 )) >&2");
        took = (unsigned)atol(faults_err());
        if (took < 20000)
            took = 20000;
    }
    return took;
}

void faults_clean(void)
{
    faults_run("rm -f m.h5 m.h5.* l.jsonl l.jsonl.* c.h5 c.h5.*");
}

void faults_job(void)
{
    static bool done;
    if (!done) {
        done = true;
        faults_run("$G make regression -o r.h5 --rows 600 --features 8 --noise 0.5 -q");
        test_write("j.yaml", "data: {train: r.h5, validation: 0.2}\nloss: mse\n"
                             "optimizer: {type: adam, batch_size: 6, learning_rate: 0.01}\n"
                             "stop: {max_epochs: 120, loss_change: null}\n"
                             "output: {model: m.h5, log: l.jsonl, checkpoint: {path: c.h5, every_epochs: 1}}\n");
        faults_run("$G train j.yaml -q && mv m.h5 ref.h5");
    }
    faults_clean();
}

bool faults_resumed_to_the_same(void)
{
    return faults_run("$G train j.yaml -q --resume && cmp m.h5 ref.h5") == 0;
}
