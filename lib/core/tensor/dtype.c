/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "core/tensor/tensor.h"

static const struct {
    const char *name;
    int64_t size;
} dtypes[] = {
    [PRUNE_F32] = {"f32", 4}, [PRUNE_F16] = {"f16", 2},   [PRUNE_BF16] = {"bf16", 2}, [PRUNE_U8] = {"u8", 1},
    [PRUNE_I32] = {"i32", 4}, [PRUNE_BOOL] = {"bool", 1}, [PRUNE_I64] = {"i64", 8},   [PRUNE_F64] = {"f64", 8},
    [PRUNE_I8] = {"i8", 1},   [PRUNE_I16] = {"i16", 2},   [PRUNE_U16] = {"u16", 2},   [PRUNE_U32] = {"u32", 4},
};
#define DTYPES ((int32_t)(sizeof dtypes / sizeof *dtypes))

int64_t prune_dtype_size(int32_t dtype)
{
    return dtype > 0 && dtype < DTYPES ? dtypes[dtype].size : 0;
}

const char *prune_dtype_name(int32_t dtype)
{
    return dtype > 0 && dtype < DTYPES ? dtypes[dtype].name : "?";
}

int32_t prune_dtype_from_name(const char *name)
{
    for (int32_t i = 1; name && i < DTYPES; i++)
        if (!strcmp(name, dtypes[i].name))
            return i;
    return 0;
}

/* Rounds to a binary format of 1 + exponent + fraction = 16 bits: the significand is shifted to the format's last
 * place, and a carry out of it runs into the exponent, where it belongs. */
static uint16_t round_to(double value, int fraction)
{
    const int bias = (1 << (14 - fraction)) - 1, least = 1 - bias;
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint32_t sign = (uint32_t)(bits >> 63) << 15;
    uint32_t infinity = (uint32_t)(2 * bias + 1) << fraction;
    int exponent = (int)(bits >> 52 & 0x7ff) - 1023;
    uint64_t significand = bits & ((1ULL << 52) - 1);
    if (exponent == 1024 && significand)
        return (uint16_t)(sign | infinity | 1U << (fraction - 1) | (uint32_t)(significand >> (52 - fraction)));
    if (exponent > bias)
        return (uint16_t)(sign | infinity);
    if (exponent == -1023) /* far below half of the least subnormal */
        return (uint16_t)sign;
    int shift = 52 - fraction + (exponent < least ? least - exponent : 0);
    if (shift > 53)
        return (uint16_t)sign;
    significand |= 1ULL << 52;
    uint64_t kept = significand >> shift, rest = significand & ((1ULL << shift) - 1), half = 1ULL << (shift - 1);
    kept += rest > half || (rest == half && (kept & 1));
    if (exponent >= least)
        kept += (uint64_t)(exponent - least) << fraction;
    return (uint16_t)(sign | (uint32_t)kept);
}

uint16_t pr_f16_from_double(double value)
{
    return round_to(value, 10);
}

uint16_t pr_bf16_from_double(double value)
{
    return round_to(value, 7);
}

float pr_f16_to_float(uint16_t bits)
{
    uint32_t sign = (uint32_t)(bits & 0x8000) << 16, exponent = bits >> 10 & 0x1f, fraction = bits & 0x3ff, result;
    if (exponent == 0) { /* exact: the fraction counts units of 2^-24 */
        float magnitude = (float)fraction * 0x1p-24F;
        return sign ? -magnitude : magnitude;
    }
    result = sign | (exponent == 0x1f ? 0xff : exponent + 112) << 23 | fraction << 13;
    float value;
    memcpy(&value, &result, sizeof value);
    return value;
}

float pr_bf16_to_float(uint16_t bits)
{
    uint32_t wide = (uint32_t)bits << 16;
    float value;
    memcpy(&value, &wide, sizeof value);
    return value;
}

/* One loop for each type; `load` is written in terms of p, which points to the element. */
#define READ(type, load)                                                                                               \
    for (int64_t i = 0; i < count; i++) {                                                                              \
        const type *p = (const type *)data + i * stride;                                                               \
        out[i] = load;                                                                                                 \
    }                                                                                                                  \
    return

void pr_read_double(int32_t dtype, const void *data, int64_t stride, int64_t count, double *out)
{
    switch (dtype) {
    case PRUNE_F32:
        READ(float, (double)*p);
    case PRUNE_F16:
        READ(uint16_t, (double)pr_f16_to_float(*p));
    case PRUNE_BF16:
        READ(uint16_t, (double)pr_bf16_to_float(*p));
    case PRUNE_U8:
    case PRUNE_BOOL:
        READ(uint8_t, (double)*p);
    case PRUNE_I32:
        READ(int32_t, (double)*p);
    case PRUNE_I64:
        READ(int64_t, (double)*p);
    case PRUNE_F64:
        READ(double, *p);
    case PRUNE_I8:
        READ(int8_t, (double)*p);
    case PRUNE_I16:
        READ(int16_t, (double)*p);
    case PRUNE_U16:
        READ(uint16_t, (double)*p);
    case PRUNE_U32:
        READ(uint32_t, (double)*p);
    default:
        return;
    }
}

