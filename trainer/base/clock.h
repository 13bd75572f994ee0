/* Seconds since an arbitrary start, from the monotonic clock: steps of the wall clock do not matter. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

double clock_seconds(void);

#endif
