/* Running the machine's C compiler on a plugin's source: posix_spawn, no shell, what it says kept for the error. */
#include "face/compile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"

enum { ARGUMENTS = 48, SAID = 900 };

struct arguments {
    char *list[ARGUMENTS + 1];
    size_t count;
    char compiler[512]; /* $CC, cut into words */
};

static bool add(struct arguments *a, char *text)
{
    if (a->count == ARGUMENTS)
        return false;
    a->list[a->count++] = text;
    return true;
}

/* Directory of the public headers: ../include from the running program, in a build tree and where it is installed. */
static enum gm_code find_headers(char out[PATH_MAX], struct gm_error *err)
{
    char program[PATH_MAX], header[PATH_MAX + 32];
    ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);
    if (n <= 0)
        return error_set(err, GM_SYSTEM, "Cannot tell where this program is: %s.", strerror(errno));
    program[n] = 0;
    for (int up = 0; up < 2; up++) {
        char *slash = strrchr(program, '/');
        if (slash)
            *slash = 0;
    }
    snprintf(out, PATH_MAX, "%.*s/include", (int)(PATH_MAX - 16), program);
    snprintf(header, sizeof header, "%.*s/gradmill/loss_rows.h", PATH_MAX - 1, out);
    if (access(header, R_OK) == 0)
        return GM_OK;
    return error_set(err, GM_SYSTEM,
                     "The headers for plugins are not beside the program: %s is missing. Is gradmill installed whole?",
                     header);
}

/* $CC may hold options, as in "gcc -m64" or "ccache gcc": words are cut at blanks. */
static enum gm_code add_compiler(struct arguments *a, struct gm_error *err)
{
    const char *cc = getenv("CC");
    if (!cc || !cc[strspn(cc, " \t")])
        cc = "cc";
    if (strlen(cc) >= sizeof a->compiler)
        return error_set(err, GM_SYSTEM, "The environment variable CC is longer than %zu characters.",
                         sizeof a->compiler);
    strcpy(a->compiler, cc);
    char *rest = NULL;
    for (char *word = strtok_r(a->compiler, " \t", &rest); word; word = strtok_r(NULL, " \t", &rest))
        if (!add(a, word))
            return error_set(err, GM_SYSTEM, "The environment variable CC holds too many words.");
    return GM_OK;
}

/* What the compiler writes, the first SAID bytes of it; the rest is read and dropped, so that it never blocks. */
static void read_said(int fd, char said[SAID])
{
    char dropped[4096];
    size_t size = 0;
    for (;;) {
        bool keep = size < SAID - 1;
        ssize_t got = read(fd, keep ? said + size : dropped, keep ? SAID - 1 - size : sizeof dropped);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        size += keep ? (size_t)got : 0;
    }
    said[size] = 0;
}

/* Start with stdin from /dev/null and both outputs into a pipe. 0 or an errno. */
static int start(char *const *argv, pid_t *child, int *output)
{
    posix_spawn_file_actions_t actions;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return errno;
    int error = posix_spawn_file_actions_init(&actions);
    if (error == 0) {
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
        posix_spawn_file_actions_adddup2(&actions, ends[1], 2);
        error = posix_spawnp(child, argv[0], &actions, NULL, argv, environ);
        posix_spawn_file_actions_destroy(&actions);
    }
    close(ends[1]);
    if (error != 0)
        close(ends[0]);
    *output = ends[0];
    return error;
}

static enum gm_code run(const struct arguments *a, const char *source, struct gm_error *err)
{
    char said[SAID] = "";
    pid_t child;
    int output = -1, status = 0, error = start(a->list, &child, &output);
    if (error == ENOENT)
        return error_set(
            err, GM_SYSTEM,
            "There is no C compiler '%s'. Install one (Debian: apt install gcc) or name it in the environment "
            "variable CC; %s is written.",
            a->list[0], source);
    if (error != 0)
        return error_set(err, GM_SYSTEM, "Cannot start the C compiler '%s': %s.", a->list[0], strerror(error));
    read_said(output, said);
    close(output);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return GM_OK;
    return error_set(err, GM_SYSTEM, "The C compiler '%s' failed on %s:\n%s", a->list[0], source, said);
}

static void write_command(const struct arguments *a, char command[GM_NEW_LOSS_COMMAND])
{
    size_t n = 0;
    for (size_t i = 0; i < a->count && n < GM_NEW_LOSS_COMMAND - 1; i++) {
        bool quote = strpbrk(a->list[i], " '\"$&;()*?<>|\\") != NULL;
        int more = snprintf(command + n, GM_NEW_LOSS_COMMAND - n, "%s%s%s%s", i ? " " : "", quote ? "'" : "",
                            a->list[i], quote ? "'" : "");
        n += more > 0 ? (size_t)more : 0;
    }
}

enum gm_code compile_plugin(const char *source, const char *plugin, char command[GM_NEW_LOSS_COMMAND],
                            struct gm_error *err)
{
    static char *const options[] = {
        "-std=c17", "-O3", "-Wall", "-Wextra", "-fPIC", "-shared", "-fvisibility=hidden", "-ffp-contract=off"};
    struct arguments a = {0};
    char headers[PATH_MAX], include[PATH_MAX + 8], from[PATH_MAX], to[PATH_MAX], part[PATH_MAX];
    enum gm_code code = find_headers(headers, err);
    if (code == GM_OK)
        code = add_compiler(&a, err);
    if (code != GM_OK)
        return code;
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        add(&a, options[i]);
    snprintf(include, sizeof include, "-I%s", headers);
    /* A path that starts with '-' would read as an option. */
    snprintf(from, sizeof from, "%s%s", source[0] == '-' ? "./" : "", source);
    snprintf(to, sizeof to, "%s%s", plugin[0] == '-' ? "./" : "", plugin);
    snprintf(part, sizeof part, "%.*s.part", PATH_MAX - 8, to);
    size_t output = a.count + 2;
    if (!add(&a, include) || !add(&a, "-o") || !add(&a, part) || !add(&a, from) || !add(&a, "-lm"))
        return error_set(err, GM_SYSTEM, "The environment variable CC holds too many words.");
    code = run(&a, source, err);
    a.list[output] = to;
    write_command(&a, command);
    if (code == GM_OK && rename(part, to) != 0)
        code = error_set(err, GM_CANNOT_CREATE, "Cannot replace %s: %s.", to, strerror(errno));
    if (code != GM_OK)
        unlink(part);
    return code;
}
