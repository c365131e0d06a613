/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Packed objects: every form, both layouts, epilogues, ragged shapes, threads, CPU masks, blobs, bad input.
 */
#include "reference.h"

/* A matrix with what is kept of it, and a packed object under a context of its own. */
struct problem {
    int64_t rows, columns;
    float *weights;
    uint8_t *kept;
    int64_t *indptr, *indices; /* what is kept, row by row */
    prune_context *context;
    prune_tensor *tensor;
    prune_mask *mask;
};

enum pattern { RANDOM, TWO_OF_FOUR, TWO_OF_FOUR_BY_4, ONE_OF_THREE, FULL, EMPTY, SINGLE, DIAGONAL };

static int keeps(enum pattern pattern, double density, struct pr_rng *rng, const struct problem *p, int64_t i,
                 int64_t k)
{
    const uint8_t *row = p->kept + i * p->columns;
    int64_t group = pattern == ONE_OF_THREE ? 3 : 4, quota = pattern == ONE_OF_THREE ? 1 : 2, first = k / group * group;
    int64_t used = 0, end = first + group < p->columns ? first + group : p->columns;
    switch (pattern) {
    case RANDOM:
        return i % 5 != 3 && pr_rng_uniform(rng) < density; /* some rows are empty */
    case TWO_OF_FOUR_BY_4:
        if (i % 4)
            return p->kept[(i - i % 4) * p->columns + k];
        /* fall through */
    case TWO_OF_FOUR:
    case ONE_OF_THREE:
        for (int64_t j = first; j < k; j++)
            used += row[j];
        return used < quota && (pr_rng_below(rng, 2) || end - k <= quota - used);
    case FULL:
        return 1;
    case SINGLE:
        return i == p->rows - 1 && k == p->columns - 1;
    case DIAGONAL:
        return i == k;
    default:
        return 0;
    }
}

static void make(struct problem *p, int64_t rows, int64_t columns, enum pattern pattern, double density, int whole,
                 uint32_t cpu, int threads)
{
    struct pr_rng rng;
    pr_rng_seed(&rng, (uint64_t)(rows * 1000 + columns));
    *p = (struct problem){.rows = rows, .columns = columns};
    p->weights = malloc((size_t)(rows * columns + 1) * sizeof(float));
    p->kept = malloc((size_t)(rows * columns + 1));
    fill_random(&rng, p->weights, rows * columns, whole);
    for (int64_t i = 0; i < rows; i++)
        for (int64_t k = 0; k < columns; k++)
            p->kept[i * columns + k] = (uint8_t)keeps(pattern, density, &rng, p, i, k);
    p->indptr = malloc((size_t)(rows + 1) * sizeof(int64_t));
    p->indices = malloc((size_t)(rows * columns + 1) * sizeof(int64_t));
    p->indptr[0] = 0;
    for (int64_t i = 0, next = 0; i < rows; i++) {
        for (int64_t k = 0; k < columns; k++)
            if (p->kept[i * columns + k])
                p->indices[next++] = k;
        p->indptr[i + 1] = next;
    }
    const int64_t shape[2] = {rows, columns};
    OK(prune_context_create(&p->context));
    OK(prune_context_set_cpu(p->context, cpu));
    OK(prune_context_set_threads(p->context, threads));
    OK(prune_tensor_borrow(&p->tensor, p->context, p->weights, PRUNE_F32, 2, shape, NULL));
    OK(prune_mask_from_bytes(&p->mask, p->context, 2, shape, p->kept, rows * columns));
}

static void drop(struct problem *p)
{
    prune_mask_free(p->mask);
    prune_tensor_free(p->tensor);
    prune_context_free(p->context);
    free(p->weights);
    free(p->kept);
    free(p->indptr);
    free(p->indices);
}

/* One product between guard pages, compared element by element with the sum in double. `poison` puts NaN and infinity
 * into the rows of X that nothing stored refers to, `infinite` one into each column of X, where it may count. */
struct run {
    int64_t n, slack_x, slack_y;
    int batch, whole, poison, infinite, at_end, bias, relu;
};

static float x_at(const struct run *run, const float *x, int64_t ldx, int64_t k, int64_t j)
{
    return run->batch ? x[j * ldx + k] : x[k * ldx + j];
}

#define PATTERN_BITS 0x7fa5a5a5u /* a NaN that no kernel makes */

static int is_pattern(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits == PATTERN_BITS;
}

static void fill_pattern(float *to, int64_t count)
{
    const uint32_t bits = PATTERN_BITS;
    for (int64_t i = 0; i < count; i++)
        memcpy(to + i, &bits, sizeof bits);
}

static int64_t extent(int64_t count, int64_t ld, int64_t width)
{
    return count && width ? (count - 1) * ld + width : 0;
}

