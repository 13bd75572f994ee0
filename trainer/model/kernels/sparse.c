/* The inner loops of models on sparse rows (model/sparse.h). */
#include "model/sparse.h"

#include "base/kernel.h"

#define REAL   float
#define SUFFIX f32
#include "sparse_body.h"
#define REAL   double
#define SUFFIX f64
#include "sparse_body.h"

void KERNEL(sparse_forward_f32)(const struct sparse_rows *b, const float *u, size_t outputs, float *z);
void KERNEL(sparse_forward_f32)(const struct sparse_rows *b, const float *u, size_t outputs, float *z)
{
    forward_f32(b, u, outputs, z);
}

void KERNEL(sparse_forward_f64)(const struct sparse_rows *b, const double *u, size_t outputs, double *z);
void KERNEL(sparse_forward_f64)(const struct sparse_rows *b, const double *u, size_t outputs, double *z)
{
    forward_f64(b, u, outputs, z);
}

void KERNEL(sparse_backward_f32)(const struct sparse_rows *b, const double *r, size_t outputs, double *grad);
void KERNEL(sparse_backward_f32)(const struct sparse_rows *b, const double *r, size_t outputs, double *grad)
{
    backward_f32(b, r, outputs, grad);
}

void KERNEL(sparse_backward_f64)(const struct sparse_rows *b, const double *r, size_t outputs, double *grad);
void KERNEL(sparse_backward_f64)(const struct sparse_rows *b, const double *r, size_t outputs, double *grad)
{
    backward_f64(b, r, outputs, grad);
}

void KERNEL(sparse_descend_f32)(const struct sparse_rows *b, const double *r, double rate, size_t outputs, float *u);
void KERNEL(sparse_descend_f32)(const struct sparse_rows *b, const double *r, double rate, size_t outputs, float *u)
{
    descend_f32(b, r, rate, outputs, u);
}

void KERNEL(sparse_descend_f64)(const struct sparse_rows *b, const double *r, double rate, size_t outputs, double *u);
void KERNEL(sparse_descend_f64)(const struct sparse_rows *b, const double *r, double rate, size_t outputs, double *u)
{
    descend_f64(b, r, rate, outputs, u);
}

void KERNEL(sparse_multiply_f32)(const struct sparse_rows *b, const float *u, float *product);
void KERNEL(sparse_multiply_f32)(const struct sparse_rows *b, const float *u, float *product)
{
    multiply_f32(b, u, product);
}

void KERNEL(sparse_add_f32)(const struct sparse_products *p, float *z);
void KERNEL(sparse_add_f32)(const struct sparse_products *p, float *z)
{
    add_f32(p, z);
}

void KERNEL(sparse_multiply_f64)(const struct sparse_rows *b, const double *u, double *product);
void KERNEL(sparse_multiply_f64)(const struct sparse_rows *b, const double *u, double *product)
{
    multiply_f64(b, u, product);
}

void KERNEL(sparse_add_f64)(const struct sparse_products *p, double *z);
void KERNEL(sparse_add_f64)(const struct sparse_products *p, double *z)
{
    add_f64(p, z);
}
