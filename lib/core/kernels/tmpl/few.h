/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The widths of tile for which half vectors do: the same under every instruction set.
 */
#ifndef PR_KERNELS_TMPL_FEW_H
#define PR_KERNELS_TMPL_FEW_H

#include "core/kernels/few.h"
#include "core/kernels/groups.h"
#include "core/kernels/tmpl/few_vec.h"
#include "core/kernels/tmpl/loops.h"

#define ROWS_NAME rows_4
#define WIDTH 4
#define VECTORS 1
#define CHAINS 8
#define STEP 8
#include "core/kernels/tmpl/few_rows.h"

#define ROWS_NAME rows_8
#define WIDTH 8
#define VECTORS 1
#define CHAINS 8
#define STEP 8
#include "core/kernels/tmpl/few_rows.h"

#define ROWS_NAME rows_24
#define WIDTH 8
#define VECTORS 3
#define CHAINS 4
#define STEP 4
#include "core/kernels/tmpl/few_rows.h"

#define PAIRS_NAME pairs_4
#define WIDTH 4
#define VECTORS 1
#define CHAINS 4
#include "core/kernels/tmpl/few_pairs.h"

#define PAIRS_NAME pairs_8
#define WIDTH 8
#define VECTORS 1
#define CHAINS 4
#include "core/kernels/tmpl/few_pairs.h"

#define PAIRS_NAME pairs_24
#define WIDTH 8
#define VECTORS 3
#define CHAINS 2
#include "core/kernels/tmpl/few_pairs.h"

#endif
