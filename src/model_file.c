/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Weights in a safetensors file without a graph: pruned tensor by tensor, with memory for one of them at a time.
 */
#include <stdlib.h>
#include <string.h>

#include "model_file.h"

/* Of one tensor. They are made before the first is read: small blocks among large ones would keep the heap from
 * shrinking. */
struct counts {
    int64_t weights, kept;
    int is_pruned;
};

int model_file_open(prune_archive_reader **out, prune_context *context, const char *path)
{
    prune_archive_reader *reader = NULL;
    if (!name_ends(path, ".safetensors") && !name_ends(path, ".json"))
        return DONE;
    int32_t status = prune_archive_reader_open(&reader, context, path);
    if (status)
        return complain_status(status, NULL);
    if (prune_archive_reader_text(reader, "prune.graph"))
        prune_archive_reader_free(reader); /* a network, which is more than its weights */
    else
        *out = reader;
    return DONE;
}

/* Whether NAME of NAME=S means the tensor: its whole name, or that without .weight. */
static int names(const char *word, size_t length, const char *name)
{
    size_t whole = strlen(name);
    if (strncmp(word, name, length) != 0 || length > whole)
        return 0;
    return length == whole || strcmp(name + length, ".weight") == 0;
}

static int is_weight(const prune_archive_reader *reader, int32_t index)
{
    int32_t dtype = prune_archive_reader_dtype(reader, index);
    return prune_archive_reader_rank(reader, index) >= 2 &&
           (dtype == PRUNE_F32 || dtype == PRUNE_F16 || dtype == PRUNE_BF16);
}

/* How much of the tensor goes; *chosen is 0 when it stays as it is. */
static int amount_of(const struct model_file *job, int32_t index, double *amount, int *chosen)
{
    const char *name = prune_archive_reader_name(job->reader, index);
    *amount = job->pruning->amount;
    *chosen = job->layers->count == 0 && is_weight(job->reader, index);
    for (int i = 0; i < job->layers->count; i++) {
        const char *word = job->layers->items[i], *equals = strrchr(word, '=');
        if (!names(word, (size_t)(equals - word), name))
            continue;
        *chosen = 1;
        return fraction(amount, equals + 1, "--layer NAME=S");
    }
    return DONE;
}

/* Each --layer is well formed and names a weight. */
static int check_layers(const struct model_file *job)
{
    for (int i = 0; i < job->layers->count; i++) {
        const char *word = job->layers->items[i], *equals = strrchr(word, '=');
        int found = 0;
        double amount;
        if (!equals || equals == word)
            return complain(USAGE, "--layer takes NAME=S, such as fc1=0.92, not \"%s\"", word);
        int code = fraction(&amount, equals + 1, "--layer NAME=S");
        if (code)
            return code;
        for (int32_t k = 0; k < prune_archive_reader_count(job->reader) && !found; k++)
            found = is_weight(job->reader, k) &&
                    names(word, (size_t)(equals - word), prune_archive_reader_name(job->reader, k));
        if (!found)
            return complain(USAGE, "%s has no weight \"%.*s\" of 2 dimensions or more in f32, f16 or bf16", job->in,
                            (int)(equals - word), word);
    }
    return DONE;
}

static int declare(const struct model_file *job, prune_archive_writer *writer)
{
    int32_t status = PRUNE_OK;
    for (int32_t i = 0; i < prune_archive_reader_text_count(job->reader) && !status; i++) {
        const char *key = prune_archive_reader_text_key(job->reader, i);
        status = prune_archive_writer_text(writer, key, prune_archive_reader_text(job->reader, key));
    }
    for (int32_t i = 0; i < prune_archive_reader_count(job->reader) && !status; i++)
        status = prune_archive_writer_declare(
            writer, prune_archive_reader_name(job->reader, i), prune_archive_reader_dtype(job->reader, i),
            prune_archive_reader_rank(job->reader, i), prune_archive_reader_shape(job->reader, i));
    return status ? complain_status(status, job->out) : DONE;
}

