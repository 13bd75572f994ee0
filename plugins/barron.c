/*
 * General adaptive robust loss: the negative log-likelihood rho(d, alpha, c) + log c + log Z(alpha), d = pred - target,
 * with rho = b/alpha ((d^2/(c^2 b) + 1)^(alpha/2) - 1), b = 2 - alpha; mean over outputs. alpha (0: Cauchy-like, 1:
 * smooth absolute, 2: square) and the scale c are learned with the model. All constants are included. Source: Barron, A
 * general and adaptive robust loss function, CVPR 2019, eq. 8, 16 and 17.
 *
 * theta[0]: alpha = 2 sigmoid(theta[0]), theta[0] held to -12 .. 12. theta[1]: c = floor + e^theta[1]. log Z has no
 * closed form; create() integrates it (trapezoidal rule in t, x = sinh t, which converges exponentially) at nodes of
 * theta[0], with its slope, and evaluate() interpolates by cubics (error near 1e-7, consistent with its own gradient).
 */
#include <stdlib.h>

#include <gradmill/loss_rows.h>

enum { NODES = 97, HALF = (NODES - 1) / 2 };
static const double reach = 12.0, spacing = 12.0 / HALF;

struct shape {
    double alpha, b; /* b = 2 - alpha, without cancellation */
};

struct partition {
    double value[NODES], slope[NODES]; /* log Z and its derivative by theta[0], per node */
};

static inline struct shape shape_of(double theta)
{
    return (struct shape){2.0 * gm_sigmoid(theta), 2.0 * gm_sigmoid(-theta)};
}

/* rho of u = d / c, and its derivative by alpha. */
static inline double rho(double u, struct shape s, double *by_alpha)
{
    const double z = u * u / s.b, log_q = gm_log1p(z), e = gm_expm1(0.5 * s.alpha * log_q);
    *by_alpha = -2.0 / (s.alpha * s.alpha) * e +
                s.b / s.alpha * (e + 1.0) * (0.5 * log_q + 0.5 * s.alpha * z / (s.b * (1.0 + z)));
    return s.b / s.alpha * e;
}

/* The points of the integral, and the sums there: fixed lengths, so that the loops vectorise. */
enum { POINTS = 321 };
struct points {
    double x[POINTS], width[POINTS], density[POINTS], change[POINTS];
};

GM_LOSS_KERNEL static void place_points(struct points *p)
{
    const double step = 1.0 / 8.0;
    for (int i = 0; i < POINTS; i++) {
        const double up = gm_exp(step * i), down = gm_exp(-step * i);
        p->x[i] = 0.5 * (up - down);
        p->width[i] = step * (up + down); /* both sides of 0 */
    }
    p->width[0] *= 0.5;
}

GM_LOSS_KERNEL static void integrate(struct points *p, double theta, double *log_z, double *slope)
{
    const struct shape s = shape_of(theta);
    for (int i = 0; i < POINTS; i++) {
        double change;
        const double density = p->width[i] * gm_exp(-rho(p->x[i], s, &change));
        p->density[i] = density;
        p->change[i] = density > 0.0 ? density * change : 0.0;
    }
    const double z = gm_sum(p->density, POINTS);
    *log_z = gm_log(z);
    *slope = -gm_sum(p->change, POINTS) / z * 0.5 * s.alpha * s.b; /* d alpha / d theta = alpha b / 2 */
}

static int create(const struct gm_loss_batch *b, struct gm_loss_spec *spec, void **instance)
{
    struct partition *table = malloc(sizeof *table);
    struct points points;
    (void)spec;
    *instance = table;
    if (!table)
        return gm_fail(b, GM_LOSS_NO_MEMORY, "no memory for the table of log Z");
    place_points(&points);
    for (int i = 0; i < NODES; i++)
        integrate(&points, spacing * (i - HALF), &table->value[i], &table->slope[i]);
    return GM_LOSS_OK;
}

static void destroy(void *instance)
{
    free(instance);
}

/* log Z at theta within the reach, by cubic Hermite interpolation. */
static double log_partition(const struct partition *table, double theta, double *slope)
{
    const double at = (theta + reach) / spacing;
    const int i = at >= NODES - 1 ? NODES - 2 : (int)at;
    const double t = at - i, rise = table->value[i + 1] - table->value[i];
    const double left = spacing * table->slope[i] - rise, right = rise - spacing * table->slope[i + 1];
    *slope = (rise + (1.0 - 2.0 * t) * ((1.0 - t) * left + t * right) + t * (1.0 - t) * (right - left)) / spacing;
    return table->value[i] + t * rise + t * (1.0 - t) * ((1.0 - t) * left + t * right);
}

