/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "convert_graph.h"
#include "file_kind.h"

struct job {
    struct common common;
    const char *from, *to, *name, *dtype, *architecture;
    const char *in, *out;
    int64_t level;
    prune_context *context;
    prune_archive *archive; /* what was read */
    struct graph_conversion onnx;
};

static const struct {
    const char *name, *ends; /* endings of file names, separated by blanks */
    int is_matrix, is_written;
} formats[] = {
    {"npy", ".npy", 0, 1},
    {"npz", ".npz", 0, 1},
    {"safetensors", ".safetensors .json", 0, 1},
    {"mtx", ".mtx", 1, 1},
    {"hb", ".rua .rsa .rza .rra .pua .psa .pza .pra .hb", 1, 0},
    {"smtx", ".smtx", 1, 1},
    {"scipy", "", 1, 1},
    {"deep-compression", ".net", 0, 0},
    {"onnx", ".onnx", 0, 1},
};
#define FORMATS ((int)(sizeof formats / sizeof *formats))

static int ends_in(const char *path, const char *ends)
{
    char end[32];
    while (*ends) {
        size_t length = strcspn(ends, " ");
        snprintf(end, sizeof end, "%.*s", (int)length, ends);
        if (name_ends(path, end))
            return 1;
        ends += length;
        ends += *ends == ' ';
    }
    return 0;
}

/* The format by what is in the file; NULL where that does not say it. */
static const char *seen_format(const char *path)
{
    switch (file_kind(path)) {
    case FILE_ONNX:
    case FILE_PACKED:
        return "onnx";
    case FILE_SAFETENSORS:
        return "safetensors";
    case FILE_NPY:
        return "npy";
    case FILE_ZIP:
        return "npz";
    case FILE_MATRIX_MARKET:
        return "mtx";
    default:
        return NULL;
    }
}

/* The format by its name, or by that of the file. */
static int find_format(int *format, const char *given, const char *option, const char *path)
{
    for (int i = 0; i < FORMATS; i++)
        if (given ? strcmp(given, formats[i].name) == 0 : ends_in(path, formats[i].ends)) {
            *format = i;
            return DONE;
        }
    if (given)
        return complain(USAGE,
                        "%s: \"%s\" is no format; npy, npz, safetensors, mtx, hb, smtx, scipy, deep-compression and "
                        "onnx are",
                        option, given);
    return complain(USAGE, "%s: its name does not say what it is; say it with %s FORMAT", path, option);
}

static int add(struct job *job, const char *name, prune_tensor *tensor)
{
    int32_t status = prune_archive_create(&job->archive, job->context);
    if (!status)
        status = prune_archive_add(job->archive, name, tensor);
    prune_tensor_free(tensor);
    return status ? complain_status(status, job->in) : DONE;
}

static int read_matrix(struct job *job, const char *format)
{
    prune_matrix *matrix = NULL;
    prune_tensor *tensor = NULL;
    int32_t status = prune_matrix_read(&matrix, job->context, job->in, format);
    if (status)
        return complain_status(status, NULL);
    status = prune_matrix_to_tensor(&tensor, matrix);
    int code = status ? complain_status(status, job->in) : add(job, job->name, tensor);
    if (!code && prune_matrix_right_sides(matrix)) {
        status = prune_archive_add(job->archive, "right_sides", prune_matrix_right_sides(matrix));
        code = status ? complain_status(status, job->in) : DONE;
    }
    prune_matrix_free(matrix);
    return code;
}

/* An npz of SciPy's names its format in a string, which no array of a plain one is. */
static int read_npz(struct job *job)
{
    prune_matrix *matrix = NULL;
    if (!job->from && prune_matrix_read(&matrix, job->context, job->in, "scipy") == PRUNE_OK) {
        prune_matrix_free(matrix);
        return read_matrix(job, "scipy");
    }
    int32_t status = prune_npz_read(&job->archive, job->context, job->in);
    return status ? complain_status(status, NULL) : DONE;
}

