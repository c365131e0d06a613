/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Tensors: making, viewing, walking, freeing. Conversions are in test_dtype.c.
 */
#include <math.h>
#include <pthread.h>

#include "allocator.h"
#include "base/rng.h"
#include "core/tensor/tensor.h"
#include "testing.h"

START_TEST(create_gives_aligned_zeros_in_row_major_order)
{
    const int64_t shape[3] = {2, 3, 5};
    for (int32_t dtype = PRUNE_F32; dtype <= PRUNE_F64; dtype++) {
        prune_tensor *tensor;
        OK(prune_tensor_create(&tensor, NULL, dtype, 3, shape));
        ck_assert_int_eq(prune_tensor_dtype(tensor), dtype);
        ck_assert_int_eq(prune_tensor_rank(tensor), 3);
        ck_assert_int_eq(prune_tensor_count(tensor), 30);
        ck_assert_mem_eq(prune_tensor_shape(tensor), shape, sizeof shape);
        ck_assert_mem_eq(prune_tensor_strides(tensor), ((int64_t[]){15, 5, 1}), 3 * sizeof(int64_t));
        ck_assert_int_eq(prune_tensor_is_contiguous(tensor), 1);
        ck_assert_uint_eq((uintptr_t)prune_tensor_data(tensor) % 64, 0);
        ck_assert_ptr_eq(prune_tensor_const_data(tensor), prune_tensor_data(tensor));
        ck_assert_ptr_null(prune_tensor_context(tensor));
        const char *bytes = prune_tensor_const_data(tensor);
        for (int64_t i = 0; i < 30 * prune_dtype_size(dtype); i++)
            ck_assert_int_eq(bytes[i], 0);
        prune_tensor_free(tensor);
    }
    prune_tensor_free(NULL);
}
END_TEST

START_TEST(rank_0_has_one_element_and_extent_0_none)
{
    prune_tensor *tensor, *copy;
    OK(prune_tensor_create(&tensor, NULL, PRUNE_F32, 0, NULL));
    ck_assert_int_eq(prune_tensor_count(tensor), 1);
    *(float *)prune_tensor_data(tensor) = 7;
    OK(prune_tensor_convert(&copy, tensor, PRUNE_I32));
    ck_assert_int_eq(*(const int32_t *)prune_tensor_const_data(copy), 7);
    prune_tensor_free(copy);
    OK(prune_tensor_permute(&copy, tensor, NULL));
    prune_tensor_free(copy);
    prune_tensor_free(tensor);

    const int64_t empty[3] = {4, 0, INT64_MAX / 4};
    OK(prune_tensor_create(&tensor, NULL, PRUNE_F64, 3, empty));
    ck_assert_int_eq(prune_tensor_count(tensor), 0);
    ck_assert_int_eq(prune_tensor_is_contiguous(tensor), 1);
    OK(prune_tensor_convert(&copy, tensor, PRUNE_F16));
    ck_assert_int_eq(prune_tensor_count(copy), 0);
    prune_tensor_free(copy);
    prune_tensor_free(tensor);

    OK(prune_tensor_borrow(&tensor, NULL, NULL, PRUNE_F32, 3, empty, NULL));
    OK(prune_tensor_slice(&copy, tensor, 2, INT64_MAX / 8, 5, -1));
    ck_assert_ptr_null(prune_tensor_data(copy));
    prune_tensor_free(copy);
    prune_tensor_free(tensor);
}
END_TEST

