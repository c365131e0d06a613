/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Masks against the time to read the weights, and a global selection over a file in bounded memory. bench_select
 * --help.
 */
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "memory.h"
#include "prune/prune.h"

#define PIECE 16384

static const char usage[] = "bench_select [OPTION...]: masks against the time to read the weights\n"
                            "  --elements N   f32 weights of the tensor (default 100000000)\n"
                            "  --streamed N   f32 weights in the file (default 100000000; 0 for none)\n"
                            "  --file NAME    the file, made and taken away (default bench_select.f32 in TMPDIR)\n"
                            "  --rounds N     of each, the fastest counts (default 3)\n"
                            "  --torch        torch.nn.utils.prune next to it, where python3 has it\n";

struct options {
    int64_t elements, streamed;
    int rounds, torch;
    char file[512];
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static float weight(uint64_t i)
{
    uint64_t z = (i + 1) * 0x9E3779B97F4A7C15ULL;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ z >> 27) * 0x94D049BB133111EBULL;
    float a = (float)(int32_t)z, b = (float)(int32_t)(z >> 32);
    return a / 2147483648.0f * (b / 2147483648.0f);
}

/* What the library holds of memory, and the most it held. */
struct meter {
    uint64_t now, most;
};

static void *take(void *user, uint64_t size, uint64_t align)
{
    struct meter *meter = user;
    meter->now += size;
    meter->most = meter->now > meter->most ? meter->now : meter->most;
    return aligned_alloc(align, (size + align - 1) / align * align);
}

static void give(void *user, void *pointer, uint64_t size)
{
    struct meter *meter = user;
    meter->now -= size;
    free(pointer);
}

static void fail(const char *what)
{
    fprintf(stderr, "bench_select: %s: %s\n", what, prune_error());
    exit(1);
}

static double read_once(const float *weights, int64_t count)
{
    uint64_t sum[8] = {0}, words[8];
    double start = now();
    for (int64_t i = 0; i + 16 <= count; i += 16) {
        memcpy(words, weights + i, sizeof words);
        for (int j = 0; j < 8; j++)
            sum[j] ^= words[j];
    }
    double seconds = now() - start;
    for (int j = 1; j < 8; j++)
        sum[0] ^= sum[j];
    return sum[0] == 42 ? seconds + 1e-12 : seconds; /* so that the sum is needed */
}

struct way {
    const char *name, *granularity;
    int32_t target;
    double amount;
    int scores; /* through a tensor of scores */
};

static double time_of(const struct way *way, const prune_tensor *tensor)
{
    prune_granularity *g;
    prune_criterion *c;
    prune_scores *scores = NULL;
    prune_mask *mask = NULL;
    if (prune_granularity_create(&g, NULL, way->granularity) || prune_criterion_create(&c, NULL, "l1"))
        fail(way->name);
    double start = now();
    if (way->scores ? prune_criterion_score(&scores, c, tensor, NULL, g) ||
                          prune_mask_select(&mask, scores, way->target, way->amount)
                    : prune_mask_magnitude(&mask, tensor, g, way->target, way->amount))
        fail(way->name);
    double seconds = now() - start;
    prune_mask_free(mask);
    prune_scores_free(scores);
    prune_criterion_free(c);
    prune_granularity_free(g);
    return seconds;
}

/* Returns the seconds of the first way. */
static double masks(const struct options *options)
{
    const struct way ways[] = {
        {"magnitude, element, sparsity 0.5", "element", PRUNE_SPARSITY, 0.5, 0},
        {"magnitude, element, sparsity 0.9", "element", PRUNE_SPARSITY, 0.9, 0},
        {"magnitude, 2:4", "nm:keep_n=2,group_m=4", PRUNE_QUOTA, 0, 0},
        {"scores and selection, element, sparsity 0.5", "element", PRUNE_SPARSITY, 0.5, 1},
        {"scores and selection, 2:4", "nm:keep_n=2,group_m=4", PRUNE_QUOTA, 0, 1},
    };
    const int64_t shape[2] = {options->elements / 1000, 1000};
    int64_t count = shape[0] * shape[1];
    prune_tensor *tensor;
    if (prune_tensor_create(&tensor, NULL, PRUNE_F32, 2, shape))
        fail("weights");
    float *weights = prune_tensor_data(tensor);
    for (int64_t i = 0; i < count; i++)
        weights[i] = weight((uint64_t)i);
    double once = 1e9, first = 0, fresh = bench_fresh_memory(8 * count);
    for (int r = 0; r < options->rounds + 2; r++) {
        double seconds = read_once(weights, count);
        once = seconds < once ? seconds : once;
    }
    printf("%lld weights of f32: read once in %.4f s, %.1f GB/s\n", (long long)count, once,
           4e-9 * (double)count / once);
    printf("  8 bytes each of new memory, written once: %.4f s, paid by the first round with scores only\n", fresh);
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        double best = 1e9;
        for (int r = 0; r < options->rounds; r++) {
            double seconds = time_of(&ways[i], tensor);
            best = seconds < best ? seconds : best;
        }
        first = i == 0 ? best : first;
        printf("  %-44s %8.4f s  %6.2f x one read  %6.2f x two reads\n", ways[i].name, best, best / once,
               best / once / 2);
        fflush(stdout);
    }
    prune_tensor_free(tensor);
    return first;
}

struct stream {
    FILE *file;
    double seconds; /* spent on reading the file */
};

