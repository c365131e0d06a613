/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Products by the transpose of a packed matrix: every form, with and without a packed transpose, both layouts, threads,
 * blobs, bad input, memory that cannot be had.
 */
#include "problem.h"

#include "allocator.h"
#include "core/sparse/packed/packed.h"

/* How one product is run. `odd` puts NaN and infinity into X: where nothing stored refers to it (1), anywhere (2). */
struct run {
    int64_t n, slack_x, slack_y;
    int batch, whole, odd, at_end, fused;
};

/* Column k of W against column j of X, in double. */
static double exact(const struct problem *p, const struct run *run, const float *x, int64_t ldx, int64_t k, int64_t j,
                    double *size, int64_t *products)
{
    double sum = 0;
    *size = 0;
    *products = 0;
    for (int64_t i = 0; i < p->rows; i++) {
        if (!p->kept[i * p->columns + k])
            continue;
        double product =
            (double)p->weights[i * p->columns + k] * (double)(run->batch ? x[j * ldx + i] : x[i * ldx + j]);
        sum += product;
        *size += fabs(product);
        ++*products;
    }
    return sum;
}

static void fill_x(const struct problem *p, const struct run *run, struct pr_rng *rng, float *x, int64_t ldx)
{
    int64_t rows = run->batch ? run->n : p->rows, width = run->batch ? p->rows : run->n;
    fill_pattern(x, rows && width ? (rows - 1) * ldx + width : 0);
    for (int64_t r = 0; r < rows; r++)
        fill_random(rng, x + r * ldx, width, run->whole);
    for (int64_t i = 0; run->odd == 1 && i < p->rows; i++)
        for (int64_t j = 0; p->indptr[i] == p->indptr[i + 1] && j < run->n; j++)
            x[run->batch ? j * ldx + i : i * ldx + j] = i % 2 ? INFINITY : NAN;
    for (int64_t j = 0; run->odd == 2 && p->rows && j < run->n; j++)
        x[run->batch ? j * ldx + j % p->rows : j % p->rows * ldx + j] = j % 3 ? -INFINITY : NAN;
}

static void check_run(const struct problem *p, const prune_packed *packed, const struct run *run)
{
    struct pr_rng rng;
    pr_rng_seed(&rng, (uint64_t)(run->n + 3));
    int64_t x_width = run->batch ? p->rows : run->n, x_rows = run->batch ? run->n : p->rows;
    int64_t y_width = run->batch ? p->columns : run->n, y_rows = run->batch ? run->n : p->columns;
    int64_t ldx = x_width + run->slack_x, ldy = y_width + run->slack_y;
    int64_t y_count = y_rows && y_width ? (y_rows - 1) * ldy + y_width : 0;
    float *x = guarded_floats(0, x_rows && x_width ? (x_rows - 1) * ldx + x_width : 0, run->at_end);
    float *y = guarded_floats(1, y_count, run->at_end), *bias = malloc((size_t)(p->columns + 1) * sizeof *bias);
    fill_x(p, run, &rng, x, ldx);
    fill_pattern(y, y_count);
    fill_random(&rng, bias, p->columns, run->whole);
    prune_epilogue *epilogue = NULL;
    if (run->fused)
        OK(prune_epilogue_create(&epilogue, p->context, NULL, bias, p->columns, "activation=relu"));
    OK((run->batch ? prune_packed_run_transposed_batch : prune_packed_run_transposed)(packed, y, ldy, x, ldx, run->n,
                                                                                      epilogue));
    for (int64_t at = 0; at < y_count; at++) {
        int64_t r = at / ldy, c = at % ldy, k = run->batch ? c : r, j = run->batch ? r : c, products;
        if (c >= y_width) {
            ck_assert(is_pattern(y[at]));
            continue;
        }
        double size, sum = exact(p, run, x, ldx, k, j, &size, &products);
        double bound = run->whole ? 0 : gamma_of(products) * size;
        if (run->fused) {
            sum += (double)bias[k];
            bound += 0x1p-23 * (fabs(sum) + bound);
            sum = sum <= 0 ? 0 : sum;
        }
        if (!(isnan(sum) ? isnan(y[at]) : (double)y[at] == sum || fabs((double)y[at] - sum) <= bound))
            ck_abort_msg("%lld x %lld, n %lld: y(%lld, %lld) = %.9g, %.9g expected", (long long)p->rows,
                         (long long)p->columns, (long long)run->n, (long long)k, (long long)j, (double)y[at], sum);
    }
    prune_epilogue_free(epilogue);
    free(bias);
}

