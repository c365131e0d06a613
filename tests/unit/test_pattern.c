/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Patterns of masks, against counting element by element.
 */
#include "base/rng.h"
#include "core/sparse/choice/pattern.h"
#include "testing.h"

static uint64_t draws;

static int draw(int below)
{
    return (int)(pr_rng_at(5, draws++) * below);
}

static int slow_is_nm(const prune_mask *mask, int64_t rows, int64_t columns, int keep_n, int group_m)
{
    for (int64_t row = 0; row < rows; row++)
        for (int64_t first = 0; first < columns; first += group_m) {
            int kept = 0;
            for (int64_t c = first; c < first + group_m && c < columns; c++)
                kept += pr_mask_get(mask, row * columns + c);
            if (kept > keep_n)
                return 0;
        }
    return 1;
}

static int slow_alike(const prune_mask *mask, int64_t rows, int64_t columns, int64_t unit)
{
    for (int64_t i = 0; i < rows * columns; i++)
        if (pr_mask_get(mask, i) != pr_mask_get(mask, i / columns / unit * unit * columns + i % columns))
            return 0;
    return 1;
}

/* Mostly with the pattern, sometimes with one element too many or one row that differs. */
static prune_mask *make(int64_t rows, int64_t columns, int keep_n, int group_m, int unit)
{
    const int64_t shape[2] = {rows, columns};
    prune_mask *mask = NULL;
    OK(prune_mask_create(&mask, NULL, 2, shape, 0));
    for (int64_t row = 0; row < rows; row++)
        for (int64_t c = 0, left = 0; c < columns; c++) {
            left = c % group_m ? left : keep_n;
            int keep = left > 0 && draw(2);
            if (row % unit)
                keep = pr_mask_get(mask, row / unit * unit * columns + c);
            if (draw(400) == 0)
                keep = !keep;
            if (keep)
                pr_mask_keep(mask, row * columns + c);
            left -= keep;
        }
    return mask;
}

START_TEST(patterns_are_found_where_they_are)
{
    int found[2] = {0}, alike[2] = {0};
    for (int i = 0; i < 4000; i++) {
        int64_t rows = 1 + draw(8), columns = 1 + draw(150);
        int group_m = 2 << draw(4), keep_n = 1 + draw(group_m), unit = 1 + draw(4);
        prune_mask *mask = make(rows, columns, keep_n, group_m, unit);
        int is_nm = slow_is_nm(mask, rows, columns, keep_n, group_m), is_alike = slow_alike(mask, rows, columns, unit);
        ck_assert_int_eq(pr_pattern_is_nm(mask, rows, columns, keep_n, group_m), is_nm);
        ck_assert_int_eq(pr_pattern_rows_alike(mask, rows, columns, unit), is_alike);
        found[is_nm]++;
        alike[is_alike]++;
        prune_mask_free(mask);
    }
    ck_assert_int_gt(found[0], 200); /* so that the test says something */
    ck_assert_int_gt(found[1], 200);
    ck_assert_int_gt(alike[0], 200);
    ck_assert_int_gt(alike[1], 200);
}
END_TEST

START_TEST(a_matrix_without_elements_has_every_pattern)
{
    const int64_t shapes[2][2] = {{0, 5}, {5, 0}};
    for (int i = 0; i < 2; i++) {
        prune_mask *mask = NULL;
        OK(prune_mask_create(&mask, NULL, 2, shapes[i], 0));
        ck_assert_int_eq(pr_pattern_is_nm(mask, shapes[i][0], shapes[i][1], 1, 4), 1);
        ck_assert_int_eq(pr_pattern_rows_alike(mask, shapes[i][0], shapes[i][1], 4), 1);
        prune_mask_free(mask);
    }
}
END_TEST

TEST_MAIN("pattern", patterns_are_found_where_they_are, a_matrix_without_elements_has_every_pattern)
