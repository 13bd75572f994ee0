/* Element types; the conversion loops are in kernels/convert.c. */
#include "data/convert.h"

#include <stdatomic.h>

#include "base/cpu.h"
#include "data/kernels.h"

static const struct {
    const char *name;
    size_t size;
} types[] = {
    [DATA_U8] = {"uint8", 1},      [DATA_I8] = {"int8", 1},     [DATA_U16] = {"uint16", 2},
    [DATA_I16] = {"int16", 2},     [DATA_U32] = {"uint32", 4},  [DATA_I32] = {"int32", 4},
    [DATA_U64] = {"uint64", 8},    [DATA_I64] = {"int64", 8},   [DATA_F16] = {"float16", 2},
    [DATA_BF16] = {"bfloat16", 2}, [DATA_F32] = {"float32", 4}, [DATA_F64] = {"float64", 8},
};

size_t data_type_size(enum data_type type)
{
    return types[type].size;
}

const char *data_type_name(enum data_type type)
{
    return types[type].name;
}

/* Asking the processor costs more than converting a block: the answer is kept. */
enum cpu_isa kernels_isa(void)
{
    static _Atomic int kept; /* isa + 1; 0: not asked yet */
    int isa = atomic_load_explicit(&kept, memory_order_relaxed);
    if (!isa) {
        isa = (int)cpu_isa() + 1;
        atomic_store_explicit(&kept, isa, memory_order_relaxed);
    }
    return (enum cpu_isa)(isa - 1);
}

void convert_to_f32(enum data_type type, const void *from, size_t n, float *to)
{
    KERNEL_PICK(convert_f32, kernels_isa())(type, from, n, to, 0);
}

void convert_run_to_f32(enum data_type type, const void *from, size_t n, float *to)
{
    KERNEL_PICK(convert_f32, kernels_isa())(type, from, n, to, CONVERT_AHEAD);
}

void convert_to_f64(enum data_type type, const void *from, size_t n, double *to)
{
    KERNEL_PICK(convert_f64, kernels_isa())(type, from, n, to);
}
