/* SPDX-License-Identifier: BSD-2-Clause
 *
 * N:M of every group of 2, 4, 8 and 16, and values in 16 and 8 bits: products against what is stored, and what is
 * stored against what was given.
 */
#include "reference.h"

#include "core/kernels/encodings.h"

static const char *const encodings[] = {"f32", "f16", "bf16", "int8"};

static const uint32_t masks[] = {PRUNE_CPU_SCALAR, PRUNE_CPU_AVX2, PRUNE_CPU_AVX2 | PRUNE_CPU_AVX512};

struct matrix {
    int64_t rows, columns;
    float *values;
    prune_context *context;
    prune_tensor *tensor;
    struct pr_rng rng;
};

static void make(struct matrix *w, int64_t rows, int64_t columns, uint32_t cpu)
{
    const int64_t shape[2] = {rows, columns};
    *w = (struct matrix){.rows = rows, .columns = columns};
    w->values = calloc((size_t)(rows * columns + 1), sizeof(float));
    pr_rng_seed(&w->rng, (uint64_t)(rows * 131 + columns));
    OK(prune_context_create(&w->context));
    OK(prune_context_set_cpu(w->context, cpu));
    OK(prune_tensor_borrow(&w->tensor, w->context, w->values, PRUNE_F32, 2, shape, NULL));
}

static void drop(struct matrix *w)
{
    prune_tensor_free(w->tensor);
    prune_context_free(w->context);
    free(w->values);
}

static float random_weight(struct matrix *w)
{
    return (float)(2 * pr_rng_uniform(&w->rng) - 1);
}

/* Up to keep_n of each group_m, the same ones in unit_rows neighbouring rows. */
static void fill_nm(struct matrix *w, int keep_n, int group_m, int unit_rows)
{
    for (int64_t row = 0; row < w->rows; row++)
        for (int64_t first = 0; first < w->columns; first += group_m)
            for (int64_t k = first, kept = 0; k < first + group_m && k < w->columns; k++) {
                int keep = row % unit_rows
                               ? w->values[(row - row % unit_rows) * w->columns + k] != 0
                               : kept < keep_n && pr_rng_below(&w->rng, (uint64_t)group_m) < (uint64_t)keep_n;
                kept += keep;
                if (keep)
                    w->values[row * w->columns + k] = random_weight(w);
            }
}

static void fill_random_sparse(struct matrix *w, double density)
{
    for (int64_t i = 0; i < w->rows * w->columns; i++)
        if (pr_rng_uniform(&w->rng) < density)
            w->values[i] = random_weight(w);
}

/* Both layouts against what the object says that it stores. */
static void check_products(const struct matrix *w, const prune_packed *packed, int64_t n)
{
    prune_tensor *tensor;
    struct pr_rng rng;
    int extra = strcmp(prune_packed_values(packed), "int8") == 0;
    OK(prune_packed_to_tensor(&tensor, packed));
    const float *stored = prune_tensor_const_data(tensor);
    float *x = guarded_floats(0, w->columns * n, 1), *y = guarded_floats(1, w->rows * n, 1);
    pr_rng_seed(&rng, (uint64_t)n);
    for (int batch = 0; batch < 2; batch++) {
        fill_random(&rng, x, w->columns * n, 0);
        if (batch)
            OK(prune_packed_run_batch(packed, y, w->rows, x, w->columns, n, NULL));
        else
            OK(prune_packed_run(packed, y, n, x, n, n, NULL));
        for (int64_t i = 0; i < w->rows; i++)
            for (int64_t j = 0; j < n; j++) {
                double sum = 0, size = 0;
                int64_t products = extra;
                for (int64_t k = 0; k < w->columns; k++) {
                    double product =
                        (double)stored[i * w->columns + k] * (double)(batch ? x[j * w->columns + k] : x[k * n + j]);
                    sum += product;
                    size += fabs(product);
                    products += stored[i * w->columns + k] != 0;
                }
                float value = batch ? y[j * w->rows + i] : y[i * n + j];
                if (!(fabs((double)value - sum) <= gamma_of(products) * size))
                    ck_abort_msg("%s of %s, n %lld: y(%lld, %lld) = %.9g, %.9g expected", prune_packed_form(packed),
                                 prune_packed_values(packed), (long long)n, (long long)i, (long long)j, (double)value,
                                 sum);
            }
    }
    prune_tensor_free(tensor);
}

