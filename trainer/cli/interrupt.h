/* SIGINT and SIGTERM raise a flag that the library asks for between steps; a second signal ends the process at once. */
#ifndef CLI_INTERRUPT_H
#define CLI_INTERRUPT_H

#include <stdbool.h>

void interrupt_catch(void);
bool interrupt_asked(void *context); /* for gm_watch.interrupted; the context is not used */

#endif
