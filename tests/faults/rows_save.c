/* Faults while a checkpoint is saved: rows 1 to 7 and 22. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/faults/kit.h"

/* Killed again and again on the way, each time going on from the last checkpoint: none is ever lost. */
void row_kill(void)
{
    unsigned whole = faults_job_microseconds();
    size_t wanted = faults_count(20, 500), kills = 0;
    while (kills < wanted) {
        faults_job();
        bool had = false, lost = false;
        for (int i = 0; i < 6 && kills < wanted; i++) {
            int code = faults_run_and_signal("$G train j.yaml --resume", SIGKILL, faults_random(whole * 5 / 6), false);
            if (code != 128 + SIGKILL)
                break; /* it had come to its end before */
            kills++;
            lost = lost || (had && faults_err_holds("no checkpoint yet"));
            had = had || faults_exists("c.h5") || faults_exists("c.h5.1");
            CASE(!lost && (!had || faults_exists("c.h5") || faults_exists("c.h5.1")), "a checkpoint was lost");
        }
        CASE(faults_resumed_to_the_same(), "killed at random, resumed to other bytes");
    }
}

/* At every system call of a save: instead of it, and right behind it. */
void row_kill_in_save(void)
{
    static const char *const how[] = {"kill", "killed"};
    const char *calls = "open,write,ftruncate,fsync,close,rename,fdatasync";
    for (size_t w = 0; w < 2; w++)
        for (size_t n = 1; n <= 40; n += faults_count(5, 1)) {
            faults_job();
            int code = faults_run("faulty %s c.h5 %zu %s $G train j.yaml -q", calls, n, how[w]);
            CASE(code == 128 + SIGKILL, "call %zu of a save: not killed but %d", n, code);
            CASE(faults_resumed_to_the_same() && !faults_exists("c.h5.tmp"), "killed at call %zu of a save: %s", n,
                 how[w]);
        }
}

/* The bytes are on the disk before the name says so, then the name, and then the directory that holds it. */
void row_power_loss(void)
{
    faults_job();
    faults_run("rm -f calls; FAULT_LOG=calls faulty write,fsync,rename '' 0 0 $G train j.yaml -q --set "
               "stop.max_epochs=3 --set output.log=null --set output.model=null");
    /* of the checkpoint and of its directory alone, equal neighbours as one; the lock holds nothing to lose */
    int code = faults_run("d=$(basename \"$PWD\"); grep -E \"c.h5| $d\\$\" calls | grep -v c.h5.lock | uniq | sed \"s/ "
                          "$d\\$/ ./\" | tr '\\n' ';' >&2");
    CASE(code == 0, "no calls were seen");
    /* the first save has one rename less, for there is nothing to keep */
    static const char first[] = "write c.h5.tmp;fsync c.h5.tmp;rename c.h5;fsync .;",
                      next[] = "write c.h5.tmp;fsync c.h5.tmp;rename c.h5.1;rename c.h5;fsync .;";
    size_t saves = 0;
    for (const char *at = faults_err(); *at;) {
        const char *save = saves ? next : first;
        bool good = strncmp(at, save, strlen(save)) == 0;
        CASE(good, "write, fsync, rename, fsync of the directory: found %.200s", at);
        if (!good)
            return;
        at += strlen(save);
        saves++;
    }
    CASE(saves >= 3, "%zu saves seen", saves);
}

static void fails_with(const char *calls, const char *path, size_t n, int number, int code)
{
    faults_job();
    int got = faults_run("faulty %s %s %zu+ %d $G train j.yaml -q", calls, path, n, number);
    CASE(got == code, "%s of %s, call %zu, fails with %s: left with %d", calls, path, n, strerror(number), got);
    CASE(faults_resumed_to_the_same(), "%s of %s, call %zu, failed; resumed to other bytes", calls, path, n);
}

