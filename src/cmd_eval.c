/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "graphs.h"
#include "timing.h"

#define MAX_NETWORKS 64

struct entry {
    struct facts facts;
    int64_t correct;
    int64_t differing, within_bound, unexplained; /* against the first network */
    struct timing timings[2];
};

struct job {
    struct common common;
    const char *data;
    int64_t batch, rounds; /* batch 0: not given */
    int no_times, no_agreement, same;
    int64_t batches[2];
    int batch_count;

    int count;
    const char *const *paths;
    prune_network *networks[MAX_NETWORKS];
    struct entry entries[MAX_NETWORKS];
    int64_t images;
};

static int agreement_wanted(const struct job *job)
{
    return job->count > 1 && (job->same || !job->no_agreement);
}

static int measure_one(struct job *job, int i, const prune_tensor *images, const prune_tensor *labels)
{
    struct entry *entry = &job->entries[i];
    progress_label(job->paths[i]);
    int code = facts_of(&entry->facts, job->networks[i], job->paths[i]);
    if (code)
        return code;
    int32_t status = prune_network_evaluate(job->networks[i], images, labels, job->batch, &entry->correct);
    if (!status && i > 0 && agreement_wanted(job))
        status = prune_network_compare(job->networks[0], job->networks[i], images, job->batch, &entry->differing,
                                       &entry->within_bound, &entry->unexplained);
    return status ? complain_status(status, job->paths[i]) : DONE;
}

static int measure_times(struct job *job, const prune_tensor *images)
{
    struct timing timings[MAX_NETWORKS];
    for (int b = 0; b < job->batch_count; b++) {
        int code = timing_run(timings, job->networks, job->paths, job->count, images, job->batches[b], job->rounds);
        if (code)
            return code;
        for (int i = 0; i < job->count; i++)
            job->entries[i].timings[b] = timings[i];
    }
    return DONE;
}

static json_t *entry_json(const struct job *job, int i)
{
    const struct entry *entry = &job->entries[i];
    const struct facts *facts = &entry->facts;
    json_t *json =
        json_pack("{s:o, s:s, s:I, s:f, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f}", "file", json_text(job->paths[i]),
                  "format", facts->format, "correct", (json_int_t)entry->correct, "accuracy",
                  (double)entry->correct / (double)job->images, "parameters", (json_int_t)facts->parameters,
                  "parameters_kept", (json_int_t)facts->parameters_kept, "weights", (json_int_t)facts->weights,
                  "weights_kept", (json_int_t)facts->weights_kept, "file_bytes", (json_int_t)facts->file_bytes, "macs",
                  (json_int_t)facts->macs, "macs_done", (json_int_t)facts->macs_done, "energy_pj", facts->energy);
    if (i > 0 && agreement_wanted(job))
        json_object_set_new(json, "agreement",
                            json_pack("{s:o, s:I, s:I, s:I}", "with", json_text(job->paths[0]), "differing",
                                      (json_int_t)entry->differing, "within_bound", (json_int_t)entry->within_bound,
                                      "unexplained", (json_int_t)entry->unexplained));
    if (job->no_times)
        return json;
    json_t *times = json_array();
    for (int b = 0; b < job->batch_count; b++)
        json_array_append_new(times, json_pack("{s:I, s:f, s:f, s:s}", "batch", (json_int_t)job->batches[b], "seconds",
                                               entry->timings[b].seconds, "speedup", entry->timings[b].speedup,
                                               "kernels", entry->timings[b].kernels));
    json_object_set_new(json, "times", times);
    return json;
}

static int show_json(const struct job *job)
{
    json_t *networks = json_array();
    for (int i = 0; i < job->count; i++)
        json_array_append_new(networks, entry_json(job, i));
    return print_json(json_pack("{s:o, s:I, s:{s:s, s:s, s:i}, s:I, s:o}", "data", json_text(job->data), "images",
                                (json_int_t)job->images, "blas", "kernel", prune_blas_kernel(), "version",
                                prune_blas_version(), "threads", 1, "threads", (json_int_t)job->common.threads,
                                "networks", networks),
                      "eval");
}