static void try_spec(enum pattern pattern, int64_t rows, int64_t columns, const char *spec, uint32_t cpu)
{
    static const int64_t ns[] = {0, 1, 3, 17, 70};
    for (int whole = 0; whole < (strstr(spec, "values=") ? 1 : 2); whole++) {
        struct problem p;
        prune_packed *packed;
        prune_tensor *rounded;
        make(&p, rows, columns, pattern, 0.3, whole, cpu, 1);
        OK(prune_packed_create(&packed, p.tensor, p.mask, spec));
        OK(prune_packed_to_tensor(&rounded, packed));
        memcpy(p.weights, prune_tensor_data(rounded), (size_t)(rows * columns) * sizeof *p.weights);
        prune_tensor_free(rounded);
        for (int i = 0; i < 10; i++) {
            int odd = (int)((rows + ns[i / 2]) % 2);
            struct run run = {.n = ns[i / 2],
                              .batch = i % 2,
                              .whole = whole,
                              .odd = whole || strstr(spec, "values=") ? 0 : 1 + odd,
                              .at_end = odd,
                              .fused = i % 3 == 0,
                              .slack_x = odd ? 3 : 0,
                              .slack_y = odd ? 0 : 5};
            check_run(&p, packed, &run);
            run.at_end = !odd;
            check_run(&p, packed, &run);
        }
        prune_packed_free(packed);
        drop(&p);
    }
}

START_TEST(every_form_multiplies_by_its_transpose)
{
    static const int64_t shapes[][2] = {{1, 1}, {3, 70}, {67, 5}, {64, 96}, {37, 131}, {0, 4}, {4, 0}};
    for (int f = 0; f < FORMS; f++)
        for (int m = 0; m < MASKS; m++)
            for (int s = (f + m) % 2; cpu_has(masks[m]) && s < 7; s += 2) {
                char spec[128];
                snprintf(spec, sizeof spec, "%s,backward=%s", every_form[f].spec, s / 2 % 2 ? "yes" : "no");
                try_spec(every_form[f].pattern, shapes[s][0], shapes[s][1], spec, masks[m]);
                snprintf(spec, sizeof spec, "%s,backward=%s", every_form[f].spec, s / 2 % 2 ? "no" : "yes");
                if (s >= 3 && s < 5)
                    try_spec(every_form[f].pattern, shapes[s][0], shapes[s][1], spec, masks[m]);
            }
}
END_TEST

START_TEST(any_number_of_threads_gives_the_same_bits)
{
    enum { ROWS = 300, COLUMNS = 260, N = 200 };
    float *x = random_x(ROWS * N);
    for (int f = 0; f < 2 * FORMS; f++) {
        float *first = NULL;
        for (int threads = 1; threads <= 7; threads += threads < 3 ? 1 : 4) {
            struct problem p;
            prune_packed *packed;
            char spec[128];
            snprintf(spec, sizeof spec, "%s,backward=%s", every_form[f / 2].spec, f % 2 ? "yes" : "no");
            make(&p, ROWS, COLUMNS, every_form[f / 2].pattern, 0.2, 0, prune_cpu_detect(), threads);
            OK(prune_packed_create(&packed, p.tensor, p.mask, spec));
            float *y = malloc(COLUMNS * N * sizeof *y);
            OK(prune_packed_run_transposed(packed, y, N, x, N, N, NULL));
            if (first) {
                ck_assert_mem_eq(first, y, COLUMNS * N * sizeof *y);
                free(y);
            } else {
                first = y;
            }
            prune_packed_free(packed);
            drop(&p);
        }
        free(first);
    }
    free(x);
}
END_TEST

static prune_packed *both_ways(struct problem *p)
{
    prune_packed *packed;
    make(p, 6, 11, RANDOM, 0.5, 0, prune_cpu_detect(), 1);
    OK(prune_packed_create(&packed, p->tensor, p->mask, "format=csr,backward=yes"));
    return packed;
}

