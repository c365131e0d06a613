/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "model/io/io.h"

/* FOLDER/SPLIT-WHAT, or the same with .gz where that is not there. */
static int32_t read_part(prune_tensor **out, prune_context *context, const char *folder, const char *prefix,
                         const char *what)
{
    char *path;
    size_t length = strlen(folder) + strlen(prefix) + strlen(what) + sizeof "/-.gz";
    PR_TRY(pr_alloc(context, (int64_t)length, 1, &path));
    snprintf(path, length, "%s/%s-%s", folder, prefix, what);
    int32_t status = prune_idx_read(out, context, path);
    if (status == PRUNE_E_NOTFOUND) {
        snprintf(path, length, "%s/%s-%s.gz", folder, prefix, what);
        status = prune_idx_read(out, context, path);
    }
    if (status == PRUNE_E_NOTFOUND)
        status =
            pr_fail(PRUNE_E_NOTFOUND, "%s has neither %s-%s nor %s-%s.gz", PM_SHOW(folder), prefix, what, prefix, what);
    pr_release(context, path);
    return status;
}

static int32_t check_parts(const prune_tensor *images, const prune_tensor *labels)
{
    const int64_t *shape = prune_tensor_shape(images);
    if (prune_tensor_rank(images) != 3 || prune_tensor_rank(labels) != 1)
        return pr_fail(PRUNE_E_FORMAT, "the images have %d dimensions and the labels %d; 3 and 1 are needed",
                       (int)prune_tensor_rank(images), (int)prune_tensor_rank(labels));
    if (shape[0] != prune_tensor_count(labels))
        return pr_fail(PRUNE_E_FORMAT, "there are %lld images, but %lld labels; the counts must agree",
                       (long long)shape[0], (long long)prune_tensor_count(labels));
    return PRUNE_OK;
}

/* The byte scaled to 0..1. */
static int32_t scale_images(prune_tensor **out, prune_context *context, const prune_tensor *bytes)
{
    prune_tensor *tensor;
    PR_TRY(prune_tensor_create(&tensor, context, PRUNE_F32, 3, prune_tensor_shape(bytes)));
    const unsigned char *from = prune_tensor_const_data(bytes);
    float *to = prune_tensor_data(tensor);
    for (int64_t i = 0; i < prune_tensor_count(bytes); i++)
        to[i] = (float)from[i] / 255.0f;
    *out = tensor;
    return PRUNE_OK;
}

static int32_t read_dataset(prune_tensor *parts[4], prune_context *context, const char *folder, const char *prefix)
{
    PR_TRY(read_part(&parts[0], context, folder, prefix, "images-idx3-ubyte"));
    PR_TRY(read_part(&parts[1], context, folder, prefix, "labels-idx1-ubyte"));
    int32_t status = check_parts(parts[0], parts[1]);
    if (status)
        return pr_fail_in(status, "%s: %s", PM_SHOW(folder), prefix);
    PR_TRY(scale_images(&parts[2], context, parts[0]));
    return prune_tensor_convert(&parts[3], parts[1], PRUNE_I64);
}

int32_t prune_dataset_read(prune_tensor **images, prune_tensor **labels, prune_context *context, const char *folder,
                           const char *split)
{
    PR_REQUIRE(images);
    PR_REQUIRE(labels);
    PR_REQUIRE(folder);
    PR_REQUIRE(split);
    int is_train = strcmp(split, "train") == 0;
    if (!is_train && strcmp(split, "test") != 0)
        return pr_fail(PRUNE_E_ARGUMENT, "the split is \"%s\"; \"train\" and \"test\" are possible", PM_SHOW(split));
    prune_tensor *parts[4] = {NULL};
    int32_t status = read_dataset(parts, context, folder, is_train ? "train" : "t10k");
    prune_tensor_free(parts[0]);
    prune_tensor_free(parts[1]);
    if (status) {
        prune_tensor_free(parts[2]);
        prune_tensor_free(parts[3]);
        return status;
    }
    *images = parts[2];
    *labels = parts[3];
    return PRUNE_OK;
}
