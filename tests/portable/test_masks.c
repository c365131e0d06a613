/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The masks of everything that does no dense algebra, by their hashes: the same on every machine, for 1 and 4 threads,
 * under every CPU mask. What is right is tested elsewhere; this says that nothing moves it.
 *
 * PRINT=1 prints the rows of hashes.h as they are here.
 */
#include "world.h"

#include "hashes.h"

struct column {
    enum layer layer;
    const char *granularity;
    int32_t target;
    double amount;
};

/* The hash that a row has in a column; 0 stands for none. */
typedef uint64_t (*hash_fn)(const struct world *w, const char *row, int column);

static int compare(const struct world *w, const struct row *rows, int count, int columns, hash_fn hash)
{
    int differing = 0, print = getenv("PRINT") != NULL;
    for (int i = 0; i < count; i++) {
        if (print)
            printf("    {\"%s\", {", rows[i].name);
        for (int j = 0; j < columns; j++) {
            uint64_t is = hash(w, rows[i].name, j), due = rows[i].hashes[j];
            if (print)
                printf("%s0x%016llx", j ? ", " : "", (unsigned long long)is);
            else if (is != due)
                printf("%s, column %d: the mask has hash %016llx instead of %016llx\n", rows[i].name, j,
                       (unsigned long long)is, (unsigned long long)due);
            differing += is != due;
        }
        if (print)
            printf("}},\n");
    }
    return differing;
}

static void everywhere(const struct row *rows, int count, int columns, hash_fn hash, int with_large)
{
    static const uint32_t masks[] = {PRUNE_CPU_SCALAR, PRUNE_CPU_AVX2, PRUNE_CPU_AVX2 | PRUNE_CPU_AVX512,
                                     PRUNE_CPU_NEON};
    for (size_t i = 0; i < sizeof masks / sizeof *masks; i++)
        for (int32_t threads = 1; threads <= 4 && !(masks[i] & ~prune_cpu_detect()); threads += 3) {
            struct world w = world_create(threads, masks[i], with_large);
            int differing = compare(&w, rows, count, columns, hash);
            world_free(&w);
            ck_assert_msg(!differing, "%d masks differ with %d threads and CPU mask %x", differing, (int)threads,
                          (unsigned)masks[i]);
        }
}
#define EVERYWHERE(rows, columns, hash, with_large)                                                                    \
    everywhere(rows, (int)(sizeof(rows) / sizeof *(rows)), columns, hash, with_large)
#define COUNT(columns) ((int)(sizeof(columns) / sizeof *(columns)))

static uint64_t select_by(const struct world *w, const struct column *c, const char *criterion)
{
    prune_mask *mask;
    prune_scores *scores = score(w, c->layer, criterion, c->granularity);
    OK(prune_mask_select(&mask, scores, c->target, c->amount));
    prune_scores_free(scores);
    return hash_of(mask);
}

/* ---- every criterion by every granularity ---- */

static const struct column small_columns[] = {
    {MATRIX, "element", PRUNE_SPARSITY, 0.5},
    {MATRIX, "element:pool=row", PRUNE_SPARSITY, 0.7},
    {MATRIX, "nm:keep_n=2,group_m=4", PRUNE_QUOTA, 0},
    {MATRIX, "nm:keep_n=1,group_m=4,axis=0", PRUNE_QUOTA, 0},
    {MATRIX, "nm:keep_n=4,group_m=8,unit_rows=4", PRUNE_QUOTA, 0},
    {MATRIX, "nm-transposable:keep_n=2,group_m=4", PRUNE_QUOTA, 0},
    {MATRIX, "nm-transposable:keep_n=2,group_m=4,solver=greedy", PRUNE_QUOTA, 0},
    {MATRIX, "vector:vector=4", PRUNE_SPARSITY, 0.5},
    {MATRIX, "vector:vector=3,axis=0,pool=row", PRUNE_KEEP, 9},
    {MATRIX, "block:block=4x3", PRUNE_SPARSITY, 0.6},
    {MATRIX, "row", PRUNE_SPARSITY, 0.3},
    {MATRIX, "column", PRUNE_KEEP, 11},
    {MATRIX, "balanced:processing_elements=5", PRUNE_SPARSITY, 0.75},
    {MATRIX, "bank-balanced:bank=8", PRUNE_SPARSITY, 0.5},
    {IMAGES, "element", PRUNE_COUNT, 701},
    {IMAGES, "nm:keep_n=2,group_m=4", PRUNE_QUOTA, 0},
    {IMAGES, "kernel", PRUNE_SPARSITY, 0.5},
    {IMAGES, "pattern", PRUNE_QUOTA, 0},
    {IMAGES, "in-channel", PRUNE_SPARSITY, 0.4},
    {IMAGES, "filter", PRUNE_SPARSITY, 0.5},
};

