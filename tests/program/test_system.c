/*
 * The system refuses: calls of the C library and of HDF5 that fail while a command runs. A row each: the call, at
 * which of them, how, the command, the exit code it leaves with and what it says. The linker puts our calls in place
 * of theirs (--wrap, in tests/CMakeLists.txt). Writing is in tests/faults.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <hdf5.h>
#include <zlib.h>

#include "base/archive.h"
#include "cli/cli.h"
#include "program/mistakes.h"

struct refusal {
    const char *call;
    int number; /* which of them, from 1 */
    int reason; /* an errno; of fork: the child dies by this signal when negative */
    const char *command;
    int code;
    const char *says;
};

static struct refusal armed;
static atomic_int seen;

static bool refused(const char *call)
{
    if (!armed.call || strcmp(call, armed.call) != 0 || ++seen != armed.number)
        return false;
    errno = armed.reason;
    return true;
}

/* ---- the calls ---- */

#define WRAP(result, name, parameters, arguments, failure)           \
    result __real_##name parameters;                                 \
    result __wrap_##name parameters;                                 \
    result __wrap_##name parameters                                  \
    {                                                                \
        return refused(#name) ? (failure) : __real_##name arguments; \
    }

WRAP(int, pipe2, (int *ends, int flags), (ends, flags), -1)
WRAP(int, fstat, (int fd, struct stat *status), (fd, status), -1)
WRAP(int, fsync, (int fd), (fd), -1)
WRAP(int, fdatasync, (int fd), (fd), -1)
WRAP(ssize_t, read, (int fd, void *to, size_t size), (fd, to, size), -1)
ssize_t __real_pread(int fd, void *to, size_t size, off_t at);
ssize_t __wrap_pread(int fd, void *to, size_t size, off_t at);
/* Counted apart: at the start of a file, and of whole pieces of data. Reason 0: the file ends there. And of four whole
 * numbers, HDF5's reads too, the first of which is then another, `reason`. */
ssize_t __wrap_pread(int fd, void *to, size_t size, off_t at)
{
    if (at == 0 ? refused("pread") : size >= 65536 && refused("pread of a piece"))
        return armed.reason ? -1 : 0;
    ssize_t got = __real_pread(fd, to, size, at);
    if (size == 4 * sizeof(int64_t) && refused("pread of another"))
        *(int64_t *)to = armed.reason;
    return got;
}

WRAP(ssize_t, readlink, (const char *path, char *to, size_t size), (path, to, size), -1)
WRAP(FILE *, fopen, (const char *path, const char *mode), (path, mode), NULL)
WRAP(int, pthread_create, (pthread_t * thread, const pthread_attr_t *how, void *(*run)(void *), void *with),
     (thread, how, run, with), armed.reason)
WRAP(int, gzread, (gzFile file, void *to, unsigned size), (file, to, size), -1)
WRAP(void *, dlsym, (void *handle, const char *name), (handle, name), NULL)
WRAP(bool, archive_has, (const struct archive *a, const char *name), (a, name), false)
WRAP(htri_t, H5Zfilter_avail, (H5Z_filter_t filter), (filter), 0)
WRAP(hid_t, H5Pcreate, (hid_t class), (class), -1)
WRAP(hid_t, H5Dget_type, (hid_t set), (set), -1)
WRAP(int, H5Pget_chunk, (hid_t list, int rank, hsize_t *chunk), (list, rank, chunk), -1)
WRAP(herr_t, H5Tset_size, (hid_t type, size_t size), (type, size), -1)
WRAP(hid_t, H5Tcopy, (hid_t type), (type), -1)
#define WRAP_ITERATE(name)                                                                                        \
    WRAP(herr_t, name,                                                                                            \
         (hid_t file, const char *group, H5_index_t index, H5_iter_order_t order, hsize_t *at, H5L_iterate_t use, \
          void *with, hid_t access),                                                                              \
         (file, group, index, order, at, use, with, access), -1)
#ifdef H5Literate_by_name /* from HDF5 1.12 on it is a name for another */
#undef H5Literate_by_name
WRAP_ITERATE(H5Literate_by_name1)
#define LITERATE_VERSION "1"
#else
WRAP_ITERATE(H5Literate_by_name)
#define LITERATE_VERSION ""
#endif
WRAP(herr_t, H5Aread, (hid_t attribute, hid_t type, void *to), (attribute, type, to), -1)
WRAP(herr_t, H5Dread, (hid_t set, hid_t type, hid_t memory, hid_t file, hid_t how, void *to),
     (set, type, memory, file, how, to), -1)

WRAP(ssize_t, H5Fget_file_image, (hid_t file, void *to, size_t size), (file, to, size), -1)
WRAP(hid_t, H5Fcreate, (const char *name, unsigned flags, hid_t create, hid_t access), (name, flags, create, access),
     -1)
WRAP(hid_t, H5Dcreate2, (hid_t file, const char *name, hid_t type, hid_t space, hid_t link, hid_t create, hid_t access),
     (file, name, type, space, link, create, access), -1)

pid_t __real_fork(void);
pid_t __wrap_fork(void);
pid_t __wrap_fork(void)
{
    bool now = refused("fork");
    if (now && armed.reason > 0)
        return -1;
    pid_t child = __real_fork();
    if (child == 0 && now) {
        signal(-armed.reason, SIG_DFL);
        raise(-armed.reason);
    }
    return child;
}

/* A file of a later version. */
enum gm_code __real_archive_get_integer(const struct archive *a, const char *name, int64_t *value,
                                        struct gm_error *err);
enum gm_code __wrap_archive_get_integer(const struct archive *a, const char *name, int64_t *value,
                                        struct gm_error *err);
enum gm_code __wrap_archive_get_integer(const struct archive *a, const char *name, int64_t *value, struct gm_error *err)
{
    enum gm_code code = __real_archive_get_integer(a, name, value, err);
    if (refused("archive_get_integer"))
        *value = 99;
    return code;
}

/* A list that is a text too short. */
enum gm_code __real_archive_get_texts(const struct archive *a, const char *name, char ***texts, size_t *count,
                                      struct gm_error *err);
enum gm_code __wrap_archive_get_texts(const struct archive *a, const char *name, char ***texts, size_t *count,
                                      struct gm_error *err);
enum gm_code __wrap_archive_get_texts(const struct archive *a, const char *name, char ***texts, size_t *count,
                                      struct gm_error *err)
{
    enum gm_code code = __real_archive_get_texts(a, name, texts, count, err);
    if (refused("archive_get_texts"))
        --*count;
    return code;
}

/* zlib says by this that reading failed, not unpacking. */
const char *__real_gzerror(gzFile file, int *kind);
const char *__wrap_gzerror(gzFile file, int *kind);
const char *__wrap_gzerror(gzFile file, int *kind)
{
    const char *text = __real_gzerror(file, kind);
    if (armed.call && strcmp(armed.call, "gzread") == 0)
        *kind = Z_ERRNO;
    return text;
}

/* Between two looks at a file: another file of its name. */
gzFile __real_gzdopen(int fd, const char *mode);
gzFile __wrap_gzdopen(int fd, const char *mode);
gzFile __wrap_gzdopen(int fd, const char *mode)
{
    char name[80], command[300];
    if (refused("gzdopen") && sscanf(armed.command, "import %79s", name) == 1) {
        snprintf(command, sizeof command, "cat %s.next >%s", name, name);
        CU_ASSERT_EQUAL(system(command), 0);
    }
    return __real_gzdopen(fd, mode);
}

/* ---- the commands ---- */

/* In a child: what it changed is gone with it. */
static int leaves(const struct refusal *r, char *said, size_t room)
{
    char line[400], *argv[40] = {NULL};
    int argc = 0, status = 0;
    snprintf(line, sizeof line, "%s", r->command);
    for (char *word = strtok(line, " "); word; word = strtok(NULL, " "))
        argv[argc++] = word;
    fflush(NULL);
    pid_t child = __real_fork();
    if (child == 0) {
        if (!freopen("err", "w", stderr) || !freopen("/dev/null", "w", stdout))
            _exit(99);
        optind = 0;
        armed = *r;
        int code = command_find(argv[0])->run(argc, argv);
        fflush(NULL);
        _exit(code);
    }
    waitpid(child, &status, 0);
    FILE *file = __real_fopen("err", "r");
    said[file ? fread(said, 1, room - 1, file) : 0] = 0;
    if (file)
        fclose(file);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void prepare(void)
{
    static bool done;
    mistakes_prepare();
    if (done)
        return;
    done = true;
    test_write("w.yaml", "data: {train: {features: 'd.h5:/X', target: 'd.h5:/words'}}\nloss: cross_entropy\n"
                         "output: {model: o.h5, log: null}\n");
    test_write("g.csv", "a,b,y\n1,1,2\n2,3,4\n");
    test_write("long.csv", "a,y\n1,1\n2,3\n");
    test_write("long.csv.next", "a,y\n1,1\n");
    test_write("large.csv", "a,y\n1,1\n2,3\n");
    test_write("large.csv.next", "a,y\n1000,1\n2,3\n");
    test_write("long.libsvm", "1 1:2\n2 1:3\n");
    test_write("long.libsvm.next", "1 1:2 2:5 3:5\n2 1:3\n");
    CU_ASSERT_EQUAL(system("printf '\\0\\0\\10\\2\\0\\0\\0\\1\\0\\0\\0\\1a' >p.idx; printf '\\0\\0' >p.idx.next\n"
                           "printf 'PK\\3\\4%040d' 0 >a.npz\n"
                           "$G import g.csv -o names.h5 -q && $G import g.csv -o chunks.h5 --compress -q && "
                           "$G make regression -o big.h5 --rows 300000 --features 30 -q && "
                           "$G train f.yaml -q --set data.train=d.h5:/word_ratings --set output.model=w.h5 && "
                           "$G train j.yaml -q --set output.model=o.h5 --set output.checkpoint=kept.h5"),
                    0);
}

static void check(const struct refusal *refusals, size_t count)
{
    static char said[4096];
    prepare();
    for (size_t i = 0; i < count; i++) {
        int code = leaves(&refusals[i], said, sizeof said);
        if (code != refusals[i].code || !strstr(said, refusals[i].says))
            printf("\n    %s, %s number %d: left with %d\n%s", refusals[i].command, refusals[i].call,
                   refusals[i].number, code, said);
        CU_ASSERT_EQUAL(code, refusals[i].code);
        ASSERT_HOLDS(said, refusals[i].says);
    }
}
#define REFUSE(refusals) check((refusals), sizeof(refusals) / sizeof *(refusals))

#define JOB "train j.yaml -q --set output.model=o.h5 "

static void no_process_no_thread_no_pipe(void)
{
    static const struct refusal refusals[] = {
        {"pipe2", 1, EMFILE, JOB, 71, "no pipe to look at it safely: Too many open files"},
        {"fork", 1, EAGAIN, JOB, 71, "no process to look at it safely: "},
        {"fork", 1, -SIGSEGV, JOB, 65, "the file is damaged: it crashed the HDF5 library in a trial (status "},
        {"fork", 1, -SIGKILL, JOB, 83, "the process that looks at the file first was killed (signal 9): by somebody"},
        {"fork", 1, -SIGTERM, "predict m.h5 d.h5 -o p.h5", 83, "was killed (signal 15)"},
        {"fork", 1, -SIGHUP, "inspect d.h5", 83, "was killed (signal 1)"},
        {"fork", 1, -SIGXCPU, JOB, 65, "the file is damaged: looking at it did not end."},
        {"pipe2", 1, EMFILE, "check-loss mse", 71, "A check cannot be started: no pipe: "},
        {"fork", 1, EAGAIN, "check-loss mse", 71, "A check cannot be started: no process: "},
        {"pthread_create", 2, EAGAIN, JOB "--io bands --set data.train=big.h5 --set run.memory=33MiB", 71,
         "The reader thread could not be started: "},
    };
    REFUSE(refusals);
}

static void reading_fails(void)
{
    static const struct refusal refusals[] = {
        {"read", 1, EIO, JOB, 74, "j.yaml: reading failed after 0 bytes: "},
        {"read", 1, EIO, "predict m.h5 d.h5 -o p.h5", 74, "m.h5: reading failed after 0 bytes: "},
        {"readlink", 2, ENOENT, JOB, 81, "/proc is needed to load plugins safely"},
        {"readlink", 1, ENOENT, "new-loss n --formula pred*target -o made", 71, "Cannot tell where this program is: "},
        {"fstat", 4, EIO, JOB, 81, "cannot be looked at: "},
        {"fstat", 5, EIO, JOB, 74, "cannot be looked at: "},
        {"pread", 1, EIO, JOB, 74, "reading failed at byte 0: "},
        {"pread", 2, EIO, JOB, 74, "cannot be read: "},
        {"pread of a piece", 5, 0, JOB "--set data.train=big.h5 --set run.memory=33MiB", 65,
         "the file ends before its values do; it is cut off."},
        {"fopen", 1, EMFILE, JOB "--set output.log=l.jsonl", 73, "l.jsonl: the log cannot be created: "},
        {"gzread", 1, EIO, "import g.csv -o g.h5 -q", 74, "g.csv: reading failed: Input/output error."},
        {"pread", 1, EIO, "import a.npz -o g.h5 -q", 74, "a.npz: reading failed: Input/output error."},
        {"fstat", 1, EIO, "import a.npz -o g.h5 -q", 74, "a.npz: reading failed: Input/output error."},
    };
    REFUSE(refusals);
}

static void the_file_is_another_at_the_second_look(void)
{
    static const struct refusal refusals[] = {
        {"gzdopen", 2, 0, "import p.idx -o g.h5 -q", 74, "p.idx: changed while it was being read."},
        {"gzdopen", 2, 0, "import long.csv -o g.h5 -q", 74, "long.csv: the file changed while it was being read"},
        {"gzdopen", 2, 0, "import large.csv -o g.h5 -q", 74, "line 2: the file changed while it was being read"},
        {"gzdopen", 2, 0, "import long.libsvm -o g.h5 -q", 74, ": the file changed while it was being read"},
        {"pread of another", 6, 3, JOB "--set data.train=d.h5:/triples", 65, "/triples/X: changed while it was read."},
    };
    REFUSE(refusals);
}

static void writing_fails(void)
{
    static const struct refusal refusals[] = {
        {"fsync", 1, EIO, JOB, 74, "bringing it to the disk failed: Input/output error. The file is as it was before."},
        {"fsync", 2, EIO, JOB, 74, "o.h5: bringing its directory to the disk failed: "},
        {"fdatasync", 1, EIO, JOB "--set output.log=l.jsonl --set output.checkpoint=c.h5", 74,
         "l.jsonl: the log could not be written: "},
    };
    REFUSE(refusals);
}

/* HDF5 says so of damage, or when it has no memory. */
static void hdf5_refuses(void)
{
    static const struct refusal refusals[] = {
        {"H5Pcreate", 1, 0, JOB, 71, "HDF5 could not be set up"},
        {"H5Pcreate", 2, 0, JOB, 71, "HDF5 could not be set up"},
        {"H5Literate_by_name" LITERATE_VERSION, 1, 0, JOB "--set data.train=d.h5:/ratings", 65,
         "the group cannot be listed: the file is damaged."},
        {"H5Dget_type", 1, 0, JOB, 65, "type, shape or layout cannot be read: the file is damaged."},
        {"H5Tcopy", 1, 0, JOB, 65, "its type cannot be converted."},
        {"H5Pget_chunk", 1, 0, JOB "--set data.train=chunks.h5", 65, "its chunks do not fit its shape"},
        {"H5Tset_size", 1, 0, JOB "--set data.train=names.h5", 65,
         "names.h5: the words of 'feature_names' cannot be read: the file is damaged."},
        {"H5Tset_size", 1, 0, "train w.yaml -q", 65, "its words cannot be read."},
        {"H5Aread", 1, 0, JOB "--set data.train=names.h5", 65,
         "names.h5: the words of 'feature_names' cannot be read: the file is damaged."},
        {"H5Fcreate", 1, 0, JOB, 71, "HDF5 could not make a file in memory"},
        {"H5Fget_file_image", 1, 0, JOB, 71, "HDF5 could not hand out the file it made in memory"},
        {"H5Dcreate2", 1, 0, JOB, 71, ": HDF5 could not add \"/coefficients\": "},
        {"H5Dread", 1, 0, "predict m.h5 d.h5 -o p.h5", 65, "cannot be read: the file is damaged"},
        {"H5Zfilter_avail", 1, 0, JOB "--set data.train=chunks.h5", 65,
         "which needs a plugin that gradmill does not load. Rewrite it"},
        {"dlsym", 1, 0, JOB, 81, "gm_loss_entry_v1 has no address"},
        {"archive_get_integer", 1, 0, "predict m.h5 d.h5 -o p.h5", 65,
         "the model has format version 99; this gradmill reads version "},
        {"archive_get_texts", 1, 0, "evaluate w.h5 d.h5:/word_ratings", 65,
         "/users/factors and the ids of its rows do not fit."},
        {"archive_has", 1, 0, JOB "--resume --set output.checkpoint=kept.h5", 65,
         "is not what this version of gradmill keeps: another version wrote it. Train without --resume to start "
         "again."},
        {"H5Aread", 4, 0, "predict m.h5 d.h5 -o p.h5", 65, "cannot be read, or is too large a number"},
    };
    REFUSE(refusals);
}

TEST_MAIN("system", TEST(reading_fails), TEST(the_file_is_another_at_the_second_look), TEST(writing_fails),
          TEST(hdf5_refuses), TEST(no_process_no_thread_no_pipe))
