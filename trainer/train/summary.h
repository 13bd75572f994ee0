/* The end of a run and its metrics as JSON: the log's last line, and what --json prints. */
#ifndef TRAIN_SUMMARY_H
#define TRAIN_SUMMARY_H

#include <gradmill/gradmill.h>

struct json_t;

/* A number, or null when it is not finite. A new reference; NULL: out of memory. */
struct json_t *summary_real(double value);
struct json_t *summary_object(const struct gm_summary *summary);
struct json_t *summary_metrics(const struct gm_metrics *metrics);

#endif