static void check_spec(const struct matrix *w, const char *spec, const char *values, const char *form)
{
    static const int64_t ns[] = {1, 2, 3, 5, 16, 33};
    prune_packed *packed;
    OK(prune_packed_create(&packed, w->tensor, NULL, spec));
    ck_assert_str_eq(prune_packed_values(packed), values);
    if (form)
        ck_assert_str_eq(prune_packed_form(packed), form);
    for (int i = 0; i < 6; i++)
        check_products(w, packed, ns[i]);
    prune_packed_free(packed);
}

START_TEST(every_n_of_every_m_plain_and_shared_by_rows)
{
    static const int units[] = {1, 2, 4, 8};
    for (int m = 0; m < 3; m++)
        for (int group_m = 2; group_m <= 16 && (masks[m] & ~prune_cpu_detect()) == 0; group_m *= 2)
            for (int keep_n = 1; keep_n <= group_m; keep_n++) {
                int unit_rows = units[(keep_n + group_m + m) % 4], e = (keep_n + m) % 4;
                struct matrix w;
                char spec[120];
                make(&w, 67 + keep_n, 45 + group_m, masks[m]);
                fill_nm(&w, keep_n, group_m, unit_rows);
                snprintf(spec, sizeof spec, "format=nm,form=nm-strips,keep_n=%d,group_m=%d,unit_rows=%d,values=%s",
                         keep_n, group_m, unit_rows, encodings[e]);
                check_spec(&w, spec, encodings[e], "nm-strips");
                drop(&w);
            }
}
END_TEST

/* 1:4, 2:4, 2:8 and 4:8 over matrices long enough for whole words, in every encoding, shared by 1 to 8 rows. */
START_TEST(patterns_with_loops_of_their_own)
{
    static const int patterns[][2] = {{1, 4}, {2, 4}, {2, 8}, {4, 8}}, units[] = {1, 2, 4, 8};
    for (int m = 0; m < 3; m++)
        for (int i = 0; i < 16 && (masks[m] & ~prune_cpu_detect()) == 0; i++) {
            struct matrix w;
            char spec[120];
            int keep_n = patterns[i % 4][0], group_m = patterns[i % 4][1], e = i / 4;
            make(&w, 130, 523, masks[m]);
            fill_nm(&w, keep_n, group_m, units[(i + e) % 4]);
            snprintf(spec, sizeof spec, "format=nm,keep_n=%d,group_m=%d,unit_rows=%d,values=%s", keep_n, group_m,
                     units[(i + e) % 4], encodings[e]);
            check_spec(&w, spec, encodings[e], NULL);
            drop(&w);
        }
}
END_TEST

START_TEST(csr_and_dense_in_every_encoding)
{
    static const char *const specs[] = {"format=csr",           "format=csr,columns=64",
                                        "format=csr,form=rows", "format=csr,form=windows",
                                        "format=dense",         "format=dense,columns=64"};
    static const int64_t shapes[][2] = {{67, 131}, {1, 300}, {200, 1}, {3, 0}};
    for (int m = 0; m < 3; m++)
        for (int s = 0; s < 6 && (masks[m] & ~prune_cpu_detect()) == 0; s++)
            for (int e = 1; e < 4; e++)
                for (int i = 0; i < 4; i++) {
                    struct matrix w;
                    char spec[120];
                    make(&w, shapes[i][0], shapes[i][1], masks[m]);
                    fill_random_sparse(&w, s < 4 ? 0.3 : 1);
                    snprintf(spec, sizeof spec, "%s,values=%s", specs[s], encodings[e]);
                    check_spec(&w, spec, encodings[e], NULL);
                    drop(&w);
                }
}
END_TEST

/* F16 and BF16 as the conversion of tensors rounds; INT8 as the nearest multiple of a scale that is just large enough.
 */
