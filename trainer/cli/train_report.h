/* What `gradmill train` says at the end. */
#ifndef CLI_TRAIN_REPORT_H
#define CLI_TRAIN_REPORT_H

#include <stdio.h>

#include <gradmill/gradmill.h>

/* "no epoch improved the loss enough" for "loss_change". */
const char *train_reason(const char *stop_reason);
void train_report_table(const struct gm_job *job, const struct gm_summary *summary, FILE *out);

#endif
