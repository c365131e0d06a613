/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The bodies of encoded.h once for each encoding. Include a vocabulary (vec_*.h) with e_load_*, e_one_*, windows
 * w_load and w_pick, and define SET(encoding, name) and WINDOWS first.
 */
#define VALUE float
#define LOAD(p) v_load(p)
#define ONE(p) (*(p))
#define OWN(name) name##_f32
#define SHARED(name) SET(f32, name)
#include "core/kernels/tmpl/encoded.h"

#define VALUE uint16_t
#define LOAD(p) e_load_f16(p)
#define ONE(p) e_one_f16(p)
#define OWN(name) name##_f16
#define SHARED(name) SET(f16, name)
#include "core/kernels/tmpl/encoded.h"

#define VALUE uint16_t
#define LOAD(p) e_load_bf16(p)
#define ONE(p) pr_decode_bf16(*(p))
#define OWN(name) name##_bf16
#define SHARED(name) SET(bf16, name)
#include "core/kernels/tmpl/encoded.h"

#define VALUE int8_t
#define LOAD(p) e_load_int8(p)
#define ONE(p) ((float)*(p))
#define OWN(name) name##_int8
#define SHARED(name) SET(int8, name)
#include "core/kernels/tmpl/encoded.h"
