/* Raw predictions to the response scale. */
#include <math.h>

#include "base/error.h"
#include "loss/plugin.h"

/* Shifted by the largest, so that nothing overflows. */
static void softmax(double *row, size_t outputs)
{
    double largest = row[0], sum = 0;
    for (size_t k = 1; k < outputs; k++)
        largest = row[k] > largest ? row[k] : largest;
    for (size_t k = 0; k < outputs; k++)
        sum += row[k] = exp(row[k] - largest);
    for (size_t k = 0; k < outputs; k++)
        row[k] /= sum;
}

static double sigmoid(double x)
{
    double e = exp(-fabs(x)); /* never overflows */
    return x >= 0 ? 1 / (1 + e) : e / (1 + e);
}

static enum gm_code custom(const struct loss *loss, double *pred, size_t rows, struct gm_error *err)
{
    struct loss_call call;
    enum gm_code code = loss_call_open(&call, loss, rows, err);
    if (code)
        return code;
    call.batch.pred = pred;
    if (loss->plugin->vtable.inverse_link(&call.batch, pred) != GM_LOSS_OK)
        code = error_set(err, GM_PLUGIN_BROKEN, "Loss %s refused to turn raw predictions into responses: %s.",
                         loss->plugin->vtable.id, *call.said.text ? call.said.text : "no reason given");
    loss_call_close(&call);
    return code;
}

enum gm_code loss_inverse_link(const struct loss *loss, double *pred, size_t rows, struct gm_error *err)
{
    size_t outputs = loss->outputs, count = rows * outputs;
    switch (loss->spec.link) {
    case GM_LINK_LOG:
        for (size_t i = 0; i < count; i++)
            pred[i] = exp(pred[i]);
        return GM_OK;
    case GM_LINK_LOGIT:
        for (size_t i = 0; i < count; i++)
            pred[i] = sigmoid(pred[i]);
        return GM_OK;
    case GM_LINK_SOFTMAX:
        for (size_t row = 0; row < rows && outputs; row++)
            softmax(pred + row * outputs, outputs);
        return GM_OK;
    case GM_LINK_CUSTOM:
        return custom(loss, pred, rows, err);
    default:
        return GM_OK;
    }
}

bool loss_is_binary(const struct loss *loss)
{
    return loss->outputs == 1 && loss->targets == 1 && loss->spec.target_kind == GM_TARGET_MULTILABEL;
}

bool loss_is_ordinal(const struct loss *loss)
{
    return loss->outputs == 1 && loss->spec.target_kind == GM_TARGET_CLASS && loss->spec.link == GM_LINK_CUSTOM;
}
