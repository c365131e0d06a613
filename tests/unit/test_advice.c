/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Advice: the ways to pack, by a table of speeds that the test gives.
 */
#include <math.h>

#include "base/rng.h"
#include "core/sparse/choice/speed.h"
#include "core/sparse/forms/form.h"
#include "testing.h"

#define ROWS 64
#define COLUMNS 96

static const char table[] = "prune-speeds 1\n"
                            "# a machine on which sparse pays below 0.4 for one column, below 0.2 for 64\n"
                            "cache 1000000 30000000\n"
                            "speed csr rows avx512 l2 1 0.1 2 0.6\n"
                            "speed csr rows avx512 l2 1 0.5 10 3\n"
                            "speed csr rows avx512 l2 64 0.1 4 0.6\n"
                            "speed csr rows avx512 l2 64 0.5 20 3\n"
                            "speed dense dense-strips avx512 l2 1 1 8 4\n"
                            "speed dense dense-strips avx512 l2 64 1 8 4\r\n"
                            "\n"
                            "speed nm nm24-strips avx512 l2 1 0.5 5 2.125\n"
                            "speed csr a-form-of-tomorrow avx512 l2 1 0.5 0.001 3\n"
                            "speed csr rows avx512 memory 1 0.5 1000 3";

static prune_context *context_with(const char *text)
{
    prune_context *context = NULL;
    OK(prune_context_create(&context));
    OK(prune_context_set_speeds(context, text, (int64_t)strlen(text)));
    return context;
}

static prune_tensor *weights_of(prune_context *context, double density)
{
    static float values[ROWS * COLUMNS];
    const int64_t shape[2] = {ROWS, COLUMNS};
    prune_tensor *tensor = NULL;
    for (int i = 0; i < ROWS * COLUMNS; i++) {
        double u = pr_rng_at(3, (uint64_t)i);
        values[i] = u < density ? (float)(u + 0.1) : 0;
    }
    OK(prune_tensor_borrow(&tensor, context, values, PRUNE_F32, 2, shape, NULL));
    return tensor;
}

static void expect_first(prune_context *context, double density, const char *spec, const char *format, const char *form)
{
    prune_tensor *weights = weights_of(context, density);
    prune_advice *advice = NULL;
    prune_packed *packed = NULL;
    OK(prune_packed_advise(&advice, weights, NULL, spec));
    OK(prune_packed_create(&packed, weights, NULL, spec));
    ck_assert_int_gt(prune_advice_count(advice), 0);
    ck_assert_str_eq(prune_advice_format(advice, 0), format);
    ck_assert_str_eq(prune_advice_form(advice, 0), form);
    ck_assert_str_eq(prune_packed_format(packed), format);
    ck_assert_str_eq(prune_packed_form(packed), form);
    for (int32_t i = 1; i < prune_advice_count(advice); i++) {
        double before = prune_advice_seconds(advice, i - 1), seconds = prune_advice_seconds(advice, i);
        ck_assert(seconds < 0 || (before >= 0 && before <= seconds)); /* what is not known comes last */
    }
    prune_packed_free(packed);
    prune_advice_free(advice);
    prune_tensor_free(weights);
}

START_TEST(the_fastest_way_of_the_table_is_taken)
{
    prune_context *context = context_with(table);
    expect_first(context, 0.1, "columns=1", "csr", "rows");
    expect_first(context, 0.3, "columns=1", "csr", "rows");
    expect_first(context, 0.7, "columns=1", "dense", "dense-strips");
    expect_first(context, 0.15, "columns=64", "csr", "rows");
    expect_first(context, 0.3, "columns=64", "dense", "dense-strips");
    expect_first(context, 0.7, "columns=1,format=csr", "csr", "rows");
    expect_first(context, 0.1, "columns=1,format=dense", "dense", "dense-strips");
    prune_context_free(context);
}
END_TEST

START_TEST(estimates_lie_between_those_measured)
{
    prune_context *context = context_with(table);
    prune_tensor *weights = weights_of(context, 0.3);
    prune_advice *advice = NULL;
    double elements = ROWS * COLUMNS;
    OK(prune_packed_advise(&advice, weights, NULL, "columns=8,format=csr,form=rows"));
    ck_assert_int_eq(prune_advice_count(advice), 1);
    double seconds = prune_advice_seconds(advice, 0), bytes = prune_advice_bytes(advice, 0);
    ck_assert(seconds > 8 * elements * 2e-12 && seconds < 8 * elements * 20e-12 + 2e-7);
    ck_assert(bytes > 0.6 * elements && bytes < 3 * elements);
    ck_assert_ptr_null(prune_advice_format(advice, 1));
    ck_assert_ptr_null(prune_advice_form(advice, -1));
    ck_assert(prune_advice_seconds(advice, 1) < 0);
    ck_assert(prune_advice_bytes(NULL, 0) < 0);
    ck_assert_int_eq(prune_advice_count(NULL), 0);
    prune_advice_free(advice);
    prune_advice_free(NULL);
    prune_tensor_free(weights);
    prune_context_free(context);
}
END_TEST

