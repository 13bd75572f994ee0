/* Cells: text to numbers, and the choice of a type. */
#include "datasets/cell.h"

#include <ctype.h>
#include <math.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

/* The decimal text taken apart: mantissa * 10^exponent, `digits` of the mantissa count (no zeros in front). */
struct decimal {
    bool negative;
    uint64_t mantissa; /* of the first 19 digits */
    size_t digits, trailing_zeros;
    int exponent; /* of the last digit written */
};

static bool is_missing(const char *text)
{
    static const char *const markers[] = {"", "NA", "N/A", "NaN", "null", "none", "?"};
    for (size_t i = 0; i < sizeof markers / sizeof *markers; i++)
        if (strcasecmp(text, markers[i]) == 0)
            return true;
    return false;
}

static bool take_exponent(const char *p, int *exponent)
{
    bool negative = *p == '-';
    if (*p == '-' || *p == '+')
        p++;
    if (!isdigit((unsigned char)*p))
        return false;
    int value = 0;
    for (; isdigit((unsigned char)*p); p++)
        value = value < 100000 ? value * 10 + (*p - '0') : value;
    *exponent += negative ? -value : value;
    return *p == 0;
}

/* [+-] digits [. digits] [e [+-] digits] and nothing else. */
static bool take_apart(const char *text, struct decimal *d)
{
    *d = (struct decimal){.negative = *text == '-'};
    const char *p = text + (*text == '-' || *text == '+');
    bool any = false, behind_point = false;
    for (;; p++) {
        if (*p == '.' && !behind_point) {
            behind_point = true;
            continue;
        }
        if (!isdigit((unsigned char)*p))
            break;
        any = true;
        if (behind_point && d->exponent > -1000000)
            d->exponent--;
        if (d->digits == 0 && *p == '0')
            continue;
        d->digits++;
        d->trailing_zeros = *p == '0' ? d->trailing_zeros + 1 : 0;
        if (d->digits <= 19)
            d->mantissa = d->mantissa * 10 + (uint64_t)(*p - '0');
    }
    if (!any)
        return false;
    if (*p == 'e' || *p == 'E')
        return take_exponent(p + 1, &d->exponent);
    return *p == 0;
}

/* The correctly rounded value. Up to 2^53 times a power of ten up to 10^22 is one rounding of two exact numbers
 * (Clinger, "How to read floating point numbers accurately", PLDI 1990); anything else takes the long way. */
static double value_of(const struct decimal *d, const char *text)
{
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    double value;
    if (d->digits == 0 || (long)d->digits + d->exponent < -400)
        return d->negative ? -0.0 : 0.0; /* zero, or nearer to it than any double */
    if (d->digits <= 19 && d->mantissa < (uint64_t)1 << 53 && d->exponent >= -22 && d->exponent <= 22) {
        value = (double)d->mantissa;
        value = d->exponent < 0 ? value / powers[-d->exponent] : value * powers[d->exponent];
        return d->negative ? -value : value;
    }
    return text_real(text, &value) ? value : NAN;
}

static bool survives_float32(const struct decimal *d, double value)
{
    float single = (float)value;
    if (d->digits - d->trailing_zeros > 15)
        return false; /* even the double is not the text */
    if ((double)single == value)
        return true;
    double size = fabs(value);
    if (size >= 3.4e38)
        return false;
    if (d->digits <= 6 && size >= 1.2e-38)
        return true; /* FLT_DIG: 6 digits always come back from a normal float32 */
    /* half a unit of the last digit, ties included, and a little for the rounding of `value` to double */
    return fabs(value - (double)single) <= (0.5 + 1e-6) * pow(10, d->exponent);
}

