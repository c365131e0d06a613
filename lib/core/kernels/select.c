/* SPDX-License-Identifier: BSD-2-Clause */
#include <stddef.h>

#include "core/kernels/kernels.h"
#include "prune/context.h"

struct layer {
    uint32_t bits; /* all of them must be set */
    const char *name;
    const struct pr_kernels *table;
};

/* From the plainest to the widest. */
static const struct layer layers[] = {
    {PRUNE_CPU_SCALAR, "scalar", &pr_kernels_scalar},
#ifdef PR_HAVE_AVX2
    {PRUNE_CPU_AVX2, "avx2", &pr_kernels_avx2},
    {PRUNE_CPU_AVX2 | PRUNE_CPU_REPRODUCIBLE, "avx2", &pr_kernels_avx2_in_order},
#endif
#ifdef PR_HAVE_NEON
    {PRUNE_CPU_NEON, "neon", &pr_kernels_neon},
#endif
#ifdef PR_HAVE_AVX512
    {PRUNE_CPU_AVX512, "avx512", &pr_kernels_avx512},
#endif
};

#define LAYERS ((int)(sizeof layers / sizeof *layers))

/* Whether a layer's slots of this order may be used: free ones not in the reproducible mode, unless made for it. */
static int is_used(const struct layer *layer, uint32_t cpu_mask, enum pr_order order)
{
    if ((cpu_mask & layer->bits) != layer->bits)
        return 0;
    return order != PR_FREE || !(cpu_mask & PRUNE_CPU_REPRODUCIBLE) || (layer->bits & PRUNE_CPU_REPRODUCIBLE);
}

void pr_kernels_select(uint32_t cpu_mask, struct pr_kernels *out)
{
    *out = pr_kernels_scalar;
    for (int i = 1; i < LAYERS; i++) {
#define PR_KERNEL(slot, type, order)                                                                                   \
    if (layers[i].table->slot && is_used(&layers[i], cpu_mask, order))                                                 \
        out->slot = layers[i].table->slot;
#include "core/kernels/kernels.def"
#undef PR_KERNEL
    }
}

static int has_slot(const struct pr_kernels *table, enum pr_slot slot)
{
    switch (slot) {
#define PR_KERNEL(name, type, order)                                                                                   \
    case PR_SLOT_##name:                                                                                               \
        return table->name != NULL;
#include "core/kernels/kernels.def"
#undef PR_KERNEL
    default:
        return 0;
    }
}

const char *pr_kernels_origin(uint32_t cpu_mask, enum pr_slot slot)
{
    const char *name = layers[0].name;
    for (int i = 1; i < LAYERS; i++)
        if (is_used(&layers[i], cpu_mask, pr_slot_order(slot)) && has_slot(layers[i].table, slot))
            name = layers[i].name;
    return name;
}

const char *pr_slot_name(enum pr_slot slot)
{
    static const char *const names[] = {
#define PR_KERNEL(slot, type, order) #slot,
#include "core/kernels/kernels.def"
#undef PR_KERNEL
    };
    return names[slot];
}

enum pr_order pr_slot_order(enum pr_slot slot)
{
    static const enum pr_order orders[] = {
#define PR_KERNEL(slot, type, order) order,
#include "core/kernels/kernels.def"
#undef PR_KERNEL
    };
    return orders[slot];
}
