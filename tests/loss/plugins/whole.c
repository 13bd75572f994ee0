/* Two picky losses: one fails when a group does not come whole (the target of a row is the size of its group), one when
 * a call does not have one of the sizes that the parameter lists. Both are the sum of w pred^2. */
#include <gradmill/loss_rows.h>

static int square(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    r->loss = 0.0;
    for (size_t i = 0; i < b->rows * b->outputs; i++) {
        const double w = gm_weight(b, i / b->outputs);
        r->loss += w * b->pred[i] * b->pred[i];
        if (r->grad)
            r->grad[i] = 2.0 * w * b->pred[i];
    }
    return GM_LOSS_OK;
}

static int whole_groups(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    size_t end = 0;
    for (size_t row = 0; row < b->rows; row = end) {
        for (end = row; end < b->rows && b->group[end] == b->group[row]; end++)
            ;
        if ((double)(end - row) != b->target[row])
            return gm_fail(b, GM_LOSS_NUMERIC, "a group came in parts");
    }
    return square(b, r);
}

static int whole_batches(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    for (size_t i = 0; i < b->param[0].list.count; i++)
        if ((double)b->rows == b->param[0].list.values[i])
            return square(b, r);
    return gm_fail(b, GM_LOSS_NUMERIC, "a batch came in parts");
}

static const struct gm_loss_param params[] = {
    {.name = "sizes", .help = "rows of a call", .type = GM_PARAM_LIST, .fallback = 1.0, .low = 0.0, .high = INFINITY}};
static const struct gm_loss_spec groups = {
    .struct_size = sizeof groups, .outputs = 1, .coupling = GM_ROWS_GROUPED, .task = GM_TASK_RANKING};
static const struct gm_loss_spec batches = {.struct_size = sizeof batches,
                                            .target_kind = GM_TARGET_NONE,
                                            .outputs = GM_OUTPUTS_ANY,
                                            .coupling = GM_ROWS_BATCH,
                                            .task = GM_TASK_METRIC};
static const struct gm_loss losses[] = {
    {GM_LOSS_HEADER, .id = "whole_groups", .version = "1.0", .spec = &groups, .evaluate = whole_groups},
    {GM_LOSS_HEADER, .id = "whole_batches", .version = "1.0", .params = params, .n_params = 1, .spec = &batches,
     .evaluate = whole_batches}};

const struct gm_loss *gm_loss_entry_v1(uint32_t index)
{
    return index < 2 ? &losses[index] : NULL;
}