void pr_read_float(int32_t dtype, const void *data, int64_t stride, int64_t count, float *out)
{
    switch (dtype) {
    case PRUNE_F32:
        READ(float, *p);
    case PRUNE_F16:
        READ(uint16_t, pr_f16_to_float(*p));
    case PRUNE_BF16:
        READ(uint16_t, pr_bf16_to_float(*p));
    case PRUNE_U8:
    case PRUNE_BOOL:
        READ(uint8_t, (float)*p);
    case PRUNE_I32:
        READ(int32_t, (float)*p);
    case PRUNE_I64:
        READ(int64_t, (float)*p);
    case PRUNE_F64:
        READ(double, (float)*p);
    case PRUNE_I8:
        READ(int8_t, (float)*p);
    case PRUNE_I16:
        READ(int16_t, (float)*p);
    case PRUNE_U16:
        READ(uint16_t, (float)*p);
    case PRUNE_U32:
        READ(uint32_t, (float)*p);
    default:
        return;
    }
}

void pr_read_i64(int32_t dtype, const void *data, int64_t stride, int64_t count, int64_t *out)
{
    switch (dtype) {
    case PRUNE_U8:
    case PRUNE_BOOL:
        READ(uint8_t, (int64_t)*p);
    case PRUNE_I32:
        READ(int32_t, (int64_t)*p);
    case PRUNE_I64:
        READ(int64_t, *p);
    case PRUNE_I8:
        READ(int8_t, (int64_t)*p);
    case PRUNE_I16:
        READ(int16_t, (int64_t)*p);
    case PRUNE_U16:
        READ(uint16_t, (int64_t)*p);
    case PRUNE_U32:
        READ(uint32_t, (int64_t)*p);
    default:
        return;
    }
}

/* `fits` and `convert` are written in terms of v, the number. NaN fails every comparison, so it fits no integer. */
#define STORE(type, fits, convert)                                                                                     \
    for (int64_t i = 0; i < count; i++) {                                                                              \
        if (!(fits))                                                                                                   \
            return i;                                                                                                  \
        ((type *)data)[i * stride] = convert;                                                                          \
    }                                                                                                                  \
    return count
#define v in[i]

int64_t pr_store_double(int32_t dtype, void *data, int64_t stride, int64_t count, const double *in)
{
    switch (dtype) {
    case PRUNE_F32:
        STORE(float, 1, (float)v);
    case PRUNE_F16:
        STORE(uint16_t, 1, pr_f16_from_double(v));
    case PRUNE_BF16:
        STORE(uint16_t, 1, pr_bf16_from_double(v));
    case PRUNE_U8:
        STORE(uint8_t, v >= 0 && v <= 255 && v == (double)(uint8_t)v, (uint8_t)v);
    case PRUNE_BOOL:
        STORE(uint8_t, v == 0 || v == 1, (uint8_t)v);
    case PRUNE_I32:
        STORE(int32_t, v >= INT32_MIN && v <= INT32_MAX && v == (double)(int32_t)v, (int32_t)v);
    case PRUNE_I64:
        STORE(int64_t, v >= -0x1p63 && v < 0x1p63 && v == (double)(int64_t)v, (int64_t)v);
    case PRUNE_F64:
        STORE(double, 1, v);
    case PRUNE_I8:
        STORE(int8_t, v >= INT8_MIN && v <= INT8_MAX && v == (double)(int8_t)v, (int8_t)v);
    case PRUNE_I16:
        STORE(int16_t, v >= INT16_MIN && v <= INT16_MAX && v == (double)(int16_t)v, (int16_t)v);
    case PRUNE_U16:
        STORE(uint16_t, v >= 0 && v <= UINT16_MAX && v == (double)(uint16_t)v, (uint16_t)v);
    case PRUNE_U32:
        STORE(uint32_t, v >= 0 && v <= UINT32_MAX && v == (double)(uint32_t)v, (uint32_t)v);
    default:
        return 0;
    }
}

/* A double has 53 bits; where an integer has more, those below are folded into the last one, which keeps a following
 * rounding to fewer bits right. */
static double sticky(int64_t value)
{
    uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    if (magnitude >> 53)
        magnitude = (magnitude & ~0x7ffULL) | (magnitude & 0x7ff ? 0x800 : 0);
    return value < 0 ? -(double)magnitude : (double)magnitude;
}

int64_t pr_store_i64(int32_t dtype, void *data, int64_t stride, int64_t count, const int64_t *in)
{
    switch (dtype) {
    case PRUNE_F32:
        STORE(float, 1, (float)v);
    case PRUNE_F16:
        STORE(uint16_t, 1, pr_f16_from_double(sticky(v)));
    case PRUNE_BF16:
        STORE(uint16_t, 1, pr_bf16_from_double(sticky(v)));
    case PRUNE_U8:
        STORE(uint8_t, v >= 0 && v <= 255, (uint8_t)v);
    case PRUNE_BOOL:
        STORE(uint8_t, v == 0 || v == 1, (uint8_t)v);
    case PRUNE_I32:
        STORE(int32_t, v >= INT32_MIN && v <= INT32_MAX, (int32_t)v);
    case PRUNE_I64:
        STORE(int64_t, 1, v);
    case PRUNE_F64:
        STORE(double, 1, (double)v);
    case PRUNE_I8:
        STORE(int8_t, v >= INT8_MIN && v <= INT8_MAX, (int8_t)v);
    case PRUNE_I16:
        STORE(int16_t, v >= INT16_MIN && v <= INT16_MAX, (int16_t)v);
    case PRUNE_U16:
        STORE(uint16_t, v >= 0 && v <= UINT16_MAX, (uint16_t)v);
    case PRUNE_U32:
        STORE(uint32_t, v >= 0 && v <= UINT32_MAX, (uint32_t)v);
    default:
        return 0;
    }
}
