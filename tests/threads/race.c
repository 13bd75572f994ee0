/* Is the thread sanitizer awake? With RACE all threads add to one number: it must complain. Without, every lane has its
 * own and a barrier stands between the lanes and their sum, as in the trainer: it must not. */
#include <stdio.h>
#include <stdlib.h>

#define LANES 8
#define ROWS  4000

int main(void)
{
    static double x[ROWS], lane_sum[LANES];
    double total = 0;
    for (int pass = 0; pass < 20; pass++) {
#pragma omp parallel for num_threads(4) schedule(dynamic, 1)
        for (int lane = 0; lane < LANES; lane++) {
            double sum = 0;
            for (int row = lane; row < ROWS; row += LANES)
                sum += x[row] + 1;
            lane_sum[lane] = sum;
        }
#ifdef RACE
#pragma omp parallel num_threads(4) /* every thread, whether or not they meet in time */
        total += 1;
#endif
        for (int lane = 0; lane < LANES; lane++)
            total += lane_sum[lane];
        for (int row = 0; row < ROWS; row++)
            x[row] = total / ROWS;
    }
    return printf("total %g\n", total) < 0;
}