struct cell cell_parse(const char *text)
{
    struct decimal d;
    if (take_apart(text, &d)) {
        struct cell cell = {.kind = CELL_REAL, .real = value_of(&d, text)};
        cell.survives_float32 = survives_float32(&d, cell.real);
        if (!isfinite(cell.real)) /* beyond double */
            return (struct cell){.kind = CELL_WORD, .real = NAN};
        if (d.digits && cell.real == 0)
            return cell;
        if (d.exponent == 0 && d.digits <= 18) {
            cell.kind = CELL_WHOLE;
            cell.whole = d.negative ? -(int64_t)d.mantissa : (int64_t)d.mantissa;
        } else if (fabs(cell.real) <= 0x1p53 && cell.real == floor(cell.real) && d.digits - d.trailing_zeros <= 15) {
            cell.kind = CELL_WHOLE;
            cell.whole = (int64_t)cell.real;
        }
        return cell;
    }
    if (is_missing(text))
        return (struct cell){.kind = CELL_MISSING, .real = NAN, .survives_float32 = true};
    const char *name = text + (*text == '-' || *text == '+');
    if (strcasecmp(name, "inf") == 0 || strcasecmp(name, "infinity") == 0)
        return (struct cell){.kind = CELL_REAL, .real = *text == '-' ? -INFINITY : INFINITY, .survives_float32 = true};
    return (struct cell){.kind = CELL_WORD, .real = NAN};
}

void cell_range_add(struct cell_range *range, const struct cell *cell)
{
    if (cell->kind == CELL_WHOLE) {
        bool first = range->whole == 0;
        range->least = first || cell->whole < range->least ? cell->whole : range->least;
        range->most = first || cell->whole > range->most ? cell->whole : range->most;
        range->whole++;
    }
    range->real += cell->kind == CELL_REAL;
    range->missing += cell->kind == CELL_MISSING;
    range->loses_float32 |= !cell->survives_float32;
}

void cell_range_join(struct cell_range *range, const struct cell_range *other)
{
    if (other->whole) {
        bool first = range->whole == 0;
        range->least = first || other->least < range->least ? other->least : range->least;
        range->most = first || other->most > range->most ? other->most : range->most;
    }
    range->whole += other->whole;
    range->real += other->real;
    range->missing += other->missing;
    range->loses_float32 |= other->loses_float32;
}

enum data_type cell_range_type(const struct cell_range *range)
{
    if (range->whole == 0 || range->real || range->missing)
        return range->loses_float32 ? DATA_F64 : DATA_F32;
    static const struct {
        enum data_type type;
        int64_t least, most;
    } types[] = {
        {DATA_U8, 0, UINT8_MAX},          {DATA_I8, INT8_MIN, INT8_MAX}, {DATA_U16, 0, UINT16_MAX},
        {DATA_I16, INT16_MIN, INT16_MAX}, {DATA_U32, 0, UINT32_MAX},     {DATA_I32, INT32_MIN, INT32_MAX},
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (range->least >= types[i].least && range->most <= types[i].most)
            return types[i].type;
    return DATA_I64;
}

void cell_store(const struct cell *cell, enum data_type type, void *array, size_t at)
{
    switch (type) {
    case DATA_U8:
        ((uint8_t *)array)[at] = (uint8_t)cell->whole;
        break;
    case DATA_I8:
        ((int8_t *)array)[at] = (int8_t)cell->whole;
        break;
    case DATA_U16:
        ((uint16_t *)array)[at] = (uint16_t)cell->whole;
        break;
    case DATA_I16:
        ((int16_t *)array)[at] = (int16_t)cell->whole;
        break;
    case DATA_U32:
        ((uint32_t *)array)[at] = (uint32_t)cell->whole;
        break;
    case DATA_I32:
        ((int32_t *)array)[at] = (int32_t)cell->whole;
        break;
    case DATA_I64:
        ((int64_t *)array)[at] = cell->whole;
        break;
    case DATA_F32:
        ((float *)array)[at] = (float)cell->real;
        break;
    default:
        ((double *)array)[at] = cell->real;
        break;
    }
}
