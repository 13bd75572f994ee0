/* Loss curves from the logs of `gradmill train`: one JSON object a line, interface of docs. */
#ifndef CLI_PLOT_LOG_H
#define CLI_PLOT_LOG_H

#include <stddef.h>

#include <gradmill/status.h>

struct plot_point {
    double epoch, seconds;
    double train, validation; /* NaN: none */
};

struct plot_curve {
    const char *name;          /* the log's file name, borrowed */
    struct plot_point *points; /* [count], memory_free'd by plot_curve_release */
    size_t count, room;
    double best_epoch; /* NaN: the log has no end */
};

/* Read a log. When it holds several runs one after the other, the last one counts. GM_NO_INPUT, GM_DENIED, GM_IO;
 * GM_BAD_DATA with the line that is not a JSON object, or when there is no epoch at all. */
enum gm_code plot_log_read(struct plot_curve *curve, const char *path, struct gm_error *err);
void plot_curve_release(struct plot_curve *curve);

#endif
