/*
 * Threads that share work of some microseconds, again and again: where waking a thread costs as much as the work.
 *
 * team_run hands out numbered items. Thread t of T begins with its share of them, then takes what others have not
 * begun: a thread that the system has put aside holds up no item but the one it is at. Who waits spins for some
 * microseconds, then yields, then sleeps. Which thread gets an item is not known beforehand: the results must not
 * depend on it.
 */
#ifndef BASE_TEAM_H
#define BASE_TEAM_H

#include <stddef.h>

#include <gradmill/status.h>

#define TEAM_ITEMS ((size_t)64) /* of one team_run, at most */

struct team;
typedef void team_fn(void *context, size_t thread, size_t item);

/* threads: the caller of team_run, who is thread 0, and threads - 1 more. GM_SYSTEM: no thread to be had. */
enum gm_code team_open(struct team **out, size_t threads, struct gm_error *err);
void team_close(struct team *team); /* NULL is fine */

/* fn for items 0 .. items - 1, once each; all are done when it returns. From one thread at a time. */
void team_run(struct team *team, size_t items, team_fn *fn, void *context);

#endif
