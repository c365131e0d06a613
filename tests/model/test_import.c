/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What other programs compressed: compressed-tensors' bitmasks, Deep Compression's SqueezeNet.
 */
#include <math.h>
#include <zlib.h>

#include "data.h"
#include "prune/model.h"
#include "safetensors.h"

static void add(prune_archive *archive, const char *name, int32_t dtype, int32_t rank, const int64_t *shape,
                const void *data)
{
    prune_tensor *tensor;
    OK(prune_tensor_borrow(&tensor, NULL, (void *)(uintptr_t)data, dtype, rank, shape, NULL));
    OK(prune_archive_add(archive, name, tensor));
    prune_tensor_free(tensor);
}

#define SHAPE(...)                                                                                                     \
    (const int64_t[])                                                                                                  \
    {                                                                                                                  \
        __VA_ARGS__                                                                                                    \
    }

struct parts {
    float values[8];
    int64_t stored, bytes, rows;
    unsigned char bits[8];
    int64_t offsets[2], extents[2];
};

/* 0 5 0 6 7 0 0 8 and 1 0 0 0 0 0 0 0, as one row each of 8 columns. */
static const struct parts mask = {{5, 6, 7, 8, 1}, 5, 1, 2, {0x9a, 0x01}, {0, 4}, {2, 8}};
static const struct parts two_of_four = {{5, 6, 7, 8}, 4, 1, 1, {0x9a}, {0}, {1, 8}};

static prune_archive *make(const struct parts *parts, int is_24)
{
    prune_archive *archive;
    OK(prune_archive_create(&archive, NULL));
    add(archive, "l.0.shape", PRUNE_I64, is_24 ? 2 : 1, SHAPE(2, 1), parts->extents);
    if (is_24)
        add(archive, "l.0.compressed", PRUNE_F32, 2, SHAPE(parts->rows, parts->stored / parts->rows), parts->values);
    else
        add(archive, "l.0.compressed", PRUNE_F32, 1, SHAPE(parts->stored), parts->values);
    add(archive, "l.0.bitmask", PRUNE_U8, 2, SHAPE(parts->rows, parts->bytes), parts->bits);
    if (!is_24)
        add(archive, "l.0.row_offsets", PRUNE_I64, 1, SHAPE(parts->rows), parts->offsets);
    add(archive, "l.0.bias", PRUNE_F32, 1, SHAPE(1), parts->values);
    add(archive, "other.shape", PRUNE_F32, 1, SHAPE(1), parts->values);
    OK(prune_archive_add_text(archive, "format", "pt"));
    return archive;
}

static void expands(const struct parts *parts, int is_24, const float *expected)
{
    prune_archive *archive = make(parts, is_24), *dense;
    OK(prune_archive_expand(&dense, archive));
    ck_assert_int_eq(prune_archive_count(dense), 3);
    ck_assert_str_eq(prune_archive_text(dense, "format"), "pt");
    ck_assert_ptr_nonnull(prune_archive_find(dense, "other.shape"));
    const prune_tensor *weight = prune_archive_find(dense, "l.0.weight");
    ck_assert_int_eq(prune_tensor_shape(weight)[0], parts->extents[0]);
    ck_assert(memcmp(prune_tensor_const_data(weight), expected,
                     (size_t)(parts->extents[0] * parts->extents[1]) * sizeof *expected) == 0);
    prune_archive_free(dense);
    prune_archive_free(archive);
}

START_TEST(the_row_of_the_format_is_0x9a)
{
    const float expected[] = {0, 5, 0, 6, 7, 0, 0, 8, 1, 0, 0, 0, 0, 0, 0, 0};
    expands(&mask, 0, expected);
    expands(&two_of_four, 1, expected);
}
END_TEST

START_TEST(ragged_columns_and_half_precision)
{
    const struct parts ragged = {{1, 2, 3}, 3, 2, 1, {0x81, 0x02}, {0}, {1, 10}};
    const float expected[] = {1, 0, 0, 0, 0, 0, 0, 2, 0, 3};
    expands(&ragged, 0, expected);
    prune_archive *archive, *dense;
    const uint16_t halves[] = {0x3c00, 0xc000};
    const unsigned char bits[] = {0x06};
    OK(prune_archive_create(&archive, NULL));
    add(archive, "w.shape", PRUNE_I64, 2, SHAPE(2, 1), SHAPE(1, 4));
    add(archive, "w.compressed", PRUNE_BF16, 2, SHAPE(1, 2), halves);
    add(archive, "w.bitmask", PRUNE_U8, 2, SHAPE(1, 1), bits);
    OK(prune_archive_expand(&dense, archive));
    const uint16_t *got = prune_tensor_const_data(prune_archive_find(dense, "w.weight"));
    ck_assert(got[0] == 0 && got[1] == 0x3c00 && got[2] == 0xc000 && got[3] == 0);
    ck_assert_int_eq(prune_tensor_dtype(prune_archive_find(dense, "w.weight")), PRUNE_BF16);
    prune_archive_free(dense);
    prune_archive_free(archive);
}
END_TEST