START_TEST(create_refuses_bad_arguments)
{
    prune_tensor *out = UNTOUCHED;
    const int64_t shape[9] = {2, 2, 2, 2, 2, 2, 2, 2, 2};
    FAILS(prune_tensor_create(NULL, NULL, PRUNE_F32, 2, shape), PRUNE_E_ARGUMENT, "out is NULL");
    FAILS(prune_tensor_create(&out, NULL, PRUNE_F32, 2, NULL), PRUNE_E_ARGUMENT, "shape is NULL");
    FAILS(prune_tensor_create(&out, NULL, 0, 2, shape), PRUNE_E_DTYPE, "0 is no dtype");
    FAILS(prune_tensor_create(&out, NULL, 13, 2, shape), PRUNE_E_DTYPE, "13 is no dtype");
    FAILS(prune_tensor_create(&out, NULL, -1, 2, shape), PRUNE_E_DTYPE, "-1 is no dtype");
    FAILS(prune_tensor_create(&out, NULL, PRUNE_F32, -1, shape), PRUNE_E_SHAPE, "rank is -1");
    FAILS(prune_tensor_create(&out, NULL, PRUNE_F32, 9, shape), PRUNE_E_SHAPE, "0 to 8");
    FAILS(prune_tensor_create(&out, NULL, PRUNE_F32, 2, ((int64_t[]){3, -1})), PRUNE_E_SHAPE, "extent 1");
    FAILS(prune_tensor_create(&out, NULL, PRUNE_F32, 2, ((int64_t[]){1LL << 32, 1LL << 31})), PRUNE_E_OVERFLOW,
          "63 bits");
    FAILS(prune_tensor_create(&out, NULL, PRUNE_F64, 2, ((int64_t[]){1LL << 31, 1LL << 29})), PRUNE_E_OVERFLOW,
          "63 bits");
    FAILS(prune_tensor_create(&out, NULL, PRUNE_F32, 3, ((int64_t[]){0, INT64_MAX, 2})), PRUNE_E_OVERFLOW, "63 bits");
    FAILS(prune_tensor_create(&out, NULL, PRUNE_U8, 1, ((int64_t[]){INT64_MAX - 100})), PRUNE_E_NOMEM, "no memory");
    ck_assert_ptr_eq(out, UNTOUCHED);
}
END_TEST

START_TEST(borrow_refuses_bad_arguments)
{
    prune_tensor *out = UNTOUCHED;
    double place[8] = {0};
    const int64_t shape[2] = {2, 3};
    FAILS(prune_tensor_borrow(NULL, NULL, place, PRUNE_F32, 2, shape, NULL), PRUNE_E_ARGUMENT, "out is NULL");
    FAILS(prune_tensor_borrow(&out, NULL, NULL, PRUNE_F32, 2, shape, NULL), PRUNE_E_ARGUMENT, "data is NULL");
    FAILS(prune_tensor_borrow(&out, NULL, place, PRUNE_F32, 2, NULL, NULL), PRUNE_E_ARGUMENT, "shape is NULL");
    FAILS(prune_tensor_borrow(&out, NULL, place, 77, 2, shape, NULL), PRUNE_E_DTYPE, "77");
    FAILS(prune_tensor_borrow(&out, NULL, place, PRUNE_F32, 12, shape, NULL), PRUNE_E_SHAPE, "rank is 12");
    FAILS(prune_tensor_borrow(&out, NULL, place, PRUNE_F32, 2, ((int64_t[]){-2, 3}), NULL), PRUNE_E_SHAPE, "extent 0");
    FAILS(prune_tensor_borrow(&out, NULL, place, PRUNE_F32, 2, ((int64_t[]){INT64_MAX, 2}), NULL), PRUNE_E_OVERFLOW,
          "63 bits");
    ck_assert_ptr_eq(out, UNTOUCHED);
}
END_TEST

START_TEST(borrow_refuses_misaligned_data)
{
    prune_tensor *out = UNTOUCHED;
    double place[8] = {0};
    char *bytes = (char *)place;
    const int64_t one = 1;
    for (int32_t dtype = PRUNE_F32; dtype <= PRUNE_F64; dtype++)
        for (int64_t off = 1; off < prune_dtype_size(dtype); off++)
            FAILS(prune_tensor_borrow(&out, NULL, bytes + off, dtype, 1, &one, NULL), PRUNE_E_ARGUMENT, "not aligned");
    ck_assert_ptr_eq(out, UNTOUCHED);
    OK(prune_tensor_borrow(&out, NULL, bytes + 1, PRUNE_U8, 1, &one, NULL));
    prune_tensor_free(out);
    OK(prune_tensor_borrow(&out, NULL, bytes + 4, PRUNE_F32, 1, &one, NULL)); /* 4-aligned, not 16 */
    prune_tensor_free(out);
}
END_TEST

