/* SPDX-License-Identifier: BSD-2-Clause
 *
 * prune run on a whole model: its outputs as files.
 */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "graphs.h"
#include "tensors.h"

#define PATH_SIZE 4096

struct job {
    struct common common;
    struct samples samples;
    struct words outputs; /* [NAME=]Y.npy, or one Y.npz or folder */
    int count;            /* outputs that are written */
    const char *model;
    int64_t batch;
    prune_context *context;
    const prune_graph *graph;
    prune_tensor *arrays[MAX_INPUTS]; /* in the order of `numbers` */
    int32_t numbers[MAX_INPUTS];
};

/* One word for all outputs: an archive or a folder. */
static int is_archive(const struct job *job)
{
    return job->outputs.count == 1 && !strchr(job->outputs.items[0], '=') && name_ends(job->outputs.items[0], ".npz");
}

static int is_folder(const struct job *job)
{
    struct stat facts;
    if (job->outputs.count != 1 || strchr(job->outputs.items[0], '='))
        return 0;
    return name_ends(job->outputs.items[0], "/") ||
           (stat(job->outputs.items[0], &facts) == 0 && S_ISDIR(facts.st_mode));
}

/* Which output of the model each word is for; of an archive or a folder, all. */
static int find_outputs(struct job *job)
{
    int32_t there = prune_graph_output_count(job->graph);
    int all = is_archive(job) || is_folder(job);
    job->count = all ? there : job->outputs.count;
    if (job->count > MAX_INPUTS)
        return complain(USAGE, "at most %d outputs can be written", MAX_INPUTS);
    for (int i = 0; i < job->count; i++) {
        const char *word = job->outputs.items[all ? 0 : i], *equals = all ? NULL : strchr(word, '=');
        int32_t found = equals ? -1 : i;
        for (int32_t k = 0; equals && k < there; k++)
            if (strncmp(prune_graph_output_name(job->graph, k), word, (size_t)(equals - word)) == 0 &&
                !prune_graph_output_name(job->graph, k)[equals - word])
                found = k;
        if (found < 0 || found >= there)
            return complain(USAGE, "-o %s: the model has no such output; it has %d, the first is \"%s\"", word,
                            (int)there, there ? prune_graph_output_name(job->graph, 0) : "");
        job->numbers[i] = found;
    }
    return DONE;
}

/* Before anything is run: each file can be made where it is to be. */
static int check_places(const struct job *job)
{
    for (int i = 0; i < job->outputs.count; i++) {
        const char *word = job->outputs.items[i], *equals = strchr(word, '=');
        const char *path = equals ? equals + 1 : word, *slash = strrchr(path, '/');
        char folder[PATH_SIZE];
        if (is_folder(job))
            return DONE;
        if (!*path || snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) + 1 : 1,
                               slash ? path : ".") >= PATH_SIZE)
            return complain(USAGE, "-o %.100s names no file", word);
        if (access(folder, W_OK))
            return complain(IO_FAILED, "%s: nothing can be written there: %s", path, strerror(errno));
    }
    return DONE;
}

/* Room for all samples of an output whose axis 0 counts them; of another the one part is all. */
static int32_t make_array(struct job *job, int i, const prune_tensor *y, int64_t count)
{
    int64_t shape[PRUNE_MAX_RANK] = {0};
    int32_t rank = prune_tensor_rank(y);
    if (rank)
        memcpy(shape, prune_tensor_shape(y), (size_t)rank * sizeof *shape);
    if (count < job->samples.samples)
        shape[0] = job->samples.samples;
    return prune_tensor_create(&job->arrays[i], job->context, prune_tensor_dtype(y), rank, shape);
}

