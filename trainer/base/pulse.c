/* What a thread is inside of that may never come back. */
#include "base/pulse.h"

static _Thread_local const struct pulse *current;

struct pulse pulse_disk, pulse_check;

void pulse_enter(struct pulse *pulse, size_t row)
{
    current = pulse;
    atomic_store_explicit(&pulse->row, row, memory_order_relaxed);
    unsigned beats = atomic_load_explicit(&pulse->beats, memory_order_relaxed);
    atomic_store_explicit(&pulse->beats, beats + 1, memory_order_release);
}

void pulse_leave(struct pulse *pulse)
{
    unsigned beats = atomic_load_explicit(&pulse->beats, memory_order_relaxed);
    atomic_store_explicit(&pulse->beats, beats + 1, memory_order_release);
    current = NULL;
}

void pulse_progress(struct pulse *pulse)
{
    atomic_fetch_add_explicit(&pulse->beats, 2, memory_order_release); /* odd stays odd */
}

const struct pulse *pulse_of_thread(void)
{
    return current;
}

void pulse_enter_disk(const char *what)
{
    atomic_store_explicit(&pulse_disk.what, what, memory_order_relaxed);
    pulse_enter(&pulse_disk, 0);
}