/* What one form is expected to take for a matrix of this shape, all kept. */
static double seconds_of(prune_context *context, int64_t rows, int64_t columns, const char *spec)
{
    static float values[1 << 20];
    const int64_t shape[2] = {rows, columns};
    prune_tensor *weights = NULL;
    prune_advice *advice = NULL;
    ck_assert_int_le(rows * columns, 1 << 20);
    for (int64_t i = 0; i < rows * columns; i++)
        values[i] = 1;
    OK(prune_tensor_borrow(&weights, context, values, PRUNE_F32, 2, shape, NULL));
    OK(prune_packed_advise(&advice, weights, NULL, spec));
    ck_assert_int_eq(prune_advice_count(advice), 1);
    double seconds = prune_advice_seconds(advice, 0);
    ck_assert(seconds > 0);
    prune_advice_free(advice);
    prune_tensor_free(weights);
    return seconds;
}

START_TEST(x_and_y_cost_by_the_shape_of_w)
{
    prune_context *context = context_with("prune-speeds 1\n"
                                          "cache 1000000 30000000\n"
                                          "speed dense dense-strips avx512 l2 1 1 8 4\n"
                                          "speed dense dense-tiles avx512 l2 64 1 8 4\n"
                                          "speed dense rows avx512 l2 64 1 8 0.4\n"
                                          "speed dense rows avx512 l3 64 1 80 0.4\n");
    static const char tiles[] = "columns=64,format=dense,form=dense-tiles";
    static const char rows[] = "columns=64,format=dense,form=rows",
                      strips[] = "columns=1,format=dense,form=dense-strips";
    /* As many elements; X of 16 x 4096 is 16 times that of 256 x 256. */
    ck_assert(seconds_of(context, 16, 4096, tiles) > 1.5 * seconds_of(context, 256, 256, tiles));
    ck_assert(seconds_of(context, 4096, 16, tiles) > 1.5 * seconds_of(context, 256, 256, tiles));
    /* Sixteen lanes take as long as the ten that are used. */
    ck_assert(seconds_of(context, 10, 4096, strips) > 0.95 * seconds_of(context, 16, 4096, strips));
    ck_assert(seconds_of(context, 32, 4096, strips) > 1.5 * seconds_of(context, 16, 4096, strips));
    /* Beyond the small matrix of the table, what is in the same cache comes near to what the large one took. */
    double small = seconds_of(context, 384, 512, rows) / (384 * 512);
    double middle = seconds_of(context, 500, 600, rows) / (500 * 600);
    ck_assert(seconds_of(context, 100, 512, rows) / (100 * 512) < 1.5 * small);
    ck_assert(middle > 1.1 * small && middle < 10 * small);
    prune_context_free(context);
}
END_TEST

START_TEST(patterns_are_offered_where_the_mask_has_them)
{
    prune_context *context = context_with(table);
    static float values[ROWS * COLUMNS];
    const int64_t shape[2] = {ROWS, COLUMNS};
    prune_tensor *weights = NULL;
    prune_advice *advice = NULL;
    for (int i = 0; i < ROWS * COLUMNS; i++)
        values[i] = (i + i / COLUMNS % 3) % 4 < 2 ? 1 : 0;
    OK(prune_tensor_borrow(&weights, context, values, PRUNE_F32, 2, shape, NULL));
    OK(prune_packed_advise(&advice, weights, NULL, NULL));
    ck_assert_str_eq(prune_advice_format(advice, 0), "nm:keep_n=2,group_m=4");
    ck_assert_str_eq(prune_advice_form(advice, 0), "nm24-strips");
    prune_advice_free(advice);
    prune_tensor_free(weights);
    prune_context_free(context);
}
END_TEST