/* Every part is looked at: an axis 0 that is as long as the first may not be as long as the last. */
static int32_t check_part(const struct job *job, int i, const prune_tensor *y, int64_t count)
{
    char text[SPEC_SIZE];
    const prune_tensor *all = job->arrays[i];
    const char *name = prune_graph_output_name(job->graph, job->numbers[i]);
    int32_t rank = prune_tensor_rank(y);
    if (count == job->samples.samples)
        return PRUNE_OK;
    if (!rank || prune_tensor_shape(y)[0] != count) {
        snprintf(text, sizeof text,
                 "output \"%.200s\" has no axis 0 that counts the %lld samples of a batch: run all at once with "
                 "--batch %lld",
                 name, (long long)count, (long long)job->samples.samples);
        return prune_fail(PRUNE_E_SHAPE, text);
    }
    int same = !all || prune_tensor_rank(all) == rank;
    for (int32_t k = 1; all && same && k < rank; k++)
        same = prune_tensor_shape(all)[k] == prune_tensor_shape(y)[k];
    if (!same) {
        snprintf(text, sizeof text,
                 "output \"%.200s\" has another shape in a batch of %lld samples than in the first: run all at once "
                 "with --batch %lld",
                 name, (long long)count, (long long)job->samples.samples);
        return prune_fail(PRUNE_E_SHAPE, text);
    }
    return PRUNE_OK;
}

static int keep_part(void *user, prune_session *session, int64_t first, int64_t count)
{
    struct job *job = user;
    for (int i = 0; i < job->count; i++) {
        const prune_tensor *y = prune_session_output(session, job->numbers[i]);
        int32_t status = check_part(job, i, y, count);
        if (!status && !job->arrays[i])
            status = make_array(job, i, y, count);
        if (status)
            return complain_status(status, job->model);
        int64_t bytes = prune_tensor_count(y) * prune_dtype_size(prune_tensor_dtype(y));
        if (bytes)
            memcpy((char *)prune_tensor_data(job->arrays[i]) + first * (bytes / count), prune_tensor_const_data(y),
                   (size_t)bytes);
    }
    return DONE;
}

static const char *output_name(const struct job *job, int i)
{
    return prune_graph_output_name(job->graph, job->numbers[i]);
}

static int write_archive(const struct job *job)
{
    prune_archive *archive = NULL;
    int32_t status = prune_archive_create(&archive, job->context);
    for (int i = 0; i < job->count && !status; i++)
        status = prune_archive_add(archive, output_name(job, i), job->arrays[i]);
    if (!status) {
        write_begin();
        status = prune_npz_write(archive, job->outputs.items[0], 6);
        write_end();
    }
    prune_archive_free(archive);
    return status ? complain_status(status, NULL) : DONE;
}

/* "FOLDER/NAME.npy", what cannot be in a file's name as _. */
static int path_of(char path[PATH_SIZE], const char *folder, const char *name)
{
    int length = snprintf(path, PATH_SIZE, "%s/%s.npy", folder, name);
    if (length < 0 || length >= PATH_SIZE)
        return 0;
    for (char *at = path + strlen(folder) + 1; *at; at++)
        if (*at == '/' || (unsigned char)*at < 32)
            *at = '_';
    return 1;
}

static int fill_folder(const struct job *job, const char *folder)
{
    char path[PATH_SIZE];
    struct stat facts;
    for (int i = 0; i < job->count; i++) {
        int code = DONE;
        if (!path_of(path, folder, output_name(job, i)))
            code = complain(USAGE, "the name of output \"%.100s\" is too long for a file", output_name(job, i));
        if (!code && stat(path, &facts) == 0)
            code = complain(USAGE, "two outputs would be the file %s: name a file for each with -o NAME=Y.npy", path);
        if (!code)
            code = tensor_write(job->arrays[i], path, output_name(job, i));
        if (code)
            return code;
    }
    return DONE;
}

static void empty_folder(const struct job *job, const char *folder)
{
    char path[PATH_SIZE];
    for (int i = 0; i < job->count; i++)
        if (path_of(path, folder, output_name(job, i)))
            unlink(path);
    rmdir(folder);
}

