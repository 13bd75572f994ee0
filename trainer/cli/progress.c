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

char *progress_line(const struct gm_epoch *e, size_t width, char buffer[PROGRESS_LINE])
{
    /* What matters most comes first; a part that does not fit is left out, with all behind it. */
    char parts[6][48], number[32], tail[PROGRESS_LINE] = "", head[64];
    size_t count = 0;
    bool validation = !isnan(e->validation_loss);
    double left = e->epoch ? e->seconds / (double)e->epoch * (double)(e->max_epochs - e->epoch) : NAN;
    snprintf(head, sizeof head, "epoch %zu/%zu", e->epoch, e->max_epochs);
    snprintf(parts[count++], 48, "loss %s", progress_number(e->train_loss, number));
    if (validation)
        snprintf(parts[count++], 48, "  validation %s", progress_number(e->validation_loss, number));
    snprintf(parts[count++], 48, "  change %s",
             isnan(e->change) ? "-" : (snprintf(number, 32, "%.1e", e->change), number));
    snprintf(parts[count++], 48, "  ETA %s", progress_time(left, number));
    snprintf(parts[count++], 48, "  best at %zu", e->best_epoch);
    snprintf(parts[count++], 48, "  %s rows/s", progress_count(e->rows_per_second, number));
    size_t used = strlen(head) + 2;
    for (size_t i = 0; i < count; i++) {
        used += strlen(parts[i]);
        if (used > width || strlen(tail) + strlen(parts[i]) >= sizeof tail)
            break;
        strcat(tail, parts[i]);
    }
    double share = e->max_epochs ? (double)e->epoch / (double)e->max_epochs : 0;
    return with_bar(head, share, tail, width, buffer);
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
    /* The last column stays free: some terminals wrap when it is written. */
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1)
        return (size_t)size.ws_col - 1;
    return DEFAULT_WIDTH - 1;
}

void progress_clear(struct progress *progress)
{
    if (progress->drawn) {
        fputs("\r\033[K", stderr);
        fflush(stderr);
    }
    progress->drawn = false;
}
