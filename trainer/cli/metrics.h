/* struct gm_metrics as JSON. */
#ifndef CLI_METRICS_H
#define CLI_METRICS_H

#include <gradmill/gradmill.h>

#include "cli/json.h"

/* An object with every metric that applies; `name` NULL: its members go into the object that is open. */
void metrics_json(struct json *json, const char *name, const struct gm_metrics *metrics);

#endif
