/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include "allocator.h"
#include "base/rng.h"
#include "core/mask/mask.h"
#include "testing.h"

static prune_mask *random_mask(struct pr_rng *rng, int32_t rank, const int64_t *shape)
{
    prune_mask *mask;
    OK(prune_mask_create(&mask, NULL, rank, shape, 0));
    for (int64_t i = 0; i < prune_mask_count(mask); i++)
        OK(prune_mask_set(mask, i, (int32_t)pr_rng_below(rng, 2)));
    return mask;
}

/* Unused bits are 0: what counting and combining whole words rests on. */
static void check_words(const prune_mask *mask)
{
    ck_assert_int_eq(mask->word_count, (mask->count + 63) / 64);
    if (mask->count % 64)
        ck_assert_uint_eq(mask->words[mask->word_count - 1] >> mask->count % 64, 0);
}

START_TEST(create_keeps_all_or_nothing)
{
    static const int64_t counts[] = {0, 1, 63, 64, 65, 127, 128, 129, 1000};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        for (int32_t kept = 0; kept <= 1; kept++) {
            prune_mask *mask, *flipped;
            OK(prune_mask_create(&mask, NULL, 1, &counts[i], kept));
            check_words(mask);
            ck_assert_int_eq(prune_mask_count(mask), counts[i]);
            ck_assert_int_eq(prune_mask_kept(mask), kept * counts[i]);
            OK(prune_mask_not(&flipped, mask));
            check_words(flipped);
            ck_assert_int_eq(prune_mask_kept(flipped), !kept * counts[i]);
            prune_mask_free(flipped);
            prune_mask_free(mask);
        }
    }
    prune_mask *mask;
    OK(prune_mask_create(&mask, NULL, 0, NULL, 1));
    ck_assert_int_eq(prune_mask_kept(mask), 1);
    ck_assert_int_eq(prune_mask_rank(mask), 0);
    prune_mask_free(mask);
    prune_mask_free(NULL);
}
END_TEST

START_TEST(create_refuses_bad_arguments)
{
    prune_mask *out = UNTOUCHED;
    const int64_t shape[2] = {2, 3};
    FAILS(prune_mask_create(NULL, NULL, 2, shape, 1), PRUNE_E_ARGUMENT, "out is NULL");
    FAILS(prune_mask_create(&out, NULL, 2, NULL, 1), PRUNE_E_ARGUMENT, "shape is NULL");
    FAILS(prune_mask_create(&out, NULL, 2, shape, 2), PRUNE_E_ARGUMENT, "kept is 2");
    FAILS(prune_mask_create(&out, NULL, 2, shape, -1), PRUNE_E_ARGUMENT, "kept is -1");
    FAILS(prune_mask_create(&out, NULL, -1, shape, 1), PRUNE_E_SHAPE, "rank is -1");
    FAILS(prune_mask_create(&out, NULL, 9, shape, 1), PRUNE_E_SHAPE, "rank is 9");
    FAILS(prune_mask_create(&out, NULL, 2, ((int64_t[]){2, -3}), 1), PRUNE_E_SHAPE, "-3");
    FAILS(prune_mask_create(&out, NULL, 2, ((int64_t[]){1LL << 32, 1LL << 31}), 1), PRUNE_E_OVERFLOW, "63 bits");
    ck_assert_ptr_eq(out, UNTOUCHED);
}
END_TEST

START_TEST(bytes_there_and_back)
{
    struct pr_rng rng;
    pr_rng_seed(&rng, 3);
    for (int64_t count = 0; count < 200; count++) {
        uint8_t bytes[200], back[200];
        int64_t kept = 0;
        for (int64_t i = 0; i < count; i++)
            kept += bytes[i] = (uint8_t)pr_rng_below(&rng, 2);
        prune_mask *mask;
        OK(prune_mask_from_bytes(&mask, NULL, 1, &count, bytes, count));
        check_words(mask);
        ck_assert_int_eq(prune_mask_kept(mask), kept);
        memset(back, 7, sizeof back);
        OK(prune_mask_to_bytes(mask, back, count));
        ck_assert_mem_eq(back, bytes, (size_t)count);
        if (count < 200)
            ck_assert_int_eq(back[count], 7);
        for (int64_t i = 0; i < count; i++) {
            int32_t bit = 5;
            OK(prune_mask_get(mask, i, &bit));
            ck_assert_int_eq(bit, bytes[i]);
        }
        prune_mask_free(mask);
    }
}
END_TEST