static void refuses(const struct parts *parts, int is_24, int32_t status, const char *word)
{
    prune_archive *archive = make(parts, is_24), *dense = UNTOUCHED;
    FAILS(prune_archive_expand(&dense, archive), status, word);
    ck_assert_ptr_eq(dense, UNTOUCHED);
    prune_archive_free(archive);
}

START_TEST(parts_that_contradict_each_other)
{
    struct parts bad = mask;
    bad.extents[1] = 9;
    refuses(&bad, 0, PRUNE_E_FORMAT, "bitmask must be u8 [2, 2]");
    bad.extents[1] = -8;
    refuses(&bad, 0, PRUNE_E_FORMAT, "2 x -8");
    bad = mask;
    bad.extents[1] = 7;
    refuses(&bad, 0, PRUNE_E_FORMAT, "row 0 has a bit beyond");
    bad = mask;
    bad.bits[1] = 3;
    refuses(&bad, 0, PRUNE_E_FORMAT, "keeps 6 elements, but compressed has 5");
    bad = mask;
    bad.offsets[1] = 3;
    refuses(&bad, 0, PRUNE_E_FORMAT, "row_offsets[1] is 3");
    bad = two_of_four;
    bad.bits[0] = 0x9b;
    refuses(&bad, 1, PRUNE_E_FORMAT, "keeps 3 of the 4 columns from 0");
    bad = two_of_four;
    bad.stored = 6;
    refuses(&bad, 1, PRUNE_E_FORMAT, "compressed must be [1, 4]");
    bad = two_of_four;
    bad.extents[1] = 6;
    refuses(&bad, 1, PRUNE_E_FORMAT, "whole 4s");
    prune_archive *archive = make(&mask, 0), *dense = UNTOUCHED;
    add(archive, "l.0.weight", PRUNE_F32, 1, SHAPE(1), mask.values);
    FAILS(prune_archive_expand(&dense, archive), PRUNE_E_FORMAT, "already");
    FAILS(prune_archive_expand(&dense, NULL), PRUNE_E_ARGUMENT, "archive");
    FAILS(prune_archive_expand(NULL, archive), PRUNE_E_ARGUMENT, "out");
    ck_assert_ptr_eq(dense, UNTOUCHED);
    prune_archive_free(archive);
}
END_TEST

static int64_t number(const prune_archive *archive, const char *layer, const char *what)
{
    char key[100];
    snprintf(key, sizeof key, "%s.%s", layer, what);
    ck_assert_ptr_nonnull(prune_archive_text(archive, key));
    return strtoll(prune_archive_text(archive, key), NULL, 10);
}

/* Multiplications of all layers, and of those by weights that are not 0; and the non-zeros. */
struct totals {
    int64_t dense, sparse, kept;
};

/* One line of the table of what must come out. */
static void check_layer(const prune_archive *archive, const char *line, struct totals *totals)
{
    char layer[100], name[120];
    long long shape[4], height, width, weights, stored, padding, kept, first, last;
    double sum, magnitudes, biases;
    unsigned crc;
    ck_assert_int_eq(sscanf(line,
                            "%99[^,],%*d,%lld,%lld,%lld,%lld,%*d,%*d,%lld,%lld,%lld,%lld,%lld,%lld,%*d,%*d,%lf,%lf,%lf,"
                            "%lld,%lld,%x",
                            layer, &shape[0], &shape[1], &shape[2], &shape[3], &height, &width, &weights, &stored,
                            &padding, &kept, &sum, &magnitudes, &biases, &first, &last, &crc),
                     17);
    snprintf(name, sizeof name, "%s.weight", layer);
    const prune_tensor *tensor = prune_archive_find(archive, name);
    ck_assert_ptr_nonnull(tensor);
    ck_assert_int_eq(prune_tensor_count(tensor), weights);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(prune_tensor_shape(tensor)[i], shape[i]);
    ck_assert_int_eq(number(archive, layer, "stored"), stored);
    ck_assert_int_eq(number(archive, layer, "padding"), padding);
    const float *values = prune_tensor_const_data(tensor);
    double total = 0, absolute = 0;
    int64_t nonzeros = 0, begin = -1, end = -1;
    for (int64_t i = 0; i < weights; i++) {
        total += values[i];
        absolute += fabs(values[i]);
        if (values[i] != 0) {
            nonzeros++;
            begin = begin < 0 ? i : begin;
            end = i;
        }
    }
    ck_assert_int_eq(nonzeros, kept);
    ck_assert_int_eq(begin, first);
    ck_assert_int_eq(end, last);
    ck_assert_double_eq_tol(total, sum, 1e-9 * absolute);
    ck_assert_double_eq_tol(absolute, magnitudes, 1e-9 * absolute);
    ck_assert_uint_eq((unsigned)crc32(0, (const unsigned char *)values, (unsigned)(4 * weights)), crc);
    snprintf(name, sizeof name, "%s.bias", layer);
    tensor = prune_archive_find(archive, name);
    for (int64_t i = 0; i < prune_tensor_count(tensor); i++)
        biases -= ((const float *)prune_tensor_const_data(tensor))[i];
    ck_assert_double_eq_tol(biases, 0, 1e-6);
    totals->kept += nonzeros;
    totals->dense += height * width * weights;
    totals->sparse += height * width * nonzeros;
}