static uint64_t small_hash(const struct world *w, const char *row, int column)
{
    return select_by(w, &small_columns[column], row);
}

START_TEST(criteria_by_granularities)
{
    ck_assert_int_le(COUNT(small_columns), COLUMNS);
    EVERYWHERE(small_rows, COUNT(small_columns), small_hash, 0);
}
END_TEST

/* ---- where work is cut over threads ---- */

static const struct column large_columns[] = {
    {LARGE, "element", PRUNE_SPARSITY, 0.9},
    {LARGE, "element:pool=row", PRUNE_SPARSITY, 0.5},
    {LARGE, "nm:keep_n=2,group_m=4", PRUNE_QUOTA, 0},
    {LARGE, "row", PRUNE_SPARSITY, 0.5},
};

static uint64_t large_hash(const struct world *w, const char *row, int column)
{
    return select_by(w, &large_columns[column], row);
}

START_TEST(large_tensors)
{
    EVERYWHERE(large_rows, COUNT(large_columns), large_hash, 1);
}
END_TEST

/* ---- magnitudes, straight from weights of every type, with infinities ---- */

static const struct column magnitude_columns[] = {
    {LARGE, "element", PRUNE_SPARSITY, 0.8},     {LARGE, "nm:keep_n=2,group_m=4", PRUNE_QUOTA, 0},
    {LARGE, "element", PRUNE_THRESHOLD, 0.5},    {LARGE, "element", PRUNE_QUALITY, 0.7},
    {MATRIX, "element", PRUNE_SPARSITY, 0.31},   {MATRIX, "nm:keep_n=3,group_m=5,axis=0", PRUNE_QUOTA, 0},
    {MATRIX, "element:pool=row", PRUNE_KEEP, 6}, {IMAGES, "element", PRUNE_QUALITY, 1.25},
};

static uint64_t magnitude_hash(const struct world *w, const char *row, int column)
{
    static const char *const names[] = {"f32", "f16", "bf16", "f64"};
    static const int32_t dtypes[] = {PRUNE_F32, PRUNE_F16, PRUNE_BF16, PRUNE_F64};
    const struct column *c = &magnitude_columns[column];
    prune_tensor *weights, *odd;
    prune_mask *mask;
    int type = 0;
    while (strcmp(names[type], row) != 0)
        type++;
    OK(prune_tensor_convert(&odd, w->weights[c->layer], PRUNE_F32));
    if (c->target != PRUNE_QUALITY) {
        float *data = prune_tensor_data(odd);
        data[5] = INFINITY;
        data[17] = -INFINITY;
        data[18] = -0.0f;
    }
    OK(prune_tensor_convert(&weights, odd, dtypes[type]));
    prune_granularity *g = cut(w, c->granularity);
    OK(prune_mask_magnitude(&mask, weights, g, c->target, c->amount));
    prune_granularity_free(g);
    prune_tensor_free(weights);
    prune_tensor_free(odd);
    return hash_of(mask);
}

START_TEST(magnitudes)
{
    EVERYWHERE(magnitude_rows, COUNT(magnitude_columns), magnitude_hash, 1);
}
END_TEST

/* ---- as other programs count, and among what is left ---- */

static uint64_t rule_hash(const struct world *w, const char *row, int column)
{
    static const char *const cuts[] = {"element", "filter", "element:pool=row", "element"};
    static const double sparsities[] = {0.37, 0.5, 0.25, 0.5};
    prune_mask *mask, *within = NULL;
    prune_scores *scores = score(w, IMAGES, column % 2 ? "l1" : "scale", cuts[column]);
    if (column == 3)
        OK(prune_mask_select(&within, scores, PRUNE_SPARSITY, 0.4));
    if (strcmp(row, "libprune") == 0 && !within)
        OK(prune_mask_select(&mask, scores, PRUNE_SPARSITY, sparsities[column]));
    else if (strcmp(row, "libprune") == 0)
        OK(prune_mask_select_within(&mask, scores, within, PRUNE_SPARSITY, sparsities[column]));
    else
        OK(prune_mask_select_like(&mask, scores, within, row, PRUNE_SPARSITY, sparsities[column]));
    prune_mask_free(within);
    prune_scores_free(scores);
    return hash_of(mask);
}

START_TEST(rules)
{
    EVERYWHERE(rule_rows, 4, rule_hash, 0);
}
END_TEST

/* ---- many tensors, one target ---- */