START_TEST(what_is_stored_is_the_nearest)
{
    static const char *const formats[] = {"format=dense", "format=csr", "format=nm"};
    for (int e = 1; e < 4; e++)
        for (int f = 0; f < 3; f++) {
            struct matrix w;
            char spec[60];
            prune_packed *packed;
            prune_tensor *narrow, *rounded, *back;
            make(&w, 70, 90, prune_cpu_detect());
            fill_nm(&w, 2, 4, 1);
            for (int64_t i = 0; i < 20; i++) /* far from 1, below the normal numbers of F16 too */
                w.values[i * 90] *= (float)ldexp(1, (int)i - 22);
            snprintf(spec, sizeof spec, "%s,values=%s", formats[f], encodings[e]);
            OK(prune_packed_create(&packed, w.tensor, NULL, spec));
            OK(prune_packed_to_tensor(&back, packed));
            OK(prune_tensor_convert(&narrow, w.tensor, e == 1 ? PRUNE_F16 : PRUNE_BF16));
            OK(prune_tensor_convert(&rounded, narrow, PRUNE_F32));
            const float *got = prune_tensor_const_data(back), *expected = prune_tensor_const_data(rounded);
            for (int64_t row = 0; row < 70; row++) {
                double most = 0;
                for (int64_t k = 0; k < 90; k++)
                    most = fmax(most, fabs((double)w.values[row * 90 + k]));
                for (int64_t k = 0; k < 90; k++) {
                    double value = (double)w.values[row * 90 + k], stored = (double)got[row * 90 + k];
                    if (e < 3)
                        ck_assert(stored == (double)expected[row * 90 + k]);
                    else
                        ck_assert(fabs(stored - value) <= most / 127 * 0.5 * (1 + 0x1p-14));
                    if (e == 3 && fabs(value) == most)
                        ck_assert(fabs(stored - value) <= most * 0x1p-15);
                }
            }
            prune_tensor_free(back);
            prune_tensor_free(rounded);
            prune_tensor_free(narrow);
            prune_packed_free(packed);
            drop(&w);
        }
}
END_TEST

/* Halves go to the even neighbour, on both sides of 0; the scale of a row with 127 in it is 1. */
START_TEST(int8_rounds_halves_to_even)
{
    static const float row[] = {127, 0.5f, 1.5f, 2.5f, -0.5f, -1.5f, -2.5f, 126.5f, -127, 0.4999f, -3};
    static const float expected[] = {127, 0, 2, 2, 0, -2, -2, 126, -127, 0, -3};
    struct matrix w;
    prune_packed *packed;
    prune_tensor *back;
    make(&w, 1, 11, prune_cpu_detect());
    memcpy(w.values, row, sizeof row);
    OK(prune_packed_create(&packed, w.tensor, NULL, "format=dense,values=int8"));
    OK(prune_packed_to_tensor(&back, packed));
    for (int i = 0; i < 11; i++)
        ck_assert(((const float *)prune_tensor_const_data(back))[i] == expected[i]);
    prune_tensor_free(back);
    prune_packed_free(packed);
    drop(&w);
}
END_TEST

START_TEST(rows_of_zeros_and_of_tiny_numbers_in_int8)
{
    struct matrix w;
    prune_packed *packed;
    prune_tensor *back;
    make(&w, 3, 5, prune_cpu_detect());
    for (int i = 0; i < 5; i++) {
        w.values[5 + i] = (float)(i - 2) * 0x1p-149f; /* the smallest there is */
        w.values[10 + i] = (float)(i - 2) * 0x1p-130f;
    }
    OK(prune_packed_create(&packed, w.tensor, NULL, "format=dense,values=int8"));
    OK(prune_packed_to_tensor(&back, packed));
    const float *got = prune_tensor_const_data(back);
    for (int i = 0; i < 5; i++) {
        ck_assert(got[i] == 0);
        ck_assert(got[5 + i] == w.values[5 + i]);
        ck_assert(fabs((double)got[10 + i] - (double)w.values[10 + i]) <= 0x1p-129 / 127);
    }
    prune_tensor_free(back);
    prune_packed_free(packed);
    drop(&w);
}
END_TEST

