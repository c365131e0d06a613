/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/granularity/granularity.h"
#include "pruning.h"

static prune_mask *mask_of(int32_t rank, const int64_t *shape, const char *bits)
{
    uint8_t bytes[512];
    int64_t n = 0;
    prune_mask *mask;
    for (const char *p = bits; *p; p++)
        if (*p == '0' || *p == '1')
            bytes[n++] = (uint8_t)(*p - '0');
    OK(prune_mask_from_bytes(&mask, NULL, rank, shape, bytes, n));
    return mask;
}

static void expect_pattern(const char *granularity, int32_t rank, const int64_t *shape, const char *bits, int holds,
                           int64_t violation)
{
    prune_mask *mask = mask_of(rank, shape, bits);
    expect_check(granularity, mask, holds, violation);
    prune_mask_free(mask);
}

static void expect_counts(const char *granularity, int32_t rank, const int64_t *shape, int64_t units, int64_t pools,
                          const int64_t *grid)
{
    int64_t got_units = -7, got_pools = -7, got_grid[PRUNE_MAX_RANK] = {0};
    prune_granularity *g = cut(granularity);
    OK(prune_granularity_count(g, rank, shape, &got_units, &got_pools, got_grid));
    ck_assert_msg(got_units == units && got_pools == pools, "%s: %lld units, %lld pools", granularity,
                  (long long)got_units, (long long)got_pools);
    for (int32_t i = 0; i < rank; i++)
        ck_assert_msg(got_grid[i] == grid[i], "%s: axis %d has %lld units", granularity, i, (long long)got_grid[i]);
    OK(prune_granularity_count(g, rank, shape, NULL, NULL, NULL));
    prune_granularity_free(g);
}

START_TEST(counts_of_every_kind)
{
    const int64_t *conv = SHAPE(4, 6, 3, 3);
    expect_counts("element", 4, conv, 216, 1, conv);
    expect_counts("element:pool=row", 4, conv, 216, 4, conv);
    expect_counts("filter", 4, conv, 4, 1, SHAPE(4, 1, 1, 1));
    expect_counts("row", 4, conv, 4, 1, SHAPE(4, 1, 1, 1));
    expect_counts("column", 4, conv, 6, 1, SHAPE(1, 6, 1, 1));
    expect_counts("nm:keep_n=2,group_m=4", 4, conv, 216, 72, conv);
    expect_counts("nm:keep_n=2,group_m=4,axis=0", 4, conv, 216, 54, conv);
    expect_counts("nm:keep_n=2,group_m=4,axis=3", 4, conv, 216, 72, conv);
    expect_counts("kernel", 4, conv, 24, 1, SHAPE(4, 6, 1, 1));
    expect_counts("kernel", 3, SHAPE(4, 6, 5), 24, 1, SHAPE(4, 6, 1));
    expect_counts("in-channel", 4, conv, 6, 1, SHAPE(1, 6, 1, 1));
    expect_counts("vector:vector=3", 4, conv, 72, 1, SHAPE(4, 2, 3, 3));
    expect_counts("vector:vector=3,axis=3,pool=row", 4, conv, 72, 4, SHAPE(4, 6, 3, 1));
    expect_counts("vector:vector=2,axis=0,pool=row", 4, conv, 108, 2, SHAPE(2, 6, 3, 3));
    expect_counts("block:block=2x9", 4, conv, 12, 1, SHAPE(2, 6, 1, 1));
    expect_counts("block:block=2x9,pool=row", 4, conv, 12, 2, SHAPE(2, 6, 1, 1));
    expect_counts("balanced:processing_elements=4", 4, conv, 216, 1, conv);
    expect_counts("bank-balanced:bank=9", 4, conv, 216, 24, SHAPE(4, 54, 1, 1));
    expect_counts("filter", 1, SHAPE(7), 7, 1, SHAPE(7));
    expect_counts("nm:keep_n=1,group_m=3,axis=0", 1, SHAPE(7), 7, 3, SHAPE(7));
    expect_counts("element", 0, NULL, 1, 1, NULL);
}
END_TEST