static int fill_head(const struct job *job, struct table *table)
{
    int code = table_cell(table, "network") || table_cell(table, "accuracy") || table_cell(table, "parameters kept") ||
               table_cell(table, "file bytes") || table_cell(table, "energy/image");
    for (int b = 0; b < job->batch_count && !job->no_times && !code; b++)
        code = table_cell(table, "batch %lld", (long long)job->batches[b]) || table_cell(table, "speed");
    table->columns = table->count;
    return code ? NO_MEMORY : DONE;
}

static int fill_row(const struct job *job, int i, struct table *table)
{
    const struct entry *entry = &job->entries[i];
    const struct facts *facts = &entry->facts;
    char a[AMOUNT_SIZE];
    int code = table_cell(table, "%s", job->paths[i]) ||
               table_cell(table, "%.2f %%", 100 * (double)entry->correct / (double)job->images) ||
               table_cell(table, "%s (%.1f %%)", amount_count(a, facts->parameters_kept),
                          100 * (double)facts->parameters_kept / (double)facts->parameters) ||
               table_cell(table, "%s", amount_count(a, facts->file_bytes)) ||
               table_cell(table, "%s", amount_energy(a, facts->energy));
    for (int b = 0; b < job->batch_count && !job->no_times && !code; b++)
        code = table_cell(table, "%s", amount_time(a, entry->timings[b].seconds)) ||
               table_cell(table, "%.2fx", entry->timings[b].speedup);
    return code ? NO_MEMORY : DONE;
}

static void show_kernels(const struct job *job)
{
    printf("OpenBLAS %s, one thread; libprune %lld thread%s; medians of %lld rounds, speed against %s\n",
           prune_blas_kernel(), (long long)job->common.threads, job->common.threads == 1 ? "" : "s",
           (long long)job->rounds, job->paths[0]);
    for (int i = 0; i < job->count; i++)
        for (int b = 0; b < job->batch_count; b++)
            printf("kernels of %s at batch %lld: %s\n", job->paths[i], (long long)job->batches[b],
                   job->entries[i].timings[b].kernels);
}

static void show_agreement(const struct job *job)
{
    for (int i = 1; i < job->count; i++) {
        const struct entry *entry = &job->entries[i];
        printf("%s predicts as %s does on %lld of %lld images; %lld differ, %lld of them more than rounding explains; "
               "on %lld the two best logits are closer than the bound\n",
               job->paths[i], job->paths[0], (long long)(job->images - entry->differing), (long long)job->images,
               (long long)entry->differing, (long long)entry->unexplained, (long long)entry->within_bound);
    }
}

static int show_text(const struct job *job)
{
    struct table table = {.cells = NULL};
    int code = fill_head(job, &table);
    for (int i = 0; i < job->count && !code; i++)
        code = fill_row(job, i, &table);
    if (!code) {
        table_print(&table, stdout);
        if (!job->no_times)
            show_kernels(job);
        if (agreement_wanted(job))
            show_agreement(job);
    }
    table_free(&table);
    return code;
}

static int verdict(const struct job *job)
{
    for (int i = 1; i < job->count && job->same; i++)
        if (job->entries[i].unexplained > 0)
            return complain(NEGATIVE, "%s does not predict as %s does: %lld images differ beyond rounding",
                            job->paths[i], job->paths[0], (long long)job->entries[i].unexplained);
    return DONE;
}

/* 64 images at a time unless said, or all where there are fewer. */
static int set_batches(struct job *job)
{
    if (job->images == 0)
        return complain(BAD_INPUT, "%s has no test images", job->data);
    if (job->batch > job->images)
        return complain(USAGE, "--batch %lld is more than the %lld test images", (long long)job->batch,
                        (long long)job->images);
    if (job->batch == 0)
        job->batch = job->images < 64 ? job->images : 64;
    job->batches[0] = 1;
    job->batches[1] = job->batch;
    job->batch_count = job->batch > 1 ? 2 : 1;
    return DONE;
}

