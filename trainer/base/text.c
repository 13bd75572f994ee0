/* Words and numbers that people type. */
#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/size.h"

#define WORD_MOST 63 /* longer words have no near neighbours */

static bool same_letter(char a, char b)
{
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Optimal string alignment distance (Damerau 1964, Levenshtein 1966). Both words have at most WORD_MOST letters. */
static size_t edit_distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    size_t rows[3][WORD_MOST + 1]; /* of row i, i - 1 and i - 2, in turn */
    for (size_t j = 0; j <= b_length; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        size_t *row = rows[i % 3], *before = rows[(i + 2) % 3], *before_that = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            size_t cost = before[j - 1] + !same_letter(a[i - 1], b[j - 1]);
            cost = size_least(cost, size_least(before[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) && same_letter(a[i - 2], b[j - 1]))
                cost = size_least(cost, before_that[j - 2] + 1);
            row[j] = cost;
        }
    }
    return rows[a_length % 3][b_length];
}

const char *text_nearest(const char *word, const char *const *candidates, size_t count)
{
    size_t length = strlen(word), allowed = length / 3 > 1 ? length / 3 : 1;
    const char *nearest = NULL;
    if (length > WORD_MOST)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        size_t other = strlen(candidates[i]);
        size_t distance = other > WORD_MOST ? SIZE_MAX : edit_distance(word, length, candidates[i], other);
        if (distance <= allowed) {
            nearest = candidates[i];
            if (distance == 0)
                break;
            allowed = distance - 1; /* a later one has to be nearer */
        }
    }
    return nearest;
}

/* strtod in the C locale: a decimal number, "inf" or "nan" at the very start of text; NULL in *end when there is none.
 */
static double read_real(const char *text, char **end)
{
    const char *digits = text + (*text == '-' || *text == '+');
    bool hexadecimal = digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X');
    *end = NULL;
    if (hexadecimal || !(isalnum((unsigned char)*digits) || *digits == '.'))
        return 0;
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!plain)
        return 0;
    char *stop;
    errno = 0;
    double value = strtod_l(text, &stop, plain);
    freelocale(plain);
    bool overflow = errno == ERANGE && fabs(value) > 1;
    if (stop != text && !overflow)
        *end = stop;
    return value;
}

bool text_real(const char *text, double *out)
{
    char *end;
    double value = read_real(text, &end);
    if (!end || *end || end[-1] == ')') /* "nan(...)" is C's, but nobody's number */
        return false;
    *out = value;
    return true;
}

bool text_integer(const char *text, int64_t *out)
{
    const char *digits = text + (*text == '-' || *text == '+');
    char *end;
    if (!isdigit((unsigned char)*digits))
        return false;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (*end || errno)
        return false;
    *out = value;
    return true;
}

struct unit {
    const char *name;
    double scale;
};

/* 0: no such unit. */
static double unit_scale(const char *name, const struct unit *units, size_t count)
{
    while (*name == ' ')
        name++;
    for (size_t i = 0; i < count; i++)
        if (strcasecmp(name, units[i].name) == 0)
            return units[i].scale;
    return 0;
}

/* Whole numbers without a unit are exact; others are as good as a double. */
bool text_bytes(const char *text, uint64_t *out)
{
    static const struct unit units[] = {
        {"", 1},         {"B", 1},        {"K", 0x1p10},   {"M", 0x1p20}, {"G", 0x1p30}, {"T", 0x1p40}, {"KiB", 0x1p10},
        {"MiB", 0x1p20}, {"GiB", 0x1p30}, {"TiB", 0x1p40}, {"KB", 1e3},   {"MB", 1e6},   {"GB", 1e9},   {"TB", 1e12},
    };
    char *end;
    if (!isdigit((unsigned char)*text))
        return false;
    errno = 0;
    unsigned long long whole = strtoull(text, &end, 10);
    if (!*end && !errno) {
        *out = whole;
        return true;
    }
    double value = read_real(text, &end), scale = end ? unit_scale(end, units, sizeof units / sizeof *units) : 0;
    if (scale == 0 || !(value * scale < 0x1p64))
        return false;
    *out = (uint64_t)(value * scale);
    return true;
}

bool text_duration(const char *text, double *out)
{
    static const struct unit units[] = {{"", 1}, {"s", 1}, {"ms", 1e-3}, {"m", 60}, {"h", 3600}, {"d", 86400}};
    char *end;
    if (!isdigit((unsigned char)*text) && *text != '.')
        return false;
    double value = read_real(text, &end), scale = end ? unit_scale(end, units, sizeof units / sizeof *units) : 0;
    if (scale == 0 || !isfinite(value * scale))
        return false;
    *out = value * scale;
    return true;
}

/* "d.ddde+xx" with the fewest digits that read back as value. The caller has set the C locale. */
static void shortest_digits(double value, char buffer[32])
{
    /* A normal double that any decimal of up to 15 digits reads back to is printed as that decimal with 15 digits
     * (DBL_DIG), so zeros at the end are all there is to drop; a subnormal one carries fewer. */
    int digits = fabs(value) >= DBL_MIN ? DBL_DIG : 1;
    do
        snprintf(buffer, 32, "%.*e", digits - 1, value);
    while (strtod(buffer, NULL) != value && digits++ < 17);
    char *e = strchr(buffer, 'e'), *last = e - 1;
    if (!memchr(buffer, '.', (size_t)(e - buffer)))
        return;
    while (*last == '0')
        last--;
    if (*last != '.')
        last++;
    memmove(last, e, strlen(e) + 1);
}

char *text_from_real(double value, char buffer[32])
{
    if (!isfinite(value))
        return strcpy(buffer, isnan(value) ? "nan" : value > 0 ? "inf" : "-inf");
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0), before = plain ? uselocale(plain) : (locale_t)0;
    shortest_digits(value, buffer);
    const char *e = strchr(buffer, 'e');
    int exponent = atoi(e + 1),
        digits = (int)(e - buffer) - (buffer[0] == '-') - (buffer[1 + (buffer[0] == '-')] == '.');
    if (exponent >= -5 && exponent < 16) /* no exponent where people do not want one */
        snprintf(buffer, 32, "%.*f", digits - 1 - exponent > 0 ? digits - 1 - exponent : 0, value);
    if (plain) {
        uselocale(before);
        freelocale(plain);
    }
    return buffer;
}

char *text_from_bytes(uint64_t bytes, char buffer[32])
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    size_t unit = 0;
    uint64_t scale = 1;
    while (unit + 1 < sizeof units / sizeof *units && bytes / scale >= 1024) {
        scale *= 1024;
        unit++;
    }
    uint64_t whole = bytes / scale, tenth = bytes % scale * 10 / scale; /* scale <= 2^60 */
    if (unit == 0 || tenth == 0)
        snprintf(buffer, 32, "%llu %s", (unsigned long long)whole, units[unit]);
    else
        snprintf(buffer, 32, "%llu.%llu %s", (unsigned long long)whole, (unsigned long long)tenth, units[unit]);
    return buffer;
}