START_TEST(a_table_with_a_mistake_is_refused_by_line)
{
    static const struct {
        const char *text, *word;
    } wrong[] = {
        {"", "line 1"},
        {"speeds", "prune-speeds 1"},
        {"prune-speeds 2\n", "prune-speeds 1"},
        {"prune-speeds 1\nfast csr", "line 2"},
        {"prune-speeds 1\n\nspeed csr rows avx512 l2 1 0.1 2", "line 3"},
        {"prune-speeds 1\nspeed csr rows avx512 l2 1 0.1 2 3 4", "line 2"},
        {"prune-speeds 1\nspeed csr rows sse l2 1 0.1 2 3", "avx512"},
        {"prune-speeds 1\nspeed csr rows avx2 l4 1 0.1 2 3", "memory"},
        {"prune-speeds 1\nspeed csr rows avx2 l2 0 0.1 2 3", "numbers"},
        {"prune-speeds 1\nspeed csr rows avx2 l2 1 1.5 2 3", "numbers"},
        {"prune-speeds 1\nspeed csr rows avx2 l2 1 0.5 nan 3", "numbers"},
        {"prune-speeds 1\nspeed csr rows avx2 l2 1 0.5 2 -3", "numbers"},
        {"prune-speeds 1\ncache 100", "cache"},
        {"prune-speeds 1\ncache 100 1e400", "cache"},
    };
    prune_context *context = NULL;
    OK(prune_context_create(&context));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        FAILS(prune_context_set_speeds(context, wrong[i].text, (int64_t)strlen(wrong[i].text)), PRUNE_E_FORMAT,
              wrong[i].word);
    FAILS(prune_context_set_speeds(context, table, -1), PRUNE_E_ARGUMENT, "bytes");
    FAILS(prune_context_set_speeds(NULL, table, 1), PRUNE_E_ARGUMENT, "NULL");
    OK(prune_context_set_speeds(context, table, (int64_t)strlen(table)));
    OK(prune_context_set_speeds(context, table, (int64_t)strlen(table))); /* the second takes the first one's place */
    OK(prune_context_set_speeds(context, NULL, 0));
    prune_tensor *weights = weights_of(context, 0.5);
    FAILS(prune_context_set_speeds(context, NULL, 0), PRUNE_E_ARGUMENT, "fixed");
    prune_tensor_free(weights);
    prune_context_free(context);
}
END_TEST

/* Windows without gaps hold a seventh of 4096 x 4096 at 90 %: less than the last cache, which the layer's neighbours
 * have filled all the same. */
START_TEST(a_layer_that_fills_the_last_cache_when_dense_comes_from_memory)
{
    const struct pr_speeds *speeds = pr_speeds_of(NULL);
    struct pr_product product = {.format = PR_SOURCE_CSR, .rows = 4096, .columns = 4096, .density = .1, .n = 1};
    struct pr_estimate memory, large, small, neighbours;
    int form = 0;
    while (pr_forms[form] != pr_form_named("windows-tight"))
        form++;
    product.l2_bytes = 1 << 20;
    product.l3_bytes = 1 << 22; /* the packed matrix does not fit */
    ck_assert(pr_speed_estimate(speeds, form, PRUNE_CPU_AVX2 | PRUNE_CPU_AVX512, &product, &memory));
    product.l3_bytes = 1 << 25; /* it does, the dense one does not */
    ck_assert(pr_speed_estimate(speeds, form, PRUNE_CPU_AVX2 | PRUNE_CPU_AVX512, &product, &large));
    product.l3_bytes = 1 << 28; /* so much is shared by many cores */
    ck_assert(pr_speed_estimate(speeds, form, PRUNE_CPU_AVX2 | PRUNE_CPU_AVX512, &product, &neighbours));
    ck_assert(large.seconds == memory.seconds && neighbours.seconds == memory.seconds);
    ck_assert(large.bytes > 1 << 22 && large.bytes < 1 << 25);
    product.rows = product.columns = 2048;
    ck_assert(pr_speed_estimate(speeds, form, PRUNE_CPU_AVX2 | PRUNE_CPU_AVX512, &product, &small));
    ck_assert(small.seconds < memory.seconds / 4);
}
END_TEST

START_TEST(what_cannot_be_advised_is_refused)
{
    prune_tensor *weights = weights_of(NULL, 0.5);
    prune_advice *advice = UNTOUCHED;
    prune_mask *mask = NULL;
    const int64_t shape[1] = {3};
    OK(prune_mask_create(&mask, NULL, 1, shape, 1));
    FAILS(prune_packed_advise(NULL, weights, NULL, NULL), PRUNE_E_ARGUMENT, "out");
    FAILS(prune_packed_advise(&advice, NULL, NULL, NULL), PRUNE_E_ARGUMENT, "weights");
    FAILS(prune_packed_advise(&advice, weights, mask, NULL), PRUNE_E_SHAPE, "");
    FAILS(prune_packed_advise(&advice, weights, NULL, "rows=3"), PRUNE_E_SPEC, "rows");
    ck_assert_ptr_eq(advice, UNTOUCHED);
    prune_mask_free(mask);
    prune_tensor_free(weights);
}
END_TEST

TEST_MAIN("advice", the_fastest_way_of_the_table_is_taken, estimates_lie_between_those_measured,
          x_and_y_cost_by_the_shape_of_w, patterns_are_offered_where_the_mask_has_them,
          a_table_with_a_mistake_is_refused_by_line, a_layer_that_fills_the_last_cache_when_dense_comes_from_memory,
          what_cannot_be_advised_is_refused)
