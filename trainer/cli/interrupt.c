/* Signals. The flags are the room's only state: a handler can reach nothing else. */
#include "cli/interrupt.h"

#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#include <gradmill/status.h>

#include "base/clock.h"

/* Seconds in which a second signal is an echo of the first: Slurm signals every process of a job, and the script of the
 * job, having got it too, hands it on. */
#define ECHO 0.25

static volatile sig_atomic_t asked;    /* the signal that wants us to stop */
static volatile sig_atomic_t save;     /* a checkpoint is wanted */
static volatile sig_atomic_t training; /* the first step has come */
static volatile sig_atomic_t resumable;

/* As a program dies that catches nothing, when the handler returns. The first process of a container or of a PID
 * namespace has no default handlers: it leaves with the code that a shell would tell. */
static void die_by(int number)
{
    if (getpid() == 1)
        _exit(128 + number);
    signal(number, SIG_DFL);
    raise(number);
}

static void handle_stop(int number)
{
    static double first;
    if (!asked) {
        asked = number;
        first = clock_seconds();
        if (training)
            return;
        if (resumable)
            _exit(GM_INTERRUPTED);
    } else if (clock_seconds() - first < ECHO) {
        return;
    }
    die_by(number);
}

static void handle_save(int number)
{
    (void)number;
    save = 1;
}

void interrupt_catch(bool has_checkpoint)
{
    resumable = has_checkpoint;
    struct sigaction stop = {.sa_handler = handle_stop, .sa_flags = SA_RESTART};
    struct sigaction again = {.sa_handler = handle_save, .sa_flags = SA_RESTART};
    sigemptyset(&stop.sa_mask);
    sigaddset(&stop.sa_mask, SIGINT);
    sigaddset(&stop.sa_mask, SIGTERM);
    sigemptyset(&again.sa_mask);
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGUSR1, &again, NULL);
}

bool interrupt_asked(void *context)
{
    (void)context;
    training = 1;
    return asked != 0;
}

bool interrupt_save(void *context)
{
    bool wanted = save != 0;
    (void)context;
    if (wanted)
        save = 0;
    return wanted;
}

void interrupt_again(void)
{
    if (asked)
        die_by(asked);
}
