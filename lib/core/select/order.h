/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Channel orders from the inside: libprune only.
 *
 * A search sees the tensor as a matrix of magnitudes, one column a channel. A window is a few groups; a deal is one way
 * to distribute the channels of a window over its groups again. A kind says which deals there are; rounds evaluate the
 * windows whose groups have changed and apply the deals that gain most.
 */
#ifndef PR_CORE_ORDER_H
#define PR_CORE_ORDER_H

#include "base/alloc.h"
#include "base/rng.h"
#include "base/spec.h"
#include "prune/order.h"

#define PR_ORDER_MAX_GROUP 32  /* channels of a group that is permuted */
#define PR_ORDER_MAX_GROUPS 8  /* groups of a window */
#define PR_ORDER_MAX_WINDOW 64 /* channels of a window */

/* What every search that goes step by step has: how wide, how often again, and from which seed. */
#define PR_ORDER_SEARCH_PARAMETERS                                                                                     \
    {.name = "block",                                                                                                  \
     .type = PR_WHOLE,                                                                                                 \
     .standard = "512",                                                                                                \
     .least = 0,                                                                                                       \
     .most = INT32_MAX,                                                                                                \
     .help = "channels that are searched together at most; 0 for all"},                                                \
        {.name = "regressions",                                                                                        \
         .type = PR_WHOLE,                                                                                             \
         .standard = "0",                                                                                              \
         .least = 0,                                                                                                   \
         .most = INT32_MAX,                                                                                            \
         .help = "how often to go on from a random change of the best order"},                                         \
    {                                                                                                                  \
        .name = "seed", .type = PR_WHOLE, .standard = "1", .least = 0, .most = 0x1p53, .help = "of the random changes" \
    }
#define PR_ORDER_MAX_DEALS 100000
#define PR_ORDER_LANES 8 /* partial sums over rows, always as many, so that sums have the same bits everywhere */

/* Magnitudes of units, channel by channel: magnitude[channel * stride + row]; rows up to the stride are 0. */
struct pr_order_matrix {
    int32_t axis;
    int64_t columns, rows, stride;
    int64_t group_m, keep_n; /* group_m at most columns, keep_n at most group_m */
    double *magnitude, total;
};

/* The deals of windows of one composition. A subset is a set of places of the window, as bits; part k of a deal is the
 * subset that group k gets. Deal 0 leaves everything where it is. */
struct pr_order_deals {
    int32_t groups, places, sizes[PR_ORDER_MAX_GROUPS];
    int32_t subset_count;
    uint64_t *subsets;
    int64_t count;
    int32_t *parts; /* count x groups, numbers of subsets */
};

struct pr_order_kind {
    struct pr_kind kind;
    int32_t (*prepare)(prune_order *order); /* checks the sizes, makes what the rounds need */
    int32_t (*round)(prune_order *order);   /* sets `finished` when nothing is left to try */
};

struct prune_order {
    prune_context *context;
    const struct pr_order_kind *kind;
    struct pr_values values;
    char *spec;
    struct pr_order_matrix matrix;
    int64_t groups;
    int64_t *channels, *best; /* where the search stands, and the best order so far */
    double *group_value;      /* what each group retains as the search stands */
    double before, best_value;
    int32_t finished;
    /* Rounds over windows: */
    int64_t window_groups, block, regressions; /* settings */
    int64_t regressions_done;
    struct pr_rng rng;
    struct pr_order_deals deals[PR_ORDER_MAX_GROUPS + 1]
                               [2]; /* by groups of the window, and whether the last is short */
    int64_t windows;
    int32_t *members; /* windows x window_groups, ascending; -1 after the last */
    double *gain;     /* of the window's best deal; 0 for none */
    int32_t *choice;
    uint8_t *fresh;   /* gain and choice are of the groups as they are */
    uint8_t *touched; /* groups */
    double *scratch;  /* for each task the values of its window's subsets */
    int64_t scratch_size, tasks;
};

extern const struct pr_kind *const pr_order_kinds[];
extern const int32_t pr_order_kind_count;

/* order_matrix.c */
int32_t pr_order_matrix_make(struct pr_order_matrix *matrix, const prune_tensor *weights,
                             const prune_granularity *granularity);
/* What a group of these channels retains, over all rows. */
double pr_order_retained(const struct pr_order_matrix *matrix, const int64_t *columns, int64_t count);

/* order_deals.c: every way to deal, or, for two groups, to swap two places; freed by the caller, also on failure. */
int32_t pr_order_deals_all(prune_context *context, struct pr_order_deals *deals, int32_t groups, const int32_t *sizes);
int32_t pr_order_deals_swaps(prune_context *context, struct pr_order_deals *deals, int32_t groups,
                             const int32_t *sizes);
/* How many pr_order_deals_all makes, as far as a double can count. */
double pr_order_deals_count(int32_t groups, const int32_t *sizes);

/* order_windows.c: what the kinds with windows share. */
typedef int32_t (*pr_order_deals_fn)(prune_context *context, struct pr_order_deals *deals, int32_t groups,
                                     const int32_t *sizes);
int32_t pr_order_windows_prepare(prune_order *order, pr_order_deals_fn make);
int32_t pr_order_windows_round(prune_order *order);

/* order.c */
static inline int64_t pr_order_group_size(const prune_order *order, int64_t group)
{
    int64_t left = order->matrix.columns - group * order->matrix.group_m;
    return left < order->matrix.group_m ? left : order->matrix.group_m;
}
/* The search stands at `channels`: groups that change are touched. In a group channels are put in ascending order. */
void pr_order_stand_at(prune_order *order, const int64_t *channels);
/* What all groups retain as the search stands; and takes it as the best when it is. */
double pr_order_value(const prune_order *order);
void pr_order_note_best(prune_order *order);
void pr_order_sort(int64_t *channels, int64_t count);
/* order_apply.c */
int32_t pr_order_check_permutation(prune_context *context, const char *function, const int64_t *channels,
                                   int64_t count);

#endif
