/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The mask as a constraint. Its state is one 32-bit word an element, all ones or zero: a bitwise AND leaves a number as
 * it is or makes it +0.0, whatever it was, NaN and -0.0 too.
 */
#include <string.h>

#include "model/train/train.h"

static void hold_one(uint32_t kept, float *number)
{
    uint32_t bits;
    memcpy(&bits, number, sizeof bits);
    bits &= kept;
    memcpy(number, &bits, sizeof bits);
}

static void hold(const void *state, int64_t begin, int64_t count, float *restrict w, float *restrict g,
                 float *restrict v)
{
    const uint32_t *restrict kept = (const uint32_t *)state + begin;
    int64_t i = 0;
    for (; i + 16 <= count; i += 16)
        for (int j = 0; j < 16; j++) {
            hold_one(kept[i + j], &w[i + j]);
            hold_one(kept[i + j], &g[i + j]);
            hold_one(kept[i + j], &v[i + j]);
        }
    for (; i < count; i++) {
        hold_one(kept[i], &w[i]);
        hold_one(kept[i], &g[i]);
        hold_one(kept[i], &v[i]);
    }
}

static void release(prune_context *context, void *state)
{
    pr_release(context, state);
}

static const struct pm_constraint_kind kind = {"mask", hold, release};

int32_t pm_constraint_mask(struct pm_constraint *out, prune_context *context, const prune_mask *mask)
{
    int64_t count = prune_mask_count(mask);
    uint8_t *bytes;
    uint32_t *kept;
    PR_TRY(pr_alloc(context, count, 1, &bytes));
    int32_t status = pr_alloc(context, count, sizeof *kept, &kept);
    if (!status) {
        status = prune_mask_to_bytes(mask, bytes, count);
        for (int64_t i = 0; !status && i < count; i++)
            kept[i] = bytes[i] ? UINT32_MAX : 0;
        if (status)
            pr_release(context, kept);
    }
    pr_release(context, bytes);
    if (!status)
        *out = (struct pm_constraint){&kind, kept};
    return status;
}