/* The folder appears with all that is in it: one that is filled takes the place of an empty one. */
static int write_folder(const struct job *job)
{
    char made[PATH_SIZE];
    const char *folder = job->outputs.items[0];
    int length = (int)strlen(folder);
    while (length > 1 && folder[length - 1] == '/')
        length--;
    if (snprintf(made, sizeof made, "%.*s.XXXXXX", length, folder) >= PATH_SIZE || !mkdtemp(made))
        return complain(IO_FAILED, "%s: no folder can be made beside it: %s", folder, strerror(errno));
    mode_t mask = umask(0);
    umask(mask);
    chmod(made, 0777 & ~mask);
    int code = fill_folder(job, made);
    if (!code && rename(made, folder))
        code = complain(IO_FAILED, "%s: outputs go to a new or an empty folder: %s", folder, strerror(errno));
    if (code)
        empty_folder(job, made);
    return code;
}

static int write_files(const struct job *job)
{
    for (int i = 0; i < job->count; i++) {
        const char *word = job->outputs.items[i], *equals = strchr(word, '=');
        int code = tensor_write(job->arrays[i], equals ? equals + 1 : word, output_name(job, i));
        if (code)
            return code;
    }
    return DONE;
}

static int write_outputs(const struct job *job)
{
    int all = is_archive(job) || is_folder(job);
    int code = is_archive(job) ? write_archive(job) : is_folder(job) ? write_folder(job) : write_files(job);
    if (code)
        return code;
    if (job->common.json)
        return print_json(json_pack("{s:o, s:I, s:i}", "model", json_text(job->model), "samples",
                                    (json_int_t)job->samples.samples, "outputs", job->count),
                          "run");
    for (int i = 0; i < job->count; i++) {
        const char *word = job->outputs.items[all ? 0 : i], *equals = all ? NULL : strchr(word, '=');
        printf("%s: output \"%s\" of %lld samples\n", equals ? equals + 1 : word, output_name(job, i),
               (long long)job->samples.samples);
    }
    return DONE;
}

static int work(struct job *job)
{
    prune_graph *graph = NULL;
    int code = context_open(&job->context, &job->common);
    if (!code)
        code = graph_read(&graph, job->context, job->model, job->samples.external);
    job->graph = graph;
    if (!code)
        code = find_outputs(job);
    if (!code)
        code = check_places(job);
    if (!code)
        code = samples_load(&job->samples, graph, job->context);
    if (!code)
        code = samples_check(&job->samples, graph, job->batch, job->count, job->numbers);
    if (!code)
        code = samples_run(&job->samples, graph, job->batch, NULL, keep_part, job);
    if (!code)
        code = write_outputs(job);
    for (int i = 0; i < MAX_INPUTS; i++)
        prune_tensor_free(job->arrays[i]);
    samples_free(&job->samples);
    prune_graph_free(graph);
    prune_context_free(job->context);
    return code;
}

int graph_run(const struct command *self, int argc, char **argv)
{
    static struct job job;
    struct options options = {.count = 0};
    job = (struct job){.batch = 64};
    options_add(&options, (struct option[]){
                              {OPTION_LIST, "output", 'o', &job.outputs, "[NAME=]Y.npy",
                               "where an output goes, again for each; or Y.npz, or a folder, for all", 0, 0},
                              {OPTION_WHOLE, "batch", 0, &job.batch, "B", "samples at a time (64)", 1, 65536},
                              {OPTION_END, NULL, 0, NULL, NULL, NULL, 0, 0},
                          });
    samples_add_options(&job.samples, &options);
    options_add_common(&options, &job.common);
    int code = options_parse(&options, self, argc, argv);
    if (!code && !options.help)
        code = options_operands(&options, self, 1, 1, "one model");
    if (!code && !options.help) {
        job.model = options.operands.items[0];
        code = job.outputs.count ? work(&job) : option_missing(self, "-o Y.npy, the file to write");
    }
    options_free(&options);
    return code;
}
