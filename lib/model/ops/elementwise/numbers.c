/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <string.h>

#include "model/ops/elementwise/numbers.h"

int32_t pm_expect_dtype(const struct pm_call *call, int32_t input, uint32_t set)
{
    int32_t dtype = call->inputs[input].type.dtype;
    char text[160] = "";
    size_t used = 0;
    if (dtype > 0 && dtype < 32 && (set & PM_SET(dtype)))
        return PRUNE_OK;
    for (int32_t other = 1; other < 32; other++)
        if ((set & PM_SET(other)) && used + 8 < sizeof text) {
            const char *name = prune_dtype_name(other);
            if (used)
                text[used++] = ' ';
            memcpy(text + used, name, strlen(name) + 1);
            used += strlen(name);
        }
    return pr_fail(PRUNE_E_DTYPE, "input %d is %s; it must be one of %s", (int)input, prune_dtype_name(dtype), text);
}

int32_t pm_expect_same_dtype(const struct pm_call *call, int32_t a, int32_t b)
{
    int32_t first = call->inputs[a].type.dtype, second = call->inputs[b].type.dtype;
    if (first == second)
        return PRUNE_OK;
    return pr_fail(PRUNE_E_DTYPE, "input %d is %s and input %d is %s; they must have the same type", (int)a,
                   prune_dtype_name(first), (int)b, prune_dtype_name(second));
}

enum pm_domain pm_domain_of(int32_t dtype)
{
    if (dtype == PRUNE_F64)
        return PM_F64;
    return dtype == PRUNE_F32 || dtype == PRUNE_F16 || dtype == PRUNE_BF16 ? PM_F32 : PM_I64;
}

int pm_is_direct(enum pm_domain domain, int32_t dtype)
{
    return (domain == PM_F32 && dtype == PRUNE_F32) || (domain == PM_F64 && dtype == PRUNE_F64) ||
           (domain == PM_I64 && dtype == PRUNE_I64);
}

