/* Last words: when a plugin crashes, which one it was and where. */
#ifndef CLI_CRASH_H
#define CLI_CRASH_H

/* The process still dies by its signal, after a message when the thread was inside a plugin. */
void crash_catch(void);

#endif
