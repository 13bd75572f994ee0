/*
 * Objectives with known minima for the optimiser tests: tests/oracles/NAME.csv standardised, a generalised linear model
 * on top, coded here without the project's losses and models, in plain double.
 *
 * Parameters: [features] weights on the standardised scale, then the intercept.
 */
#ifndef TESTS_OPTIM_PROBLEMS_H
#define TESTS_OPTIM_PROBLEMS_H

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "support.h"

#define MOST_FEATURES 16

enum family { SQUARED, LOGISTIC, POISSON, GAMMA }; /* squared: (p - y)^2; the others with their canonical or log link */

struct problem {
    const char *name;
    enum family family;
    size_t rows, features, n;
    double *x; /* [rows x features] standardised */
    double *y; /* [rows] */
    double mean[MOST_FEATURES], deviation[MOST_FEATURES];
    double l2; /* on the weights */
    uint8_t penalised[MOST_FEATURES + 1];
    double expected[MOST_FEATURES + 1]; /* raw scale, intercept last; NaN: not published */
};

static inline void problem_read(struct problem *p)
{
    char name[128], line[4096];
    snprintf(name, sizeof name, "tests/oracles/%s.csv", p->name);
    FILE *file = fopen(test_source(name), "r");
    if (!file || !fgets(line, sizeof line, file)) {
        perror(test_source(name));
        exit(99);
    }
    p->features = 0;
    for (const char *c = line; *c; c++)
        p->features += *c == ',';
    p->n = p->features + 1;
    size_t room = 0;
    while (fgets(line, sizeof line, file)) {
        if (p->rows == room) {
            room = room ? 2 * room : 64;
            p->x = realloc(p->x, room * p->features * sizeof(double));
            p->y = realloc(p->y, room * sizeof(double));
        }
        char *at = line;
        for (size_t j = 0; j < p->features; j++) {
            p->x[p->rows * p->features + j] = strtod(at, &at);
            at++; /* the comma */
        }
        p->y[p->rows++] = strtod(at, NULL);
    }
    fclose(file);
}

static inline void problem_standardise(struct problem *p)
{
    for (size_t j = 0; j < p->features; j++) {
        double sum = 0, squares = 0;
        for (size_t i = 0; i < p->rows; i++)
            sum += p->x[i * p->features + j];
        p->mean[j] = sum / (double)p->rows;
        for (size_t i = 0; i < p->rows; i++) {
            double *value = &p->x[i * p->features + j];
            *value -= p->mean[j];
            squares += *value * *value;
        }
        p->deviation[j] = sqrt(squares / (double)p->rows);
        for (size_t i = 0; i < p->rows; i++)
            p->x[i * p->features + j] /= p->deviation[j];
    }
}

static inline void problem_expected(struct problem *p)
{
    json_t *all = json_load_file(test_source("tests/oracles/expected.json"), 0, NULL), *set, *list;
    if (!all || !(set = json_object_get(all, p->name))) {
        fprintf(stderr, "%s is not in expected.json\n", p->name);
        exit(99);
    }
    list = json_object_get(set, "coefficients");
    for (size_t j = 0; j < p->features; j++)
        p->expected[j] = json_is_array(list) ? json_number_value(json_array_get(list, j)) : NAN;
    json_t *intercept = json_object_get(set, "intercept");
    p->expected[p->features] = json_is_number(intercept) ? json_number_value(intercept) : NAN;
    json_decref(all);
}

static inline struct problem problem_open(const char *name, enum family family)
{
    struct problem p = {.name = name, .family = family};
    problem_read(&p);
    problem_standardise(&p);
    problem_expected(&p);
    memset(p.penalised, 1, p.features);
    return p;
}

static inline void problem_close(struct problem *p)
{
    free(p->x);
    free(p->y);
    *p = (struct problem){0};
}

/* Loss of one row, its first and second derivative in the raw prediction. */
static inline double row_loss(enum family family, double p, double y, double slope[2])
{
    switch (family) {
    case SQUARED:
        slope[0] = 2 * (p - y);
        slope[1] = 2;
        return (p - y) * (p - y);
    case LOGISTIC: {
        double s = p > 0 ? 1 / (1 + exp(-p)) : exp(p) / (1 + exp(p));
        slope[0] = s - y;
        slope[1] = s * (1 - s);
        return fmax(p, 0) + log1p(exp(-fabs(p))) - y * p;
    }
    case POISSON:
        slope[0] = exp(p) - y;
        slope[1] = exp(p);
        return exp(p) - y * p;
    case GAMMA:
        slope[0] = 1 - y * exp(-p);
        slope[1] = y * exp(-p);
        return y * exp(-p) + p;
    }
    abort();
}

/* Mean loss plus l2/2 |weights|^2 at w [n]; g [n]; hessian [n x n] may be NULL. */
static inline double problem_evaluate(const struct problem *p, const double *w, double *g, double *hessian)
{
    double f = 0, row[MOST_FEATURES + 1];
    memset(g, 0, p->n * sizeof *g);
    if (hessian)
        memset(hessian, 0, p->n * p->n * sizeof *g);
    for (size_t i = 0; i < p->rows; i++) {
        memcpy(row, p->x + i * p->features, p->features * sizeof *row);
        row[p->features] = 1;
        double prediction = 0, slope[2] = {0};
        for (size_t j = 0; j < p->n; j++)
            prediction += row[j] * w[j];
        f += row_loss(p->family, prediction, p->y[i], slope) / (double)p->rows;
        for (size_t j = 0; j < p->n; j++) {
            g[j] += slope[0] * row[j] / (double)p->rows;
            for (size_t k = 0; hessian && k < p->n; k++)
                hessian[j * p->n + k] += slope[1] * row[j] * row[k] / (double)p->rows;
        }
    }
    for (size_t j = 0; j < p->features; j++) {
        f += 0.5 * p->l2 * w[j] * w[j];
        g[j] += p->l2 * w[j];
        if (hessian)
            hessian[j * p->n + j] += p->l2;
    }
    return f;
}

/* Coefficients on the raw scale of the features, intercept last. */
static inline void problem_raw(const struct problem *p, const double *w, double *raw)
{
    raw[p->features] = w[p->features];
    for (size_t j = 0; j < p->features; j++) {
        raw[j] = w[j] / p->deviation[j];
        raw[p->features] -= raw[j] * p->mean[j];
    }
}

/* The largest relative error of the raw coefficients against the published ones. */
static inline double problem_error(const struct problem *p, const double *w)
{
    double raw[MOST_FEATURES + 1], most = 0;
    problem_raw(p, w, raw);
    for (size_t j = 0; j < p->n; j++)
        if (!isnan(p->expected[j]))
            most = fmax(most, fabs(raw[j] - p->expected[j]) / fabs(p->expected[j]));
    return most;
}

#endif