static const struct {
    const char *criterion, *granularity;
    int32_t target;
    double amount;
} selection_columns[] = {
    {"l1", "element", PRUNE_SPARSITY, 0.4},
    {"lamp", "element", PRUNE_SPARSITY, 0.9},
    {"l2:normalize=l2", "filter", PRUNE_SPARSITY, 0.5},
    {"taylor:normalize=standard", "filter", PRUNE_COUNT, 17},
    {"fisher:aggregate=mean,normalize=min-max", "vector:vector=4", PRUNE_SPARSITY, 0.15},
    {"l1:normalize=sum", "filter", PRUNE_BUDGET, 100},
    {"snip:normalize=max", "in-channel", PRUNE_SPARSITY, 0.5},
    {"l1:normalize=size", "filter", PRUNE_KEEP, 20},
};

static uint64_t selection_hash(const struct world *w, const char *row, int column)
{
    prune_selection *selection;
    prune_scores *scores[LARGE];
    uint64_t hash = 0;
    OK(prune_selection_create(&selection, w->context));
    for (int i = 0; i < LARGE; i++) {
        scores[i] = score(w, (enum layer)i, selection_columns[column].criterion, selection_columns[column].granularity);
        OK(prune_selection_add(selection, scores[i], NULL, 3.5 + i, NULL));
    }
    if (column == 2)
        OK(prune_selection_limit(selection, 1, 4, 12, 4));
    double nearest = 0;
    int32_t status = prune_selection_solve(selection, row, selection_columns[column].target,
                                           selection_columns[column].amount, &nearest);
    if (status == PRUNE_E_INFEASIBLE) /* as "uniform-plus" says of high sparsities; then the number that it names */
        memcpy(&hash, &nearest, sizeof hash);
    else
        OK(status);
    for (int i = 0; i < LARGE && !status; i++) {
        prune_mask *mask;
        OK(prune_selection_mask(&mask, selection, i));
        hash = hash * 31 + hash_of(mask);
    }
    prune_selection_free(selection);
    for (int i = 0; i < LARGE; i++)
        prune_scores_free(scores[i]);
    return hash;
}

START_TEST(selections)
{
    EVERYWHERE(selection_rows, COUNT(selection_columns), selection_hash, 0);
}
END_TEST

/* ---- orders of channels: the mask of the reordered weights ---- */

static uint64_t order_hash(const struct world *w, const char *row, int column)
{
    static const char *const cuts[] = {"nm:keep_n=2,group_m=4", "nm:keep_n=2,group_m=4,unit_rows=4",
                                       "nm:keep_n=1,group_m=3"};
    prune_order *order;
    prune_tensor *reordered;
    prune_mask *mask;
    enum layer layer = strcmp(row, "exact") == 0 ? IMAGES : MATRIX;
    prune_granularity *g = cut(w, cuts[column]);
    int32_t finished = 0;
    OK(prune_order_create(&order, w->weights[layer], g, row));
    OK(prune_order_search(order, 0, &finished));
    OK(prune_order_apply(&reordered, w->weights[layer], prune_order_axis(order), prune_order_channels(order),
                         prune_order_count(order)));
    prune_order_free(order);
    prune_criterion *criterion;
    prune_scores *scores;
    OK(prune_criterion_create(&criterion, w->context, "l1"));
    OK(prune_criterion_score(&scores, criterion, reordered, NULL, g));
    OK(prune_mask_select(&mask, scores, PRUNE_QUOTA, 0));
    prune_scores_free(scores);
    prune_criterion_free(criterion);
    prune_tensor_free(reordered);
    prune_granularity_free(g);
    return hash_of(mask);
}

START_TEST(orders)
{
    EVERYWHERE(order_rows, 3, order_hash, 0);
}
END_TEST

/* ---- what one machine hands to another ---- */

START_TEST(observations_of_another_byte_order_are_refused)
{
    struct world w = world_create(1, PRUNE_CPU_SCALAR, 0);
    prune_observations *o = UNTOUCHED;
    prune_tensor *saved;
    OK(prune_observations_save(&saved, w.observed[MATRIX][0]));
    unsigned char *bytes = prune_tensor_data(saved);
    for (int i = 0; i < 2; i++) { /* the mark is the word at byte 12 */
        unsigned char swap = bytes[12 + i];
        bytes[12 + i] = bytes[15 - i];
        bytes[15 - i] = swap;
    }
    FAILS(prune_observations_load(&o, w.context, bytes, prune_tensor_count(saved)), PRUNE_E_FORMAT, "byte order");
    ck_assert_ptr_eq(o, UNTOUCHED);
    prune_tensor_free(saved);
    world_free(&w);
}
END_TEST

TEST_MAIN("masks", criteria_by_granularities, large_tensors, magnitudes, rules, selections, orders,
          observations_of_another_byte_order_are_refused)
