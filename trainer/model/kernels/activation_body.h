/* Body of the activation kernels for one element type REAL of REAL_BYTES. Included by activation.c once a type. */

#define P (PANEL_BYTES / REAL_BYTES)

static void LOCAL(relu)(REAL *restrict z, size_t n, REAL *restrict slope)
{
    for (size_t i = 0; i < n; i++) {
        REAL x = z[i];
        z[i] = x <= 0 ? 0 : x; /* NaN stays */
        slope[i] = x > 0 ? 1 : 0;
    }
}

static void LOCAL(tanh)(REAL *restrict z, size_t n, REAL *restrict slope)
{
    for (size_t i = 0; i < n; i++) {
        REAL x = z[i], t = LOCAL(expm1)(-2 * (x < 0 ? -x : x));
        REAL y = LOCAL(copysign)(t / (2 + t), x);
        z[i] = y;
        slope[i] = 1 - y * y;
    }
}

static void LOCAL(sigmoid)(REAL *restrict z, size_t n, REAL *restrict slope)
{
    for (size_t i = 0; i < n; i++) {
        REAL x = z[i], e = LOCAL(exp)(x < 0 ? x : -x), one = 1 + e;
        z[i] = (x < 0 ? e : 1) / one;
        slope[i] = e / (one * one);
    }
}

static void LOCAL(gelu)(REAL *restrict z, size_t n, REAL *restrict slope)
{
    for (size_t i = 0; i < n; i++) {
        REAL x = z[i], a = x < 0 ? -x : x, e = LOCAL(exp)((REAL)-0.5 * x * x);
        REAL beyond = e * LOCAL(tail)(a), below = x < 0 ? beyond : 1 - beyond; /* Phi(-a), Phi(x) */
        z[i] = x * below;
        slope[i] = below + x * (e * (REAL)0.39894228040143267794); /* 1 / sqrt(2 pi) */
    }
}

void NAME(apply)(enum activation kind, void *z, size_t n, void *slope)
{
    switch (kind) {
    case ACTIVATION_RELU:
        LOCAL(relu)(z, n, slope);
        break;
    case ACTIVATION_TANH:
        LOCAL(tanh)(z, n, slope);
        break;
    case ACTIVATION_GELU:
        LOCAL(gelu)(z, n, slope);
        break;
    case ACTIVATION_SIGMOID:
        LOCAL(sigmoid)(z, n, slope);
        break;
    }
}

/* One row of a panel with all its columns. */
static inline void LOCAL(whole)(const REAL *restrict x, const REAL *restrict c, const REAL *restrict f,
                                REAL *restrict out)
{
    for (size_t j = 0; j < P; j++)
        out[j] = (x[j] - c[j]) * f[j];
}

void NAME(enter)(const struct activation_entry *e)
{
    const REAL *c = e->center, *f = e->factor;
    size_t whole = e->columns / P * P;
    for (size_t i = 0; i < e->rows; i++) {
        const REAL *x = (const REAL *)e->x + (e->at ? e->at[i] : i) * e->x_stride;
        const REAL *next = e->at && i + 1 < e->rows ? (const REAL *)e->x + e->at[i + 1] * e->x_stride : x;
        REAL *out = (REAL *)e->out + i * P;
        for (size_t j = 0; j < whole; j += P) {
            __builtin_prefetch(next + j); /* the processor cannot see where it lies */
            LOCAL(whole)(x + j, c + j, f + j, out + j / P * e->out_stride);
        }
        if (whole == e->columns)
            continue;
        out += whole / P * e->out_stride;
        for (size_t j = 0; j < P; j++)
            out[j] = whole + j < e->columns ? (x[whole + j] - c[whole + j]) * f[whole + j] : 0;
    }
}

void NAME(times)(void *a, const void *b, size_t n)
{
    REAL *restrict to = a;
    const REAL *restrict by = b;
    for (size_t i = 0; i < n; i++)
        to[i] *= by[i];
}
