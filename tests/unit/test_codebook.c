/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include "base/rng.h"
#include "base/sort.h"
#include "core/quantize/codebook.h"
#include "testing.h"

/* Han et al. 2016, Figure 3: sixteen weights in four clusters. */
START_TEST(clusters_of_deep_compression_figure_3)
{
    static const float ascending[] = {-1.08f, -1.03f, -0.98f, -0.91f, -0.14f, 0,     0,     0.05f,
                                      0.09f,  1.48f,  1.49f,  1.53f,  1.87f,  1.92f, 2.09f, 2.12f};
    static const float expected[] = {-1.00f, 0.00f, 1.50f, 2.00f};
    float centroids[4];
    OK(pr_kmeans(NULL, ascending, 16, centroids, 4));
    for (int i = 0; i < 4; i++)
        ck_assert_msg(fabsf(centroids[i] - expected[i]) < 1e-6f, "centroid %d is %.9g", i, (double)centroids[i]);
}
END_TEST

START_TEST(few_distinct_numbers_are_the_codebook)
{
    static const float values[] = {3, 0, -2, 3, 0.5f, -2, 0};
    float book[16];
    OK(pr_codebook_make(NULL, values, 7, book, 16));
    static const float expected[16] = {0, -2, 0.5f, 3};
    ck_assert_mem_eq(book, expected, sizeof book);
    int32_t used = pr_codebook_used(book, 16);
    ck_assert_int_eq(used, 4);
    ck_assert_int_eq(pr_codebook_code(book, used, -9), 1);
    ck_assert_int_eq(pr_codebook_code(book, used, -0.75f), 1); /* equally near: the lower */
    ck_assert_int_eq(pr_codebook_code(book, used, -0.7f), 2);
    ck_assert_int_eq(pr_codebook_code(book, used, 9), 3);
}
END_TEST

/* Each centroid is the mean of the numbers that are nearest to it, so that no round would change anything. */
START_TEST(clusters_are_a_fixed_point)
{
    enum { COUNT = 20000 };
    float *values = malloc(COUNT * sizeof *values), book[256];
    struct pr_rng rng;
    pr_rng_seed(&rng, 4);
    for (int i = 0; i < COUNT; i++)
        values[i] = (float)(pr_rng_uniform(&rng) + pr_rng_uniform(&rng) - 1);
    OK(pr_codebook_make(NULL, values, COUNT, book, 16));
    double sums[16] = {0};
    int counts[16] = {0};
    for (int i = 0; i < COUNT; i++) {
        int32_t code = pr_codebook_code(book, 16, values[i]);
        sums[code] += (double)values[i];
        counts[code]++;
    }
    for (int c = 1; c < 16; c++) {
        ck_assert(c == 1 || book[c] > book[c - 1]);
        ck_assert_int_gt(counts[c], 0);
        ck_assert_msg(fabs(sums[c] / counts[c] - (double)book[c]) < 1e-6, "centroid %d", c);
    }
    OK(pr_codebook_make(NULL, values, COUNT, book, 256));
    ck_assert_int_eq(pr_codebook_used(book, 256), 256);
    free(values);
}
END_TEST

START_TEST(nothing_at_all)
{
    float book[16] = {0};
    OK(pr_codebook_make(NULL, book, 0, book, 16));
    ck_assert_int_eq(pr_codebook_used(book, 16), 1);
}
END_TEST

START_TEST(sorting_by_key)
{
    static const float numbers[] = {1, -1, INFINITY, 0, -INFINITY, 1e-45f, -3e38f, 1};
    struct pr_keyed items[8], scratch[8];
    for (int i = 0; i < 8; i++)
        items[i] = (struct pr_keyed){pr_float_key(numbers[i]), i};
    pr_sort_keyed(items, scratch, 8, 4);
    for (int i = 1; i < 8; i++) {
        ck_assert(numbers[items[i].index] >= numbers[items[i - 1].index]);
        if (items[i].key == items[i - 1].key)
            ck_assert_int_gt(items[i].index, items[i - 1].index);
    }
    struct pr_rng rng;
    pr_rng_seed(&rng, 1);
    struct pr_keyed many[500], spare[500];
    for (int bytes = 1; bytes <= 8; bytes++) {
        for (int i = 0; i < 500; i++)
            many[i] =
                (struct pr_keyed){bytes == 8 ? pr_rng_next(&rng) : pr_rng_next(&rng) & ((1ULL << 8 * bytes) - 1), i};
        pr_sort_keyed(many, spare, 500, bytes);
        for (int i = 1; i < 500; i++)
            ck_assert(many[i].key > many[i - 1].key ||
                      (many[i].key == many[i - 1].key && many[i].index > many[i - 1].index));
    }
}
END_TEST

TEST_MAIN("codebooks", clusters_of_deep_compression_figure_3, few_distinct_numbers_are_the_codebook,
          clusters_are_a_fixed_point, nothing_at_all, sorting_by_key)
