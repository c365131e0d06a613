/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A magnitude is ranked by its bits as an integer: |a| < |b| as numbers and as bits are one.
 */
#include <stdint.h>
#include <string.h>

static inline uint64_t key_of(float weight)
{
    uint32_t bits;
    memcpy(&bits, &weight, sizeof bits);
    return bits & INT32_MAX;
}

static inline float number_of(uint64_t key)
{
    uint32_t bits = (uint32_t)key;
    float magnitude;
    memcpy(&magnitude, &bits, sizeof magnitude);
    return magnitude;
}

#define REAL float
#define KEY_OF key_of
#define NUMBER_OF number_of
#define LEAST 0.0f
#define SPLIT split_f32
#define KEEP_ABOVE keep_above_f32
#define ELEMENTS pr_elements_f32
#include "core/select/elements_tmpl.h"
