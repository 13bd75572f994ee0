/* Signals. The flag is the room's only state: a handler can reach nothing else. */
#include "cli/interrupt.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t asked;

static void handle(int number)
{
    (void)number;
    asked = 1;
}

void interrupt_catch(void)
{
    /* SA_RESETHAND: the second signal finds the default action and ends the process. */
    struct sigaction action = {.sa_handler = handle, .sa_flags = (int)(SA_RESETHAND | SA_RESTART)};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

bool interrupt_asked(void *context)
{
    (void)context;
    return asked != 0;
}
