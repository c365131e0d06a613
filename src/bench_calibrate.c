/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Calibration: every form, on a grid of densities, columns of X and places that the weights come from, as the table
 * from which prune_packed_create chooses.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"

/* Where the weights of a cell come from: enough copies to fall out of the cache above, few enough to stay in this one.
 * The library knows these shapes (prune-formats(5)), and that X and Y are batch-major. The larger two are too large for
 * the processor to learn where their rows end. */
static const struct level {
    const char *name;
    int64_t m, k;
    double total_bytes;
    int64_t columns[10]; /* of X; 0 ends the list */
} levels[] = {
    {"l2", 384, 512, 1, {1, 2, 4, 8, 16, 32, 64, 128, 0}},
    {"l3", 2048, 2048, 3.5e6, {1, 2, 4, 8, 16, 64, 256, 0}},
    {"memory", 4096, 4096, 1e8, {1, 4, 16, 0}},
};

static const struct {
    int keep_n, group_m, unit_rows; /* 0: random */
    double sparsity;
} shapes[] = {
    {0, 0, 0, 0.5},  {0, 0, 0, 0.3}, {0, 0, 0, 0.7}, {0, 0, 0, 0.98}, {0, 0, 0, 0.9}, {0, 0, 0, 0.8}, {0, 0, 0, 0.95},
    {0, 0, 0, 0.99}, {2, 4, 1, 0},   {1, 4, 1, 0},   {2, 8, 1, 0},    {4, 8, 1, 0},   {2, 4, 4, 0},
};
#define SHAPES (sizeof shapes / sizeof *shapes)

#define MOST_COPIES 40
#define CELL_SECONDS 0.012
#define MOST_SEEN 128

struct calibration {
    prune_context *context;
    FILE *file;
    const char *isa;
    /* Forms that matrices without a pattern shared by rows have, "csr rows" or "nm/4 rows". */
    char seen[MOST_SEEN][64];
    int seen_count;
};

static int is_seen(const struct calibration *job, const char *name)
{
    for (int i = 0; i < job->seen_count; i++)
        if (strcmp(job->seen[i], name) == 0)
            return 1;
    return 0;
}

/* What a format is called in the table: "nm/4" of "nm:keep_n=2,group_m=4,unit_rows=4". */
static void name_format(const char *format, char name[32])
{
    int keep_n = 0, group_m = 0;
    if (sscanf(format, "nm:keep_n=%d,group_m=%d", &keep_n, &group_m) == 2)
        snprintf(name, 32, "nm/%d", group_m);
    else
        snprintf(name, 32, "%.*s", (int)(strcspn(format, ":") % 31), format);
}

/* The kind of a format's spec: "nm" of "nm:keep_n=2,group_m=4". */
static int kind_length(const char *format)
{
    return (int)strcspn(format, ":");
}

static int measure(const struct calibration *job, const struct level *level, const struct problem *problem, int64_t n,
                   const char *format, const char *form)
{
    struct race race;
    char spec[SPEC_SIZE];
    const char *arguments = strchr(format, ':');
    snprintf(spec, sizeof spec, "columns=%lld,format=%.*s,form=%s%s%s", (long long)n, kind_length(format), format, form,
             arguments ? "," : "", arguments ? arguments + 1 : "");
    int code = race_open(&race, job->context, level->m, n, level->k);
    if (!code)
        code = race_add_packed(&race, problem, spec, level->total_bytes, MOST_COPIES);
    if (!code)
        code = race_run(&race, CELL_SECONDS);
    if (!code) {
        double elements = (double)level->m * (double)level->k;
        const struct contender *contender = &race.contenders[0];
        double stored = (double)prune_packed_stored(contender->packed[0]);
        char name[32];
        name_format(format, name);
        fprintf(job->file, "speed %s %s %s %s %lld %.4g %.4g %.4g\n", name, form, job->isa, level->name, (long long)n,
                stored / elements, contender->seconds_min * 1e12 / elements / (double)n,
                (double)contender->bytes / elements);
    }
    race_close(&race);
    return code;
}

