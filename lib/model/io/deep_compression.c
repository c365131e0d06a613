/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The files that Deep Compression (Han, Mao, Dally 2016) came with: how many entries each layer stores, u32 each; then
 * for each layer 256 numbers, the biases, a code for each entry, and for each the zeros before it, 4 bits, low nibble
 * first. What the layers are the file does not say.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "model/io/archive.h"

#define CODES 256

static const struct layer {
    const char *name;
    int64_t shape[4]; /* OIHW */
} squeezenet[] = {
    {"conv1", {96, 3, 7, 7}},
    {"fire2/conv1x1_1", {16, 96, 1, 1}},
    {"fire2/conv1x1_2", {64, 16, 1, 1}},
    {"fire2/conv3x3_2", {64, 16, 3, 3}},
    {"fire3/conv1x1_1", {16, 128, 1, 1}},
    {"fire3/conv1x1_2", {64, 16, 1, 1}},
    {"fire3/conv3x3_2", {64, 16, 3, 3}},
    {"fire4/conv1x1_1", {32, 128, 1, 1}},
    {"fire4/conv1x1_2", {128, 32, 1, 1}},
    {"fire4/conv3x3_2", {128, 32, 3, 3}},
    {"fire5/conv1x1_1", {32, 256, 1, 1}},
    {"fire5/conv1x1_2", {128, 32, 1, 1}},
    {"fire5/conv3x3_2", {128, 32, 3, 3}},
    {"fire6/conv1x1_1", {48, 256, 1, 1}},
    {"fire6/conv1x1_2", {192, 48, 1, 1}},
    {"fire6/conv3x3_2", {192, 48, 3, 3}},
    {"fire7/conv1x1_1", {48, 384, 1, 1}},
    {"fire7/conv1x1_2", {192, 48, 1, 1}},
    {"fire7/conv3x3_2", {192, 48, 3, 3}},
    {"fire8/conv1x1_1", {64, 384, 1, 1}},
    {"fire8/conv1x1_2", {256, 64, 1, 1}},
    {"fire8/conv3x3_2", {256, 64, 3, 3}},
    {"fire9/conv1x1_1", {64, 512, 1, 1}},
    {"fire9/conv1x1_2", {256, 64, 1, 1}},
    {"fire9/conv3x3_2", {256, 64, 3, 3}},
    {"conv_final", {1000, 512, 1, 1}},
};
#define LAYERS ((int)(sizeof squeezenet / sizeof *squeezenet))

struct reader {
    prune_archive *archive;
    const unsigned char *bytes;
    int64_t size, at;
};

