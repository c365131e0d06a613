/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Packed objects as things: blobs that come back, are damaged or forged; bad input; memory that cannot be had.
 */
#include "problem.h"

#include "core/sparse/packed/packed.h"

START_TEST(a_blob_comes_back_as_it_was)
{
    for (int f = 0; f < FORMS; f++) {
        struct problem p;
        prune_packed *packed, *loaded;
        const void *data, *again;
        int64_t bytes, bytes_again;
        make(&p, 70, 75, every_form[f].pattern, 0.3, 0, prune_cpu_detect(), 1);
        OK(prune_packed_create(&packed, p.tensor, p.mask, every_form[f].spec));
        OK(prune_packed_blob(packed, &data, &bytes));
        char *moved = malloc((size_t)bytes + 1);
        memcpy(moved + 1, data, (size_t)bytes); /* a file's buffer need not be aligned */
        OK(prune_packed_load(&loaded, NULL, moved + 1, bytes));
        memset(moved, 0, (size_t)bytes + 1);
        OK(prune_packed_blob(loaded, &again, &bytes_again));
        ck_assert_int_eq(bytes, bytes_again);
        ck_assert_mem_eq(data, again, (size_t)bytes);
        ck_assert_str_eq(prune_packed_format(loaded), every_form[f].format);
        float *x = random_x(75 * 5), *y = product_of(packed, x, 5, 0), *z = product_of(loaded, x, 5, 0);
        ck_assert_mem_eq(y, z, 70 * 5 * sizeof *y);
        free(x);
        free(y);
        free(z);
        free(moved);
        prune_packed_free(packed);
        prune_packed_free(loaded);
        drop(&p);
    }
}
END_TEST

static void check_refused(char *blob, int64_t bytes, int64_t at, unsigned char flip)
{
    prune_packed *loaded = UNTOUCHED;
    blob[at] = (char)(blob[at] ^ flip);
    int32_t status = prune_packed_load(&loaded, NULL, blob, bytes);
    if (status != PRUNE_E_FORMAT || loaded != UNTOUCHED)
        ck_abort_msg("byte %lld changed by %02x: %s", (long long)at, flip, prune_status_name(status));
    blob[at] = (char)(blob[at] ^ flip);
}

START_TEST(every_changed_bit_of_a_blob_is_refused)
{
    for (int f = 0; f < FORMS; f++) {
        struct problem p;
        prune_packed *packed, *loaded = UNTOUCHED;
        const void *data;
        int64_t bytes;
        make(&p, 5, 11, every_form[f].pattern, 0.4, 0, prune_cpu_detect(), 1);
        OK(prune_packed_create(&packed, p.tensor, p.mask, every_form[f].spec));
        OK(prune_packed_blob(packed, &data, &bytes));
        char *blob = malloc((size_t)bytes + 64);
        memcpy(blob, data, (size_t)bytes);
        for (int64_t i = 0; i < bytes; i++)
            for (int bit = 0; bit < 8; bit++)
                check_refused(blob, bytes, i, (unsigned char)(1 << bit));
        for (int64_t length = 0; length < bytes; length += length < 400 ? 1 : 61)
            FAILS(prune_packed_load(&loaded, NULL, blob, length), PRUNE_E_FORMAT, "bytes");
        FAILS(prune_packed_load(&loaded, NULL, blob, bytes + 64), PRUNE_E_FORMAT, "bytes");
        FAILS(prune_packed_load(&loaded, NULL, blob, -1), PRUNE_E_FORMAT, "-1 bytes");
        memcpy(blob + 8, &(const uint32_t){99}, 4);
        FAILS(prune_packed_load(&loaded, NULL, blob, bytes), PRUNE_E_FORMAT, "version 99");
        blob[0] = 'X';
        FAILS(prune_packed_load(&loaded, NULL, blob, bytes), PRUNE_E_FORMAT, "PRPACKED");
        ck_assert_ptr_eq(loaded, UNTOUCHED);
        free(blob);
        prune_packed_free(packed);
        drop(&p);
    }
}
END_TEST

/* A forger knows the checksum. Whatever the bytes, a load that succeeds must give an object that runs within bounds;
 * guard pages and sanitizers watch. */
