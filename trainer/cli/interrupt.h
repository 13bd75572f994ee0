/*
 * Signals of a training. SIGINT and SIGTERM raise a flag that the library asks for between steps; a second one ends the
 * process at once, unless it is an echo of the first within a quarter of a second. SIGUSR1 asks for a checkpoint.
 * Before the first step there is nothing to finish: SIGINT and SIGTERM end the process at once, with 75 when it was to
 * go on from a checkpoint, which is still there.
 */
#ifndef CLI_INTERRUPT_H
#define CLI_INTERRUPT_H

#include <stdbool.h>

void interrupt_catch(bool has_checkpoint);
bool interrupt_asked(void *context); /* for gm_watch.interrupted; the context is not used */
bool interrupt_save(void *context);  /* for gm_watch.save */
/* Die by the signal that was caught, so that whoever waits for us sees what happened. Returns only when none was. */
void interrupt_again(void);

#endif