static int read_archive(struct job *job)
{
    prune_archive *read = NULL;
    int32_t status = prune_archive_read(&read, job->context, job->in);
    if (status)
        return complain_status(status, NULL);
    status = prune_archive_expand(&job->archive, read);
    prune_archive_free(read);
    return status ? complain_status(status, job->in) : DONE;
}

/* The model, and its weights as an archive. */
static int read_model(struct job *job)
{
    int32_t status = prune_archive_create(&job->archive, job->context);
    int code = status ? complain_status(status, job->in) : convert_read_graph(&job->onnx, job->context, job->in);
    return code ? code : convert_to_archive(&job->onnx, job->archive, job->in);
}

static int read_in(struct job *job, int format)
{
    const char *name = formats[format].name;
    prune_tensor *tensor = NULL;
    int32_t status = PRUNE_OK;
    if (formats[format].is_matrix)
        return read_matrix(job, name);
    if (strcmp(name, "npz") == 0)
        return read_npz(job);
    if (strcmp(name, "safetensors") == 0)
        return read_archive(job);
    if (strcmp(name, "onnx") == 0)
        return read_model(job);
    if (strcmp(name, "npy") == 0) {
        status = prune_npy_read(&tensor, job->context, job->in);
        return status ? complain_status(status, NULL) : add(job, job->name, tensor);
    }
    status = prune_deep_compression_read(&job->archive, job->context, job->in, "squeezenet");
    if (!status && !job->onnx.model) /* the network is known */
        status = prune_deep_compression_graph(&job->onnx.graph, job->context, job->in, "squeezenet");
    return status ? complain_status(status, NULL) : DONE;
}

/* Every tensor as the dtype asked for, strings as they are. */
static int convert_dtypes(struct job *job)
{
    prune_archive *made = NULL;
    int32_t dtype = prune_dtype_from_name(job->dtype);
    if (dtype == 0)
        return complain(USAGE, "--dtype: \"%s\" is no type of elements; f32, f16, bf16 and f64 are some", job->dtype);
    int32_t status = prune_archive_create(&made, job->context);
    for (int32_t i = 0; i < prune_archive_count(job->archive) && !status; i++) {
        prune_tensor *tensor = NULL;
        status = prune_tensor_convert(&tensor, prune_archive_tensor(job->archive, i), dtype);
        if (!status)
            status = prune_archive_add(made, prune_archive_name(job->archive, i), tensor);
        prune_tensor_free(tensor);
    }
    for (int32_t i = 0; i < prune_archive_text_count(job->archive) && !status; i++) {
        const char *key = prune_archive_text_key(job->archive, i);
        status = prune_archive_add_text(made, key, prune_archive_text(job->archive, key));
    }
    if (status) {
        prune_archive_free(made);
        return complain_status(status, job->in);
    }
    prune_archive_free(job->archive);
    job->archive = made;
    return DONE;
}

/* The one tensor there is, or the one of --name. */
static int only_tensor(const struct job *job, const prune_tensor **out)
{
    int32_t count = prune_archive_count(job->archive);
    *out = prune_archive_find(job->archive, job->name);
    if (!*out && count == 1)
        *out = prune_archive_tensor(job->archive, 0);
    if (*out)
        return DONE;
    return complain(USAGE, "%s holds %d tensors, none of them \"%s\"; %s holds one: say which with --name NAME",
                    job->in, (int)count, job->name, job->out);
}

/* A model as it was read, or another one with the weights that were. */
static int write_model(struct job *job)
{
    int code = DONE;
    if (job->onnx.graph && (job->onnx.model || job->dtype))
        return complain(USAGE, "%s goes with weights that become those of a model; %s is a model",
                        job->onnx.model ? "--model" : "--dtype", job->in);
    if (!job->onnx.graph && !job->onnx.model)
        return complain(USAGE, "%s holds weights alone: say whose they are with --model MODEL.onnx", job->in);
    if (!job->onnx.graph) {
        code = convert_read_graph(&job->onnx, job->context, job->onnx.model);
        if (!code)
            code = convert_from_archive(&job->onnx, job->archive, job->in);
    }
    return code ? code : convert_write_graph(&job->onnx, job->out);
}