START_TEST(forged_blobs_are_refused_or_harmless)
{
    int64_t refused = 0, taken = 0;
    float *x = guarded_floats(0, 37 * 3, 1), *y = guarded_floats(1, 21 * 3, 1);
    memset(x, 0, 37 * 3 * sizeof *x);
    for (int f = 0; f < FORMS; f++) {
        struct problem p;
        prune_packed *packed;
        const void *data;
        int64_t bytes;
        make(&p, 21, 37, every_form[f].pattern, 0.4, 0, prune_cpu_detect(), 1);
        OK(prune_packed_create(&packed, p.tensor, p.mask, every_form[f].spec));
        OK(prune_packed_blob(packed, &data, &bytes));
        struct pr_header *blob = aligned_alloc(64, (size_t)(bytes + 63) / 64 * 64);
        for (int64_t i = 0; i < bytes; i++)
            for (int change = 0; change < 3; change++) {
                prune_packed *loaded = NULL;
                memcpy(blob, data, (size_t)bytes);
                unsigned char *byte = (unsigned char *)blob + i;
                *byte = (unsigned char)(change == 0 ? 0xff : change == 1 ? *byte + 1 : *byte ^ 0x80);
                if (blob->bytes == (uint64_t)bytes)
                    pr_blob_stamp(blob);
                int32_t status = prune_packed_load(&loaded, NULL, blob, bytes);
                refused += status != PRUNE_OK;
                taken += status == PRUNE_OK;
                if (status != PRUNE_OK && status != PRUNE_E_FORMAT)
                    ck_abort_msg("byte %lld: %s: %s", (long long)i, prune_status_name(status), prune_error());
                if (status == PRUNE_OK && prune_packed_rows(loaded) <= 21 && prune_packed_columns(loaded) <= 37) {
                    OK(prune_packed_run(loaded, y, 3, x, 3, 3, NULL));
                    OK(prune_packed_run_batch(loaded, y, prune_packed_rows(loaded), x, prune_packed_columns(loaded), 1,
                                              NULL));
                    prune_tensor *tensor;
                    OK(prune_packed_to_tensor(&tensor, loaded));
                    prune_tensor_free(tensor);
                }
                prune_packed_free(loaded);
            }
        free(blob);
        prune_packed_free(packed);
        drop(&p);
    }
    ck_assert_int_gt(refused, 1000);
    ck_assert_int_gt(taken, 1000);
}
END_TEST

