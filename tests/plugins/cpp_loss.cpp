// A loss plugin in C++: the same public headers, fields assigned one by one. Mean of (pred - target)^2 times a scale.
#include <gradmill/loss_rows.h>

static inline gm_point point(double pred, double target, const double *constant)
{
    const double d = pred - target;
    return gm_point{constant[0] * d * d, 2.0 * constant[0] * d, 2.0 * constant[0]};
}

GM_POINTWISE(point, b->param[0].real)

static gm_loss_param scale()
{
    gm_loss_param param = gm_loss_param();
    param.name = "scale";
    param.help = "factor of the loss";
    param.fallback = 2.0;
    return param;
}

static gm_loss_spec make_spec()
{
    gm_loss_spec spec = gm_loss_spec();
    spec.struct_size = sizeof spec;
    spec.gives = GM_GIVES_ALL;
    spec.task = GM_TASK_REGRESSION;
    return spec;
}

static gm_loss make_loss(const gm_loss_param *param, const gm_loss_spec *spec)
{
    gm_loss loss = gm_loss();
    loss.magic = GM_LOSS_MAGIC;
    loss.abi_major = GM_LOSS_ABI_MAJOR;
    loss.abi_minor = GM_LOSS_ABI_MINOR;
    loss.struct_size = sizeof loss;
    loss.id = "cpp_loss";
    loss.version = "1.0";
    loss.formula = "scale (pred - target)^2";
    loss.help = "Use it to see that C++ works.\nNot for anything else.";
    loss.license = "MIT";
    loss.params = param;
    loss.n_params = 1;
    loss.spec = spec;
    loss.evaluate = evaluate;
    loss.baseline = gm_mean_baseline;
    return loss;
}

extern "C" const gm_loss *gm_loss_entry_v1(uint32_t index)
{
    static const gm_loss_param param = scale();
    static const gm_loss_spec spec = make_spec();
    static const gm_loss loss = make_loss(&param, &spec);
    return index == 0 ? &loss : nullptr;
}