static int write_out(struct job *job, int format)
{
    const char *name = formats[format].name;
    const prune_tensor *tensor = NULL;
    prune_matrix *matrix = NULL;
    int32_t status = PRUNE_OK;
    if (strcmp(name, "onnx") == 0)
        return write_model(job);
    int is_archive = strcmp(name, "npz") == 0 || strcmp(name, "safetensors") == 0;
    int code = is_archive ? DONE : only_tensor(job, &tensor);
    if (code)
        return code;
    if (formats[format].is_matrix) {
        status = prune_matrix_from_tensor(&matrix, tensor);
        if (status)
            return complain_status(status, job->in);
    }
    write_begin();
    if (matrix)
        status = prune_matrix_write(matrix, job->out, name);
    else if (tensor)
        status = prune_npy_write(tensor, job->out);
    else
        status = strcmp(name, "npz") == 0 ? prune_npz_write(job->archive, job->out, (int32_t)job->level)
                                          : prune_archive_write(job->archive, job->out);
    write_end();
    prune_matrix_free(matrix);
    return status ? complain_status(status, NULL) : DONE;
}

static int show(const struct job *job, int from, int to)
{
    int32_t count = prune_archive_count(job->archive);
    if (job->common.json)
        return print_json(json_pack("{s:o, s:s, s:s, s:i}", "file", json_text(job->out), "from", formats[from].name,
                                    "to", formats[to].name, "tensors", (int)count),
                          "convert");
    printf("%s: %s from %s, %d tensor%s read\n", job->out, formats[to].name, formats[from].name, (int)count,
           count == 1 ? "" : "s");
    return DONE;
}

/* Weights whose names say which model they are: "llama", or with settings "llama:heads=8". */
static int make_model(struct job *job)
{
    size_t length = strcspn(job->architecture, ":");
    const char *spec = job->architecture[length] ? job->architecture + length + 1 : NULL;
    prune_graph *graph = NULL;
    if (length != 5 || strncmp(job->architecture, "llama", length) != 0)
        return complain(USAGE, "--architecture: \"%s\" is not known; llama and llama:SETTING=VALUE,... are",
                        job->architecture);
    if (!name_ends(job->out, ".onnx"))
        return complain(USAGE, "%s: a model is written as ONNX; its name must end with .onnx", job->out);
    if (job->from || job->to || job->dtype)
        return complain(USAGE, "--architecture makes ONNX of safetensors, in f32; --from, --to and --dtype do not go "
                               "with it");
    int code = context_open(&job->context, &job->common);
    if (code)
        return code;
    int32_t status = prune_graph_read_llama(&graph, job->context, job->in, spec);
    if (!status) {
        write_begin();
        status = prune_graph_write(graph, job->out, NULL);
        write_end();
    }
    if (status)
        code = complain_status(status, NULL);
    else if (job->common.json)
        code = print_json(json_pack("{s:o, s:s, s:s, s:i}", "file", json_text(job->out), "from", "safetensors", "to",
                                    "onnx", "nodes", (int)prune_graph_node_count(graph)),
                          "convert");
    else
        printf("%s: onnx from safetensors, %d nodes\n", job->out, (int)prune_graph_node_count(graph));
    prune_graph_free(graph);
    prune_context_free(job->context);
    return code;
}

static int work(struct job *job)
{
    int from = 0, to = 0;
    if (job->architecture)
        return make_model(job);
    int code = find_format(&from, job->from ? job->from : seen_format(job->in), "--from", job->in);
    if (!code)
        code = find_format(&to, job->to, "--to", job->out);
    if (!code && (!formats[to].is_written || name_ends(job->out, ".json")))
        code = complain(USAGE, "%s: %s is only read", job->out,
                        formats[to].is_written ? "an index of several files" : formats[to].name);
    if (!code)
        code = context_open(&job->context, &job->common);
    if (!code)
        code = read_in(job, from);
    if (!code && job->dtype)
        code = convert_dtypes(job);
    if (!code)
        code = write_out(job, to);
    if (!code)
        code = show(job, from, to);
    prune_archive_free(job->archive);
    prune_graph_free(job->onnx.graph);
    prune_context_free(job->context);
    return code;
}

