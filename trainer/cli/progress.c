/* The progress bar: pure formatting above, drawing below. */
#include "cli/progress.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"

#define REDRAW_SECONDS 0.1
#define DEFAULT_WIDTH  80
#define WIDEST_BAR     30

char *progress_number(double value, char buffer[32])
{
    double size = fabs(value);
    if (isnan(value))
        snprintf(buffer, 32, "-");
    else if (size != 0 && (size < 1e-4 || size >= 1e6))
        snprintf(buffer, 32, "%.3e", value);
    else
        snprintf(buffer, 32, "%#.*g", size >= 1e4 ? 6 : 4, value);
    size_t length = strlen(buffer);
    if (length && buffer[length - 1] == '.')
        buffer[length - 1] = 0;
    return buffer;
}

char *progress_count(double value, char buffer[32])
{
    static const char units[] = " kMGTP";
    size_t unit = 0;
    while (value >= 999.5 && unit < sizeof units - 2) {
        value /= 1000;
        unit++;
    }
    if (unit == 0)
        snprintf(buffer, 32, "%.0f", value);
    else
        snprintf(buffer, 32, "%.*f%c", value < 9.995 ? 2 : value < 99.95 ? 1 : 0, value, units[unit]);
    return buffer;
}

char *progress_time(double seconds, char buffer[32])
{
    if (!(seconds >= 0) || seconds > 3.6e7) {
        snprintf(buffer, 32, "-");
        return buffer;
    }
    unsigned long whole = (unsigned long)(seconds + 0.5);
    if (whole >= 3600)
        snprintf(buffer, 32, "%lu:%02lu:%02lu", whole / 3600, whole / 60 % 60, whole % 60);
    else
        snprintf(buffer, 32, "%lu:%02lu", whole / 60, whole % 60);
    return buffer;
}

/* "[#####-----]" of `cells` cells. */
static void bar(double share, size_t cells, char *out)
{
    size_t full = (size_t)(fmin(fmax(share, 0), 1) * (double)cells + 1e-9);
    out[0] = '[';
    memset(out + 1, '#', full);
    memset(out + 1 + full, '-', cells - full);
    strcpy(out + 1 + cells, "]");
}

/* Join head, a bar of what room is left (none below 8 cells) and tail. */
static char *with_bar(const char *head, double share, const char *tail, size_t width, char buffer[PROGRESS_LINE])
{
    char cells[WIDEST_BAR + 3] = "";
    size_t used = strlen(head) + strlen(tail) + 2 + 2 + 2; /* brackets, two gaps */
    if (width >= used + 8) {
        size_t room = width - used;
        bar(share, room < WIDEST_BAR ? room : WIDEST_BAR, cells);
    }
    snprintf(buffer, PROGRESS_LINE, "%s  %s%s%s", head, cells, *cells ? "  " : "", tail);
    if (strlen(buffer) > width)
        buffer[width < PROGRESS_LINE ? width : PROGRESS_LINE - 1] = 0;
    return buffer;
}

/* What matters most comes first; a part that does not fit into `room` is left out, with all behind it. */
static void epoch_parts(const struct gm_epoch *e, size_t room, char out[PROGRESS_LINE])
{
    char parts[6][48], number[32] = "-";
    size_t count = 0, used = 0;
    double left = e->epoch ? e->seconds / (double)e->epoch * (double)(e->max_epochs - e->epoch) : NAN;
    snprintf(parts[count++], 48, "loss %s", progress_number(e->train_loss, number));
    if (!isnan(e->validation_loss))
        snprintf(parts[count++], 48, "  validation %s", progress_number(e->validation_loss, number));
    snprintf(number, sizeof number, isnan(e->change) ? "-" : "%.1e", e->change);
    snprintf(parts[count++], 48, "  change %s", number);
    snprintf(parts[count++], 48, "  ETA %s", progress_time(left, number));
    snprintf(parts[count++], 48, "  best %zu", e->best_epoch);
    snprintf(parts[count++], 48, "  %s rows/s", progress_count(e->rows_per_second, number));
    out[0] = 0;
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(parts[i]);
        if (used + length > room || used + length >= PROGRESS_LINE)
            break;
        memcpy(out + used, parts[i], length + 1);
        used += length;
    }
}

char *progress_line(const struct gm_epoch *e, size_t width, char buffer[PROGRESS_LINE])
{
    char tail[PROGRESS_LINE], head[64];
    int length = snprintf(head, sizeof head, "epoch %zu/%zu", e->epoch, e->max_epochs);
    size_t used = (size_t)length + 2;
    epoch_parts(e, width > used ? width - used : 0, tail);
    return with_bar(head, e->max_epochs ? (double)e->epoch / (double)e->max_epochs : 0, tail, width, buffer);
}

char *progress_epoch(const struct gm_epoch *e, char buffer[PROGRESS_LINE])
{
    char tail[PROGRESS_LINE];
    epoch_parts(e, PROGRESS_LINE - 80, tail);
    snprintf(buffer, PROGRESS_LINE, "epoch %zu/%zu  %.300s", e->epoch, e->max_epochs, tail);
    return buffer;
}

char *progress_share(const char *what, double done, double all, size_t width, char buffer[PROGRESS_LINE])
{
    char tail[64], number[32];
    if (!(all > 0)) {
        snprintf(buffer, PROGRESS_LINE, "%s  %s", what, progress_count(done, number));
        if (width < strlen(buffer))
            buffer[width] = 0;
        return buffer;
    }
    snprintf(tail, sizeof tail, "%3.0f %%", 100 * fmin(done / all, 1));
    return with_bar(what, done / all, tail, width, buffer);
}

/* ---- drawing ---- */

void progress_init(struct progress *progress, bool wanted)
{
    const char *term = getenv("TERM");
    progress->shown = wanted && isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0;
    progress->drawn = false;
    progress->last = clock_seconds(); /* nothing flashes up for work that is done at once */
}

bool progress_due(struct progress *progress)
{
    return progress->shown && clock_seconds() - progress->last >= REDRAW_SECONDS;
}

void progress_draw(struct progress *progress, const char *line)
{
    fprintf(stderr, "\r%s\033[K", line);
    fflush(stderr);
    progress->last = clock_seconds();
    progress->drawn = true;
}

size_t progress_width(void)
{
    struct winsize size;
    /* Room for the "^C" that a terminal echoes: a line that wraps cannot be redrawn. */
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 3)
        return (size_t)size.ws_col - 3;
    return DEFAULT_WIDTH - 3;
}

void progress_clear(struct progress *progress)
{
    if (progress->drawn) {
        fputs("\r\033[K", stderr);
        fflush(stderr);
    }
    progress->drawn = false;
}
