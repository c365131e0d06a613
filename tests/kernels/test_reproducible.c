/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The reproducible mode: each sum is the chain that prune/context.h writes out, whatever packed it and whatever runs.
 */
#include "problem.h"

#include "core/sparse/packed/packed.h"

static const struct {
    enum pattern pattern;
    const char *spec;
} formats[] = {
    {RANDOM, "format=csr"},
    {TWO_OF_FOUR, "format=nm"},
    {TWO_OF_FOUR_BY_4, "format=nm,unit_rows=4"},
    {ONE_OF_THREE, "format=nm,keep_n=1,group_m=3"},
    {FULL, "format=dense"},
    {RANDOM, ""},
};
#define FORMATS ((int)(sizeof formats / sizeof *formats))

enum { ROWS = 139, COLUMNS_OF_W = 210, MOST_N = 68 };

static float *chain_of(const struct problem *p, const float *x, int64_t n)
{
    float *y = calloc((size_t)(p->rows * n), sizeof *y);
    for (int64_t i = 0; i < p->rows; i++)
        for (int64_t j = 0; j < n; j++)
            for (int64_t e = p->indptr[i]; e < p->indptr[i + 1]; e++)
                y[i * n + j] = fmaf(p->weights[i * p->columns + p->indices[e]], x[p->indices[e] * n + j], y[i * n + j]);
    return y;
}

/* Columns `first` to `first + count` of the whole product, computed by themselves. */
static void check_part(const prune_packed *packed, const float *x, const float *right, int64_t first, int64_t count,
                       int batch)
{
    float *own_x = malloc((size_t)(COLUMNS_OF_W * count) * sizeof *own_x);
    for (int64_t k = 0; k < COLUMNS_OF_W; k++)
        for (int64_t j = 0; j < count; j++)
            own_x[batch ? j * COLUMNS_OF_W + k : k * count + j] = x[k * MOST_N + first + j];
    float *y = product_of(packed, own_x, count, batch);
    for (int64_t i = 0; i < ROWS; i++)
        for (int64_t j = 0; j < count; j++)
            if (memcmp(&y[batch ? j * ROWS + i : i * count + j], &right[i * MOST_N + first + j], sizeof *y) != 0)
                ck_abort_msg("%s, columns %lld to %lld, batch %d: row %lld differs", prune_packed_form(packed),
                             (long long)first, (long long)(first + count), batch, (long long)i);
    free(own_x);
    free(y);
}

static void check_object(const prune_packed *packed, const float *x, const float *right)
{
    check_part(packed, x, right, 0, MOST_N, 0);
    check_part(packed, x, right, 0, MOST_N, 1);
    int64_t first = 0, count = 1;
    for (int turn = 0; first < MOST_N; first += count, turn++) {
        count = 1 + turn * 7 % 19;
        if (count > MOST_N - first)
            count = MOST_N - first;
        check_part(packed, x, right, first, count, turn % 2);
    }
    for (int64_t j = 0; j < 3; j++)
        check_part(packed, x, right, j, 1, (int)j % 2);
}

START_TEST(the_same_bits_for_any_split_instruction_set_hint_and_number_of_threads)
{
    static const int hints[] = {1, 4, 16, 64, 1000};
    float *x = random_x(COLUMNS_OF_W * MOST_N);
    for (int f = 0; f < FORMATS; f++) {
        float *right = NULL;
        for (int m = 0; m < MASKS; m++)
            for (int h = 0; cpu_has(masks[m]) && h < 5; h++) {
                struct problem p;
                prune_packed *packed;
                char spec[100];
                make(&p, ROWS, COLUMNS_OF_W, formats[f].pattern, 0.3, 0, masks[m] | PRUNE_CPU_REPRODUCIBLE, 1 + h % 3);
                snprintf(spec, sizeof spec, "%s%scolumns=%d", formats[f].spec, *formats[f].spec ? "," : "", hints[h]);
                OK(prune_packed_create(&packed, p.tensor, p.mask, spec));
                if (!right)
                    right = chain_of(&p, x, MOST_N);
                check_object(packed, x, right);
                prune_packed_free(packed);
                drop(&p);
            }
        free(right);
    }
    free(x);
}
END_TEST