START_TEST(borrow_refuses_strides_that_overflow)
{
    prune_tensor *out = UNTOUCHED;
    double place[8] = {0};
    static const struct {
        int64_t shape[2], strides[2];
    } bad[] = {
        {{2, 3}, {INT64_MAX, 1}},
        {{2, 3}, {INT64_MIN, 1}},
        {{2, 3}, {1, INT64_MIN}},
        {{3, 3}, {INT64_MAX / 2 + 1, 1}},
        {{2, 2}, {INT64_MAX / 2 + 1, INT64_MAX / 2 + 1}},
        {{2, 2}, {-(INT64_MAX / 2) - 1, -(INT64_MAX / 2) - 1}},
        {{2, 1}, {INT64_MAX / 8 + 1, 0}},
        {{2, 1}, {-(INT64_MAX / 8) - 2, 0}},
        {{2, 1}, {-((int64_t)1 << 59), 0}}, /* in front of address 0 */
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        FAILS(prune_tensor_borrow(&out, NULL, place, PRUNE_F64, 2, bad[i].shape, bad[i].strides), PRUNE_E_OVERFLOW,
              "reach");
    ck_assert_ptr_eq(out, UNTOUCHED);
    /* Strides that reach nothing are any numbers. */
    OK(prune_tensor_borrow(&out, NULL, place, PRUNE_F64, 2, ((int64_t[]){1, 8}), ((int64_t[]){INT64_MIN, 1})));
    ck_assert_int_eq(prune_tensor_is_contiguous(out), 1);
    prune_tensor_free(out);
    OK(prune_tensor_borrow(&out, NULL, place, PRUNE_F64, 2, ((int64_t[]){0, 8}), ((int64_t[]){5, INT64_MAX})));
    prune_tensor_free(out);
}
END_TEST

START_TEST(stride_0_repeats_and_negative_strides_go_back)
{
    float data[4] = {1, 2, 3, 4};
    prune_tensor *view, *copy;
    OK(prune_tensor_borrow(&view, NULL, data + 3, PRUNE_F32, 2, ((int64_t[]){2, 3}), ((int64_t[]){0, -1})));
    ck_assert_int_eq(prune_tensor_is_contiguous(view), 0);
    OK(prune_tensor_convert(&copy, view, PRUNE_F32));
    ck_assert_mem_eq(prune_tensor_const_data(copy), ((float[]){4, 3, 2, 4, 3, 2}), 6 * sizeof(float));
    prune_tensor_free(copy);
    prune_tensor_free(view);
}
END_TEST

START_TEST(slice_refuses_what_leaves_the_axis)
{
    prune_tensor *tensor, *out = UNTOUCHED;
    OK(prune_tensor_create(&tensor, NULL, PRUNE_F32, 2, ((int64_t[]){4, 6})));
    FAILS(prune_tensor_slice(NULL, tensor, 0, 0, 1, 1), PRUNE_E_ARGUMENT, "out is NULL");
    FAILS(prune_tensor_slice(&out, NULL, 0, 0, 1, 1), PRUNE_E_ARGUMENT, "tensor is NULL");
    FAILS(prune_tensor_slice(&out, tensor, -1, 0, 1, 1), PRUNE_E_SHAPE, "axis is -1");
    FAILS(prune_tensor_slice(&out, tensor, 2, 0, 1, 1), PRUNE_E_SHAPE, "axes 0 to 1");
    FAILS(prune_tensor_slice(&out, tensor, 0, 0, 1, 0), PRUNE_E_ARGUMENT, "step is 0");
    static const int64_t bad[][3] = {/* start, count, step */
                                     {0, 5, 1},
                                     {-1, 1, 1},
                                     {4, 1, 1},
                                     {5, 0, 1},
                                     {0, -1, 1},
                                     {3, 3, -2},
                                     {1, 2, 3},
                                     {0, 2, INT64_MAX},
                                     {1, 2, INT64_MAX},
                                     {0, 3, INT64_MIN},
                                     {0, INT64_MAX, INT64_MAX},
                                     {INT64_MAX, 1, 1}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        FAILS(prune_tensor_slice(&out, tensor, 0, bad[i][0], bad[i][1], bad[i][2]), PRUNE_E_SHAPE, "leave axis 0");
    ck_assert_ptr_eq(out, UNTOUCHED);
    OK(prune_tensor_slice(&out, tensor, 0, 4, 0, 1));
    ck_assert_int_eq(prune_tensor_count(out), 0);
    prune_tensor_free(out);
    OK(prune_tensor_slice(&out, tensor, 0, 3, 1, INT64_MIN));
    prune_tensor_free(out);
    OK(prune_tensor_slice(&out, tensor, 0, 3, 2, -3));
    ck_assert_int_eq(prune_tensor_strides(out)[0], -18);
    prune_tensor_free(out);
    prune_tensor_free(tensor);
}
END_TEST

START_TEST(permute_and_reshape_refuse_bad_arguments)
{
    prune_tensor *tensor, *turned, *out = UNTOUCHED;
    OK(prune_tensor_create(&tensor, NULL, PRUNE_F32, 2, ((int64_t[]){4, 6})));
    FAILS(prune_tensor_permute(NULL, tensor, ((int32_t[]){1, 0})), PRUNE_E_ARGUMENT, "out is NULL");
    FAILS(prune_tensor_permute(&out, NULL, ((int32_t[]){1, 0})), PRUNE_E_ARGUMENT, "tensor is NULL");
    FAILS(prune_tensor_permute(&out, tensor, NULL), PRUNE_E_ARGUMENT, "order is NULL");
    FAILS(prune_tensor_permute(&out, tensor, ((int32_t[]){1, 1})), PRUNE_E_SHAPE, "order[1] is 1");
    FAILS(prune_tensor_permute(&out, tensor, ((int32_t[]){0, 2})), PRUNE_E_SHAPE, "order[1] is 2");
    FAILS(prune_tensor_permute(&out, tensor, ((int32_t[]){-1, 0})), PRUNE_E_SHAPE, "order[0] is -1");

    const int64_t shape[2] = {3, 8};
    FAILS(prune_tensor_reshape(NULL, tensor, 2, shape), PRUNE_E_ARGUMENT, "out is NULL");
    FAILS(prune_tensor_reshape(&out, NULL, 2, shape), PRUNE_E_ARGUMENT, "tensor is NULL");
    FAILS(prune_tensor_reshape(&out, tensor, 2, NULL), PRUNE_E_ARGUMENT, "shape is NULL");
    FAILS(prune_tensor_reshape(&out, tensor, 2, ((int64_t[]){5, 5})), PRUNE_E_SHAPE, "[5, 5] has 25");
    FAILS(prune_tensor_reshape(&out, tensor, 9, shape), PRUNE_E_SHAPE, "rank is 9");
    OK(prune_tensor_permute(&turned, tensor, ((int32_t[]){1, 0})));
    FAILS(prune_tensor_reshape(&out, turned, 2, shape), PRUNE_E_SHAPE, "view");
    ck_assert_ptr_eq(out, UNTOUCHED);
    OK(prune_tensor_reshape(&out, tensor, 2, shape));
    ck_assert_ptr_eq(prune_tensor_data(out), prune_tensor_data(tensor));
    prune_tensor_free(out);
    prune_tensor_free(turned);
    prune_tensor_free(tensor);
}
END_TEST

START_TEST(accessors_take_null)
{
    ck_assert_int_eq(prune_tensor_dtype(NULL), 0);
    ck_assert_int_eq(prune_tensor_rank(NULL), 0);
    ck_assert_int_eq(prune_tensor_count(NULL), 0);
    ck_assert_ptr_null(prune_tensor_shape(NULL));
    ck_assert_ptr_null(prune_tensor_strides(NULL));
    ck_assert_ptr_null(prune_tensor_data(NULL));
    ck_assert_ptr_null(prune_tensor_const_data(NULL));
    ck_assert_int_eq(prune_tensor_is_contiguous(NULL), 0);
    ck_assert_ptr_null(prune_tensor_context(NULL));
}
END_TEST

START_TEST(views_keep_the_owner_and_the_context)
{
    struct allocator a;
    prune_context *context = counted_context(&a);
    prune_tensor *tensor, *slice, *turned;
    OK(prune_tensor_create(&tensor, context, PRUNE_F32, 2, ((int64_t[]){3, 4})));
    FAILS(prune_context_set_threads(context, 2), PRUNE_E_ARGUMENT, "fixed");
    prune_context_free(context);
    for (int i = 0; i < 12; i++)
        ((float *)prune_tensor_data(tensor))[i] = (float)i;
    OK(prune_tensor_slice(&slice, tensor, 1, 1, 2, 2)); /* columns 1 and 3 */
    prune_tensor_free(tensor);
    OK(prune_tensor_permute(&turned, slice, ((int32_t[]){1, 0})));
    ck_assert_ptr_eq(prune_tensor_context(turned), context);
    prune_tensor_free(slice);
    ck_assert_float_eq(*(float *)pr_element_at(turned, 0), 1);
    ck_assert_float_eq(*(float *)pr_element_at(turned, 4), 7);
    *(float *)prune_tensor_data(turned) = 9;
    prune_tensor *copy;
    OK(prune_tensor_convert(&copy, turned, PRUNE_F32));
    prune_tensor_free(turned);
    ck_assert_mem_eq(prune_tensor_const_data(copy), ((float[]){9, 5, 9, 3, 7, 11}), 6 * sizeof(float));
    prune_tensor_free(copy);
    ck_assert_int_eq(a.live, 0);
    ck_assert_int_eq(a.bytes, 0);
}
END_TEST

START_TEST(failed_allocations_lose_nothing)
{
    struct allocator a;
    prune_context *context = counted_context(&a);
    prune_tensor *tensor, *view;
    SURVIVES(&a, &tensor, prune_tensor_create(&tensor, context, PRUNE_F32, 2, ((int64_t[]){3, 4})));
    SURVIVES(&a, &view, prune_tensor_slice(&view, tensor, 0, 0, 2, 1));
    prune_tensor_free(view);
    SURVIVES(&a, &view, prune_tensor_permute(&view, tensor, ((int32_t[]){1, 0})));
    prune_tensor_free(view);
    SURVIVES(&a, &view, prune_tensor_reshape(&view, tensor, 1, ((int64_t[]){12})));
    prune_tensor_free(view);
    SURVIVES(&a, &view, prune_tensor_convert(&view, tensor, PRUNE_I64));
    prune_tensor_free(view);
    float data = 0;
    SURVIVES(&a, &view, prune_tensor_borrow(&view, context, &data, PRUNE_F32, 0, NULL, NULL));
    prune_tensor_free(view);
    prune_tensor_free(tensor);
    ck_assert_int_eq(a.live, 0);
    prune_context_free(context);
}
END_TEST

/* A random view of `base`: a few slices and a permutation. */
static prune_tensor *random_view(const prune_tensor *base, struct pr_rng *rng)
{
    prune_tensor *view, *next;
    int32_t order[PRUNE_MAX_RANK], rank = prune_tensor_rank(base);
    for (int32_t i = 0; i < rank; i++) { /* inside out shuffle */
        int32_t j = (int32_t)pr_rng_below(rng, (uint64_t)i + 1);
        order[i] = order[j];
        order[j] = i;
    }
    OK(prune_tensor_permute(&view, base, order));
    for (int32_t axis = 0; axis < rank; axis++) {
        int64_t extent = prune_tensor_shape(view)[axis], step = 1 + (int64_t)pr_rng_below(rng, 2);
        int64_t start = (int64_t)pr_rng_below(rng, (uint64_t)extent), count = (extent - 1 - start) / step + 1;
        if (pr_rng_below(rng, 2)) {
            count = start / step + 1;
            step = -step;
        }
        if (pr_rng_below(rng, 3) == 0)
            continue;
        OK(prune_tensor_slice(&next, view, axis, start, count, step));
        prune_tensor_free(view);
        view = next;
    }
    return view;
}

START_TEST(walk_visits_random_views_in_row_major_order)
{
    struct pr_rng rng;
    prune_tensor *base;
    pr_rng_seed(&rng, 1);
    const int64_t shape[4] = {3, 4, 5, 2};
    OK(prune_tensor_create(&base, NULL, PRUNE_I32, 4, shape));
    int64_t runs = 0, seen = 0;
    for (int round = 0; round < 500; round++) {
        prune_tensor *view = random_view(base, &rng);
        struct pr_walk walk;
        int64_t expected = 0;
        pr_walk_start(&walk, view);
        while (walk.count) {
            int64_t part = 1 + (int64_t)pr_rng_below(&rng, (uint64_t)walk.count);
            ck_assert_int_eq(walk.position, expected);
            for (int64_t i = 0; i < part; i++)
                ck_assert_ptr_eq((int32_t *)walk.data + i * walk.stride, pr_element_at(view, expected++));
            pr_walk_skip(&walk, part);
            runs++;
        }
        ck_assert_int_eq(expected, prune_tensor_count(view));
        seen += expected;
        prune_tensor_free(view);
    }
    ck_assert_int_gt(seen, 4 * 500);
    ck_assert_int_gt(runs, 500);

    struct pr_walk whole;
    pr_walk_start(&whole, base);
    ck_assert_int_eq(whole.count, 120);
    pr_walk_next(&whole);
    ck_assert_int_eq(whole.count, 0);
    prune_tensor_free(base);
}
END_TEST

START_TEST(copy_between_random_views_moves_every_element)
{
    struct pr_rng rng;
    prune_tensor *from, *to;
    pr_rng_seed(&rng, 2);
    const int64_t shape[3] = {4, 3, 5};
    OK(prune_tensor_create(&from, NULL, PRUNE_F32, 3, shape));
    OK(prune_tensor_create(&to, NULL, PRUNE_F64, 3, shape));
    for (int i = 0; i < 60; i++)
        ((float *)prune_tensor_data(from))[i] = (float)i;
    int compared = 0;
    for (int round = 0; round < 2000; round++) {
        prune_tensor *source = random_view(from, &rng), *target = random_view(to, &rng);
        if (pr_same_shape(source->rank, source->shape, target->rank, target->shape)) {
            OK(prune_tensor_copy(target, source));
            for (int64_t i = 0; i < prune_tensor_count(source); i++, compared++)
                ck_assert_double_eq(*(double *)pr_element_at(target, i), (double)*(float *)pr_element_at(source, i));
        } else {
            FAILS(prune_tensor_copy(target, source), PRUNE_E_SHAPE, "must be equal");
        }
        prune_tensor_free(source);
        prune_tensor_free(target);
    }
    ck_assert_int_gt(compared, 100);
    prune_tensor_free(from);
    prune_tensor_free(to);
}
END_TEST

static void *make_views(void *argument)
{
    for (int i = 0; i < 2000; i++) {
        prune_tensor *view, *inner;
        if (prune_tensor_slice(&view, argument, 0, 1, 2, 1) || prune_tensor_permute(&inner, view, (int32_t[]){1, 0}))
            return argument;
        prune_tensor_free(view);
        prune_tensor_free(inner);
    }
    return NULL;
}

START_TEST(views_of_one_tensor_on_four_threads)
{
    prune_tensor *tensor;
    pthread_t threads[4];
    OK(prune_tensor_create(&tensor, NULL, PRUNE_F32, 2, ((int64_t[]){3, 4})));
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, make_views, tensor), 0);
    for (int i = 0; i < 4; i++) {
        void *failed;
        pthread_join(threads[i], &failed);
        ck_assert_ptr_null(failed);
    }
    ck_assert_int_eq(tensor->references, 1);
    prune_tensor_free(tensor);
}
END_TEST