START_TEST(bad_input_is_refused_by_name_before_anything_is_written)
{
    struct problem p;
    prune_packed *packed = UNTOUCHED;
    prune_epilogue *epilogue = UNTOUCHED;
    make(&p, 6, 8, RANDOM, 0.4, 0, prune_cpu_detect(), 1);
    FAILS(prune_packed_create(NULL, p.tensor, NULL, NULL), PRUNE_E_ARGUMENT, "out");
    FAILS(prune_packed_create(&packed, NULL, NULL, NULL), PRUNE_E_ARGUMENT, "weights");
    FAILS(prune_packed_create(&packed, p.tensor, NULL, "colums=3"), PRUNE_E_SPEC, "colums");
    FAILS(prune_packed_create(&packed, p.tensor, NULL, "columns="), PRUNE_E_SPEC, "columns");
    FAILS(prune_packed_create(&packed, p.tensor, NULL, "columns=-1"), PRUNE_E_SPEC, "columns");
    FAILS(prune_packed_create(&packed, p.tensor, NULL, "format=coo"), PRUNE_E_SPEC, "csr");
    FAILS(prune_packed_create(&packed, p.tensor, NULL, "form=best"), PRUNE_E_SPEC, "nm24-strips");
    FAILS(prune_packed_create(&packed, p.tensor, NULL, "format=csr,form=nm24-strips"), PRUNE_E_SPEC, "nm24-strips");
    FAILS(prune_packed_create(&packed, p.tensor, NULL, "format=nm,keep_n=5,group_m=4"), PRUNE_E_SPEC, "keep_n=5");
    FAILS(prune_packed_create(&packed, p.tensor, NULL, "format=nm,group_m=0"), PRUNE_E_SPEC, "group_m");
    FAILS(prune_packed_create(&packed, p.tensor, NULL, "format=nm,keep_n=1,group_m=8"), PRUNE_E_VALUE, "group");
    FAILS(prune_packed_from_sparse(&packed, NULL, NULL), PRUNE_E_ARGUMENT, "sparse");
    FAILS(prune_packed_load(&packed, NULL, NULL, 100), PRUNE_E_ARGUMENT, "data");
    FAILS(prune_epilogue_create(NULL, NULL, NULL, NULL, 0, NULL), PRUNE_E_ARGUMENT, "out");
    FAILS(prune_epilogue_create(&epilogue, NULL, NULL, NULL, 0, "activation=tanh"), PRUNE_E_SPEC, "relu");
    FAILS(prune_epilogue_create(&epilogue, NULL, NULL, NULL, 0, "alpha=nan"), PRUNE_E_SPEC, "alpha");
    FAILS(prune_epilogue_create(&epilogue, NULL, NULL, NULL, 0, "beta=1e39"), PRUNE_E_SPEC, "beta");
    FAILS(prune_epilogue_create(&epilogue, NULL, NULL, p.weights, -1, NULL), PRUNE_E_SHAPE, "-1");
    FAILS(prune_epilogue_create(&epilogue, NULL, p.weights, NULL, -1, NULL), PRUNE_E_SHAPE, "-1");
    prune_sparse *sparse;
    OK(prune_sparse_create(&sparse, p.tensor, NULL, "csr"));
    FAILS(prune_packed_from_sparse(&packed, sparse, "format=nm,keep_n=1,group_m=8"), PRUNE_E_VALUE, "row 0");
    prune_sparse_free(sparse);
    p.weights[9] = NAN;
    FAILS(prune_packed_create(&packed, p.tensor, NULL, NULL), PRUNE_E_VALUE, "NaN");
    p.weights[9] = 1;
    ck_assert_ptr_eq(packed, UNTOUCHED);
    ck_assert_ptr_eq(epilogue, UNTOUCHED);

    float x[8 * 4] = {0}, y[8 * 4], *both = malloc(1000 * sizeof *both);
    fill_pattern(y, 32);
    memset(both, 0, 1000 * sizeof *both);
    OK(prune_packed_create(&packed, p.tensor, p.mask, NULL));
    FAILS(prune_packed_run(NULL, y, 4, x, 4, 4, NULL), PRUNE_E_ARGUMENT, "packed");
    FAILS(prune_packed_run(packed, NULL, 4, x, 4, 4, NULL), PRUNE_E_ARGUMENT, "y");
    FAILS(prune_packed_run(packed, y, 4, NULL, 4, 4, NULL), PRUNE_E_ARGUMENT, "x");
    FAILS(prune_packed_run(packed, y, 4, x, 4, -1, NULL), PRUNE_E_ARGUMENT, "-1");
    FAILS(prune_packed_run(packed, y, 4, x, 3, 4, NULL), PRUNE_E_SHAPE, "ldx is 3");
    FAILS(prune_packed_run(packed, y, 3, x, 4, 4, NULL), PRUNE_E_SHAPE, "ldy is 3");
    FAILS(prune_packed_run_batch(packed, y, 6, x, 7, 4, NULL), PRUNE_E_SHAPE, "ldx is 7");
    FAILS(prune_packed_run_batch(packed, y, 5, x, 8, 4, NULL), PRUNE_E_SHAPE, "ldy is 5");
    FAILS(prune_packed_run(packed, y, 4, x, INT64_MAX / 2, 4, NULL), PRUNE_E_OVERFLOW, "fit");
    FAILS(prune_packed_run(packed, both + 31, 4, both, 4, 4, NULL), PRUNE_E_ARGUMENT, "overlap");
    FAILS(prune_packed_run(packed, both, 4, both + 23, 4, 4, NULL), PRUNE_E_ARGUMENT, "overlap");
    FAILS(prune_packed_run(packed, both + 3, 8, both, 8, 4, NULL), PRUNE_E_ARGUMENT, "overlap");
    OK(prune_packed_run(packed, both + 32, 4, both, 4, 4, NULL));
    OK(prune_packed_run(packed, both + 4, 8, both, 8, 4, NULL)); /* columns of one matrix */
    OK(prune_epilogue_create(&epilogue, NULL, NULL, x, 5, NULL));
    FAILS(prune_packed_run(packed, y, 4, x, 4, 4, epilogue), PRUNE_E_SHAPE, "bias has 5 rows");
    prune_epilogue_free(epilogue);
    OK(prune_epilogue_create(&epilogue, NULL, x, NULL, 5, NULL));
    FAILS(prune_packed_run(packed, y, 4, x, 4, 4, epilogue), PRUNE_E_SHAPE, "scale has 5 rows");
    for (int i = 0; i < 32; i++)
        ck_assert(is_pattern(y[i]));
    OK(prune_packed_run(packed, NULL, 0, NULL, 0, 0, NULL)); /* nothing to read or write */
    prune_epilogue_free(epilogue);
    prune_epilogue_free(NULL);
    prune_packed_free(packed);
    prune_packed_free(NULL);
    free(both);
    drop(&p);
}
END_TEST

