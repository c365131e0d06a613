/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/sparse/choice/speed.h"

#include <math.h>
#include <stddef.h>

#include "base/context.h"
#include "base/cpu.h"
#include "core/sparse/choice/frame.h"

const char *const pr_source_names[] = {"csr", "nm", "dense"};
const char *const pr_isa_names[] = {"scalar", "neon", "avx2", "avx512"};
const char *const pr_level_names[] = {"l2", "l3", "memory"};

/* What a call costs however small the matrix is. */
#define CALL_SECONDS 1e-7

/* The matrices that the table was measured with, by level, batch-major (src/bench_calibrate.c). */
static const struct {
    double rows, columns;
} measured[PR_LEVEL_COUNT] = {{384, 512}, {2048, 2048}, {4096, 4096}};

/* The least part of a time that is taken to be the inner loops'. */
#define LEAST_LOOPS 0.2

/* Indices of forms, by identifier. */
enum {
#define PR_FORM(identifier, name) FORM_##identifier,
#include "core/sparse/forms/forms.def"
#undef PR_FORM
};

/* The first entry stands for an empty table, which an array cannot be. */
static const struct pr_speed built_in[] = {
    {0},
#define PR_SPEED(format, group_m, form, isa, level, n, density, picoseconds, bytes)                                    \
    {PR_SOURCE_##format, FORM_##form,    PR_ISA_##isa, PR_FROM_##level, group_m, n##F,                                 \
     density##F,         picoseconds##F, bytes##F},
#include "core/sparse/choice/speeds.def"
#undef PR_SPEED
};

static const struct pr_speeds built_in_speeds = {
    .count = (int64_t)(sizeof built_in / sizeof *built_in) - 1,
    .l2_bytes = 1 << 20,
    .l3_bytes = 32 << 20,
    .entries = built_in + 1,
};

const struct pr_speeds *pr_speeds_of(const prune_context *context)
{
    return context && context->speeds ? context->speeds : &built_in_speeds;
}

void pr_product_caches(struct pr_product *product, const struct pr_speeds *speeds)
{
    product->l2_bytes = speeds->l2_bytes;
    product->l3_bytes = speeds->l3_bytes;
    pr_cpu_caches(&product->l2_bytes, &product->l3_bytes);
}

/* What an entry must be about to count. */
struct query {
    uint8_t format, form, isa, level;
    int group_m; /* ANY_GROUP: whatever the group */
};
#define ANY_GROUP (-1)

static int matches(const struct pr_speed *entry, const struct query *query)
{
    return entry->format == query->format && entry->form == query->form && entry->isa == query->isa &&
           entry->level == query->level && (entry->group_m == query->group_m || query->group_m == ANY_GROUP);
}

/* Through two points, on logarithmic scales. */
static double through(double at, double x0, double y0, double x1, double y1)
{
    if (x0 == x1)
        return y0;
    return exp(log(y0) + (log(y1) - log(y0)) * (log(at) - log(x0)) / (log(x1) - log(x0)));
}

/* Picoseconds for n columns that the inner loops took for each element of W: without X and Y, which weigh by the shape
 * of W and would grow with it. */
static double loops_of(const struct pr_speed *entry)
{
    double rows = measured[entry->level].rows, columns = measured[entry->level].columns, n = (double)entry->n;
    double all = (double)entry->picoseconds * n;
    double frame = pr_frame_estimate(pr_forms[entry->form], rows, columns, n, 1) / (rows * columns);
    return fmax(all - frame, LEAST_LOOPS * all);
}

/* Of the entries with this n, picoseconds of the loops for n columns and bytes at a density, from the two that are
 * nearest on either side; below the last of them from the last two. */
static void at_density(const struct pr_speeds *speeds, const struct query *query, float n, double density,
                       struct pr_estimate *result)
{
    const struct pr_speed *below = NULL, *above = NULL, *next = NULL;
    for (int64_t i = 0; i < speeds->count; i++) {
        const struct pr_speed *entry = &speeds->entries[i];
        if (!matches(entry, query) || entry->n != n)
            continue;
        if (entry->density <= density && (!below || entry->density > below->density))
            below = entry;
        if (entry->density >= density && (!above || entry->density < above->density)) {
            next = above;
            above = entry;
        } else if (entry->density > density && (!next || entry->density < next->density)) {
            next = entry;
        }
    }
    if (!below)
        below = next ? next : above;
    double more = 1; /* what a matrix denser than any that was measured has more of */
    if (!above) {
        above = below;
        more = density / (double)below->density;
    }
    result->seconds = more * through(density, below->density, loops_of(below), above->density, loops_of(above));
    result->bytes = more * through(density, below->density, below->bytes, above->density, above->bytes);
}

/* What n columns of X weigh in a form whose tiles have a least width and a step: half as many, half as
 * the tile has. */
static double weight_of(int form, double n)
{
    const struct pr_form *f = pr_forms[form];
    double filled = n, step = (double)f->tile_step;
    if (f->few_columns && n <= 8)
        filled = n <= 1 ? 1 : n <= 4 ? 4 : 8;
    else if (n <= (double)f->tile_least)
        filled = (double)f->tile_least;
    else if (step > 0)
        filled = ceil(n / step) * step;
    return 0.5 * (filled + n);
}

/* Picoseconds of the loops for each element of W in `seconds`. 0 when no entry matches. */
static int look_up(const struct pr_speeds *speeds, const struct query *query, double n, double density,
                   struct pr_estimate *result)
{
    float below = 0, above = 0;
    for (int64_t i = 0; i < speeds->count; i++) {
        const struct pr_speed *entry = &speeds->entries[i];
        if (!matches(entry, query))
            continue;
        if (entry->n <= n && entry->n > below)
            below = entry->n;
        if (entry->n >= n && (above == 0 || entry->n < above))
            above = entry->n;
    }
    if (below == 0 && above == 0)
        return 0;
    if (below == 0)
        below = above;
    struct pr_estimate low, high;
    double weight = weight_of(query->form, n), weight_low = weight_of(query->form, below);
    at_density(speeds, query, below, density, &low);
    if (above > below) {
        at_density(speeds, query, above, density, &high);
        result->seconds = through(weight, weight_low, low.seconds, weight_of(query->form, above), high.seconds);
    } else {
        result->seconds = low.seconds * weight / weight_low;
    }
    result->bytes = low.bytes;
    return 1;
}

static uint8_t isa_of(uint32_t cpu)
{
    return cpu & PRUNE_CPU_AVX512 ? PR_ISA_AVX512
           : cpu & PRUNE_CPU_AVX2 ? PR_ISA_AVX2
           : cpu & PRUNE_CPU_NEON ? PR_ISA_NEON
                                  : PR_ISA_SCALAR;
}

/* A last cache larger than this is shared by many cores, each with work of its own. */
#define MOST_LAST_CACHE 33554432.0

/* Where the weights come from, packed into that many bytes. A layer of a model is not alone: one that fills the last
 * cache when dense comes from memory, because its neighbours have been there since it last ran. */
static uint8_t level_of(const struct pr_product *product, double bytes)
{
    double dense = 4.0 * (double)product->rows * (double)product->columns, last = (double)product->l3_bytes;
    last = last < MOST_LAST_CACHE ? last : MOST_LAST_CACHE;
    if (dense > last || bytes > 0.75 * last)
        return PR_FROM_MEMORY;
    return bytes <= 0.75 * (double)product->l2_bytes ? PR_FROM_L2 : PR_FROM_L3;
}

/* The bytes decide on the level and are the same on every one. An instruction set that was not measured is taken to be
 * like the next one below it, or else the next above. */
static int find_isa(const struct pr_speeds *speeds, struct query *query, uint32_t cpu, double n, double density,
                    struct pr_estimate *found)
{
    int wanted = isa_of(cpu);
    for (int i = 0; i < PR_ISA_COUNT; i++)
        for (int level = 0; level < PR_LEVEL_COUNT; level++) {
            query->isa = (uint8_t)(i <= wanted ? wanted - i : i);
            query->level = (uint8_t)level;
            if (look_up(speeds, query, n, density, found))
                return 1;
        }
    return 0;
}

/* The small matrix was run again and again until the processor knew where its rows end. Larger ones are too long to be
 * learnt, even those that are sparse enough for the same cache: the more, the nearer they come to the large matrix. */
static double unlearnt(const struct pr_speeds *speeds, struct query *query, double n, double density, double elements,
                       double learnt)
{
    double small = measured[PR_FROM_L2].rows * measured[PR_FROM_L2].columns;
    double large = measured[PR_FROM_L3].rows * measured[PR_FROM_L3].columns;
    struct pr_estimate found;
    query->level = PR_FROM_L3;
    if (elements <= small || !look_up(speeds, query, n, density, &found))
        return learnt;
    return through(fmin(elements, large), small, learnt, large, found.seconds);
}

/* Lanes along the rows of W are whole vectors. */
static double padded(const struct pr_form *form, double rows)
{
    return form->lanes_along_rows ? ceil(rows / PR_LANES) * PR_LANES : rows;
}

/* Which of the two layouts it will be is not known. */
static double either_layout(const struct pr_form *form, double rows, double columns, double n)
{
    return 0.5 * (pr_frame_estimate(form, rows, columns, n, 0) + pr_frame_estimate(form, rows, columns, n, 1));
}

int pr_speed_estimate(const struct pr_speeds *speeds, int form, uint32_t cpu, const struct pr_product *product,
                      struct pr_estimate *estimate)
{
    struct query query = {.format = (uint8_t)product->format, .form = (uint8_t)form, .group_m = product->group_m};
    double elements = (double)product->rows * (double)product->columns, n = product->n < 1 ? 1 : product->n;
    double density = product->density > 1e-6 ? product->density : 1e-6;
    struct pr_estimate found;
    if (!find_isa(speeds, &query, cpu, n, density, &found)) {
        query.group_m = ANY_GROUP;
        if (!find_isa(speeds, &query, cpu, n, density, &found))
            return 0;
    }
    double bytes = found.bytes * elements;
    int level = level_of(product, bytes);
    for (int l = level; l >= 0; l--) {
        query.level = (uint8_t)l;
        if (look_up(speeds, &query, n, density, &found))
            break;
    }
    if (level == PR_FROM_L2)
        found.seconds = unlearnt(speeds, &query, n, density, elements, found.seconds);
    double rows = (double)product->rows, columns = (double)product->columns;
    double frame = either_layout(pr_forms[form], rows, columns, n);
    estimate->seconds = CALL_SECONDS + 1e-12 * (found.seconds * padded(pr_forms[form], rows) * columns + frame);
    estimate->bytes = bytes;
    return 1;
}
