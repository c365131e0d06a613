/* SPDX-License-Identifier: BSD-2-Clause
 *
 * libprune: score, select, mask, pack and run sparse weights. Includes every header of the core library; prune/model.h
 * is libprune-model's. Conventions that hold everywhere stand in prune/status.h.
 */
#ifndef PRUNE_PRUNE_H
#define PRUNE_PRUNE_H

#include "prune/advice.h"
#include "prune/check.h"
#include "prune/context.h"
#include "prune/convolution.h"
#include "prune/correct.h"
#include "prune/criterion.h"
#include "prune/curvature.h"
#include "prune/depthwise.h"
#include "prune/granularity.h"
#include "prune/kinds.h"
#include "prune/mask.h"
#include "prune/observe.h"
#include "prune/order.h"
#include "prune/packed.h"
#include "prune/products.h"
#include "prune/recover.h"
#include "prune/regularize.h"
#include "prune/select.h"
#include "prune/sparse.h"
#include "prune/status.h"
#include "prune/tensor.h"
#include "prune/version.h"

#endif