START_TEST(bytes_of_2_and_ff_are_refused_with_their_place)
{
    prune_mask *out = UNTOUCHED;
    const int64_t shape[2] = {3, 50};
    uint8_t bytes[150] = {0};
    static const uint8_t bad[] = {2, 0xff, 0x80, '1'};
    for (size_t i = 0; i < sizeof bad; i++) {
        prune_tensor *tensor;
        bytes[120] = bad[i];
        FAILS(prune_mask_from_bytes(&out, NULL, 2, shape, bytes, 150), PRUNE_E_VALUE, "(2, 20)");
        for (int32_t dtype = PRUNE_U8; dtype <= PRUNE_BOOL; dtype++) {
            OK(prune_tensor_borrow(&tensor, NULL, bytes, dtype, 2, shape, NULL));
            FAILS(prune_mask_from_bool(&out, tensor), PRUNE_E_VALUE, "0 or 1");
            prune_tensor_free(tensor);
        }
    }
    ck_assert_ptr_eq(out, UNTOUCHED);
}
END_TEST

START_TEST(bytes_refuse_bad_arguments)
{
    prune_mask *out = UNTOUCHED, *mask;
    const int64_t shape[2] = {2, 2};
    uint8_t bytes[5] = {1, 1, 1, 1, 9};
    FAILS(prune_mask_from_bytes(NULL, NULL, 2, shape, bytes, 4), PRUNE_E_ARGUMENT, "out is NULL");
    FAILS(prune_mask_from_bytes(&out, NULL, 2, NULL, bytes, 4), PRUNE_E_ARGUMENT, "shape is NULL");
    FAILS(prune_mask_from_bytes(&out, NULL, 2, shape, NULL, 4), PRUNE_E_ARGUMENT, "bytes is NULL");
    FAILS(prune_mask_from_bytes(&out, NULL, 2, shape, bytes, 3), PRUNE_E_SHAPE, "3 bytes");
    FAILS(prune_mask_from_bytes(&out, NULL, 2, shape, bytes, -1), PRUNE_E_SHAPE, "-1 bytes");
    FAILS(prune_mask_from_bytes(&out, NULL, 9, shape, bytes, 4), PRUNE_E_SHAPE, "rank is 9");
    ck_assert_ptr_eq(out, UNTOUCHED);
    OK(prune_mask_create(&mask, NULL, 2, shape, 0));
    FAILS(prune_mask_to_bytes(NULL, bytes, 4), PRUNE_E_ARGUMENT, "mask is NULL");
    FAILS(prune_mask_to_bytes(mask, NULL, 4), PRUNE_E_ARGUMENT, "bytes is NULL");
    FAILS(prune_mask_to_bytes(mask, bytes, 5), PRUNE_E_SHAPE, "5 bytes");
    ck_assert_mem_eq(bytes, ((uint8_t[]){1, 1, 1, 1, 9}), 5);
    prune_mask_free(mask);
}
END_TEST

START_TEST(from_bool_reads_any_strides)
{
    uint8_t bytes[6] = {1, 0, 1, 0, 0, 1}; /* 2 x 3 */
    prune_tensor *tensor, *turned;
    prune_mask *mask;
    OK(prune_tensor_borrow(&tensor, NULL, bytes, PRUNE_BOOL, 2, ((int64_t[]){2, 3}), NULL));
    OK(prune_tensor_permute(&turned, tensor, ((int32_t[]){1, 0})));
    OK(prune_mask_from_bool(&mask, turned));
    ck_assert_uint_eq(mask->words[0], 0x31); /* 1 0, 0 0, 1 1, the first in the lowest bit */
    ck_assert_mem_eq(prune_mask_shape(mask), ((int64_t[]){3, 2}), 2 * sizeof(int64_t));
    prune_mask_free(mask);
    prune_tensor_free(turned);
    prune_tensor_free(tensor);

    prune_mask *out = UNTOUCHED;
    for (int32_t dtype = PRUNE_F32; dtype <= PRUNE_F64; dtype++) {
        if (dtype == PRUNE_BOOL || dtype == PRUNE_U8)
            continue;
        OK(prune_tensor_create(&tensor, NULL, dtype, 1, ((int64_t[]){4})));
        FAILS(prune_mask_from_bool(&out, tensor), PRUNE_E_DTYPE, prune_dtype_name(dtype));
        prune_tensor_free(tensor);
    }
    FAILS(prune_mask_from_bool(&out, NULL), PRUNE_E_ARGUMENT, "tensor is NULL");
    FAILS(prune_mask_from_nonzero(&out, NULL), PRUNE_E_ARGUMENT, "tensor is NULL");
    ck_assert_ptr_eq(out, UNTOUCHED);
}
END_TEST

