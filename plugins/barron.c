/*
 * General adaptive robust loss: the negative log-likelihood rho(d, alpha, c) + log c + log Z(alpha), d = pred - target,
 * with rho = b/alpha ((d^2/(c^2 b) + 1)^(alpha/2) - 1), b = 2 - alpha; mean over outputs. alpha (0: Cauchy-like, 1:
 * smooth absolute, 2: square) and the scale c are learned with the model. All constants are included. Source: Barron, A
 * general and adaptive robust loss function, CVPR 2019, eq. 8, 16 and 17.
 *
 * theta[0]: alpha = 2 sigmoid(theta[0]), theta[0] held to -12 .. 12. theta[1]: c = floor + e^theta[1]. log Z has no
 * closed form: the table holds it and its derivative at nodes of theta[0], integrated by the trapezoidal rule in t with
 * d = c sinh t, and cubics between the nodes give it to 2e-7, consistent with the gradient.
 */
#include <gradmill/loss_rows.h>

enum { NODES = 97 };
static const double reach = 12.0, spacing = 0.25;

struct shape {
    double alpha, b; /* b = 2 - alpha, without cancellation */
};

/* log Z and d log Z / d theta at theta = -12, -11.75 .. 12. The density integrates to 1 in the tests. */
static const double log_z_table[NODES][2] = {
    {1.49129291148, -1.0564042606e-05},   {1.49128991107, -1.35640574537e-05},  {1.49128605862, -1.74158662631e-05},
    {1.4912811122, -2.23612143872e-05},   {1.49127476127, -2.87103885703e-05},  {1.49126660715, -3.68616064169e-05},
    {1.49125613811, -4.73258624564e-05},  {1.49124269734, -6.0758747966e-05},   {1.49122544193, -7.80011716009e-05},
    {1.49120329027, -0.000100131420665},  {1.49117485479, -0.000128531639217},  {1.49113835576, -0.000164972580234},
    {1.49109151126, -0.00021172143325},   {1.49103139658, -0.000271678645966},  {1.49095426517, -0.000348550938989},
    {1.49085532086, -0.000447069110458},  {1.49072842902, -0.000573260629037},  {1.49056575155, -0.000734788194548},
    {1.4903572878, -0.000941365999645},   {1.49009030055, -0.00120526466896},   {1.48974860371, -0.00154191269356},
    {1.48931168755, -0.00197059497481},   {1.48875365823, -0.00251523552323},   {1.48804197457, -0.00320522842874},
    {1.48713597805, -0.00407624556298},   {1.48598523587, -0.0051708982793},    {1.48452775594, -0.00653906328404},
    {1.48268818928, -0.00823760512703},   {1.48037621225, -0.0103291544242},    {1.47748537186, -0.0128795604253},
    {1.47389277094, -0.0159536706799},    {1.46946004006, -0.0196092462214},    {1.46403605573, -0.0238891300491},
    {1.45746178077, -0.0288122386633},    {1.44957739609, -0.0343644617433},    {1.44023156421, -0.0404909853689},
    {1.42929225816, -0.0470917201643},    {1.41665818926, -0.0540212794291},    {1.40226958072, -0.0610942914328},
    {1.38611695366, -0.0680958717242},    {1.36824676391, -0.074796071131},     {1.3487631291, -0.080966333702},
    {1.32782542974, -0.0863956642792},    {1.30564212926, -0.0909044003547},    {1.2824616115, -0.0943541276732},
    {1.25856109133, -0.0966531584341},    {1.2342346906, -0.0977578312057},     {1.20978162839, -0.0976704649239},
    {1.18549523235, -0.0964350076268},    {1.16165322622, -0.0941313142163},    {1.13850954737, -0.0908687125668},
    {1.11628782036, -0.0867792318849},    {1.09517654538, -0.0820106772534},    {1.07532602469, -0.0767196719922},
    {1.05684701666, -0.0710648275747},    {1.03981105715, -0.0652002822964},    {1.02425231835, -0.0592699164279},
    {1.0101707958, -0.0534025632479},     {0.997536539686, -0.0477084788248},   {0.986294594339, -0.0422772203269},
    {0.976370289748, -0.0371769408285},   {0.967674544599, -0.0324549704817},   {0.960108887137, -0.0281394463994},
    {0.953569968348, -0.0242416917417},   {0.947953419518, -0.0207590305932},   {0.943156981984, -0.0176777513724},
    {0.93908290256, -0.0149759843478},    {0.935639638634, -0.0126263239914},   {0.932742951052, -0.0105980922423},
    {0.930316481449, -0.00885919591608},  {0.928291916564, -0.00737757608629},  {0.926608838454, -0.00612227818571},
    {0.925214349799, -0.00506419001796},  {0.924062550457, -0.00417650321558},  {0.923113927318, -0.00343495467574},
    {0.922334705745, -0.00281790069878},  {0.921696198495, -0.00230627004114},  {0.921174177428, -0.00188343443945},
    {0.920748284597, -0.00153502743426},  {0.920401492572, -0.00124873518325},  {0.92011961867, -0.00101407674748},
    {0.919890894112, -0.000822186188334}, {0.91970558652, -0.000665604708613},  {0.919555672582, -0.000538087912334},
    {0.919434556696, -0.000434430907554}, {0.919336830996, -0.000350312290297}, {0.919258072019, -0.00028215688752},
    {0.919194669428, -0.000227016380955}, {0.919143682485, -0.000182466479039}, {0.919102720315, -0.000146519067747},
    {0.919069842442, -0.000117547687439}, {0.919043476453, -9.42247017755e-05}, {0.919022350076, -7.54686088586e-05},
    {0.91900543531, -6.0400066885e-05},   {0.918991902598, -4.83053474318e-05}, {0.918981083321, -3.86060759262e-05},
    {0.918972439187, -3.08342621905e-05}};

GM_INLINE struct shape shape_of(double theta)
{
    return (struct shape){2.0 * gm_sigmoid(theta), 2.0 * gm_sigmoid(-theta)};
}

/* rho of u = d / c, and its derivative by alpha. */
GM_INLINE double rho(double u, struct shape s, double *by_alpha)
{
    const double z = u * u / s.b, log_q = gm_log1p(z), e = gm_expm1(0.5 * s.alpha * log_q);
    *by_alpha = -2.0 / (s.alpha * s.alpha) * e +
                s.b / s.alpha * (e + 1.0) * (0.5 * log_q + 0.5 * s.alpha * z / (s.b * (1.0 + z)));
    return s.b / s.alpha * e;
}

/* log Z at theta within the reach, by cubic Hermite interpolation. */
static double log_partition(double theta, double *slope)
{
    const double at = (theta + reach) / spacing;
    const int i = at >= NODES - 1 ? NODES - 2 : (int)at;
    const double *from = log_z_table[i], *to = log_z_table[i + 1];
    const double t = at - i, rise = to[0] - from[0], left = spacing * from[1] - rise, right = rise - spacing * to[1];
    *slope = (rise + (1.0 - 2.0 * t) * ((1.0 - t) * left + t * right) + t * (1.0 - t) * (right - left)) / spacing;
    return from[0] + t * rise + t * (1.0 - t) * ((1.0 - t) * left + t * right);
}

/* constant: alpha, b, 1 / c, log c + log Z. */
GM_INLINE struct gm_point point(double pred, double target, const double *constant)
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
    const double log_z = log_partition(theta, &z_slope);
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
        .license = "MIT", .params = params, .n_params = 1, .spec = &spec, .evaluate = evaluate,
        .theta_start = theta_start)