START_TEST(a_blob_holds_the_transpose_too)
{
    struct problem p;
    prune_packed *packed = both_ways(&p), *loaded, *forward;
    const void *data, *again;
    int64_t bytes, bytes_again, bytes_forward;
    OK(prune_packed_blob(packed, &data, &bytes));
    OK(prune_packed_create(&forward, p.tensor, p.mask, "format=csr"));
    OK(prune_packed_blob(forward, &again, &bytes_forward));
    ck_assert_int_gt(bytes, bytes_forward + 512);
    OK(prune_packed_load(&loaded, NULL, data, bytes));
    OK(prune_packed_blob(loaded, &again, &bytes_again));
    ck_assert_int_eq(bytes, bytes_again);
    ck_assert_mem_eq(data, again, (size_t)bytes);
    float x[6] = {1, 2, 3, 4, 5, 6}, y[11], z[11];
    OK(prune_packed_run_transposed(packed, y, 1, x, 1, 1, NULL));
    OK(prune_packed_run_transposed(loaded, z, 1, x, 1, 1, NULL));
    ck_assert_mem_eq(y, z, sizeof y);
    prune_packed_free(forward);
    prune_packed_free(loaded);
    prune_packed_free(packed);
    drop(&p);
}
END_TEST

/* With the checksums made right again, so that what is checked is what they say. */
START_TEST(forged_transposes_are_refused)
{
    struct problem p;
    prune_packed *packed = both_ways(&p), *loaded = UNTOUCHED;
    const void *data;
    int64_t bytes;
    OK(prune_packed_blob(packed, &data, &bytes));
    struct pr_header *copy = aligned_alloc(64, (size_t)bytes);
    const int64_t at = ((const struct pr_header *)data)->backward;
    const int64_t places[] = {-64, 64, at + 8, bytes, bytes + 64, INT64_MAX - 63, 0};
    for (int i = 0; i < 7; i++) {
        memcpy(copy, data, (size_t)bytes);
        copy->backward = places[i];
        pr_blob_stamp(copy);
        if (places[i])
            FAILS(prune_packed_load(&loaded, NULL, copy, bytes), PRUNE_E_FORMAT, "packed");
        ck_assert_ptr_eq(loaded, UNTOUCHED);
    }
    for (int i = 0; i < 3; i++) {
        memcpy(copy, data, (size_t)bytes);
        struct pr_header *backward = (void *)((char *)copy + at);
        if (i == 0)
            backward->rows--;
        if (i == 1)
            backward->columns++;
        if (i == 2)
            backward->backward = 64;
        pr_blob_stamp(backward);
        pr_blob_stamp(copy);
        FAILS(prune_packed_load(&loaded, NULL, copy, bytes), PRUNE_E_FORMAT, "packed");
        ck_assert_ptr_eq(loaded, UNTOUCHED);
    }
    free(copy);
    prune_packed_free(packed);
    drop(&p);
}
END_TEST

START_TEST(every_changed_byte_of_a_blob_with_a_transpose_is_refused)
{
    struct problem p;
    prune_packed *packed = both_ways(&p), *loaded = UNTOUCHED;
    const void *data;
    int64_t bytes;
    OK(prune_packed_blob(packed, &data, &bytes));
    char *copy = malloc((size_t)bytes);
    memcpy(copy, data, (size_t)bytes);
    for (int64_t i = 0; i < bytes; i++) {
        copy[i] = (char)(copy[i] ^ 0x40);
        if (prune_packed_load(&loaded, NULL, copy, bytes) != PRUNE_E_FORMAT || loaded != UNTOUCHED)
            ck_abort_msg("byte %lld", (long long)i);
        copy[i] = (char)(copy[i] ^ 0x40);
    }
    free(copy);
    prune_packed_free(packed);
    drop(&p);
}
END_TEST