START_TEST(values_beyond_an_encoding_are_refused)
{
    struct matrix w;
    prune_packed *packed = UNTOUCHED;
    make(&w, 4, 8, prune_cpu_detect());
    w.values[8 + 3] = 65520; /* rounds up to what F16 has not */
    FAILS(prune_packed_create(&packed, w.tensor, NULL, "format=csr,values=f16"), PRUNE_E_VALUE, "row 1, column 3");
    w.values[8 + 3] = 3.4e38f;
    FAILS(prune_packed_create(&packed, w.tensor, NULL, "format=dense,values=bf16"), PRUNE_E_VALUE, "bf16");
    w.values[8 + 3] = INFINITY;
    FAILS(prune_packed_create(&packed, w.tensor, NULL, "format=nm,values=int8"), PRUNE_E_VALUE, "int8");
    FAILS(prune_packed_create(&packed, w.tensor, NULL, "values=int4"), PRUNE_E_SPEC, "f16");
    FAILS(prune_packed_create(&packed, w.tensor, NULL, "format=nm,form=nm24-strips,values=f16"), PRUNE_E_SPEC,
          "values=f16");
    ck_assert_ptr_eq(packed, UNTOUCHED);
    OK(prune_packed_create(&packed, w.tensor, NULL, "format=csr,values=f16")); /* F16 has infinities */
    prune_packed_free(packed);
    w.values[8 + 3] = 65519;
    OK(prune_packed_create(&packed, w.tensor, NULL, "format=csr,values=f16"));
    prune_packed_free(packed);
    drop(&w);
}
END_TEST

/* Codebooks are stored values too: of few numbers exact, of many the nearest. */
START_TEST(codebooks_and_columns)
{
    static const char *const specs[] = {"format=codebook",
                                        "format=codebook,levels=256",
                                        "format=codebook,gap_bits=8",
                                        "format=codebook,levels=256,gap_bits=8",
                                        "format=codebook,columns=64",
                                        "format=csc",
                                        "format=csc,columns=64",
                                        "format=csc,form=columns",
                                        "format=bitmap",
                                        "format=bitmap,columns=64"};
    static const int64_t shapes[][2] = {{67, 131}, {1, 300}, {200, 1}, {3, 0}, {600, 40}};
    for (int m = 0; m < 3; m++)
        for (int s = 0; s < 10 && (masks[m] & ~prune_cpu_detect()) == 0; s++)
            for (int i = 0; i < 5; i++) {
                struct matrix w;
                make(&w, shapes[i][0], shapes[i][1], masks[m]);
                fill_random_sparse(&w, i % 2 ? 0.05 : 0.4);
                check_spec(&w, specs[s], "f32", NULL);
                drop(&w);
            }
}
END_TEST

/* From any sparse object to codebooks and columns, and from these to the others. */
START_TEST(from_every_sparse_format_to_every_packed_one)
{
    static const char *const from[] = {
        "csr", "csc", "bitmap", "coo", "codebook:levels=256", "codebook:by=rows", "dense", "nm:keep_n=4,group_m=8"};
    static const char *const to[] = {NULL,
                                     "format=csr",
                                     "format=csc",
                                     "format=bitmap",
                                     "format=codebook",
                                     "format=dense",
                                     "format=nm,keep_n=4,group_m=8",
                                     "format=bsr,values=f32",
                                     "format=csc,values=bf16",
                                     "format=codebook,levels=256,columns=40"};
    struct matrix w;
    make(&w, 45, 66, prune_cpu_detect());
    fill_nm(&w, 4, 8, 1);
    for (int64_t i = 0; i < 45 * 66; i++) /* few numbers, which every codebook and encoding holds */
        w.values[i] = (float)((int)(w.values[i] * 6)) / 4;
    for (int f = 0; f < 8; f++)
        for (int t = 0; t < 10; t++) {
            prune_sparse *sparse;
            prune_packed *packed;
            prune_tensor *tensor;
            OK(prune_sparse_create(&sparse, w.tensor, NULL, from[f]));
            OK(prune_packed_from_sparse(&packed, sparse, to[t]));
            OK(prune_packed_to_tensor(&tensor, packed));
            const float *back = prune_tensor_const_data(tensor);
            for (int64_t i = 0; i < 45 * 66; i++)
                if (back[i] != w.values[i])
                    ck_abort_msg("%s to %s: element %lld is %g instead of %g", from[f], to[t] ? to[t] : "itself",
                                 (long long)i, (double)back[i], (double)w.values[i]);
            check_products(&w, packed, 3);
            prune_tensor_free(tensor);
            prune_packed_free(packed);
            prune_sparse_free(sparse);
        }
    drop(&w);
}
END_TEST