/* constant: alpha, b, 1 / c, log c + log Z. */
static inline struct gm_point point(double pred, double target, const double *constant)
{
    const struct shape s = {constant[0], constant[1]};
    const double inverse = constant[2], u = (pred - target) * inverse, z = u * u / s.b, log_q = gm_log1p(z);
    const double power = gm_exp((0.5 * s.alpha - 1.0) * log_q), share = z / (1.0 + z);
    return (struct gm_point){s.b / s.alpha * gm_expm1(0.5 * s.alpha * log_q) + constant[3], inverse * u * power,
                             inverse * inverse * power * (1.0 - s.b * share)};
}

/* Sums over the rows of the derivatives by alpha and by log c. */
GM_INLINE void shape_slopes(const struct gm_loss_batch *b, const double *constant, double *by_alpha, double *by_scale)
{
    const struct shape s = {constant[0], constant[1]};
    for (size_t i = 0; i < b->rows * b->outputs; i++) {
        const double weight = gm_weight(b, i / b->outputs) / (double)b->outputs;
        const double u = (b->pred[i] - b->target[i]) * constant[2];
        double change;
        rho(u, s, &change);
        *by_alpha += weight * change;
        *by_scale += weight * (1.0 - u * u * gm_exp((0.5 * s.alpha - 1.0) * gm_log1p(u * u / s.b)));
    }
}

GM_LOSS_KERNEL static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    const double theta = gm_min(gm_max(b->theta[0], -reach), reach), grown = gm_exp(b->theta[1]);
    const double scale = b->param[0].real + grown;
    const struct shape s = shape_of(theta);
    double z_slope, by_alpha = 0.0, by_scale = 0.0, weight = 0.0;
    const double log_z = log_partition((const struct partition *)b->instance, theta, &z_slope);
    const double constant[] = {s.alpha, s.b, 1.0 / scale, gm_log(scale) + log_z};
    if (r->theta_grad) {
        shape_slopes(b, constant, &by_alpha, &by_scale);
        for (size_t i = 0; i < b->rows; i++)
            weight += gm_weight(b, i);
        if (theta == b->theta[0])
            r->theta_grad[0] += by_alpha * 0.5 * s.alpha * s.b + weight * z_slope;
        r->theta_grad[1] += by_scale * grown / scale;
    }
    return gm_pointwise(b, r, point, constant);
}

/* alpha 1; the scale of the mean distance from the mean. */
static int theta_start(const struct gm_loss_batch *b, double *theta)
{
    double sum = 0.0, weight = 0.0;
    for (size_t k = 0; k < b->targets; k++) {
        const double mean = gm_target_mean(b, k);
        for (size_t i = 0; i < b->rows; i++) {
            sum += gm_weight(b, i) * gm_abs(b->target[i * b->targets + k] - mean);
            weight += gm_weight(b, i);
        }
    }
    theta[0] = 0.0;
    theta[1] = gm_log(gm_max(weight > 0.0 ? sum / weight : 1.0, 1e-8));
    return GM_LOSS_OK;
}

static const struct gm_loss_param params[] = {
    {.name = "scale_floor",
     .help = "the learned scale stays above it, in units of the target",
     .type = GM_PARAM_REAL,
     .flags = GM_PARAM_LOW_OPEN,
     .fallback = 1e-5,
     .low = 0.0,
     .high = INFINITY},
};

static const struct gm_loss_spec spec = {.struct_size = sizeof spec,
                                         .gives = GM_GIVES_ALL,
                                         .nature = GM_NATURE_NON_CONVEX,
                                         .n_theta = 2,
                                         .task = GM_TASK_REGRESSION};

GM_LOSS_PLUGIN(
        .id = "barron", .version = "1.0",
        .formula =
            "b/a ((d^2/(c^2 b) + 1)^(a/2) - 1) + log c + log Z(a); b = 2 - a, a and c learned; mean over outputs",
        .help = "Use it for regression when it is not known how heavy the tails of the errors are: it learns that.\n"
                "Not for few rows (two more parameters to learn), nor when values must compare with mse.",
        .license = "MIT", .params = params, .n_params = 1, .spec = &spec, .evaluate = evaluate, .create = create,
        .destroy = destroy, .theta_start = theta_start)