START_TEST(remainders_are_units_and_pools_of_their_own)
{
    expect_counts("nm:keep_n=2,group_m=4", 2, SHAPE(3, 10), 30, 9, SHAPE(3, 10));
    expect_counts("nm:keep_n=2,group_m=4,unit_rows=4", 2, SHAPE(10, 10), 30, 9, SHAPE(3, 10));
    expect_counts("nm:keep_n=2,group_m=4,axis=0,unit_rows=4", 2, SHAPE(10, 9), 30, 9, SHAPE(10, 3));
    expect_counts("vector:vector=4", 2, SHAPE(3, 10), 9, 1, SHAPE(3, 3));
    expect_counts("vector:vector=64,axis=0", 2, SHAPE(3, 10), 10, 1, SHAPE(1, 10));
    expect_counts("block:block=4x4", 2, SHAPE(10, 9), 9, 1, SHAPE(3, 3));
    expect_counts("block:block=4x4,pool=row", 3, SHAPE(10, 3, 3), 9, 3, SHAPE(3, 3, 1));
    expect_counts("block:block=400x4", 2, SHAPE(10, 9), 3, 1, SHAPE(1, 3));
    expect_counts("bank-balanced:bank=4", 2, SHAPE(3, 10), 30, 9, SHAPE(3, 10));
    expect_counts("nm:keep_n=2,group_m=64", 2, SHAPE(3, 10), 30, 3, SHAPE(3, 10));
    expect_counts("nm:keep_n=2,group_m=4,unit_rows=64", 2, SHAPE(3, 10), 10, 3, SHAPE(1, 10));
}
END_TEST

START_TEST(tensors_without_elements)
{
    expect_counts("element", 2, SHAPE(0, 5), 0, 0, SHAPE(0, 5));
    expect_counts("element:pool=row", 2, SHAPE(5, 0), 0, 0, SHAPE(5, 0));
    expect_counts("filter", 2, SHAPE(5, 0), 0, 0, SHAPE(5, 0));
    expect_counts("nm:keep_n=2,group_m=4", 2, SHAPE(0, 0), 0, 0, SHAPE(0, 0));
    expect_counts("block:block=2x2,pool=row", 3, SHAPE(5, 0, 3), 0, 0, SHAPE(3, 0, 1));
    expect_counts("kernel", 3, SHAPE(5, 2, 0), 0, 0, SHAPE(5, 2, 0));
    expect_pattern("nm:keep_n=2,group_m=4", 2, SHAPE(0, 8), "", 1, -1);
    expect_pattern("balanced:processing_elements=4", 2, SHAPE(0, 8), "", 1, -1);
    expect_pattern("balanced:processing_elements=4", 2, SHAPE(8, 0), "", 1, -1);
    expect_pattern("bank-balanced:bank=4", 2, SHAPE(0, 8), "", 1, -1);
    expect_pattern("bank-balanced:bank=4", 2, SHAPE(8, 0), "", 1, -1);
    expect_pattern("filter", 2, SHAPE(8, 0), "", 1, -1);
}
END_TEST

START_TEST(shapes_beyond_memory_are_counted)
{
    int64_t most = INT64_MAX;
    expect_counts("element", 1, SHAPE(most), most, 1, SHAPE(most));
    expect_counts("filter", 2, SHAPE(2, most / 2), 2, 1, SHAPE(2, 1));
    expect_counts("nm:keep_n=1,group_m=2147483647,axis=0", 1, SHAPE(most), most, most / INT32_MAX + 1, SHAPE(most));
}
END_TEST

START_TEST(canonical_spec)
{
    const char *same[][2] = {
        {"element", "element"},
        {"element:pool=tensor", "element"},
        {"element:pool=row", "element:pool=row"},
        {"nm:group_m=4,keep_n=2", "nm:keep_n=2,group_m=4"},
        {"nm:unit_rows=4,axis=0,group_m=4e0,keep_n=+2", "nm:keep_n=2,group_m=4,axis=0,unit_rows=4"},
        {"nm:keep_n=2,group_m=4,axis=1,unit_rows=1", "nm:keep_n=2,group_m=4"},
        {"nm:keep_n=2,group_m=4,axis=-0", "nm:keep_n=2,group_m=4,axis=0"},
        {"vector:pool=tensor,vector=4,axis=1", "vector:vector=4"},
        {"block:pool=row,block=8", "block:block=8x8,pool=row"},
        {"block:block=4e0x1", "block:block=4x1"},
        {"filter", "filter"},
        {"row", "row"},
        {"column", "column"},
    };
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        prune_granularity *g = cut(same[i][0]);
        ck_assert_str_eq(prune_granularity_spec(g), same[i][1]);
        ck_assert_int_eq(prune_granularity_has_quota(g), strncmp(same[i][0], "nm", 2) == 0);
        prune_granularity_free(g);
    }
}
END_TEST