START_TEST(refuse_nan_names_the_first)
{
    float data[6] = {1, INFINITY, -INFINITY, NAN, 0, NAN};
    prune_tensor *tensor, *turned;
    OK(prune_tensor_borrow(&tensor, NULL, data, PRUNE_F32, 2, ((int64_t[]){2, 3}), NULL));
    FAILS(pr_refuse_nan(tensor, "weights"), PRUNE_E_VALUE, "weights (1, 0)");
    OK(prune_tensor_permute(&turned, tensor, ((int32_t[]){1, 0})));
    FAILS(pr_refuse_nan(turned, "scores"), PRUNE_E_VALUE, "scores (0, 1)");
    data[3] = data[5] = 0;
    OK(pr_refuse_nan(tensor, "weights"));
    prune_tensor_free(turned);
    prune_tensor_free(tensor);
}
END_TEST

TEST_MAIN("tensor", create_gives_aligned_zeros_in_row_major_order, rank_0_has_one_element_and_extent_0_none,
          create_refuses_bad_arguments, borrow_refuses_bad_arguments, borrow_refuses_misaligned_data,
          borrow_refuses_strides_that_overflow, stride_0_repeats_and_negative_strides_go_back,
          slice_refuses_what_leaves_the_axis, permute_and_reshape_refuse_bad_arguments, accessors_take_null,
          views_keep_the_owner_and_the_context, failed_allocations_lose_nothing,
          walk_visits_random_views_in_row_major_order, copy_between_random_views_moves_every_element,
          views_of_one_tensor_on_four_threads, refuse_nan_names_the_first)