START_TEST(from_nonzero_minus_zero_is_zero_and_nan_is_not)
{
    double values[8] = {0.0, -0.0, (double)NAN, (double)INFINITY, 1, -1, 0x1p-1074, 0};
    prune_tensor *tensor, *converted;
    prune_mask *mask;
    OK(prune_tensor_borrow(&tensor, NULL, values, PRUNE_F64, 1, ((int64_t[]){8}), NULL));
    OK(prune_mask_from_nonzero(&mask, tensor));
    ck_assert_uint_eq(mask->words[0], 0x7c);
    prune_mask_free(mask);
    static const int32_t smaller[] = {PRUNE_F32, PRUNE_F16, PRUNE_BF16};
    for (size_t i = 0; i < 3; i++) {
        OK(prune_tensor_convert(&converted, tensor, smaller[i])); /* the denormal becomes 0 */
        OK(prune_mask_from_nonzero(&mask, converted));
        ck_assert_uint_eq(mask->words[0], 0x3c);
        prune_mask_free(mask);
        prune_tensor_free(converted);
    }
    prune_tensor_free(tensor);

    uint16_t least[3] = {1, 0x8001, 0x8000};
    for (int32_t dtype = PRUNE_F16; dtype <= PRUNE_BF16; dtype++) {
        OK(prune_tensor_borrow(&tensor, NULL, least, dtype, 1, ((int64_t[]){3}), NULL));
        OK(prune_mask_from_nonzero(&mask, tensor));
        ck_assert_uint_eq(mask->words[0], 3);
        prune_mask_free(mask);
        prune_tensor_free(tensor);
    }
    int64_t big[700] = {0};
    big[699] = INT64_MIN;
    big[1] = 1;
    OK(prune_tensor_borrow(&tensor, NULL, big, PRUNE_I64, 1, ((int64_t[]){700}), NULL));
    OK(prune_mask_from_nonzero(&mask, tensor));
    ck_assert_int_eq(prune_mask_kept(mask), 2);
    ck_assert_int_eq(pr_mask_get(mask, 699), 1);
    prune_mask_free(mask);
    prune_tensor_free(tensor);
}
END_TEST

START_TEST(algebra_agrees_with_bits)
{
    struct pr_rng rng;
    pr_rng_seed(&rng, 4);
    for (int64_t columns = 1; columns < 70; columns += 3) {
        const int64_t shape[2] = {3, columns};
        prune_mask *a = random_mask(&rng, 2, shape), *b = random_mask(&rng, 2, shape), *results[6];
        OK(prune_mask_and(&results[0], a, b));
        OK(prune_mask_or(&results[1], a, b));
        OK(prune_mask_xor(&results[2], a, b));
        OK(prune_mask_andnot(&results[3], a, b));
        OK(prune_mask_not(&results[4], a));
        OK(prune_mask_copy(&results[5], a));
        int64_t differing = 0, first = -1, kept = 0;
        for (int64_t i = 0; i < 3 * columns; i++) {
            int x = pr_mask_get(a, i), y = pr_mask_get(b, i);
            const int expected[6] = {x & y, x | y, x ^ y, x & !y, !x, x};
            for (int r = 0; r < 6; r++)
                ck_assert_int_eq(pr_mask_get(results[r], i), expected[r]);
            kept += x;
            differing += x != y;
            first = x != y && first < 0 ? i : first;
        }
        ck_assert_int_eq(prune_mask_kept(a), kept);
        int64_t count = -5, where = -5;
        OK(prune_mask_compare(a, b, &count, &where));
        ck_assert_int_eq(count, differing);
        ck_assert_int_eq(where, first);
        OK(prune_mask_compare(a, b, NULL, NULL));
        OK(prune_mask_compare(a, results[5], &count, &where));
        ck_assert_int_eq(count, 0);
        ck_assert_int_eq(where, -1);
        for (int r = 0; r < 6; r++) {
            check_words(results[r]);
            prune_mask_free(results[r]);
        }
        prune_mask_free(a);
        prune_mask_free(b);
    }
}
END_TEST

