/* The functions of a sum's vtable, and what they share. */
#ifndef LOSS_SUM_CALL_H
#define LOSS_SUM_CALL_H

#include "loss/sum.h"

int sum_evaluate(const struct gm_loss_batch *batch, struct gm_loss_result *result);
int sum_check_targets(const struct gm_loss_batch *batch, size_t *bad_row);
int sum_theta_start(const struct gm_loss_batch *batch, double *theta);
int sum_baseline(const struct gm_loss_batch *batch, double *raw);
int sum_inverse_link(const struct gm_loss_batch *batch, double *response);
/* Scratch of the sum into *spec, whose gives is set already. */
void sum_measure(struct loss_sum *sum, struct gm_loss_spec *spec);
/* A batch as term t is to see it; pred, target and scratch are left as they are. */
struct gm_loss_batch sum_term_batch(const struct sum_term *t, const struct gm_loss_batch *b);
/* Columns [first, end) of [rows x width] into [rows x (end - first)]. */
void sum_gather(const double *from, size_t rows, size_t width, size_t first, size_t end, double *to);

#endif
