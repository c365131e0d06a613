/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Recovery without training: the weights that stay are changed to make up for those that go, so that the layer's
 * outputs on observed inputs change as little as possible.
 *
 * Weights are out x in; of a convolution's OIHW weights axis 0 is out and the others together are in, and the inputs
 * that were observed are rows of im2col. With the Gram matrix G = X'X of the inputs, replacing W by W' costs the layer
 * error sum over rows of (w' - w) G (w' - w)', the summed squares of the change of the outputs. Papers that write half
 * of w H w' have H = 2 G.
 *
 *   "obs:method=exact"   Optimal Brain Surgeon (Hassibi and Stork 1993) for a given mask: of each row all weights go at
 *                        once and the others take their best values, by a Cholesky factor of the kept block; rows with
 *                        one mask share it. "method=greedy" removes them one after another with an inverse that is
 *                        downdated each time; the ends differ by rounding. Where it chooses the mask, that is by one
 *                        ranking of the criterion obs, units of any granularity
 *   "exact"              the best mask there is, by trying all: single weights, pools within a row (nm, or element with
 *                        pool=row), at most 20 weights of a row gone and 200000 ways to choose them. Chooses masks only
 *   "sparsegpt"             SparseGPT (Frantar and Alistarh 2023): columns from left to right; the columns to the right
 *                           make up for what a column loses. block=128 columns are taken at once. The mask is given, or
 *                           chosen: mask=sparsegpt for a block at a time (groups of N:M: one at a time) by
 *                           w^2 / [U_jj]^2 of the weights as they stand then, U'U the inverse of G, each block its
 *                           share of the target and all together exactly the target; mask=wanda or mask=l1 beforehand
 *                           by |w| |x_j| or |w|. count=reference counts as the authors' program does: the score
 *                           numbered int(n s), from 0, and all below it go, which is one more in each block. Works in
 *                           float, weights of F64 in double
 *   "obc"                   Optimal Brain Compression (Frantar and Alistarh 2022): the unit that costs least goes, the
 *                           rest of its rows make up for it, and so on. Units of rows that share their pattern go
 *                           together. Where a pool is one such strip of rows, it keeps the target itself; where it is
 *                           all of the rows (element), the cheapest steps of all rows are taken, whichever rows they
 *                           are in: element:pool=row keeps the rows apart. Pools of several strips and less than all
 *                           columns, and patterns that are not cut into boxes, are PRUNE_E_UNSUPPORTED.
 *                           PRUNE_THRESHOLD takes units that cost less than the amount. For a given mask: its exact
 *                           repair, as obs does it
 *   "dsnot"                 after DSnoT (Zhang et al. 2024): from a mask by Wanda (mask=l1: by magnitude), swaps of a
 *                           removed and a kept weight of a row and pool while that lowers the error, swaps=50 a row at
 *                           most; the error is that of G, not of means and variances. Kept weights stay as they are.
 *                           Single elements only; chooses masks only
 *
 *   "least-squares"         for a given mask the weights that stay take their best values: as obs, but also towards
 *                           other targets, see below
 *   "lasso"                 channel selection of He et al. 2017. Channel i with its weights scaled to norm 1
 *                           contributes z_i to the outputs y; beta makes 1/(2 n) |y - sum beta_i z_i|^2 + lambda
 *                           |beta|_1 least, n = samples times outputs. lambda is doubled until fewer than N are not 0,
 *                           N being how many are to stay, then bisected until N to (1 + slack) N are (slack=0.1). The N
 *                           that contribute most stay, or with count=window all of them; then least squares. rounds=R
 *                           does this R times, with fewer channels and fitted weights each time
 *   "thinet"                ThiNet (Luo et al. 2017): channel after channel goes, the one with which all that have gone
 *                           add up to least; then close=scale (one factor for each channel that stays, by least
 *                           squares; the damping is of its matrix), close=least-squares (of all weights) or
 *                           close=nothing
 *   "subset"                the exact best channels: least squares of every subset, at most 200000
 *
 * lasso, thinet and subset choose input channels: the granularity is in-channel or column, PRUNE_THRESHOLD is
 * PRUNE_E_ARGUMENT. Of equals the lower channel goes first.
 *
 * Targets. These three and least-squares can fit the layer to outputs Y other than its own: those of the layer before
 * anything was pruned, say, while X comes from the network as it is now, so that errors of earlier layers are made good
 * too. Then rows of [x y], in + out numbers, are observed as inputs. The layer error, in reports as well, is then
 * |Y - X W'|^2; a copy of G is taken beside the memory=B below. Damping pulls towards the weights that there are: it
 * never makes the error grow.
 *
 * Parameters that second-order kinds share:
 *
 *   damping=D   D times the mean of G's diagonal (over the columns that are not dead) is added to the diagonal. 0 takes
 *               G as it is; where that is not positive definite, PRUNE_E_VALUE names the column and its pivot
 *   memory=B    bytes for matrices of columns x columns; vectors of rows and of columns come on top. What needs more
 *               is worked in blocks of columns, which takes longer and may give more error, but is not refused
 *
 * A dead column is one whose inputs were all 0: G has a 0 on the diagonal there. Its weights say nothing about the
 * outputs; obs, least-squares, lasso and subset leave those that are kept as they are,
 * sparsegpt, obc and dsnot set all of them to 0.
 *
 * The dense algebra is done by OpenBLAS where it can be loaded, with the threads that the host has given it, and by a
 * slower built-in otherwise. So results are not the same bits everywhere.
 */