START_TEST(algebra_refuses_bad_arguments)
{
    prune_mask *out = UNTOUCHED, *a, *b, *turned, *longer;
    OK(prune_mask_create(&a, NULL, 2, ((int64_t[]){2, 3}), 1));
    OK(prune_mask_create(&b, NULL, 2, ((int64_t[]){2, 3}), 0));
    OK(prune_mask_create(&turned, NULL, 2, ((int64_t[]){3, 2}), 1));
    OK(prune_mask_create(&longer, NULL, 1, ((int64_t[]){6}), 1));
    int32_t (*const two[])(prune_mask **, const prune_mask *, const prune_mask *) = {prune_mask_and, prune_mask_or,
                                                                                     prune_mask_xor, prune_mask_andnot};
    static const char *const names[] = {"prune_mask_and", "prune_mask_or", "prune_mask_xor", "prune_mask_andnot"};
    for (int i = 0; i < 4; i++) {
        FAILS(two[i](NULL, a, b), PRUNE_E_ARGUMENT, "out is NULL");
        FAILS(two[i](&out, NULL, b), PRUNE_E_ARGUMENT, "a is NULL");
        FAILS(two[i](&out, a, NULL), PRUNE_E_ARGUMENT, "b is NULL");
        FAILS(two[i](&out, a, turned), PRUNE_E_SHAPE, "[3, 2]");
        FAILS(two[i](&out, longer, a), PRUNE_E_SHAPE, names[i]);
    }
    int32_t (*const one[])(prune_mask **, const prune_mask *) = {prune_mask_copy, prune_mask_not};
    for (int i = 0; i < 2; i++) {
        FAILS(one[i](NULL, a), PRUNE_E_ARGUMENT, "out is NULL");
        FAILS(one[i](&out, NULL), PRUNE_E_ARGUMENT, "a is NULL");
    }
    int64_t count = 77, first = 78;
    FAILS(prune_mask_compare(NULL, b, &count, &first), PRUNE_E_ARGUMENT, "a is NULL");
    FAILS(prune_mask_compare(a, NULL, &count, &first), PRUNE_E_ARGUMENT, "b is NULL");
    FAILS(prune_mask_compare(a, turned, &count, &first), PRUNE_E_SHAPE, "[2, 3]");
    ck_assert_int_eq(count, 77);
    ck_assert_int_eq(first, 78);
    ck_assert_ptr_eq(out, UNTOUCHED);
    prune_mask_free(a);
    prune_mask_free(b);
    prune_mask_free(turned);
    prune_mask_free(longer);
}
END_TEST

START_TEST(get_and_set_refuse_bad_arguments)
{
    prune_mask *mask;
    int32_t kept = 9;
    OK(prune_mask_create(&mask, NULL, 1, ((int64_t[]){65}), 1));
    FAILS(prune_mask_get(NULL, 0, &kept), PRUNE_E_ARGUMENT, "mask is NULL");
    FAILS(prune_mask_get(mask, 0, NULL), PRUNE_E_ARGUMENT, "kept is NULL");
    FAILS(prune_mask_get(mask, -1, &kept), PRUNE_E_ARGUMENT, "index is -1");
    FAILS(prune_mask_get(mask, 65, &kept), PRUNE_E_ARGUMENT, "0 to 64");
    FAILS(prune_mask_set(NULL, 0, 1), PRUNE_E_ARGUMENT, "mask is NULL");
    FAILS(prune_mask_set(mask, -1, 0), PRUNE_E_ARGUMENT, "index is -1");
    FAILS(prune_mask_set(mask, 65, 0), PRUNE_E_ARGUMENT, "index is 65");
    FAILS(prune_mask_set(mask, INT64_MAX, 0), PRUNE_E_ARGUMENT, "index");
    FAILS(prune_mask_set(mask, 0, 3), PRUNE_E_ARGUMENT, "kept is 3");
    ck_assert_int_eq(kept, 9);
    ck_assert_int_eq(prune_mask_kept(mask), 65);
    OK(prune_mask_set(mask, 64, 0));
    OK(prune_mask_set(mask, 64, 0));
    ck_assert_int_eq(prune_mask_kept(mask), 64);
    OK(prune_mask_set(mask, 64, 1));
    ck_assert_int_eq(prune_mask_kept(mask), 65);
    prune_mask_free(mask);
    ck_assert_int_eq(prune_mask_rank(NULL), 0);
    ck_assert_int_eq(prune_mask_count(NULL), 0);
    ck_assert_int_eq(prune_mask_kept(NULL), 0);
    ck_assert_ptr_null(prune_mask_shape(NULL));
    ck_assert_ptr_null(prune_mask_context(NULL));
}
END_TEST