/* A column of W whose X is 0 is not read: NaN there would show. NaN and infinity in X are no zeros. */
START_TEST(columns_skip_zeros_of_x_and_nothing_else)
{
    struct matrix w;
    prune_packed *packed;
    make(&w, 70, 40, prune_cpu_detect());
    fill_random_sparse(&w, 1);
    for (int64_t row = 0; row < 70; row++)
        w.values[row * 40 + 7] = INFINITY;
    OK(prune_packed_create(&packed, w.tensor, NULL, "format=csc"));
    ck_assert_str_eq(prune_packed_form(packed), "columns");
    float x[40], y[70];
    for (int k = 0; k < 40; k++)
        x[k] = k % 7 ? 1 : 0;
    OK(prune_packed_run(packed, y, 1, x, 1, 1, NULL));
    for (int i = 0; i < 70; i++)
        ck_assert(isfinite(y[i]));
    x[3] = NAN;
    OK(prune_packed_run(packed, y, 1, x, 1, 1, NULL));
    for (int i = 0; i < 70; i++)
        ck_assert(isnan(y[i]));
    x[3] = -INFINITY;
    OK(prune_packed_run(packed, y, 1, x, 1, 1, NULL));
    for (int i = 0; i < 70; i++)
        ck_assert(isinf(y[i]) && (y[i] < 0) == (w.values[i * 40 + 3] > 0));
    prune_packed_free(packed);
    drop(&w);
}
END_TEST

/* Bytes of a weight: values and positions, with what 512 rows of 512 columns need beside them. */
START_TEST(bytes_of_each_encoding)
{
    static const double bytes[] = {4, 2, 2, 1};
    static const int patterns[][2] = {{1, 4}, {2, 4}, {2, 8}, {4, 8}};
    for (int e = 0; e < 4; e++)
        for (int i = 0; i < 5; i++) {
            struct matrix w;
            char spec[100];
            prune_packed *packed;
            const void *blob;
            int64_t size;
            make(&w, 512, 512, prune_cpu_detect());
            int keep_n = i < 4 ? patterns[i][0] : 1, group_m = i < 4 ? patterns[i][1] : 1;
            fill_nm(&w, keep_n, group_m, 1);
            snprintf(spec, sizeof spec, "format=%s,values=%s,keep_n=%d,group_m=%d", i < 4 ? "nm" : "dense",
                     encodings[e], keep_n, group_m);
            OK(prune_packed_create(&packed, w.tensor, NULL, spec));
            OK(prune_packed_blob(packed, &blob, &size));
            double kept = 512 * 512 * (double)keep_n / group_m, bits = group_m == 1 ? 0 : group_m == 4 ? 2 : 4;
            double expected = kept * (bytes[e] + bits / 8) + (e == 3 ? 512 * 4 : 0);
            ck_assert_msg((double)size >= expected && (double)size <= expected + 1024, "%s: %lld for %g", spec,
                          (long long)size, expected);
            prune_packed_free(packed);
            drop(&w);
        }
}
END_TEST

TEST_MAIN("encodings", every_n_of_every_m_plain_and_shared_by_rows, patterns_with_loops_of_their_own,
          csr_and_dense_in_every_encoding, what_is_stored_is_the_nearest, int8_rounds_halves_to_even,
          rows_of_zeros_and_of_tiny_numbers_in_int8, values_beyond_an_encoding_are_refused, codebooks_and_columns,
          from_every_sparse_format_to_every_packed_one, columns_skip_zeros_of_x_and_nothing_else,
          bytes_of_each_encoding)