static float float_of_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static uint32_t bits_of_float(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static float from_f16(uint16_t bits)
{
    uint32_t sign = (uint32_t)(bits & 0x8000) << 16, exponent = bits >> 10 & 31, fraction = bits & 0x3ff;
    if (exponent == 31)
        return float_of_bits(sign | 0x7f800000 | fraction << 13);
    if (exponent)
        return float_of_bits(sign | (exponent + 112) << 23 | fraction << 13);
    return (sign ? -1.0f : 1.0f) * (float)fraction * 0x1p-24f;
}

static uint16_t to_f16(float value)
{
    uint32_t bits = bits_of_float(value), sign = bits >> 16 & 0x8000;
    bits &= 0x7fffffff;
    if (bits > 0x7f800000)
        return (uint16_t)(sign | 0x7e00);
    if (bits >= 0x47800000)
        return (uint16_t)(sign | 0x7c00);
    /* A subnormal result: adding 0.5 leaves its 10 bits, rounded to nearest even, at the end of the sum's fraction. */
    if (bits < 0x38800000)
        return (uint16_t)(sign | (bits_of_float(float_of_bits(bits) + 0.5f) - 0x3f000000));
    bits += 0xfff + (bits >> 13 & 1);
    return (uint16_t)(sign | ((bits >> 13) - (112u << 10)));
}

static float from_bf16(uint16_t bits)
{
    return float_of_bits((uint32_t)bits << 16);
}

static uint16_t to_bf16(float value)
{
    uint32_t bits = bits_of_float(value);
    if ((bits & 0x7fffffff) > 0x7f800000)
        return (uint16_t)(bits >> 16 | 0x40);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

/* The float next to `value` on either side whose last bit is odd, unless a float has it: what is rounded to fewer bits
 * from there comes out as if it had been rounded once. */
static float odd_float(double value)
{
    float near = (float)value;
    if ((double)near == value || value != value)
        return near;
    uint32_t bits = bits_of_float(near);
    if (!(bits & 1))
        bits += fabs((double)near) < fabs(value) ? 1 : UINT32_MAX;
    return float_of_bits(bits);
}

/* The same of a whole number, of which a double may not hold the last 11 bits. */
static float odd_whole(int64_t value)
{
    if (value > -((int64_t)1 << 53) && value < (int64_t)1 << 53)
        return odd_float((double)value);
    return odd_float((double)((value & ~(int64_t)0x7ff) | (value & 0x7ff ? 0x800 : 0)));
}

static float as_is_f32(float value)
{
    return value;
}

/* From a stored type to the three domains. */
#define FROM(number, type, decode)                                                                                     \
    case number: {                                                                                                     \
        const type *from = (const type *)data + at;                                                                    \
        if (domain == PM_F32)                                                                                          \
            for (int64_t i = 0; i < n; i++)                                                                            \
                chunk->f32[i] = (float)decode(from[i]);                                                                \
        else if (domain == PM_F64)                                                                                     \
            for (int64_t i = 0; i < n; i++)                                                                            \
                chunk->f64[i] = (double)decode(from[i]);                                                               \
        else                                                                                                           \
            for (int64_t i = 0; i < n; i++)                                                                            \
                chunk->i64[i] = (int64_t)decode(from[i]);                                                              \
        break;                                                                                                         \
    }

/* Eight at a time, which becomes vector code at every level of optimisation. */
static void widen(const float *from, int64_t n, double *to)
{
    int64_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (int j = 0; j < 8; j++)
            to[i + j] = (double)from[i + j];
    for (; i < n; i++)
        to[i] = (double)from[i];
}

static void narrow(const double *from, int64_t n, float *to)
{
    int64_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (int j = 0; j < 8; j++)
            to[i + j] = (float)from[i + j];
    for (; i < n; i++)
        to[i] = (float)from[i];
}

const void *pm_load(enum pm_domain domain, int32_t dtype, const void *data, int64_t at, int64_t n,
                    union pm_chunk *chunk)
{
    if (pm_is_direct(domain, dtype))
        return (const char *)data + at * prune_dtype_size(dtype);
    if (domain == PM_F64 && dtype == PRUNE_F32) {
        widen((const float *)data + at, n, chunk->f64);
        return chunk;
    }
    switch (dtype) {
        FROM(PRUNE_F32, float, as_is_f32)
        FROM(PRUNE_F64, double, )
        FROM(PRUNE_F16, uint16_t, from_f16)
        FROM(PRUNE_BF16, uint16_t, from_bf16)
        FROM(PRUNE_U8, uint8_t, )
        FROM(PRUNE_BOOL, uint8_t, )
        FROM(PRUNE_I8, int8_t, )
        FROM(PRUNE_I16, int16_t, )
        FROM(PRUNE_U16, uint16_t, )
        FROM(PRUNE_I32, int32_t, )
        FROM(PRUNE_U32, uint32_t, )
        FROM(PRUNE_I64, int64_t, )
    default:
        break;
    }
    return chunk;
}

static int64_t cut(double value, double least, double most)
{
    if (value != value)
        return 0;
    if (value <= least)
        return (int64_t)least;
    /* 2^63 itself is no int64_t. */
    if (value >= most)
        return most >= 0x1p63 ? INT64_MAX : (int64_t)most;
    return (int64_t)value;
}

#define TO(number, type, least, most)                                                                                  \
    case number: {                                                                                                     \
        type *to = (type *)data + at;                                                                                  \
        if (domain == PM_I64)                                                                                          \
            for (int64_t i = 0; i < n; i++)                                                                            \
                to[i] = (type)((const int64_t *)numbers)[i];                                                           \
        else if (domain == PM_F64)                                                                                     \
            for (int64_t i = 0; i < n; i++)                                                                            \
                to[i] = (type)cut(((const double *)numbers)[i], least, most);                                          \
        else                                                                                                           \
            for (int64_t i = 0; i < n; i++)                                                                            \
                to[i] = (type)cut((double)((const float *)numbers)[i], least, most);                                   \
        break;                                                                                                         \
    }

#define TO_FLOAT(number, type, whole, narrowed, encode)                                                                \
    case number: {                                                                                                     \
        type *to = (type *)data + at;                                                                                  \
        if (domain == PM_I64)                                                                                          \
            for (int64_t i = 0; i < n; i++)                                                                            \
                to[i] = (type)encode(whole(((const int64_t *)numbers)[i]));                                            \
        else if (domain == PM_F64)                                                                                     \
            for (int64_t i = 0; i < n; i++)                                                                            \
                to[i] = (type)encode(narrowed(((const double *)numbers)[i]));                                          \
        else                                                                                                           \
            for (int64_t i = 0; i < n; i++)                                                                            \
                to[i] = (type)encode(((const float *)numbers)[i]);                                                     \
        break;                                                                                                         \
    }

void pm_store(enum pm_domain domain, const void *numbers, int64_t n, int32_t dtype, void *data, int64_t at)
{
    int64_t size = prune_dtype_size(dtype);
    if (pm_is_direct(domain, dtype)) {
        if ((char *)data + at * size != (const char *)numbers)
            memmove((char *)data + at * size, numbers, (size_t)(n * size));
        return;
    }
    if (domain == PM_F64 && dtype == PRUNE_F32) {
        narrow(numbers, n, (float *)data + at);
        return;
    }
    switch (dtype) {
        TO_FLOAT(PRUNE_F32, float, (float), (float), )
        TO_FLOAT(PRUNE_F16, uint16_t, odd_whole, odd_float, to_f16)
        TO_FLOAT(PRUNE_BF16, uint16_t, odd_whole, odd_float, to_bf16)
        TO_FLOAT(PRUNE_F64, double, , , (double))
        TO(PRUNE_U8, uint8_t, 0, UINT8_MAX)
        TO(PRUNE_BOOL, uint8_t, 0, 1)
        TO(PRUNE_I8, int8_t, INT8_MIN, INT8_MAX)
        TO(PRUNE_I16, int16_t, INT16_MIN, INT16_MAX)
        TO(PRUNE_U16, uint16_t, 0, UINT16_MAX)
        TO(PRUNE_I32, int32_t, INT32_MIN, INT32_MAX)
        TO(PRUNE_U32, uint32_t, 0, UINT32_MAX)
        TO(PRUNE_I64, int64_t, -0x1p63, 0x1p63)
    default:
        break;
    }
}

double pm_number(int32_t dtype, const void *data, int64_t at)
{
    union pm_chunk one;
    return *(const double *)pm_load(PM_F64, dtype, data, at, 1, &one);
}

int64_t pm_whole(int32_t dtype, const void *data, int64_t at)
{
    union pm_chunk one;
    return *(const int64_t *)pm_load(PM_I64, dtype, data, at, 1, &one);
}