/* Counts what is alive, and fails from the `fail_at`-th allocation on, once or for ever. */
struct meter {
    int64_t calls, alive, fail_at;
    int once;
};

static void *meter_alloc(void *user, uint64_t size, uint64_t align)
{
    struct meter *meter = user;
    int64_t call = meter->calls++;
    if (call == meter->fail_at || (!meter->once && call > meter->fail_at && meter->fail_at >= 0))
        return NULL;
    meter->alive++;
    return aligned_alloc((size_t)align, (size_t)size);
}

static void meter_release(void *user, void *pointer, uint64_t size)
{
    struct meter *meter = user;
    (void)size;
    meter->alive--;
    free(pointer);
}

START_TEST(runs_allocate_nothing_and_failures_lose_nothing)
{
    for (int f = 0; f < FORMS; f++)
        for (int once = 0; once < 2; once++) {
            struct meter meter = {.fail_at = -1, .once = once};
            struct problem p;
            make(&p, 150, 260, every_form[f].pattern, 0.3, 0, prune_cpu_detect(), 1);
            prune_context *context;
            prune_tensor *tensor;
            const int64_t shape[2] = {150, 260};
            float *x = random_x(260 * 200), *y = calloc(150 * 200, sizeof *y);
            OK(prune_context_create(&context));
            OK(prune_context_set_allocator(context, meter_alloc, meter_release, &meter));
            OK(prune_tensor_borrow(&tensor, context, p.weights, PRUNE_F32, 2, shape, NULL));
            int64_t before = meter.alive;
            int32_t status = PRUNE_E_NOMEM;
            for (int64_t at = 0; status == PRUNE_E_NOMEM; at++) {
                prune_packed *packed = UNTOUCHED;
                meter.calls = 0;
                meter.fail_at = at;
                status = prune_packed_create(&packed, tensor, p.mask, every_form[f].spec);
                if (status) {
                    ck_assert_int_eq(status, PRUNE_E_NOMEM);
                    ck_assert_ptr_eq(packed, UNTOUCHED);
                } else {
                    meter.fail_at = 0; /* and it runs while nothing can be had */
                    meter.calls = 0;
                    meter.once = 0;
                    OK(prune_packed_run_batch(packed, y, 150, x, 260, 1, NULL));
                    if (strstr(every_form[f].spec, "columns=64"))
                        OK(prune_packed_run_batch(packed, y, 150, x, 260, 64, NULL));
                    ck_assert_int_eq(meter.calls, 0);
                    int32_t wide = prune_packed_run_batch(packed, y, 150, x, 260, 200, NULL);
                    ck_assert(wide == PRUNE_OK || wide == PRUNE_E_NOMEM);
                    prune_packed_free(packed);
                }
                ck_assert_int_eq(meter.alive, before);
            }
            ck_assert_int_eq(status, PRUNE_OK);
            prune_tensor_free(tensor);
            prune_context_free(context);
            ck_assert_int_eq(meter.alive, 0);
            free(x);
            free(y);
            drop(&p);
        }
}
END_TEST

TEST_MAIN("packed objects", a_blob_comes_back_as_it_was, every_changed_bit_of_a_blob_is_refused,
          forged_blobs_are_refused_or_harmless, bad_input_is_refused_by_name_before_anything_is_written,
          runs_allocate_nothing_and_failures_lose_nothing)
