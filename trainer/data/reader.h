/*
 * A thread that fills buffers ahead of the one who uses them: unit 0, 1, 2 ... in order.
 *
 * With two buffers, unit u + 1 is read while unit u is used; with one, reading and using alternate.
 */
#ifndef DATA_READER_H
#define DATA_READER_H

#include <stddef.h>

#include <gradmill/status.h>

struct reader;

/* Fill `buffer` with unit `unit`; runs on the reader's thread, never twice at once. */
typedef enum gm_code reader_fill_fn(void *context, size_t unit, void *buffer, struct gm_error *err);

struct reader_source {
    reader_fill_fn *fill;
    void *context;
    size_t units;
    void *const *buffers; /* [n_buffers], borrowed until reader_close */
    size_t n_buffers;     /* 1 or 2 */
};

/* Starts the thread. GM_SYSTEM. */
enum gm_code reader_open(struct reader **out, const struct reader_source *source, struct gm_error *err);

/* The next unit's buffer, NULL past the last; the one before is given back. What fill returned. */
enum gm_code reader_next(struct reader *reader, void **buffer, struct gm_error *err);

/* Stops and joins the thread, also before the end; waits for a fill that is under way. NULL is fine. */
void reader_close(struct reader *reader);

#endif
