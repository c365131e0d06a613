/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/granularity/key.h"

#define REAL double
#define KEY_OF pr_score_key
#define NUMBER_OF pr_key_score
#define LEAST (-INFINITY)
#define SPLIT split_f64
#define KEEP_ABOVE keep_above_f64
#define ELEMENTS pr_elements_f64
#include "core/select/elements_tmpl.h"