#ifndef PRUNE_RECOVER_H
#define PRUNE_RECOVER_H

#include <stdint.h>

#include "prune/select.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct prune_recovery prune_recovery;

/* What a recovery has found out. Immutable. */
typedef struct prune_repair prune_repair;

/* From a spec string, see prune/kinds.h, registry "recoveries"; and its canonical form, the recovery's own memory. */
PRUNE_API int32_t prune_recovery_create(prune_recovery **out, prune_context *context, const char *spec);
PRUNE_API const char *prune_recovery_spec(const prune_recovery *recovery);

/* PRUNE_OBSERVE_* bits of what must be observed: for prune_observations_create. 0 for NULL. */
PRUNE_API int32_t prune_recovery_needs(const prune_recovery *recovery);

/* Whether it repairs weights for a given mask, and whether it chooses masks: 1 or 0. */
PRUNE_API int32_t prune_recovery_repairs(const prune_recovery *recovery);
PRUNE_API int32_t prune_recovery_chooses(const prune_recovery *recovery);

PRUNE_API void prune_recovery_free(prune_recovery *recovery);

/* Changes `weights` (F32, F16, BF16 or F64, rank 2 or more, any strides): pruned elements of `mask` (same shape) become
 * +0.0, kept ones what makes up for them. `report` may be NULL, which saves the work of the true error. On any failure
 * the weights are what they were: PRUNE_E_SHAPE when mask or observations do not fit, PRUNE_E_ARGUMENT when something
 * was not observed, PRUNE_E_VALUE for weights that are NaN or infinite, for a matrix that is not positive definite and
 * for results that the weights' type cannot hold, PRUNE_E_UNSUPPORTED for a kind that only chooses,
 * PRUNE_E_CANCELLED. */
PRUNE_API int32_t prune_recovery_repair(prune_tensor *weights, const prune_recovery *recovery, const prune_mask *mask,
                                        const prune_observations *observations, prune_repair **report);

/* Chooses the mask and repairs in one go. Granularity, target and amount are those of prune_mask_select. On failure as
 * above; *mask is untouched too. */
PRUNE_API int32_t prune_recovery_prune(prune_tensor *weights, prune_mask **mask, const prune_recovery *recovery,
                                       const prune_granularity *granularity, int32_t target, double amount,
                                       const prune_observations *observations, prune_repair **report);

/* What can be asked of a report. Errors are of the undamped problem unless said otherwise. The condition number is that
 * of the damped G in the 1-norm, of thinet's close=scale that of the system for the factors; where memory=B does not
 * hold all of G at once, the largest of those of its blocks. */
#define PRUNE_REPAIR_DAMPING 1      /* what was added to the diagonal of G */
#define PRUNE_REPAIR_CONDITION 2    /* an estimate, see below; 0 where no system is solved */
#define PRUNE_REPAIR_DEAD_COLUMNS 3 /* how many */
#define PRUNE_REPAIR_PREDICTED 4    /* the layer error that the method's own (damped) problem promises */
#define PRUNE_REPAIR_ERROR 5        /* the layer error of the weights as they are now stored */
#define PRUNE_REPAIR_PLAIN_ERROR 6  /* that of pruning by the same mask without repair */
#define PRUNE_REPAIR_MEMORY 7       /* bytes taken at most beside the copy of the weights */
#define PRUNE_REPAIR_SAMPLES 8      /* samples that were observed */

/* PRUNE_E_ARGUMENT for a number that is none of these. */
PRUNE_API int32_t prune_repair_get(const prune_repair *report, int32_t what, double *value);
PRUNE_API void prune_repair_free(prune_repair *report);

#ifdef __cplusplus
}
#endif
#endif