/* W' X with a packed transpose is a chain by ascending rows of W. Without one it goes in the order in which the form
 * stores its elements: the same for every split and instruction set, of one object. */
START_TEST(transposed_products_are_chains_too)
{
    enum { SOME = 9 };
    static const char *const specs[] = {"format=csr,backward=yes",
                                        "format=csr,columns=64,backward=yes",
                                        "format=dense,backward=yes",
                                        "format=csr",
                                        "format=nm",
                                        "format=dense"};
    static const enum pattern patterns[] = {RANDOM, RANDOM, FULL, RANDOM, TWO_OF_FOUR, FULL};
    float *x = random_x(ROWS * SOME);
    for (int f = 0; f < 6; f++) {
        float *right = NULL;
        for (int m = 0; m < MASKS; m++) {
            struct problem p;
            prune_packed *packed;
            if (!cpu_has(masks[m]))
                continue;
            make(&p, ROWS, COLUMNS_OF_W, patterns[f], 0.3, 0, masks[m] | PRUNE_CPU_REPRODUCIBLE, 1 + m);
            OK(prune_packed_create(&packed, p.tensor, p.mask, specs[f]));
            float *y = calloc(COLUMNS_OF_W * SOME, sizeof *y), one[COLUMNS_OF_W], column[ROWS];
            OK(prune_packed_run_transposed(packed, y, SOME, x, SOME, SOME, NULL));
            if (!right) {
                right = calloc(COLUMNS_OF_W * SOME, sizeof *right);
                for (int64_t i = 0; i < ROWS; i++)
                    for (int64_t e = p.indptr[i]; e < p.indptr[i + 1]; e++)
                        for (int64_t j = 0; j < SOME; j++) {
                            float *sum = &right[p.indices[e] * SOME + j];
                            *sum = fmaf(p.weights[i * COLUMNS_OF_W + p.indices[e]], x[i * SOME + j], *sum);
                        }
                if (f > 2)
                    memcpy(right, y, COLUMNS_OF_W * SOME * sizeof *y);
            }
            ck_assert_mem_eq(y, right, COLUMNS_OF_W * SOME * sizeof *y);
            for (int64_t j = 0; j < SOME; j++) {
                for (int64_t i = 0; i < ROWS; i++)
                    column[i] = x[i * SOME + j];
                OK(prune_packed_run_transposed_batch(packed, one, COLUMNS_OF_W, column, ROWS, 1, NULL));
                for (int64_t k = 0; k < COLUMNS_OF_W; k++)
                    if (memcmp(&one[k], &right[k * SOME + j], sizeof *one) != 0)
                        ck_abort_msg("%s: column %lld alone gives other bits", specs[f], (long long)j);
            }
            free(y);
            prune_packed_free(packed);
            drop(&p);
        }
        free(right);
    }
    free(x);
}
END_TEST

/* The bytes do not depend on the machine either. */
START_TEST(the_same_bytes_on_every_instruction_set)
{
    for (int f = 0; f < FORMATS; f++)
        for (int m = 1; m < MASKS; m++) {
            struct problem p, q;
            prune_packed *a, *b;
            const void *bytes_a, *bytes_b;
            int64_t size_a, size_b;
            if (!cpu_has(masks[m]))
                continue;
            make(&p, 60, 70, formats[f].pattern, 0.3, 0, PRUNE_CPU_REPRODUCIBLE, 1);
            make(&q, 60, 70, formats[f].pattern, 0.3, 0, masks[m] | PRUNE_CPU_REPRODUCIBLE, 1);
            OK(prune_packed_create(&a, p.tensor, p.mask, formats[f].spec));
            OK(prune_packed_create(&b, q.tensor, q.mask, formats[f].spec));
            OK(prune_packed_blob(a, &bytes_a, &size_a));
            OK(prune_packed_blob(b, &bytes_b, &size_b));
            ck_assert_int_eq(size_a, size_b);
            ck_assert_mem_eq(bytes_a, bytes_b, (size_t)size_a);
            prune_packed_free(a);
            prune_packed_free(b);
            drop(&p);
            drop(&q);
        }
}
END_TEST

