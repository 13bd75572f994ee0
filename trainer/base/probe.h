/*
 * Trying something on a file in a child process first: a damaged file can crash libhdf5, and must not take a run with
 * it.
 */
#ifndef DATA_PROBE_H
#define DATA_PROBE_H

#include <gradmill/status.h>

/* Runs `attempt` in a forked child with limits on memory and time. Returns what it returned, with its error text; or
 * GM_BAD_DATA "<what>: the file is damaged" when the child crashed, GM_PEER_LOST when it was killed. Changes that
 * `attempt` makes stay in the child. */
typedef enum gm_code probe_fn(void *context, struct gm_error *err);
enum gm_code probe_run(probe_fn *attempt, void *context, const char *what, struct gm_error *err);

#endif
