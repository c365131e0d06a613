/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Out of packed objects again: the very bits that went in.
 */
#include "problem.h"

/* What went in: the kept elements, +0.0 elsewhere. */
static void check_tensor(const struct problem *p, const prune_packed *packed)
{
    prune_tensor *tensor;
    OK(prune_packed_to_tensor(&tensor, packed));
    ck_assert_int_eq(prune_tensor_rank(tensor), 2);
    ck_assert_int_eq(prune_tensor_shape(tensor)[0], p->rows);
    ck_assert_int_eq(prune_tensor_shape(tensor)[1], p->columns);
    const float *back = prune_tensor_const_data(tensor);
    for (int64_t i = 0; i < p->rows * p->columns; i++) {
        float expected = p->kept[i] ? p->weights[i] : 0.0f;
        if (memcmp(&back[i], &expected, sizeof expected) != 0)
            ck_abort_msg("%s: element %lld is %g instead of %g", prune_packed_form(packed), (long long)i,
                         (double)back[i], (double)expected);
    }
    prune_tensor_free(tensor);
}

static int changes_values(int form)
{
    return strstr(every_form[form].spec, "values=") || strstr(every_form[form].spec, "codebook");
}

static void check_sparse(const struct problem *p, const prune_packed *packed)
{
    prune_sparse *sparse, *expected;
    OK(prune_packed_to_sparse(&sparse, packed));
    ck_assert_str_eq(prune_sparse_spec(sparse), prune_packed_format(packed));
    OK(prune_sparse_create(&expected, p->tensor, p->mask, prune_packed_format(packed)));
    for (int32_t i = 0; i < prune_sparse_part_count(sparse); i++) {
        const prune_tensor *a = prune_sparse_part(sparse, i), *b = prune_sparse_part(expected, i);
        ck_assert_int_eq(prune_tensor_count(a), prune_tensor_count(b));
        ck_assert_mem_eq(prune_tensor_const_data(a), prune_tensor_const_data(b),
                         (size_t)(prune_tensor_count(a) * prune_dtype_size(prune_tensor_dtype(a))));
    }
    prune_sparse_free(sparse);
    prune_sparse_free(expected);
}

START_TEST(unpacking_gives_the_bits_that_were_packed)
{
    static const int64_t shapes[][2] = {{70, 75}, {1, 1}, {5, 300}, {300, 7}, {64, 64}, {0, 4}, {4, 0}};
    for (int f = 0; f < FORMS; f++)
        for (int s = 0; s < 7 && !changes_values(f); s++)
            for (int m = 0; m < MASKS; m++) {
                struct problem p;
                prune_packed *packed;
                make(&p, shapes[s][0], shapes[s][1], every_form[f].pattern, 0.3, 0, prune_cpu_detect() & masks[m], 1);
                for (int64_t i = 0; i < p.rows * p.columns; i += 7)
                    p.weights[i] = i % 2 ? -0.0f : INFINITY;
                OK(prune_packed_create(&packed, p.tensor, p.mask, every_form[f].spec));
                check_tensor(&p, packed);
                prune_packed_free(packed);
                drop(&p);
            }
}
END_TEST

START_TEST(unpacking_to_sparse_gives_the_format_that_was_packed)
{
    for (int f = 0; f < FORMS; f++) {
        struct problem p;
        prune_packed *packed;
        if (changes_values(f))
            continue; /* these change the values: test_encodings */
        make(&p, 70, 75, every_form[f].pattern, 0.3, 0, prune_cpu_detect(), 1);
        OK(prune_packed_create(&packed, p.tensor, p.mask, every_form[f].spec));
        check_sparse(&p, packed);
        prune_packed_free(packed);
        drop(&p);
    }
}
END_TEST

START_TEST(bad_arguments_of_unpacking)
{
    struct problem p;
    prune_packed *packed;
    prune_tensor *tensor = UNTOUCHED;
    prune_sparse *sparse = UNTOUCHED;
    make(&p, 6, 8, RANDOM, 0.4, 0, prune_cpu_detect(), 1);
    OK(prune_packed_create(&packed, p.tensor, p.mask, NULL));
    FAILS(prune_packed_to_tensor(NULL, packed), PRUNE_E_ARGUMENT, "out");
    FAILS(prune_packed_to_tensor(&tensor, NULL), PRUNE_E_ARGUMENT, "packed");
    FAILS(prune_packed_to_sparse(NULL, packed), PRUNE_E_ARGUMENT, "out");
    FAILS(prune_packed_to_sparse(&sparse, NULL), PRUNE_E_ARGUMENT, "packed");
    ck_assert_ptr_eq(tensor, UNTOUCHED);
    ck_assert_ptr_eq(sparse, UNTOUCHED);
    prune_packed_free(packed);
    drop(&p);
}
END_TEST

TEST_MAIN("unpacking", unpacking_gives_the_bits_that_were_packed, unpacking_to_sparse_gives_the_format_that_was_packed,
          bad_arguments_of_unpacking)