START_TEST(density_of_each_axis)
{
    struct pr_rng rng;
    pr_rng_seed(&rng, 5);
    const int64_t shape[3] = {4, 7, 11};
    prune_mask *mask = random_mask(&rng, 3, shape);
    for (int32_t axis = 0; axis < 3; axis++) {
        int64_t kept[11] = {0};
        double density[12];
        density[shape[axis]] = 99;
        for (int64_t i = 0; i < 4 * 7 * 11; i++) {
            int64_t index[3] = {i / 77, i / 11 % 7, i % 11};
            kept[index[axis]] += pr_mask_get(mask, i);
        }
        OK(prune_mask_density(mask, axis, density, shape[axis]));
        for (int64_t i = 0; i < shape[axis]; i++)
            ck_assert_double_eq(density[i], (double)kept[i] / (double)(308 / shape[axis]));
        ck_assert_double_eq(density[shape[axis]], 99);
    }
    double density[11] = {5};
    FAILS(prune_mask_density(NULL, 0, density, 4), PRUNE_E_ARGUMENT, "mask is NULL");
    FAILS(prune_mask_density(mask, 0, NULL, 4), PRUNE_E_ARGUMENT, "density is NULL");
    FAILS(prune_mask_density(mask, -1, density, 4), PRUNE_E_SHAPE, "axis is -1");
    FAILS(prune_mask_density(mask, 3, density, 4), PRUNE_E_SHAPE, "axis is 3");
    FAILS(prune_mask_density(mask, 0, density, 5), PRUNE_E_SHAPE, "axis 0 has 4");
    ck_assert_double_eq(density[0], 5);
    prune_mask_free(mask);

    OK(prune_mask_create(&mask, NULL, 2, ((int64_t[]){3, 0}), 0));
    OK(prune_mask_density(mask, 0, density, 3));
    for (int i = 0; i < 3; i++)
        ck_assert_double_eq(density[i], 1.0);
    OK(prune_mask_density(mask, 1, NULL, 0));
    prune_mask_free(mask);
}
END_TEST

START_TEST(apply_sets_plus_zero_whatever_stood_there)
{
    struct pr_rng rng;
    pr_rng_seed(&rng, 6);
    const int64_t shape[2] = {5, 33}, turned_shape[2] = {33, 5};
    for (int32_t dtype = PRUNE_F32; dtype <= PRUNE_F64; dtype++) {
        const int64_t size = prune_dtype_size(dtype);
        prune_mask *mask = random_mask(&rng, 2, shape), *turned_mask = random_mask(&rng, 2, turned_shape);
        prune_tensor *tensor, *turned;
        OK(prune_tensor_create(&tensor, NULL, dtype, 2, shape));
        char *bytes = prune_tensor_data(tensor), zero[8] = {0};
        memset(bytes, 0xff, (size_t)(165 * size)); /* NaN of either kind, -1, ... */
        OK(prune_mask_apply(mask, tensor));
        for (int64_t i = 0; i < 165; i++) {
            int cleared = memcmp(bytes + i * size, zero, (size_t)size) == 0;
            ck_assert_int_eq(cleared, !pr_mask_get(mask, i));
            for (int64_t b = 0; b < size; b++)
                ck_assert_int_eq((unsigned char)bytes[i * size + b], cleared ? 0 : 0xff);
        }
        memset(bytes, 0x80, (size_t)(165 * size));
        OK(prune_tensor_permute(&turned, tensor, ((int32_t[]){1, 0})));
        OK(prune_mask_apply(turned_mask, turned));
        for (int64_t i = 0; i < 165; i++)
            ck_assert_int_eq(memcmp(pr_element_at(turned, i), zero, (size_t)size) == 0, !pr_mask_get(turned_mask, i));
        FAILS(prune_mask_apply(mask, turned), PRUNE_E_SHAPE, "[33, 5]");
        prune_tensor_free(turned);
        prune_tensor_free(tensor);
        prune_mask_free(turned_mask);
        prune_mask_free(mask);
    }
}
END_TEST