static int work(struct job *job)
{
    prune_context *context = NULL;
    prune_tensor *images = NULL, *labels = NULL;
    int code = context_open(&context, &job->common);
    for (int i = 0; i < job->count && !code; i++)
        code = network_read(&job->networks[i], context, job->paths[i]);
    if (!code)
        code = data_read(&images, &labels, context, job->data, "test");
    if (!code) {
        job->images = prune_tensor_shape(labels)[0];
        code = set_batches(job);
    }
    for (int i = 0; i < job->count && !code; i++)
        code = measure_one(job, i, images, labels);
    progress_label("");
    if (!code && !job->no_times)
        code = measure_times(job, images);
    progress_end();
    if (!code)
        code = job->common.json ? show_json(job) : show_text(job);
    if (!code)
        code = verdict(job);
    for (int i = 0; i < job->count; i++)
        prune_network_free(job->networks[i]);
    prune_tensor_free(images);
    prune_tensor_free(labels);
    prune_context_free(context);
    return code;
}

static void warn_of_environment(void)
{
    static const char *const names[] = {"OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"};
    for (int i = 0; i < 2; i++)
        if (getenv(names[i]))
            fprintf(stderr, "prune: note: %s is set, which changes the dense times; unset it to measure\n", names[i]);
}

static void add_options(struct options *options, struct job *job)
{
    options_add(
        options,
        (struct option[]){
            {OPTION_TEXT, "data", 0, &job->data, "DIR", "folder of four IDX files (" STANDARD_DATA ")", 0, 0},
            {OPTION_WHOLE, "batch", 0, &job->batch, "N", "images at a time, timed next to batch 1 (64)", 1, 65536},
            {OPTION_WHOLE, "rounds", 0, &job->rounds, "N", "rounds of timing (15)", 1, MAX_ROUNDS},
            {OPTION_FLAG, "no-times", 0, &job->no_times, NULL, "measure no times", 0, 0},
            {OPTION_FLAG, "no-agreement", 0, &job->no_agreement, NULL, "do not compare predictions", 0, 0},
            {OPTION_FLAG, "same", 0, &job->same, NULL,
             "exit with 1 unless every network predicts as the first does, rounding aside", 0, 0},
            {OPTION_END, NULL, 0, NULL, NULL, NULL, 0, 0},
        });
    options_add_common(options, &job->common);
}

static int run(const struct command *self, int argc, char **argv)
{
    /* Only whole models take --inputs: of a broken one the reader says what is wrong with it. */
    int has_inputs = 0;
    for (int i = 1; i < argc; i++)
        has_inputs |= strcmp(argv[i], "--inputs") == 0;
    if (has_inputs || graph_is_named(argc, argv))
        return graph_eval(self, argc, argv);
    static struct job job;
    struct options options = {.count = 0};
    job = (struct job){.data = STANDARD_DATA, .rounds = 15};
    add_options(&options, &job);
    int code = options_parse(&options, self, argc, argv);
    if (!code && !options.help) {
        code = options_operands(&options, self, 1, MAX_NETWORKS, "one to 64 networks");
        if (!code && job.same && options.operands.count < 2)
            code = complain(USAGE, "--same compares with the first network; give at least two");
        if (!code) {
            job.paths = options.operands.items;
            job.count = options.operands.count;
            if (!job.no_times)
                warn_of_environment();
            code = work(&job);
        }
    }
    options_free(&options);
    return code;
}

const struct command cmd_eval = {
    "eval",
    "accuracy, size, energy and time of networks, packed or not",
    "(NET|PACKED)... [--data DIR] [--batch N] [--same] [--json]\n"
    "MODEL.onnx --inputs X.npy --labels Y.npy [--layout nhwc] [--scale S] [--mean M,...] [--std D,...]",
    "Runs the test images through each network. Times are for one image, at batch 1 and at --batch, on one\n"
    "thread, the networks taking turns; speed is the first network's time by the other's, so put the dense\n"
    "network first. A packed network is run as it is stored. With several networks it also says on how many\n"
    "images each predicts as the first does, and whether rounding explains the rest.\n"
    "Of an ONNX model it counts how many samples the first output ranks right; `prune eval MODEL.onnx --help` has\n"
    "the options.",
    run,
};