/* Asserts only what fails: Check writes to a pipe for each assertion. */
static void check_output(const struct problem *p, const struct run *run, const float *x, int64_t ldx, float y,
                         int64_t i, int64_t j, float bias)
{
    double sum = 0, size = 0;
    int64_t products = p->indptr[i + 1] - p->indptr[i];
    for (int64_t e = p->indptr[i]; e < p->indptr[i + 1]; e++) {
        double product =
            (double)p->weights[i * p->columns + p->indices[e]] * (double)x_at(run, x, ldx, p->indices[e], j);
        sum += product;
        size += fabs(product);
    }
    double bound = run->whole ? 0 : gamma_of(products) * size;
    double expected = sum + (double)bias;
    if (bias != 0)
        bound += 0x1p-23 * fabs(expected) + bound * 0x1p-23;
    if (run->relu && expected <= 0)
        expected = 0;
    int right = isnan(expected) ? isnan(y) : (double)y == expected || fabs((double)y - expected) <= bound;
    if (!right)
        ck_abort_msg("%lld x %lld, n %lld: y(%lld, %lld) = %.9g, %.9g expected", (long long)p->rows,
                     (long long)p->columns, (long long)run->n, (long long)i, (long long)j, (double)y, expected);
    if (run->relu && y == 0 && signbit(y))
        ck_abort_msg("relu gave -0.0");
}

static void check_run(const struct problem *p, const prune_packed *packed, const struct run *run)
{
    struct pr_rng rng;
    pr_rng_seed(&rng, (uint64_t)(run->n + 7));
    int64_t x_rows = run->batch ? run->n : p->columns, x_width = run->batch ? p->columns : run->n;
    int64_t y_rows = run->batch ? run->n : p->rows, y_width = run->batch ? p->rows : run->n;
    int64_t ldx = x_width + run->slack_x, ldy = y_width + run->slack_y;
    int64_t x_count = extent(x_rows, ldx, x_width), y_count = extent(y_rows, ldy, y_width);
    float *x = guarded_floats(0, x_count, run->at_end), *y = guarded_floats(1, y_count, run->at_end);
    fill_pattern(x, x_count);
    fill_pattern(y, y_count);
    for (int64_t r = 0; r < x_rows; r++)
        fill_random(&rng, x + r * ldx, x_width, run->whole);
    for (int64_t k = 0; run->poison && k < p->columns; k++) {
        int used = 0;
        for (int64_t i = 0; i < p->rows; i++)
            used |= p->kept[i * p->columns + k];
        for (int64_t j = 0; !used && j < run->n; j++)
            x[run->batch ? j * ldx + k : k * ldx + j] = k % 2 ? INFINITY : NAN;
    }
    for (int64_t j = 0; run->infinite && p->columns && j < run->n; j++)
        x[run->batch ? j * ldx + j % p->columns : j % p->columns * ldx + j] = j % 3 ? INFINITY : NAN;
    float *bias = malloc((size_t)(p->rows + 1) * sizeof *bias);
    fill_random(&rng, bias, p->rows, run->whole);
    prune_epilogue *epilogue = NULL;
    if (run->bias || run->relu)
        OK(prune_epilogue_create(&epilogue, p->context, run->bias ? bias : NULL, p->rows,
                                 run->relu ? "activation=relu" : NULL));
    OK((run->batch ? prune_packed_run_batch : prune_packed_run)(packed, y, ldy, x, ldx, run->n, epilogue));
    for (int64_t r = 0; r < y_rows; r++)
        for (int64_t c = 0; c < ldy && r * ldy + c < y_count; c++) {
            float value = y[r * ldy + c];
            int64_t i = run->batch ? c : r, j = run->batch ? r : c;
            if (c >= y_width && !is_pattern(value))
                ck_abort_msg("the gap after row %lld of Y was written", (long long)r);
            if (c < y_width)
                check_output(p, run, x, ldx, value, i, j, run->bias ? bias[i] : 0);
        }
    prune_epilogue_free(epilogue);
    free(bias);
}

static const uint32_t masks[] = {PRUNE_CPU_SCALAR, PRUNE_CPU_AVX2, PRUNE_CPU_AVX2 | PRUNE_CPU_AVX512};
#define MASKS ((int)(sizeof masks / sizeof *masks))

static int cpu_has(uint32_t mask)
{
    return (mask & ~prune_cpu_detect()) == 0;
}

