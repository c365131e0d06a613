/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Products of packed objects: every form, both layouts, epilogues, ragged shapes, NaN and infinity, threads.
 */
#include "problem.h"

#include <pthread.h>

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
        OK(prune_epilogue_create(&epilogue, p->context, NULL, run->bias ? bias : NULL, p->rows,
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
    static const char *const specs[] = {"format=csr",
                                        "format=csr,columns=64",
                                        "format=csr,form=rows",
                                        "format=csr,form=windows",
                                        "format=csr,form=windows-tight",
                                        "format=csr,form=bitmap",
                                        "format=csr,form=singles",
                                        "format=csr,form=pairs",
                                        "format=csr,form=quads"};
    for (int s = 0; s < (int)(sizeof specs / sizeof *specs); s++) {
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

START_TEST(few_columns_of_x)
{
    static const int64_t ns[] = {1, 2, 4, 5, 8, 9, 16, 23, 31, 70};
    static const struct {
        enum pattern pattern;
        double density;
        const char *spec;
    } cases[] = {
        {RANDOM, 0.5, "format=csr,columns=4"},   {RANDOM, 0.1, "format=csr,columns=8"},
        {RANDOM, 0.3, "format=csr,columns=16"},  {RANDOM, 0.3, "format=csr,form=few-rows,columns=16"},
        {RANDOM, 0.05, "format=csr,columns=31"}, {TWO_OF_FOUR, 0, "format=nm,columns=4"},
        {TWO_OF_FOUR, 0, "format=nm,columns=8"}, {TWO_OF_FOUR, 0, "format=nm,columns=16"},
        {FULL, 0, "format=csr,columns=4"},       {EMPTY, 0, "format=csr,columns=4"},
    };
    for (int c = 0; c < (int)(sizeof cases / sizeof *cases); c++) {
        try_spec(cases[c].pattern, cases[c].density, 67, 131, cases[c].spec, ns, 10);
        try_spec(cases[c].pattern, cases[c].density, 261, 2100, cases[c].spec, ns + 2, 4);
        try_spec(cases[c].pattern, cases[c].density, 3, 17, cases[c].spec, ns, 10);
    }
}
END_TEST

START_TEST(nm_keeps_the_bound_for_ragged_shapes)
{
    static const char *const specs[] = {"format=nm", "format=nm,columns=64", "format=nm,form=pairs",
                                        "format=nm,form=quads"};
    for (int s = 0; s < 4; s++) {
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

START_TEST(bsr_keeps_the_bound_for_ragged_shapes)
{
    TRY(UNITS, 0.3, 70, 300, "format=bsr,block_rows=4,block_columns=1");
    TRY(UNITS, 0.1, 64, 513, "format=bsr,block_rows=4,block_columns=1,columns=64");
    TRY(UNITS, 0.5, 7, 37, "format=bsr,columns=16");
    TRY(BLOCKS, 0.3, 75, 100, "format=bsr,block_rows=8,block_columns=8,columns=4");
    TRY(BLOCKS, 0.3, 75, 100, "format=bsr,block_rows=4,block_columns=4,columns=64");
    TRY(BLOCKS, 0.3, 30, 100, "format=bsr,block_rows=8,block_columns=1");
    TRY(BLOCKS, 0.3, 30, 100, "format=bsr,block_rows=1,block_columns=8");
    TRY(BLOCKS, 0.3, 30, 100, "format=bsr,block_rows=2,block_columns=2");
    TRY(EMPTY, 0, 12, 40, "format=bsr");
    TRY(FULL, 1, 12, 0, "format=bsr");
    TRY(FULL, 1, 0, 9, "format=bsr");
    TRY(FULL, 1, 9, 9, "format=bsr,block_rows=16,block_columns=1");
}
END_TEST

START_TEST(dense_keeps_the_bound_for_ragged_shapes)
{
    TRY(FULL, 1, 67, 131, "format=dense");
    TRY(FULL, 1, 300, 31, "format=dense,columns=64");
    static const int64_t wide[] = {5, 64, 100, 129};
    try_spec(FULL, 1, 40, 250, "format=dense,columns=64", wide, 4);
    try_spec(FULL, 1, 97, 600, "format=dense,columns=64", wide, 4);
    try_spec(FULL, 1, 97, 600, "format=dense", wide, 4);
    TRY(FULL, 1, 1, 1, "format=dense");
    TRY(FULL, 1, 3, 0, "format=dense");
    TRY(FULL, 1, 0, 3, "format=dense");
}
END_TEST

START_TEST(every_tail_of_rows_columns_and_n)
{
    static const char *const specs[] = {"format=csr", "format=csr,columns=64", "format=nm", "format=dense",
                                        "format=dense,columns=64"};
    static const enum pattern patterns[] = {RANDOM, RANDOM, TWO_OF_FOUR, FULL, FULL};
    for (int s = 0; s < 5; s++)
        for (int64_t size = 1; size < 68; size += 3) {
            const int64_t one[] = {68 - size}, other[] = {1, size};
            try_spec(patterns[s], 0.4, size, 45, specs[s], other, 2);
            try_spec(patterns[s], 0.4, 19, size, specs[s], one, 1);
        }
}
END_TEST

START_TEST(any_number_of_threads_gives_the_same_bits)
{
    for (int f = 0; f < FORMS; f++)
        for (int m = 0; m < MASKS; m++) {
            const int64_t rows = 610, columns = 258;
            static const int threads[] = {1, 2, 3, 7};
            float *first[4] = {NULL}, *x = random_x(columns * 70);
            for (int t = 0; cpu_has(masks[m]) && t < 4; t++) {
                struct problem p;
                prune_packed *packed;
                make(&p, rows, columns, every_form[f].pattern, 0.3, 0, masks[m], threads[t]);
                OK(prune_packed_create(&packed, p.tensor, p.mask, every_form[f].spec));
                for (int i = 0; i < 4; i++) {
                    int64_t n = masks[m] ? 7 + i / 2 * 63 : 5 + i;
                    float *y = product_of(packed, x, n, i % 2);
                    if (t == 0)
                        first[i] = y;
                    else
                        ck_assert_mem_eq(y, first[i], (size_t)(rows * n) * sizeof *y);
                    if (t > 0)
                        free(y);
                }
                prune_packed_free(packed);
                drop(&p);
            }
            for (int i = 0; i < 4; i++)
                free(first[i]);
            free(x);
        }
}
END_TEST

START_TEST(any_alignment_gives_the_same_bits)
{
    for (int f = 0; f < FORMS; f++) {
        struct problem p;
        prune_packed *packed;
        const int64_t rows = 70, columns = 75, n = 19;
        make(&p, rows, columns, every_form[f].pattern, 0.3, 0, prune_cpu_detect(), 1);
        OK(prune_packed_create(&packed, p.tensor, p.mask, every_form[f].spec));
        float *x = random_x(columns * n), *right = product_of(packed, x, n, 0), *one = product_of(packed, x, 1, 1);
        for (int64_t shift = 0; shift < 17; shift++) {
            float *own_x = malloc((size_t)(columns * n + 20) * sizeof *x);
            float *y = malloc((size_t)(rows * n + 20) * sizeof *y);
            memcpy(own_x + shift, x, (size_t)(columns * n) * sizeof *x);
            OK(prune_packed_run(packed, y + (16 - shift), n, own_x + shift, n, n, NULL));
            ck_assert_mem_eq(y + (16 - shift), right, (size_t)(rows * n) * sizeof *y);
            OK(prune_packed_run_batch(packed, y + shift, rows, own_x + shift, columns, 1, NULL));
            ck_assert_mem_eq(y + shift, one, (size_t)rows * sizeof *y);
            free(own_x);
            free(y);
        }
        free(x);
        free(right);
        free(one);
        prune_packed_free(packed);
        drop(&p);
    }
}
END_TEST

struct runner {
    const prune_packed *packed;
    const float *x, *right;
    int64_t n;
    int wrong;
};

static void *run_often(void *argument)
{
    struct runner *runner = argument;
    int64_t rows = prune_packed_rows(runner->packed);
    float *y = malloc((size_t)(rows * runner->n) * sizeof *y);
    for (int i = 0; i < 20; i++) {
        if (prune_packed_run(runner->packed, y, runner->n, runner->x, runner->n, runner->n, NULL) != PRUNE_OK ||
            memcmp(y, runner->right, (size_t)(rows * runner->n) * sizeof *y) != 0)
            runner->wrong++;
    }
    free(y);
    return NULL;
}

START_TEST(many_threads_may_run_one_object_at_once)
{
    for (int threads = 1; threads <= 3; threads += 2)
        for (int f = 0; f < FORMS; f++) {
            struct problem p;
            prune_packed *packed;
            const int64_t columns = 300, n = 40;
            make(&p, 200, columns, every_form[f].pattern, 0.3, 0, prune_cpu_detect(), threads);
            OK(prune_packed_create(&packed, p.tensor, p.mask, every_form[f].spec));
            float *x = random_x(columns * n), *right = product_of(packed, x, n, 0);
            pthread_t ids[5];
            struct runner runners[5];
            for (int i = 0; i < 5; i++) {
                runners[i] = (struct runner){packed, x, right, n, 0};
                ck_assert_int_eq(pthread_create(&ids[i], NULL, run_often, &runners[i]), 0);
            }
            for (int i = 0; i < 5; i++) {
                pthread_join(ids[i], NULL);
                ck_assert_int_eq(runners[i].wrong, 0);
            }
            free(x);
            free(right);
            prune_packed_free(packed);
            drop(&p);
        }
}
END_TEST

START_TEST(ordered_forms_give_the_same_bits_on_every_instruction_set)
{
    static const int ordered[] = {0, 3, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    for (int o = 0; o < (int)(sizeof ordered / sizeof *ordered); o++) {
        int f = ordered[o];
        if (!strstr(every_form[f].spec, "form=")) /* then the table chooses, by instruction set */
            continue;
        float *x = random_x(90 * 33), *first = NULL;
        for (int m = 0; m < MASKS; m++) {
            struct problem p;
            prune_packed *packed;
            if (!cpu_has(masks[m]))
                continue;
            make(&p, 77, 90, every_form[f].pattern, 0.3, 0, masks[m], 1);
            OK(prune_packed_create(&packed, p.tensor, p.mask, every_form[f].spec));
            float *y = product_of(packed, x, 33, 0);
            if (!first)
                first = y;
            else
                ck_assert_mem_eq(y, first, 77 * 33 * sizeof *y);
            if (first != y)
                free(y);
            prune_packed_free(packed);
            drop(&p);
        }
        free(first);
        free(x);
    }
}
END_TEST

START_TEST(names_of_format_form_and_kernels)
{
    for (int f = 0; f < FORMS; f++) {
        struct problem p;
        prune_packed *packed;
        make(&p, 40, 50, every_form[f].pattern, 0.3, 0, PRUNE_CPU_SCALAR, 1);
        OK(prune_packed_create(&packed, p.tensor, p.mask, every_form[f].spec));
        ck_assert_str_eq(prune_packed_format(packed), every_form[f].format);
        const char *form = strstr(every_form[f].spec, "form=");
        form = strstr(every_form[f].spec, ",form=");
        if (form)
            ck_assert(strncmp(prune_packed_form(packed), form + 6, strlen(prune_packed_form(packed))) == 0);
        ck_assert_str_eq(prune_packed_kernels(packed, 1), "scalar");
        ck_assert_str_eq(prune_packed_kernels(packed, 64), "scalar");
        prune_packed_free(packed);
        drop(&p);
    }
    ck_assert_int_eq(prune_packed_rows(NULL), 0);
    ck_assert_ptr_eq(prune_packed_form(NULL), NULL);
}
END_TEST

static void check_choice(enum pattern pattern, double density, const char *spec, const char *format, int64_t stored)
{
    struct problem p;
    prune_packed *packed;
    make(&p, 64, 96, pattern, density, 0, prune_cpu_detect(), 1);
    OK(prune_packed_create(&packed, p.tensor, p.mask, spec));
    ck_assert_str_eq(prune_packed_format(packed), format);
    if (stored >= 0)
        ck_assert_int_eq(prune_packed_stored(packed), stored);
    prune_packed_free(packed);
    drop(&p);
}

START_TEST(the_format_follows_the_pattern)
{
    check_choice(TWO_OF_FOUR, 0, NULL, "nm:keep_n=2,group_m=4", 64 * 48);
    check_choice(RANDOM, 0.2, "", "csr", -1);
    check_choice(FULL, 1, "columns=8", "dense", 64 * 96);
    check_choice(RANDOM, 0.9, NULL, "dense", 64 * 96);
    /* So few are kept that each four columns have at most two of them: 2:4 would store far too many. */
    check_choice(DIAGONAL, 0, NULL, "csr", 64);
    check_choice(TWO_OF_FOUR, 0, "format=csr", "csr", 64 * 48);
    check_choice(DIAGONAL, 0, "format=nm,keep_n=1", "nm:keep_n=1,group_m=4", 64 * 24);
}
END_TEST

START_TEST(from_sparse_gives_what_create_gives)
{
    static const char *const specs[] = {"csr", "nm:keep_n=2,group_m=4", "dense", "bsr:block_rows=4,block_columns=4"};
    static const char *const wanted[] = {NULL,
                                         "format=csr",
                                         "format=nm",
                                         "format=dense",
                                         "format=nm,unit_rows=4",
                                         "format=bsr",
                                         "format=bsr,block_rows=3,block_columns=16"};
    struct problem p;
    const int64_t rows = 44, columns = 63, n = 9;
    make(&p, rows, columns, TWO_OF_FOUR_BY_4, 0, 1, prune_cpu_detect(), 1);
    float *x = malloc((size_t)(columns * n) * sizeof *x), *first = NULL;
    struct pr_rng rng;
    pr_rng_seed(&rng, 8);
    fill_random(&rng, x, columns * n, 1);
    for (int s = 0; s < 4; s++)
        for (int w = 0; w < 7; w++) {
            prune_sparse *sparse;
            prune_packed *packed;
            OK(prune_sparse_create(&sparse, p.tensor, p.mask, specs[s]));
            OK(prune_packed_from_sparse(&packed, sparse, wanted[w]));
            float *y = product_of(packed, x, n, 0);
            if (!first)
                first = y;
            else
                ck_assert_mem_eq(y, first, (size_t)(rows * n) * sizeof *y);
            if (w == 0)
                ck_assert_str_eq(prune_packed_format(packed), specs[s]);
            if (y != first)
                free(y);
            prune_packed_free(packed);
            prune_sparse_free(sparse);
        }
    free(first);
    free(x);
    drop(&p);
}
END_TEST

TEST_MAIN("packed products", few_columns_of_x, csr_keeps_the_bound_for_ragged_shapes,
          nm_keeps_the_bound_for_ragged_shapes, bsr_keeps_the_bound_for_ragged_shapes,
          dense_keeps_the_bound_for_ragged_shapes, every_tail_of_rows_columns_and_n,
          any_number_of_threads_gives_the_same_bits, any_alignment_gives_the_same_bits,
          many_threads_may_run_one_object_at_once, ordered_forms_give_the_same_bits_on_every_instruction_set,
          names_of_format_form_and_kernels, the_format_follows_the_pattern, from_sparse_gives_what_create_gives)
