/* SPDX-License-Identifier: BSD-2-Clause
 *
 * libprune-model: files, networks, training, cost and reports. Includes every header of that library.
 */
#ifndef PRUNE_MODEL_H
#define PRUNE_MODEL_H

#include "prune/compare.h"
#include "prune/cost.h"
#include "prune/file.h"
#include "prune/graph.h"
#include "prune/matrix.h"
#include "prune/network.h"
#include "prune/pruner.h"
#include "prune/report.h"
#include "prune/session.h"
#include "prune/stream.h"
#include "prune/train.h"

#endif