static uint32_t word_at(const unsigned char *bytes)
{
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

/* The next `bytes` bytes of the file. */
static int32_t take(struct reader *reader, int64_t bytes, const char *what, const unsigned char **out)
{
    if (bytes > reader->size - reader->at)
        return pr_fail(PRUNE_E_FORMAT, "%s takes %lld bytes from byte %lld, but the file has %lld: it is truncated",
                       what, (long long)bytes, (long long)reader->at, (long long)reader->size);
    *out = reader->bytes + reader->at;
    reader->at += bytes;
    return PRUNE_OK;
}

static int32_t take_floats(struct reader *reader, int64_t count, const char *what, float *out)
{
    const unsigned char *bytes = NULL;
    PR_TRY(take(reader, 4 * count, what, &bytes));
    for (int64_t i = 0; i < count; i++) {
        uint32_t word = word_at(bytes + 4 * i);
        memcpy(&out[i], &word, 4);
        if (!isfinite(out[i]))
            return pr_fail(PRUNE_E_FORMAT, "%s: number %lld is not finite", what, (long long)i);
    }
    return PRUNE_OK;
}

/* Puts a tensor of zeros into the archive, which then owns it. */
static int32_t put(prune_archive *archive, const struct layer *layer, const char *part, int32_t rank,
                   const int64_t *shape, float **data)
{
    char name[80];
    prune_tensor *tensor = NULL;
    snprintf(name, sizeof name, "%s.%s", layer->name, part);
    PR_TRY(prune_tensor_create(&tensor, archive->context, PRUNE_F32, rank, shape));
    *data = prune_tensor_data(tensor);
    int32_t status = pm_archive_put(archive, name, tensor);
    if (status)
        prune_tensor_free(tensor);
    return status;
}

static int32_t note(prune_archive *archive, const struct layer *layer, const char *what, int64_t number)
{
    char key[80], text[24];
    snprintf(key, sizeof key, "%s.%s", layer->name, what);
    snprintf(text, sizeof text, "%lld", (long long)number);
    return prune_archive_add_text(archive, key, text);
}

static int32_t decode(struct reader *reader, const struct layer *layer, int64_t stored, const float *codebook,
                      float *weights)
{
    const unsigned char *codes = NULL, *gaps = NULL;
    int64_t count = layer->shape[0] * layer->shape[1] * layer->shape[2] * layer->shape[3], at = -1, padding = 0;
    PR_TRY(take(reader, stored, "the codes", &codes));
    PR_TRY(take(reader, (stored + 1) / 2, "the gaps", &gaps));
    for (int64_t i = 0; i < stored; i++) {
        at += 1 + (i % 2 ? gaps[i / 2] >> 4 : gaps[i / 2] & 15);
        if (at >= count)
            return pr_fail(PRUNE_E_FORMAT, "entry %lld of %lld stands at %lld; the layer has %lld weights",
                           (long long)i, (long long)stored, (long long)at, (long long)count);
        weights[at] = codebook[codes[i]];
        padding += codebook[codes[i]] == 0;
    }
    PR_TRY(note(reader->archive, layer, "stored", stored));
    return note(reader->archive, layer, "padding", padding);
}

static int32_t read_layer(struct reader *reader, const struct layer *layer, int64_t stored)
{
    const int64_t codes = CODES;
    float *codebook = NULL, *bias = NULL, *weights = NULL;
    PR_TRY(put(reader->archive, layer, "codebook", 1, &codes, &codebook));
    PR_TRY(put(reader->archive, layer, "bias", 1, layer->shape, &bias));
    PR_TRY(put(reader->archive, layer, "weight", 4, layer->shape, &weights));
    PR_TRY(take_floats(reader, CODES, "the codebook", codebook));
    PR_TRY(take_floats(reader, layer->shape[0], "the biases", bias));
    return decode(reader, layer, stored, codebook, weights);
}

static int32_t read_layers(struct reader *reader)
{
    const unsigned char *counts = NULL;
    PR_TRY(take(reader, 4 * LAYERS, "the list of counts", &counts));
    for (int i = 0; i < LAYERS; i++) {
        int32_t status = read_layer(reader, &squeezenet[i], (int64_t)word_at(counts + 4 * i));
        if (status)
            return pr_fail_in(status, "layer %s", squeezenet[i].name);
    }
    if (reader->at != reader->size)
        return pr_fail(PRUNE_E_FORMAT, "the layers end at byte %lld, but the file has %lld: it is overlong",
                       (long long)reader->at, (long long)reader->size);
    return PRUNE_OK;
}

static int32_t read_file(prune_archive *archive, const char *path)
{
    struct pm_input file;
    char *bytes = NULL;
    PR_TRY(pm_input_open(&file, path));
    /* A layer has at most an entry for each weight, so no file of this network is larger. */
    int32_t status = file.size > 16 << 20 ? pr_fail(PRUNE_E_FORMAT,
                                                    "it has %lld bytes; these files have fewer than "
                                                    "16777216",
                                                    (long long)file.size)
                                          : pm_input_load(&file, archive->context, &bytes);
    if (!status)
        status = read_layers(&(struct reader){archive, (const unsigned char *)bytes, file.size, 0});
    pr_release(archive->context, bytes);
    pm_input_close(&file);
    return status;
}

int32_t prune_deep_compression_read(prune_archive **out, prune_context *context, const char *path, const char *network)
{
    PR_REQUIRE(out);
    PR_REQUIRE(path);
    PR_REQUIRE(network);
    prune_archive *archive;
    if (strcmp(network, "squeezenet") != 0)
        return pr_fail(PRUNE_E_ARGUMENT, "the layers of \"%s\" are not known; those of squeezenet are",
                       PM_SHOW(network));
    PR_TRY(prune_archive_create(&archive, context));
    int32_t status = read_file(archive, path);
    if (status) {
        prune_archive_free(archive);
        return pr_fail_in(status, "%s", PM_SHOW(path));
    }
    *out = archive;
    return PRUNE_OK;
}