/* One matrix through a spec, under every CPU mask, with these numbers of columns. */
static void try_spec(enum pattern pattern, double density, int64_t rows, int64_t columns, const char *spec,
                     const int64_t *ns, int n_count)
{
    for (int m = 0; m < MASKS; m++) {
        if (!cpu_has(masks[m]))
            continue;
        for (int whole = 0; whole < 2; whole++) {
            struct problem p;
            prune_packed *packed;
            make(&p, rows, columns, pattern, density, whole, masks[m], 1);
            OK(prune_packed_create(&packed, p.tensor, p.mask, spec));
            for (int i = 0; i < n_count; i++)
                for (int batch = 0; batch < 2; batch++) {
                    int odd = (int)((rows + columns + ns[i]) % 2);
                    int fillers = pattern == EMPTY && strstr(spec, "nm");
                    struct run run = {.n = ns[i],
                                      .batch = batch,
                                      .whole = whole,
                                      .poison = odd && !fillers,
                                      .at_end = !odd,
                                      .slack_x = odd ? 3 : 0,
                                      .slack_y = odd ? 0 : 5,
                                      .bias = whole != odd,
                                      .relu = batch != odd};
                    check_run(&p, packed, &run);
                    run.at_end = odd;
                    run.bias = !run.bias;
                    run.infinite = !fillers;
                    check_run(&p, packed, &run);
                }
            prune_packed_free(packed);
            drop(&p);
        }
    }
}

static const int64_t few[] = {0, 1, 3, 17};

#define TRY(pattern, density, rows, columns, spec)                                                                     \
    try_spec(pattern, density, rows, columns, spec, few, (int)(sizeof few / sizeof *few))

START_TEST(csr_keeps_the_bound_for_ragged_shapes)
{
    static const char *const specs[] = {"format=csr", "format=csr,columns=64", "format=csr,form=rows",
                                        "format=csr,form=windows"};
    for (int s = 0; s < 4; s++) {
        TRY(RANDOM, 0.1, 67, 131, specs[s]);
        TRY(RANDOM, 0.5, 33, 64, specs[s]);
        TRY(RANDOM, 0.3, 1, 300, specs[s]);
        TRY(RANDOM, 0.05, 300, 31, specs[s]);
        TRY(FULL, 1, 17, 33, specs[s]);
        TRY(EMPTY, 0, 20, 40, specs[s]);
        TRY(SINGLE, 0, 20, 40, specs[s]);
        TRY(DIAGONAL, 0, 65, 65, specs[s]);
        TRY(FULL, 1, 5, 0, specs[s]);
        TRY(FULL, 1, 0, 5, specs[s]);
        TRY(FULL, 1, 1, 1, specs[s]);
    }
}
END_TEST

START_TEST(nm_keeps_the_bound_for_ragged_shapes)
{
    static const char *const specs[] = {"format=nm", "format=nm,columns=64"};
    for (int s = 0; s < 2; s++) {
        TRY(TWO_OF_FOUR, 0, 67, 132, specs[s]);
        TRY(TWO_OF_FOUR, 0, 64, 33, specs[s]);
        TRY(TWO_OF_FOUR, 0, 130, 3, specs[s]);
        TRY(TWO_OF_FOUR, 0, 1, 70, specs[s]);
        TRY(EMPTY, 0, 5, 10, specs[s]);
        TRY(EMPTY, 0, 5, 0, specs[s]);
        TRY(EMPTY, 0, 0, 5, specs[s]);
    }
    TRY(TWO_OF_FOUR_BY_4, 0, 70, 70, "format=nm,unit_rows=4");
    TRY(TWO_OF_FOUR_BY_4, 0, 64, 64, "format=nm,unit_rows=4,columns=64");
    TRY(TWO_OF_FOUR_BY_4, 0, 3, 37, "format=nm,unit_rows=4");
    TRY(ONE_OF_THREE, 0, 40, 50, "format=nm,keep_n=1,group_m=3");
    TRY(FULL, 0, 20, 50, "format=nm,keep_n=7,group_m=7,columns=16");
}
END_TEST

START_TEST(dense_keeps_the_bound_for_ragged_shapes)
{
    TRY(FULL, 1, 67, 131, "format=dense");
    TRY(FULL, 1, 300, 31, "format=dense,columns=64");
    TRY(FULL, 1, 1, 1, "format=dense");
    TRY(FULL, 1, 3, 0, "format=dense");
    TRY(FULL, 1, 0, 3, "format=dense");
}
END_TEST

START_TEST(every_tail_of_rows_columns_and_n)
{
    static const char *const specs[] = {"format=csr", "format=csr,columns=64", "format=nm", "format=dense"};
    static const enum pattern patterns[] = {RANDOM, RANDOM, TWO_OF_FOUR, FULL};
    for (int s = 0; s < 4; s++)
        for (int64_t size = 1; size < 68; size += 3) {
            const int64_t one[] = {68 - size}, other[] = {1, size};
            try_spec(patterns[s], 0.4, size, 45, specs[s], other, 2);
            try_spec(patterns[s], 0.4, 19, size, specs[s], one, 1);
        }
}
END_TEST

TEST_MAIN("packed", csr_keeps_the_bound_for_ragged_shapes, nm_keeps_the_bound_for_ragged_shapes,
          dense_keeps_the_bound_for_ragged_shapes, every_tail_of_rows_columns_and_n)
