/*
 * K-means: the least of the outputs, which are the squared distances to the centres. No target. The gradient goes to
 * the nearest centre, the first of equals. Source: Lloyd, Least squares quantization in PCM, IEEE Trans. Inf. Theory 28
 * (1982); Bottou and Bengio, NIPS 1994, eq. 2.
 */
#include <gradmill/loss_rows.h>

GM_INLINE double row_loss(const struct gm_row *row, const double *constant)
{
    size_t nearest = 0;
    double least = row->pred[0];
    (void)constant;
    for (size_t k = 0; k < row->outputs; k++) {
        if (row->grad)
            row->grad[k] = 0.0;
        if (least == least && !(row->pred[k] >= least)) { /* a NaN takes over, and stays */
            least = row->pred[k];
            nearest = k;
        }
    }
    if (row->grad)
        row->grad[nearest] = 1.0;
    return least;
}

GM_LOSS_KERNEL static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    return gm_rowwise(b, r, row_loss, NULL);
}

static const struct gm_loss_spec spec = {.struct_size = sizeof spec,
                                         .target_kind = GM_TARGET_NONE,
                                         .outputs = GM_OUTPUTS_ANY,
                                         .gives = GM_GIVES_ROW_LOSS,
                                         .nature = GM_NATURE_NON_SMOOTH | GM_NATURE_NON_CONVEX,
                                         .task = GM_TASK_CLUSTERING};

GM_LOSS_PLUGIN(.id = "kmeans", .version = "1.0", .formula = "min_k pred_k",
               .help = "Use it to cluster rows: with the model centroids, whose outputs are squared distances.\n"
                       "Not when rows may belong to several clusters in part (soft_kmeans).",
               .license = "MIT", .spec = &spec, .evaluate = evaluate)
