/*
 * The progress bar of `gradmill train`, and the words for numbers that people read.
 *
 * Formatting is pure (tested without a terminal); drawing writes to stderr, at most ten times a second, only on a
 * terminal.
 */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gradmill/gradmill.h>

#define PROGRESS_LINE 400

/* 4 significant digits, no wider than 9: "0.01234", "1.234e-05", "12340", "-" for NaN. Returns buffer. */
char *progress_number(double value, char buffer[32]);
/* 1234567 -> "1.23M". Returns buffer. */
char *progress_count(double value, char buffer[32]);
/* 75 -> "1:15", 3700 -> "1:01:40". Returns buffer. */
char *progress_time(double seconds, char buffer[32]);

/* One line of at most `width` columns, without a newline: what matters least is left out when the terminal is narrow.
 * Returns buffer. */
char *progress_line(const struct gm_epoch *epoch, size_t width, char buffer[PROGRESS_LINE]);
/* The same without a bar and whole, for --verbose. Returns buffer. */
char *progress_epoch(const struct gm_epoch *epoch, char buffer[PROGRESS_LINE]);
/* As progress_line for work of known (all > 0) or unknown size: "importing  [####----]  45 %  12.0 MiB". */
char *progress_share(const char *what, double done, double all, size_t width, char buffer[PROGRESS_LINE]);

/* A line at the bottom of a terminal, redrawn in place. */
struct progress {
    bool shown; /* stderr is a terminal, and the line is wanted */
    bool drawn;
    double last; /* when it was drawn, clock_seconds() */
};
void progress_init(struct progress *progress, bool wanted);
/* Is it time to draw again? */
bool progress_due(struct progress *progress);
void progress_draw(struct progress *progress, const char *line);
size_t progress_width(void);
/* Wipe the line, so that what follows starts on a clean one. May be called often. */
void progress_clear(struct progress *progress);

#endif