static int32_t read_scores(void *user, int64_t first, int64_t count, double *scores)
{
    static float piece[PIECE];
    struct stream *stream = user;
    double start = now();
    if (count > PIECE || (first == 0 && fseek(stream->file, 0, SEEK_SET)) ||
        fread(piece, sizeof *piece, (size_t)count, stream->file) != (size_t)count)
        return prune_fail(PRUNE_E_IO, "the file cannot be read");
    stream->seconds += now() - start;
    for (int64_t i = 0; i < count; i++)
        scores[i] = fabs((double)piece[i]);
    return PRUNE_OK;
}

static void make_file(FILE *file, int64_t count)
{
    static float piece[PIECE];
    for (int64_t i = 0; i < count; i += PIECE) {
        int64_t n = count - i < PIECE ? count - i : PIECE;
        for (int64_t j = 0; j < n; j++)
            piece[j] = weight((uint64_t)(i + j));
        if (fwrite(piece, sizeof *piece, (size_t)n, file) != (size_t)n) {
            fprintf(stderr, "bench_select: the file cannot be written\n");
            exit(1);
        }
    }
    fflush(file);
}

static void streamed(const struct options *options)
{
    struct meter meter = {0, 0};
    struct stream stream = {fopen(options->file, "w+b"), 0};
    prune_context *context;
    prune_granularity *g;
    prune_selection *selection;
    double cut;
    int64_t ties, kept;
    if (!stream.file) {
        fprintf(stderr, "bench_select: %s cannot be made\n", options->file);
        exit(1);
    }
    make_file(stream.file, options->streamed);
    if (prune_context_create(&context) || prune_context_set_allocator(context, take, give, &meter) ||
        prune_granularity_create(&g, context, "element") || prune_selection_create(&selection, context) ||
        prune_selection_add_streamed(selection, g, 1, &options->streamed, read_scores, &stream, 1, NULL))
        fail("selection");
    double start = now();
    if (prune_selection_solve(selection, NULL, PRUNE_SPARSITY, 0.9, NULL) ||
        prune_selection_cut(selection, 0, &cut, &ties) || prune_selection_kept(selection, 0, &kept, NULL))
        fail("selection");
    double seconds = now() - start;
    printf("global selection over %lld weights in a file: %.2f s (%.2f s reading), %.2f ns a weight, %.1f MiB of "
           "memory, cut %.9g with %lld ties, %lld kept\n",
           (long long)options->streamed, seconds, stream.seconds, 1e9 * seconds / (double)options->streamed,
           (double)meter.most / 1048576, cut, (long long)ties, (long long)kept);
    prune_selection_free(selection);
    prune_granularity_free(g);
    prune_context_free(context);
    fclose(stream.file);
    unlink(options->file);
}

/* Debian's python3 first: python3-torch is its package. Nothing where neither has torch. */
static void torch(const struct options *options, double magnitude)
{
    static const char *const pythons[] = {"/usr/bin/python3", "python3"};
    static const char program[] = "import time, torch\\n"
                                  "import torch.nn.utils.prune as p\\n"
                                  "torch.set_num_threads(1)\\n"
                                  "m = torch.nn.Linear(1000, %lld, bias=False)\\n"
                                  "b = 1e9\\n"
                                  "for r in range(%d):\\n"
                                  "    t = time.time()\\n"
                                  "    p.l1_unstructured(m, 'weight', 0.5)\\n"
                                  "    b = min(b, time.time() - t)\\n"
                                  "    p.remove(m, 'weight')\\n"
                                  "print(torch.__version__, b)\\n";
    char script[600], command[800], version[64] = "";
    double seconds = 0;
    fflush(stdout);
    snprintf(script, sizeof script, program, (long long)(options->elements / 1000), options->rounds > 1 ? 2 : 1);
    for (int i = 0; i < 2 && !*version; i++) {
        snprintf(command, sizeof command, "printf \"%s\" | %s - 2>/dev/null", script, pythons[i]);
        FILE *child = popen(command, "r");
        if (child && fscanf(child, "%63s %lf", version, &seconds) != 2)
            *version = 0;
        if (child)
            pclose(child);
    }
    if (*version)
        printf(
            "  torch %s, l1_unstructured, sparsity 0.5: %.3f s, %.1f times the first line; torch.nn.utils.prune has no "
            "2:4\n",
            version, seconds, seconds / magnitude);
    else
        printf("  torch: not installed, skipped\n");
}

int main(int argc, char **argv)
{
    static const struct option names[] = {
        {"elements", required_argument, NULL, 'e'},
        {"streamed", required_argument, NULL, 's'},
        {"file", required_argument, NULL, 'f'},
        {"rounds", required_argument, NULL, 'r'},
        {"torch", no_argument, NULL, 't'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    struct options options = {.elements = 100000000, .streamed = 100000000, .rounds = 3};
    const char *folder = getenv("TMPDIR");
    snprintf(options.file, sizeof options.file, "%s/bench_select.f32", folder && *folder ? folder : "/tmp");
    for (int option; (option = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        if (option == 'h' || option == '?') {
            fputs(usage, option == 'h' ? stdout : stderr);
            return option == 'h' ? 0 : 2;
        }
        if (option == 'e')
            options.elements = atoll(optarg);
        else if (option == 's')
            options.streamed = atoll(optarg);
        else if (option == 'r')
            options.rounds = atoi(optarg);
        else if (option == 't')
            options.torch = 1;
        else
            snprintf(options.file, sizeof options.file, "%s", optarg);
    }
    if (options.elements < 1000 || options.streamed < 0 || options.rounds < 1) {
        fputs(usage, stderr);
        return 2;
    }
    bench_keep_memory();
    double first = masks(&options);
    if (options.torch)
        torch(&options, first);
    if (options.streamed > 0)
        streamed(&options);
    return 0;
}