START_TEST(squeezenet_decodes_to_415921_weights_of_1244448)
{
    const char *path = data_path("squeezenet-deep-compression/compressed_SqueezeNet.net"),
               *table = data_path("squeezenet-deep-compression/expected_decode.csv");
    prune_archive *archive;
    char line[1000];
    if (!path || !table)
        return;
    OK(prune_deep_compression_read(&archive, NULL, path, "squeezenet"));
    ck_assert_int_eq(prune_archive_count(archive), 3 * 26);
    FILE *file = fopen(table, "r");
    ck_assert_ptr_nonnull(file);
    ck_assert_ptr_nonnull(fgets(line, sizeof line, file));
    struct totals totals = {0, 0, 0};
    int layers = 0;
    for (; fgets(line, sizeof line, file) && strncmp(line, "TOTAL", 5) != 0; layers++)
        check_layer(archive, line, &totals);
    fclose(file);
    ck_assert_int_eq(layers, 26);
    ck_assert_int_eq(totals.kept, 415921);
    ck_assert_int_eq(totals.dense, 861339936);
    ck_assert_int_eq(totals.sparse, 443223545);
    prune_archive_free(archive);
}
END_TEST

static void refuses_net(const void *bytes, size_t length, int32_t status, const char *word)
{
    prune_archive *archive = UNTOUCHED;
    save(scratch("bad.net"), bytes, length);
    FAILS(prune_deep_compression_read(&archive, NULL, scratch("bad.net"), "squeezenet"), status, word);
    ck_assert_ptr_eq(archive, UNTOUCHED);
}

START_TEST(deep_compression_that_is_broken)
{
    /* Every layer stores nothing: codebooks and biases alone. */
    static const int64_t outputs[] = {96, 16,  64,  64, 16,  64,  64, 32,  128, 128, 32,  128, 128,
                                      48, 192, 192, 48, 192, 192, 64, 256, 256, 64,  256, 256, 1000};
    size_t length = 104;
    for (int i = 0; i < 26; i++)
        length += (size_t)(4 * (256 + outputs[i]));
    unsigned char *bytes = calloc(1, length + 8);
    prune_archive *archive = UNTOUCHED;
    save(scratch("empty.net"), bytes, length);
    OK(prune_deep_compression_read(&archive, NULL, scratch("empty.net"), "squeezenet"));
    prune_archive_free(archive);
    refuses_net("", 0, PRUNE_E_FORMAT, "truncated");
    refuses_net(bytes, 103, PRUNE_E_FORMAT, "the list of counts takes 104 bytes");
    refuses_net(bytes, length - 1, PRUNE_E_FORMAT, "layer conv_final");
    refuses_net(bytes, length + 1, PRUNE_E_FORMAT, "overlong");
    bytes[3] = 0xff;
    refuses_net(bytes, length, PRUNE_E_FORMAT, "layer conv1: the codes takes 4278190080 bytes");
    bytes[3] = 0;
    memcpy(bytes + 104, "\0\0\x80\x7f", 4);
    refuses_net(bytes, length, PRUNE_E_FORMAT, "number 0 is not finite");
    memset(bytes + 104, 0, 4);
    /* 1,000 entries, each 15 further on than the one before: 14,112 weights are too few. */
    memcpy(bytes, "\xe8\3\0\0", 4);
    memset(bytes + 104 + 4 * (256 + 96) + 1000, 0xff, 500);
    refuses_net(bytes, length, PRUNE_E_FORMAT, "entry 882 of 1000 stands at 14127");
    free(bytes);
    archive = UNTOUCHED;
    FAILS(prune_deep_compression_read(&archive, NULL, "x", "alexnet"), PRUNE_E_ARGUMENT, "alexnet");
    FAILS(prune_deep_compression_read(&archive, NULL, scratch("none.net"), "squeezenet"), PRUNE_E_NOTFOUND, "none.net");
    FAILS(prune_deep_compression_read(&archive, NULL, NULL, "squeezenet"), PRUNE_E_ARGUMENT, "path");
    FAILS(prune_deep_compression_read(NULL, NULL, "x", "squeezenet"), PRUNE_E_ARGUMENT, "out");
    ck_assert_ptr_eq(archive, UNTOUCHED);
}
END_TEST

TEST_MAIN("import", the_row_of_the_format_is_0x9a, ragged_columns_and_half_precision, parts_that_contradict_each_other,
          squeezenet_decodes_to_415921_weights_of_1244448, deep_compression_that_is_broken)