START_TEST(apply_refuses_bad_arguments)
{
    prune_mask *mask;
    float data[6] = {1, 2, 3, 4, 5, 6};
    OK(prune_mask_create(&mask, NULL, 2, ((int64_t[]){2, 3}), 0));
    static const struct {
        int32_t rank;
        int64_t shape[3];
    } bad[] = {{2, {3, 2}}, {1, {6}}, {3, {1, 2, 3}}, {2, {1, 3}}, {2, {2, 1}}, {0, {0}}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        prune_tensor *tensor;
        OK(prune_tensor_borrow(&tensor, NULL, data, PRUNE_F32, bad[i].rank, bad[i].shape, NULL));
        FAILS(prune_mask_apply(mask, tensor), PRUNE_E_SHAPE, "must be equal");
        FAILS(prune_mask_apply(NULL, tensor), PRUNE_E_ARGUMENT, "mask is NULL");
        prune_tensor_free(tensor);
    }
    FAILS(prune_mask_apply(mask, NULL), PRUNE_E_ARGUMENT, "tensor is NULL");
    for (int i = 0; i < 6; i++)
        ck_assert_float_eq(data[i], (float)(i + 1));
    prune_mask_free(mask);
}
END_TEST

START_TEST(bits_across_words)
{
    struct pr_rng rng;
    pr_rng_seed(&rng, 7);
    prune_mask *mask = random_mask(&rng, 1, ((int64_t[]){200}));
    for (int64_t begin = 0; begin < 200; begin++) {
        int64_t kept = 0;
        for (int64_t count = 1; begin + count <= 200; count++) {
            kept += pr_mask_get(mask, begin + count - 1);
            ck_assert_int_eq(pr_mask_kept_in(mask, begin, begin + count), kept);
            if (count > 64)
                continue;
            uint64_t bits = pr_mask_bits(mask, begin, count);
            for (int64_t i = 0; i < 64; i++)
                ck_assert_int_eq((int)(bits >> i & 1), i < count && pr_mask_get(mask, begin + i));
        }
    }
    prune_mask_free(mask);
}
END_TEST

START_TEST(failed_allocations_lose_nothing)
{
    struct allocator a;
    prune_context *context = counted_context(&a);
    prune_mask *mask, *made;
    prune_tensor *tensor;
    const int64_t shape[2] = {7, 13};
    uint8_t bytes[91] = {0};
    SURVIVES(&a, &mask, prune_mask_create(&mask, context, 2, shape, 1));
    ck_assert_ptr_eq(prune_mask_context(mask), context);
    SURVIVES(&a, &made, prune_mask_and(&made, mask, mask));
    ck_assert_ptr_eq(prune_mask_context(made), context);
    prune_mask_free(made);
    SURVIVES(&a, &made, prune_mask_not(&made, mask));
    prune_mask_free(made);
    SURVIVES(&a, &made, prune_mask_from_bytes(&made, context, 2, shape, bytes, 91));
    prune_mask_free(made);
    OK(prune_tensor_create(&tensor, context, PRUNE_BOOL, 2, shape));
    SURVIVES(&a, &made, prune_mask_from_bool(&made, tensor));
    prune_mask_free(made);
    SURVIVES(&a, &made, prune_mask_from_nonzero(&made, tensor));
    prune_mask_free(made);
    bytes[90] = 2;
    made = UNTOUCHED;
    int64_t live = a.live;
    FAILS(prune_mask_from_bytes(&made, context, 2, shape, bytes, 91), PRUNE_E_VALUE, "(6, 12)");
    ck_assert_int_eq(a.live, live);
    prune_tensor_free(tensor);
    prune_mask_free(mask);
    ck_assert_int_eq(a.live, 0);
    prune_context_free(context);
}
END_TEST

TEST_MAIN("mask", create_keeps_all_or_nothing, create_refuses_bad_arguments, bytes_there_and_back,
          bytes_of_2_and_ff_are_refused_with_their_place, bytes_refuse_bad_arguments, from_bool_reads_any_strides,
          from_nonzero_minus_zero_is_zero_and_nan_is_not, algebra_agrees_with_bits, algebra_refuses_bad_arguments,
          get_and_set_refuse_bad_arguments, density_of_each_axis, apply_sets_plus_zero_whatever_stood_there,
          apply_refuses_bad_arguments, bits_across_words, failed_allocations_lose_nothing)