START_TEST(bad_specs)
{
    const char *bad[][2] = {
        {"", "granularity"},
        {"blocks", "element, nm, nm-transposable, vector, block, kernel, pattern, filter, in-channel, row"},
        {"elements", "\"elements\""},
        {"element:", "colon"},
        {"element:pools=row", "pools"},
        {"element:pool=column", "tensor|row"},
        {"element:pool", "no value"},
        {"element:pool=", "no value"},
        {"element:pool=row,", "comma"},
        {"element:pool=row,pool=row", "twice"},
        {"filter:axis=1", "none"},
        {"nm", "keep_n"},
        {"nm:keep_n=2", "group_m"},
        {"nm:keep_n=2,group_m=0", "group_m"},
        {"nm:keep_n=0,group_m=0", "keep_n"},
        {"nm:keep_n=0,group_m=4", "keep_n"},
        {"nm:keep_n=-1,group_m=4", "keep_n"},
        {"nm:keep_n=5,group_m=4", "above group_m=4"},
        {"nm:keep_n=2,group_m=4,axis=8", "axis"},
        {"nm:keep_n=2,group_m=4,axis=-1", "axis"},
        {"nm:keep_n=2,group_m=4,unit_rows=0", "unit_rows"},
        {"nm:keep_n=2.5,group_m=4", "whole number"},
        {"nm:keep_n=two,group_m=4", "two"},
        {"nm:keep_n=nan,group_m=4", "nan"},
        {"nm:keep_n=2,group_m=1e99", "group_m"},
        {"nm:keep_n=2, group_m=4", "unknown key"},
        {"vector", "vector"},
        {"vector:vector=0", "vector=0"},
        {"vector:vector=4,axis=-1", "axis"},
        {"vector:vector=4,pool=column", "tensor|row"},
        {"block", "\"block\" must be given"},
        {"block:block=0x4", "0x4"},
        {"block:block=4x0", "4x0"},
        {"block:block=4x", "such as 4x1"},
        {"block:block=x4", "such as 4x1"},
        {"block:block=4x4x4", "such as 4x1"},
        {"block:block=4.5x4", "such as 4x1"},
        {"block:block=-4", "-4"},
        {"kernel:rows=3", "none"},
        {"balanced", "processing_elements"},
        {"balanced:processing_elements=0", "processing_elements"},
        {"bank-balanced:bank=0", "bank"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        prune_granularity *g = UNTOUCHED;
        FAILS(prune_granularity_create(&g, NULL, bad[i][0]), PRUNE_E_SPEC, bad[i][1]);
        ck_assert_ptr_eq(g, UNTOUCHED);
    }
}
END_TEST

START_TEST(shapes_that_do_not_fit)
{
    const struct {
        const char *spec;
        int32_t rank;
        int64_t shape[9];
        int32_t status;
        const char *word;
    } bad[] = {
        {"nm:keep_n=2,group_m=4,axis=2", 2, {4, 4}, PRUNE_E_SHAPE, "axis=2"},
        {"nm:keep_n=2,group_m=4", 1, {4}, PRUNE_E_SHAPE, "axis=1"},
        {"nm:keep_n=2,group_m=4,axis=0", 0, {0}, PRUNE_E_SHAPE, "rank 0"},
        {"nm:keep_n=2,group_m=4,axis=0,unit_rows=2", 1, {4}, PRUNE_E_SHAPE, "unit_rows"},
        {"element:pool=row", 0, {0}, PRUNE_E_SHAPE, "rank"},
        {"filter", 0, {0}, PRUNE_E_SHAPE, "rank 1"},
        {"row", 1, {4}, PRUNE_E_SHAPE, "rank 2"},
        {"column", 1, {4}, PRUNE_E_SHAPE, "rank 2"},
        {"vector:vector=4,axis=2", 2, {4, 4}, PRUNE_E_SHAPE, "axis=2"},
        {"vector:vector=4", 1, {4}, PRUNE_E_SHAPE, "axis=1"},
        {"block:block=4x4", 1, {4}, PRUNE_E_SHAPE, "rank 2"},
        {"kernel", 2, {4, 4}, PRUNE_E_SHAPE, "rank 3"},
        {"in-channel", 1, {4}, PRUNE_E_SHAPE, "rank 2"},
        {"balanced:processing_elements=2", 0, {0}, PRUNE_E_SHAPE, "rank 1"},
        {"bank-balanced:bank=2", 1, {4}, PRUNE_E_SHAPE, "rank 2"},
        {"element", -1, {4}, PRUNE_E_SHAPE, "rank"},
        {"element", 9, {1, 1, 1, 1, 1, 1, 1, 1, 1}, PRUNE_E_SHAPE, "rank"},
        {"element", 2, {4, -4}, PRUNE_E_SHAPE, "-4"},
        {"element", 2, {INT64_MAX, 2}, PRUNE_E_OVERFLOW, "63 bits"},
        {"element", 3, {INT64_MAX, 2, 0}, PRUNE_E_OVERFLOW, "63 bits"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int64_t units = 77, pools = 77, grid[9] = {77, 77, 77, 77, 77, 77, 77, 77, 77};
        prune_granularity *g = cut(bad[i].spec);
        FAILS(prune_granularity_count(g, bad[i].rank, bad[i].shape, &units, &pools, grid), bad[i].status, bad[i].word);
        ck_assert(units == 77 && pools == 77);
        for (int j = 0; j < 9; j++)
            ck_assert_int_eq(grid[j], 77);
        prune_granularity_free(g);
    }
}
END_TEST

START_TEST(null_pointers)
{
    prune_granularity *g = UNTOUCHED;
    prune_mask *mask;
    int64_t number = 77;
    int32_t holds = 77;
    FAILS(prune_granularity_create(NULL, NULL, "element"), PRUNE_E_ARGUMENT, "out");
    FAILS(prune_granularity_create(&g, NULL, NULL), PRUNE_E_ARGUMENT, "spec");
    ck_assert_ptr_eq(g, UNTOUCHED);
    FAILS(prune_granularity_count(NULL, 1, SHAPE(4), &number, NULL, NULL), PRUNE_E_ARGUMENT, "granularity");
    g = cut("element");
    FAILS(prune_granularity_count(g, 1, NULL, &number, NULL, NULL), PRUNE_E_ARGUMENT, "shape");
    FAILS(prune_granularity_check(g, NULL, &holds, &number), PRUNE_E_ARGUMENT, "mask");
    OK(prune_mask_create(&mask, NULL, 1, SHAPE(4), 1));
    FAILS(prune_granularity_check(NULL, mask, &holds, &number), PRUNE_E_ARGUMENT, "granularity");
    ck_assert(number == 77 && holds == 77);
    OK(prune_granularity_check(g, mask, NULL, NULL));
    prune_mask_free(mask);
    prune_granularity_free(g);
    prune_granularity_free(NULL);
}
END_TEST

START_TEST(check_two_of_four)
{
    const char *nm = "nm:keep_n=2,group_m=4";
    expect_pattern(nm, 2, SHAPE(1, 8), "1001 0110", 1, -1);
    expect_pattern(nm, 2, SHAPE(1, 8), "1001 0000", 1, -1); /* fewer is allowed */
    expect_pattern(nm, 2, SHAPE(1, 8), "1001 0111", 0, 7);
    expect_pattern(nm, 2, SHAPE(2, 8), "1001 0110 1110 1111", 0, 10);
    expect_pattern(nm, 2, SHAPE(2, 8), "1111 1111 1111 1111", 0, 2);
}
END_TEST

START_TEST(check_two_of_four_with_remainders_as_in_tfmot)
{
    const char *nm = "nm:keep_n=2,group_m=4";
    expect_pattern(nm, 2, SHAPE(1, 6), "1100 11", 1, -1);
    expect_pattern(nm, 2, SHAPE(1, 7), "1100 111", 0, 6);
    expect_pattern(nm, 2, SHAPE(1, 7), "1100 110", 1, -1);
}
END_TEST

START_TEST(check_finds_the_first_pool_not_the_first_element)
{
    /* Along axis 0 the group of column 1 breaks the rule at element 5, that of column 0 at 8, and comes first. */
    const char *bits = "11 01 01 10 10 10 00";
    expect_pattern("nm:keep_n=2,group_m=7,axis=0", 2, SHAPE(7, 2), bits, 0, 8);
    expect_pattern("nm:keep_n=4,group_m=7,axis=0", 2, SHAPE(7, 2), bits, 1, -1);
}
END_TEST

START_TEST(check_shared_patterns)
{
    const char *nm = "nm:keep_n=2,group_m=4,unit_rows=2";
    expect_pattern(nm, 2, SHAPE(3, 4), "1100 1100 0011", 1, -1);
    expect_pattern(nm, 2, SHAPE(3, 4), "1100 1110 0011", 0, 6); /* differs from the row above */
    expect_pattern(nm, 2, SHAPE(3, 4), "1110 1110 0011", 0, 2); /* one too many */
    expect_pattern(nm, 2, SHAPE(3, 4), "1100 1100 0111", 0, 11);
    expect_pattern("nm:keep_n=1,group_m=2,axis=0,unit_rows=2", 2, SHAPE(2, 3), "110 001", 1, -1);
    expect_pattern("nm:keep_n=1,group_m=2,axis=0,unit_rows=2", 2, SHAPE(2, 3), "101 010", 0, 1);
}
END_TEST

START_TEST(check_slices)
{
    expect_pattern("filter", 3, SHAPE(3, 2, 2), "1111 0000 1111", 1, -1);
    expect_pattern("filter", 3, SHAPE(3, 2, 2), "1111 0010 1111", 0, 6);
    expect_pattern("row", 2, SHAPE(2, 3), "000 111", 1, -1);
    expect_pattern("row", 2, SHAPE(2, 3), "000 110", 0, 5);
    expect_pattern("column", 2, SHAPE(2, 3), "101 101", 1, -1);
    expect_pattern("column", 2, SHAPE(2, 3), "101 100", 0, 5);
    expect_pattern("column", 3, SHAPE(2, 3, 2), "11 00 11 11 00 11", 1, -1);
    expect_pattern("column", 3, SHAPE(2, 3, 2), "11 00 11 11 01 11", 0, 9);
    expect_pattern("element", 2, SHAPE(2, 3), "101 110", 1, -1);
    expect_pattern("element:pool=row", 2, SHAPE(2, 3), "101 110", 1, -1);
    expect_pattern("element", 0, NULL, "1", 1, -1);
}
END_TEST

START_TEST(check_needs_an_axis_that_is_there)
{
    prune_granularity *g = cut("nm:keep_n=2,group_m=4,axis=2");
    prune_mask *mask = mask_of(2, SHAPE(1, 4), "1111");
    int32_t holds = 77;
    int64_t violation = 77;
    FAILS(prune_granularity_check(g, mask, &holds, &violation), PRUNE_E_SHAPE, "axis");
    ck_assert(holds == 77 && violation == 77);
    prune_mask_free(mask);
    prune_granularity_free(g);
}
END_TEST

/* A kind that is not in the list: tiles of 2 x 3, of which 2 x 2 make a pool that keeps one. Nothing but its boxes is
 * needed for all that a granularity can do. */
static int32_t tiles(const struct pr_values *values, int32_t rank, const int64_t *shape, struct pr_cut *cut_out)
{
    (void)values;
    (void)rank;
    (void)shape;
    cut_out->unit[0] = 2, cut_out->unit[1] = 3;
    cut_out->pool[0] = 4, cut_out->pool[1] = 6;
    cut_out->quota = 1;
    return PRUNE_OK;
}

START_TEST(boxes_are_all_that_a_kind_says)
{
    const struct pr_granularity_kind kind = {.kind = {.name = "tiles", .help = "-"}, .has_quota = 1, .cut = tiles};
    char spec[] = "tiles";
    const prune_granularity g = {.kind = &kind, .spec = spec};
    const float w[5 * 8] = {
        1, 1, 1, 2, 0, 2, 5, 0, /* tiles 0, 1, 2 */
        1, 1, 1, 2, 0, 2, 0, 0, /* */
        3, 0, 0, 0, 0, 0, 0, 0, /* tiles 3, 4, 5 */
        0, 0, 0, 0, 0, 9, 0, 6, /* */
        1, 0, 0, 0, 0, 2, 0, 0, /* tiles 6, 7, 8, cut off */
    };
    int64_t units, pools, grid[2];
    OK(prune_granularity_count(&g, 2, SHAPE(5, 8), &units, &pools, grid));
    ck_assert(units == 9 && pools == 4 && grid[0] == 3 && grid[1] == 3);
    prune_tensor *weights = borrow(w, PRUNE_F32, 2, SHAPE(5, 8));
    prune_criterion *c;
    prune_scores *scores;
    prune_mask *mask;
    int32_t holds;
    OK(prune_criterion_create(&c, NULL, "l1"));
    OK(prune_criterion_score(&scores, c, weights, NULL, &g));
    const double due[] = {6, 8, 5, 3, 9, 6, 1, 2, 0};
    ck_assert_mem_eq(prune_tensor_const_data(prune_scores_values(scores)), due, sizeof due);
    OK(prune_mask_select(&mask, scores, PRUNE_QUOTA, 0));
    OK(prune_granularity_check(&g, mask, &holds, NULL));
    ck_assert_int_eq(holds, 1);
    expect_mask(mask, "00000000 00000000 00011111 00011111 00011111");
    mask = mask_of(2, SHAPE(5, 8), "11100000 11100000 00000011 00000011 11111100");
    int64_t violation;
    OK(prune_granularity_check(&g, mask, NULL, &violation));
    ck_assert_int_eq(violation, 35);
    prune_mask_free(mask);
    prune_scores_free(scores);
    prune_criterion_free(c);
    prune_tensor_free(weights);
}
END_TEST

START_TEST(a_pool_of_pieces_of_tiles)
{
    /* A pool that is the tensor holds the tiles that its edge cuts off. */
    prune_granularity *g = cut("element");
    struct pr_granularity_kind kind = *g->kind;
    kind.cut = tiles;
    g->kind = &kind;
    struct pr_grid grid;
    OK(pr_grid_make(&grid, g, 2, SHAPE(3, 5)));
    ck_assert(grid.units == 4 && grid.pools == 1);
    ck_assert_int_eq(pr_grid_least_pool(&grid), 4);
    OK(pr_grid_make(&grid, g, 2, SHAPE(5, 8)));
    ck_assert_int_eq(pr_grid_least_pool(&grid), 1);
    ck_assert_int_eq(pr_grid_unit_elements(&grid), 6);
    ck_assert_int_eq(pr_grid_pool_units(&grid), 4);
    OK(pr_grid_make(&grid, g, 2, SHAPE(0, 8)));
    ck_assert_int_eq(pr_grid_least_pool(&grid), 0);
    prune_granularity_free(g);
}
END_TEST

/* Every part of a pool, walked in pieces, gives the numbers that the whole walk gives. */
START_TEST(pools_can_be_walked_from_anywhere)
{
    struct pr_grid grid = {.rank = 3, .units = 5 * 6 * 7, .pools = 1};
    const int64_t extent[] = {5, 6, 7}, count[] = {3, 2, 4};
    struct pr_pool_at at = {.units = 24, .first = 1 * 42 + 3 * 7 + 2};
    int64_t numbers[24], n = 0;
    for (int i = 0, step = 42; i < 3; step /= i == 0 ? 6 : 7, i++) {
        grid.extent[i] = extent[i];
        grid.stride[i] = step;
        at.count[i] = count[i];
    }
    for (int64_t a = 0; a < 3; a++)
        for (int64_t b = 0; b < 2; b++)
            for (int64_t c = 0; c < 4; c++)
                numbers[n++] = at.first + a * 42 + b * 7 + c;
    for (int64_t skip = 0; skip < 24; skip++)
        for (int64_t length = 0; length <= 24 - skip; length++) {
            struct pr_pool_run run;
            int64_t seen = 0;
            for (pr_pool_run_start(&grid, &at, skip, length, &run); run.count; pr_pool_run_next(&run))
                for (int64_t i = 0; i < run.count; i++, seen++)
                    if (seen == length || run.first + i != numbers[skip + seen])
                        ck_abort_msg("%d of %d: unit %lld", (int)skip, (int)length, (long long)(run.first + i));
            ck_assert_int_eq(seen, length);
        }
}
END_TEST

TEST_MAIN("granularity", counts_of_every_kind, remainders_are_units_and_pools_of_their_own, tensors_without_elements,
          shapes_beyond_memory_are_counted, canonical_spec, bad_specs, shapes_that_do_not_fit, null_pointers,
          check_two_of_four, check_two_of_four_with_remainders_as_in_tfmot,
          check_finds_the_first_pool_not_the_first_element, check_shared_patterns, check_slices,
          check_needs_an_axis_that_is_there, boxes_are_all_that_a_kind_says, a_pool_of_pieces_of_tiles,
          pools_can_be_walked_from_anywhere)
