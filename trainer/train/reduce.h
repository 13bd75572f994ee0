/* Adding lanes in a fixed tree: the order depends on their number only. */
#ifndef TRAIN_REDUCE_H
#define TRAIN_REDUCE_H

#include <stddef.h>

/* Columns [first, end) of lanes [n_lanes x stride] are added into row 0: ((0+1)+(2+3))+((4+5)+ ...). */
void reduce_lanes(double *lanes, size_t n_lanes, size_t stride, size_t first, size_t end);

#endif