static int prune_tensor_in_place(const struct model_file *job, prune_tensor *tensor, const char *name, double amount,
                                 struct counts *counts)
{
    prune_mask *mask = NULL;
    int code = pruning_mask(&mask, job->pruning, tensor, NULL, amount, name);
    if (code)
        return code;
    int32_t status = prune_mask_apply(mask, tensor);
    int64_t count = prune_mask_count(mask), kept = prune_mask_kept(mask);
    prune_mask_free(mask);
    if (status)
        return complain_status(status, name);
    *counts = (struct counts){count, kept, 1};
    return DONE;
}

static int copy_tensors(const struct model_file *job, prune_archive_writer *writer, struct counts *counts)
{
    int code = DONE;
    int32_t total = prune_archive_reader_count(job->reader);
    for (int32_t i = 0; i < total && !code; i++) {
        const char *name = prune_archive_reader_name(job->reader, i);
        prune_tensor *tensor = NULL;
        double amount;
        int chosen = 0;
        progress_show("pruning", i, total);
        code = amount_of(job, i, &amount, &chosen);
        int32_t status = code ? PRUNE_OK : prune_archive_reader_read(&tensor, job->reader, i);
        if (!code && !status && chosen)
            code = prune_tensor_in_place(job, tensor, name, amount, &counts[i]);
        if (!code && !status)
            status = prune_archive_writer_put(writer, name, tensor);
        if (status)
            code = complain_status(status, NULL);
        prune_tensor_free(tensor);
    }
    return code;
}

static int show(const struct model_file *job, const struct counts *counts)
{
    int64_t weights = 0, kept = 0;
    int pruned = 0, total = prune_archive_reader_count(job->reader);
    json_t *layers = json_array();
    for (int i = 0; i < total; i++) {
        if (!counts[i].is_pruned)
            continue;
        pruned++;
        weights += counts[i].weights;
        kept += counts[i].kept;
        json_array_append_new(layers,
                              json_pack("{s:o, s:I, s:I}", "name", json_text(prune_archive_reader_name(job->reader, i)),
                                        "weights", (json_int_t)counts[i].weights, "kept", (json_int_t)counts[i].kept));
    }
    if (job->json)
        return print_json(json_pack("{s:o, s:I, s:I, s:s, s:s, s:o}", "network", json_text(job->out), "weights",
                                    (json_int_t)weights, "kept", (json_int_t)kept, "criterion",
                                    prune_criterion_spec(job->pruning->criterion), "granularity",
                                    prune_granularity_spec(job->pruning->granularity), "layers", layers),
                          "model");
    json_decref(layers);
    char a[AMOUNT_SIZE], b[AMOUNT_SIZE];
    printf("%s: %s of %s weights kept, in %d of %d tensors\n", job->out, amount_count(a, kept),
           amount_count(b, weights), pruned, total);
    return DONE;
}

int model_file_prune(const struct model_file *job, prune_context *context)
{
    prune_archive_writer *writer = NULL;
    int code = check_layers(job);
    if (code)
        return code;
    struct counts *counts = calloc((size_t)prune_archive_reader_count(job->reader) + 1, sizeof *counts);
    if (!counts)
        return complain(NO_MEMORY, "out of memory for a list of %d tensors",
                        (int)prune_archive_reader_count(job->reader));
    int32_t status = prune_archive_writer_open(&writer, context, job->out);
    code = status ? complain_status(status, NULL) : declare(job, writer);
    if (!code)
        code = copy_tensors(job, writer, counts);
    if (!code) {
        write_begin();
        status = prune_archive_writer_commit(writer);
        write_end();
        code = status ? complain_status(status, NULL) : show(job, counts);
    }
    free(counts);
    prune_archive_writer_free(writer);
    return code;
}
