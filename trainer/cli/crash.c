/* Last words: in a signal handler, so nothing but write(2) and what other threads wrote into memory. */
#include "cli/crash.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "base/pulse.h"

static const struct {
    int number;
    const char *name;
} fatal[] = {{SIGSEGV, "SIGSEGV"}, {SIGBUS, "SIGBUS"}, {SIGFPE, "SIGFPE"}, {SIGILL, "SIGILL"}, {SIGABRT, "SIGABRT"}};
#define FATAL (sizeof fatal / sizeof *fatal)

static struct sigaction before[FATAL]; /* who was there before us: the default, or a sanitizer */

static void say(const char *text)
{
    ssize_t wrote = write(STDERR_FILENO, text, strlen(text));
    (void)wrote;
}

static void say_number(size_t value)
{
    char digits[24], *at = digits + sizeof digits - 1;
    *at = 0;
    do
        *--at = (char)('0' + value % 10);
    while (value /= 10);
    say(at);
}

static void say_plugin(const struct pulse *pulse, const char *signal_name)
{
    const char *what = atomic_load(&pulse->what), *where = atomic_load(&pulse->where);
    say("\ngradmill train: The loss '");
    say(what ? what : "?");
    say("' (");
    say(where ? where : "?");
    say(") crashed (");
    say(signal_name);
    say(pulse == &pulse_check ? ") in the short check before training" : ") in the block at row ");
    if (pulse != &pulse_check)
        say_number(atomic_load(&pulse->row));
    say(". A checkpoint is as it was saved last. 'gradmill check-loss' examines the plugin.\n");
}

static void handle(int number)
{
    const struct pulse *pulse = pulse_of_thread();
    for (size_t i = 0; i < FATAL; i++)
        if (fatal[i].number == number) {
            if (pulse && pulse != &pulse_disk)
                say_plugin(pulse, fatal[i].name);
            sigaction(number, &before[i], NULL);
        }
    raise(number); /* delivered when this handler returns; a fault comes again by itself */
}

void crash_catch(void)
{
    struct sigaction action = {.sa_handler = handle, .sa_flags = SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < FATAL; i++)
        sigaction(fatal[i].number, &action, &before[i]);
}