static int run(const struct command *self, int argc, char **argv)
{
    struct options options = {.count = 0};
    struct job job = {.name = "weight", .level = 6};
    options_add(
        &options,
        (struct option[]){
            {OPTION_TEXT, "output", 'o', &job.out, "OUT", "the file to write, in place of the operand OUT", 0, 0},
            {OPTION_TEXT, "from", 0, &job.from, "FORMAT", "what IN is; by default what is in it says it, or its name",
             0, 0},
            {OPTION_TEXT, "to", 0, &job.to, "FORMAT", "what OUT is to be", 0, 0},
            {OPTION_TEXT, "name", 0, &job.name, "NAME", "the tensor to take of several, or to name (default weight)", 0,
             0},
            {OPTION_TEXT, "dtype", 0, &job.dtype, "TYPE", "convert the elements: f32, f16, bf16, ...", 0, 0},
            {OPTION_TEXT, "architecture", 0, &job.architecture, "MODEL[:SETTINGS]",
             "make the ONNX model whose weights IN holds: llama[:heads=8,...]", 0, 0},
            {OPTION_WHOLE, "level", 0, &job.level, "N", "how hard npz is packed, 0 to 9 (default 6)", 0, 9},
            {OPTION_TEXT, "model", 0, &job.onnx.model, "MODEL.onnx",
             "OUT.onnx is this model with the weights of IN, by name", 0, 0},
            {OPTION_TEXT, "parameters", 0, &job.onnx.parameters, "dense|sparse",
             "pruned initializers of OUT.onnx dense, or as sparse_initializer (as they are)", 0, 0},
            {OPTION_FLAG, "external-data", 0, &job.onnx.out_data, NULL,
             "large initializers go to OUT.onnx.data beside OUT.onnx", 0, 0},
            {OPTION_END, NULL, 0, NULL, NULL, NULL, 0, 0},
        });
    graph_add_options(&job.onnx.samples, &options);
    options_add_common(&options, &job.common);
    int code = options_parse(&options, self, argc, argv);
    if (!code && !options.help) {
        code = job.out ? options_operands(&options, self, 1, 1, "one file, IN, beside -o")
                       : options_operands(&options, self, 2, 2, "two files, IN and OUT");
        if (!code) {
            job.in = options.operands.items[0];
            if (!job.out)
                job.out = options.operands.items[1];
            code = work(&job);
        }
    }
    options_free(&options);
    return code;
}

const struct command cmd_convert = {
    "convert",
    "tensors and models from one format of files to another",
    "IN OUT [--from FORMAT] [--to FORMAT] [--name NAME] [--dtype TYPE]\n"
    "MODEL.onnx OUT.onnx [--parameters dense|sparse] [--external] [--external-data] [--freeze-shape NAME=N]\n"
    "WEIGHTS OUT.onnx --model MODEL.onnx\n"
    "WEIGHTS OUT.onnx --architecture MODEL[:SETTING=VALUE,...]",
    "Formats, by the end of the name: npy, npz, safetensors (.json: an index of several files), mtx (Matrix Market),\n"
    "smtx (a pattern), scipy (SciPy's sparse npz; to write one say --to scipy); only read: hb (Harwell-Boeing, .rua),\n"
    "deep-compression (.net). Sparse tensors of compressed-tensors become dense. smtx keeps no values.\n"
    "What IN is, is seen from what is in it where that can be. A model (onnx, packed or not) is converted as a whole, "
    "or\n"
    "its floating weights are, by name; into a model they go back by the same names.\n"
    "The network that deep-compression holds is known: it becomes a model where OUT is onnx.\n"
    "With --architecture llama, weights of a Llama model become the model; settings, where the file does not say "
    "them:\n"
    "heads, kv_heads, epsilon, theta, positions, and caches=yes for decoding token by token.",
    run,
};
