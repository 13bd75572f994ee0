/* One row of a parameter schema: its checks, its bounds in words, its choices. */
#ifndef LOSS_SCHEMA_H
#define LOSS_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>

#include <gradmill/loss.h>

enum { SCHEMA_TEXT = 96, SCHEMA_CHOICES = 64 };

bool schema_within(const struct gm_loss_param *param, double value);
/* "> 0", "in [0, 1)", ">= -1 and < 2"; "any" when unbounded. Returns buffer. */
const char *schema_bounds(const struct gm_loss_param *param, char buffer[SCHEMA_TEXT]);
/* Index of a choice, or -1. */
int schema_choice(const struct gm_loss_param *param, const char *word);
/* Choice number `index` into buffer, or NULL when there is none. */
const char *schema_choice_name(const struct gm_loss_param *param, size_t index, char buffer[SCHEMA_TEXT]);

#endif