/* Every form that says it keeps the order does, by name; the others are refused by name, packed or loaded. */
START_TEST(every_form_keeps_the_order_or_is_refused)
{
    int kept = 0, refused = 0;
    float *x = random_x(COLUMNS_OF_W * MOST_N);
    for (int f = 0; f < pr_form_count; f++)
        for (int i = 0; i < FORMATS; i++) {
            struct problem p, free_p;
            prune_packed *packed = NULL, *loaded = UNTOUCHED;
            char spec[100];
            snprintf(spec, sizeof spec, "%s%sform=%s", formats[i].spec, *formats[i].spec ? "," : "", pr_forms[f]->name);
            make(&free_p, ROWS, COLUMNS_OF_W, formats[i].pattern, 0.3, 0, prune_cpu_detect(), 1);
            make(&p, ROWS, COLUMNS_OF_W, formats[i].pattern, 0.3, 0, prune_cpu_detect() | PRUNE_CPU_REPRODUCIBLE, 1);
            int32_t status = prune_packed_create(&packed, free_p.tensor, free_p.mask, spec);
            if (status) { /* it does not take this format, in no mode */
                ck_assert_int_eq(status, PRUNE_E_SPEC);
                FAILS(prune_packed_create(&packed, p.tensor, p.mask, spec), PRUNE_E_SPEC, pr_forms[f]->name);
            } else if (pr_forms[f]->column_order) {
                prune_packed_free(packed);
                OK(prune_packed_create(&packed, p.tensor, p.mask, spec));
                float *right = chain_of(&p, x, MOST_N);
                check_object(packed, x, right);
                free(right);
                kept++;
            } else {
                const void *bytes;
                int64_t size;
                OK(prune_packed_blob(packed, &bytes, &size));
                FAILS(prune_packed_load(&loaded, p.context, bytes, size), PRUNE_E_UNSUPPORTED, pr_forms[f]->name);
                FAILS(prune_packed_create(&loaded, p.tensor, p.mask, spec), PRUNE_E_UNSUPPORTED, pr_forms[f]->name);
                ck_assert_ptr_eq(loaded, UNTOUCHED);
                refused++;
            }
            prune_packed_free(packed);
            drop(&p);
            drop(&free_p);
        }
    ck_assert_int_gt(kept, 5);
    ck_assert_int_gt(refused, 1);
    free(x);
}
END_TEST

/* Free slots come from plain C, or from an instance that gives its bits. */
START_TEST(free_slots_are_left_out)
{
    for (int m = 1; m < MASKS; m++) {
        struct pr_kernels table;
        pr_kernels_select(masks[m] | PRUNE_CPU_REPRODUCIBLE, &table);
        int own = 0;
        for (enum pr_slot slot = 0; slot < PR_SLOT_COUNT; slot++) {
            const char *origin = pr_kernels_origin(masks[m] | PRUNE_CPU_REPRODUCIBLE, slot);
            if (pr_slot_order(slot) == PR_FREE && slot != PR_SLOT_rows_dot)
                ck_assert_str_eq(origin, "scalar");
            else if (pr_slot_order(slot) != PR_FREE)
                ck_assert_str_eq(origin, pr_kernels_origin(masks[m], slot));
            own += strcmp(origin, "scalar") != 0;
        }
        ck_assert(own > 0 || strcmp(pr_kernels_origin(masks[m], PR_SLOT_rows_panel), "scalar") == 0);
        ck_assert_ptr_eq((void *)(uintptr_t)table.windows_8, (void *)(uintptr_t)pr_kernels_scalar.windows_8);
    }
}
END_TEST

TEST_MAIN("reproducible mode", the_same_bits_for_any_split_instruction_set_hint_and_number_of_threads,
          transposed_products_are_chains_too, the_same_bytes_on_every_instruction_set,
          every_form_keeps_the_order_or_is_refused, free_slots_are_left_out)