/* All forms for one matrix. Dense does not depend on the pattern, so it is measured with the first only. */
static int measure_shape(struct calibration *job, const struct level *level, size_t shape)
{
    struct problem problem = {0};
    int unit_rows = shapes[shape].unit_rows;
    int code = unit_rows ? problem_nm(&problem, job->context, level->m, level->k, shapes[shape].keep_n,
                                      shapes[shape].group_m, unit_rows)
                         : problem_random(&problem, job->context, level->m, level->k, shapes[shape].sparsity);
    for (const int64_t *n = level->columns; *n && !code; n++) {
        char spec[SPEC_SIZE];
        prune_advice *advice = NULL;
        snprintf(spec, sizeof spec, "columns=%lld", (long long)*n);
        int32_t status = prune_packed_advise(&advice, problem.weights, problem.mask, spec);
        code = status ? complain_status(status, NULL) : DONE;
        for (int32_t w = 0; w < prune_advice_count(advice) && !code; w++) {
            const char *format = prune_advice_format(advice, w);
            int random = unit_rows == 0, dense = strncmp(format, "dense", 5) == 0, nm = strncmp(format, "nm", 2) == 0;
            char kind[32], name[64];
            name_format(format, kind);
            snprintf(name, sizeof name, "%s %.31s", kind, prune_advice_form(advice, w));
            int known = is_seen(job, name);
            if (unit_rows <= 1 && !known && job->seen_count < MOST_SEEN)
                memcpy(job->seen[job->seen_count++], name, sizeof name);
            if (dense ? shape == 0 : unit_rows > 1 ? !known : random || nm)
                code = measure(job, level, &problem, *n, format, prune_advice_form(advice, w));
        }
        prune_advice_free(advice);
    }
    problem_free(&problem);
    return code;
}

static int measure_isa(FILE *file, uint32_t mask, const char *isa)
{
    struct calibration job = {.file = file, .isa = isa};
    int32_t status = prune_context_create(&job.context);
    if (!status)
        status = prune_context_set_cpu(job.context, mask);
    int code = status ? complain_status(status, NULL) : DONE;
    int done = 0, total = (int)(SHAPES * (sizeof levels / sizeof *levels));
    progress_label(isa);
    for (size_t l = 0; l < sizeof levels / sizeof *levels && !code; l++)
        for (size_t s = 0; s < SHAPES && !code; s++) {
            progress_show("calibrating", done++, total);
            code = measure_shape(&job, &levels[l], s);
        }
    prune_context_free(job.context);
    return code;
}

static int measure_all(FILE *file)
{
    uint32_t cpu = prune_cpu_detect();
    int code = DONE;
    fprintf(file,
            "prune-speeds 1\n# libprune %s: format, form, instruction set, level, columns of X, density, "
            "picoseconds and bytes of each element\n",
            prune_version());
    if (cpu & PRUNE_CPU_AVX512)
        code = measure_isa(file, cpu, "avx512");
    if (!code && cpu & PRUNE_CPU_AVX2)
        code = measure_isa(file, PRUNE_CPU_AVX2, "avx2");
    if (!code && cpu & PRUNE_CPU_NEON)
        code = measure_isa(file, PRUNE_CPU_NEON, "neon");
    if (!code && cpu == PRUNE_CPU_SCALAR)
        code = measure_isa(file, PRUNE_CPU_SCALAR, "scalar");
    return code;
}

static int failed(const char *path)
{
    return complain(IO_FAILED, "%s cannot be written: %s", path, strerror(errno));
}

/* The folders that lead to a file. */
static int make_folders(const char *path)
{
    char folder[4096];
    for (size_t i = 1; path[i]; i++) {
        if (path[i] != '/')
            continue;
        snprintf(folder, sizeof folder, "%.*s", (int)i, path);
        if (mkdir(folder, 0777) && errno != EEXIST)
            return failed(folder);
    }
    return DONE;
}

int calibrate(const char *wanted)
{
    char temporary[4096], path[4096];
    int known = wanted ? snprintf(path, sizeof path, "%s", wanted) >= (int)sizeof path : speeds_path(path);
    if (known)
        return wanted ? complain(USAGE, "the name of the file is too long") : known;
    if (!wanted && (known = make_folders(path)))
        return known;
    if (snprintf(temporary, sizeof temporary, "%s.XXXXXX", path) >= (int)sizeof temporary)
        return complain(USAGE, "the name of the file is too long");
    int descriptor = mkstemp(temporary);
    FILE *file = descriptor >= 0 ? fdopen(descriptor, "w") : NULL;
    if (!file)
        return failed(temporary);
    int code = measure_all(file);
    progress_end();
    write_begin();
    if (!code && (fflush(file) || fsync(descriptor)))
        code = failed(temporary);
    fclose(file);
    if (!code && rename(temporary, path))
        code = failed(path);
    if (code)
        unlink(temporary);
    write_end();
    if (!code)
        printf("%s: written\n", path);
    return code;
}