START_TEST(bad_operands_are_refused)
{
    for (int backward = 0; backward < 2; backward++) {
        struct problem p;
        prune_packed *packed;
        prune_epilogue *epilogue;
        float x[6 * 3], y[11 * 3], before[11 * 3];
        make(&p, 6, 11, RANDOM, 0.5, 0, prune_cpu_detect(), 1);
        OK(prune_packed_create(&packed, p.tensor, p.mask, backward ? "format=csr,backward=yes" : "format=csr"));
        OK(prune_epilogue_create(&epilogue, NULL, NULL, x, 6, NULL));
        fill_pattern(y, 11 * 3);
        fill_pattern(before, 11 * 3);
        FAILS(prune_packed_run_transposed(NULL, y, 3, x, 3, 3, NULL), PRUNE_E_ARGUMENT, "packed");
        FAILS(prune_packed_run_transposed(packed, NULL, 3, x, 3, 3, NULL), PRUNE_E_ARGUMENT, "y is NULL");
        FAILS(prune_packed_run_transposed(packed, y, 3, NULL, 3, 3, NULL), PRUNE_E_ARGUMENT, "x is NULL");
        FAILS(prune_packed_run_transposed(packed, y, 3, x, 3, -1, NULL), PRUNE_E_ARGUMENT, "n is -1");
        FAILS(prune_packed_run_transposed(packed, y, 2, x, 3, 3, NULL), PRUNE_E_SHAPE, "ldy is 2");
        FAILS(prune_packed_run_transposed(packed, y, 3, x, 2, 3, NULL), PRUNE_E_SHAPE, "ldx is 2");
        FAILS(prune_packed_run_transposed_batch(packed, y, 10, x, 6, 3, NULL), PRUNE_E_SHAPE, "has 11");
        FAILS(prune_packed_run_transposed_batch(packed, y, 11, x, 5, 3, NULL), PRUNE_E_SHAPE, "has 6");
        FAILS(prune_packed_run_transposed(packed, y, 3, y + 2, 3, 3, NULL), PRUNE_E_ARGUMENT, "overlap");
        FAILS(prune_packed_run_transposed(packed, y, 3, x, 3, 3, epilogue), PRUNE_E_SHAPE, "6 rows");
        FAILS(prune_packed_run_transposed(packed, y, INT64_MAX, x, 3, 3, NULL), PRUNE_E_OVERFLOW, "63 bits");
        ck_assert_mem_eq(y, before, sizeof y);
        prune_epilogue_free(epilogue);
        prune_packed_free(packed);
        drop(&p);
    }
    struct problem p;
    prune_packed *packed = UNTOUCHED;
    make(&p, 6, 11, RANDOM, 0.5, 0, prune_cpu_detect(), 1);
    FAILS(prune_packed_create(&packed, p.tensor, p.mask, "backward=maybe"), PRUNE_E_SPEC, "backward");
    ck_assert_ptr_eq(packed, UNTOUCHED);
    drop(&p);
}
END_TEST

START_TEST(no_memory_is_survived)
{
    struct allocator a;
    prune_context *context = counted_context(&a);
    float w[40 * 30] = {0}, x[40], y[30];
    const int64_t shape[2] = {40, 30};
    for (int i = 0; i < 40 * 30; i += 3)
        w[i] = (float)(i % 11 + 1);
    prune_tensor *tensor;
    prune_packed *packed;
    OK(prune_tensor_borrow(&tensor, context, w, PRUNE_F32, 2, shape, NULL));
    SURVIVES(&a, &packed, prune_packed_create(&packed, tensor, NULL, "format=dense,backward=yes"));
    prune_packed_free(packed);
    SURVIVES(&a, &packed, prune_packed_create(&packed, tensor, NULL, "format=csr,backward=yes"));
    const void *data;
    int64_t bytes;
    prune_packed *loaded;
    OK(prune_packed_blob(packed, &data, &bytes));
    SURVIVES(&a, &loaded, prune_packed_load(&loaded, context, data, bytes));
    prune_packed_free(loaded);
    prune_packed_free(packed);
    OK(prune_packed_create(&packed, tensor, NULL, "format=csr"));
    int64_t live = a.live;
    a.fail_at = a.calls;
    FAILS(prune_packed_run_transposed(packed, y, 1, x, 1, 1, NULL), PRUNE_E_NOMEM, "");
    ck_assert_int_eq(a.live, live);
    prune_packed_free(packed);
    prune_tensor_free(tensor);
    prune_context_free(context);
    ck_assert_int_eq(a.live, 0);
}
END_TEST

TEST_MAIN("backward", every_form_multiplies_by_its_transpose, any_number_of_threads_gives_the_same_bits,
          a_blob_holds_the_transpose_too, forged_transposes_are_refused,
          every_changed_byte_of_a_blob_with_a_transpose_is_refused, bad_operands_are_refused, no_memory_is_survived)