void row_disk_full(void)
{
    static const int numbers[] = {ENOSPC, EIO, EDQUOT};
    for (size_t i = 0; i < 3; i++)
        for (size_t n = 1; n <= 12; n += faults_count(4, 1))
            fails_with("write", "c.h5.tmp", n, numbers[i], 74);
    for (size_t kib = 1; kib < 12; kib += faults_count(5, 1)) { /* ulimit -f counts 512 bytes */
        faults_job();
        int code = faults_run("(ulimit -f %zu; exec $G train j.yaml -q --set output.log=null)", kib * 2);
        CASE(code == 74, "ulimit -f: left with %d", code);
        CASE(faults_resumed_to_the_same(), "after ulimit -f resumed to other bytes");
    }
    if (faults_run("mkdir -p small && mount -t tmpfs -o size=48k none small") != 0)
        return; /* only root may */
    faults_job();
    int code = faults_run("$G train j.yaml -q --set output.checkpoint.path=small/c.h5 --set run.seed=1 --set "
                          "output.log=null");
    bool whole = code == 74 ? faults_run("$G inspect small/c.h5 || $G inspect small/c.h5.1 || [ ! -e small/c.h5 ]") == 0
                            : code == 0;
    CASE(whole, "a full tmpfs: left with %d", code);
    faults_run("umount small");
}

void row_sync_fails(void)
{
    for (size_t n = 1; n <= 9; n += faults_count(4, 1)) {
        fails_with("fsync", "c.h5.tmp", n, EIO, 74);
        fails_with("close", "c.h5.tmp", n + 1, EIO, 74); /* the first belongs to the check whether it can be written */
        fails_with("fdatasync", "l.jsonl", n, EIO, 74);
    }
    fails_with("fsync", "m.h5.tmp", 1, EIO, 74);
    fails_with("rename", "c.h5", 3, EIO, 74);
}

void row_short_writes(void)
{
    static const char *const how[] = {"short", "4"};
    static const char *const calls[] = {"write", "read", "pread"};
    for (size_t h = 0; h < 2; h++)
        for (size_t c = 0; c < 3; c++)
            for (size_t n = 1; n <= 7; n += faults_count(6, 1)) {
                faults_job();
                int code = faults_run("faulty %s '' %zu%s %s $G train j.yaml -q && cmp m.h5 ref.h5", calls[c], n,
                                      h == 0 ? "+" : "", how[h]);
                CASE(code == 0, "%s: %s at %zu: left with %d, or other bytes", calls[c], how[h], n, code);
            }
}

/* Every allocation of the program itself; those inside of HDF5 and libgomp are theirs. Code 71; another one where what
 * failed is read as something else that is wrong, as long as it is said. */
void row_no_memory(void)
{
    const char *job = "$G train j.yaml -q --set stop.max_epochs=2";
    faults_job();
    faults_run("rm -f calls; FAULT_LOG=calls faulty malloc '' 0 0 %s; wc -l <calls >&2", job);
    size_t calls = (size_t)atol(faults_err()), tried = faults_count(25, 1000), step = calls / tried + 1;
    for (size_t n = 1 + faults_random(9); n <= calls; n += step)
        for (int on = 0; on < 2; on++) {
            faults_job();
            int code = faults_run("faulty malloc '' %zu%s 12 %s", n, on ? "+" : "", job);
            bool said =
                code == 0 || (code == 71 && faults_err()[0]) ||
                ((code == 65 || code == 66 || code == 73 || code == 74 || code == 78 || code == 81) && faults_err()[0]);
            /* libgomp and the loader of programs end a process that has no memory for them */
            bool theirs = faults_err_holds("libgomp: Out of memory") || faults_err_holds("error while loading");
            CASE(said || theirs, "malloc %zu of %zu%s: left with %d", n, calls, on ? " and all behind it" : "", code);
        }
}

void row_clock(void)
{
    for (size_t i = 0; i < faults_count(2, 10); i++) {
        faults_job();
        int code = faults_run("faulty '' '' 0 clock $G train j.yaml -q --set stop.max_time=1h --set "
                              "output.checkpoint.every=10m && cmp m.h5 ref.h5");
        CASE(code == 0, "the clock jumps: left with %d, or other bytes", code);
    }
}
