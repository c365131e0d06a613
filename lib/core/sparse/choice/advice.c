/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Which ways there are to pack a matrix, and which of them is the fastest as far as the table of speeds knows.
 */
#include "core/sparse/choice/advice.h"

#include <stdio.h>
#include <string.h>

#include "core/sparse/choice/pattern.h"
#include "core/sparse/packed/packed.h"
#include "core/sparse/sparse.h"

/* Patterns that have kernels of their own, the sparsest first. */
static const struct {
    int keep_n, group_m;
} patterns[] = {{1, 4}, {2, 8}, {2, 4}, {4, 8}};
#define PATTERNS ((int)(sizeof patterns / sizeof *patterns))
#define SHARED_ROWS 4

struct question {
    const struct pr_speeds *speeds;
    uint32_t cpu;
    const char *form; /* NULL for any */
    int for_convolution;
    struct pr_product product;
};

static int comes_before(const struct pr_way *a, const struct pr_way *b)
{
    if (a->known != b->known)
        return a->known;
    if (a->known)
        return a->estimate.seconds < b->estimate.seconds;
    return a->size < b->size;
}

static void insert(struct prune_advice *advice, const struct pr_way *way)
{
    if (advice->count == PR_MAX_WAYS)
        return;
    int32_t at = advice->count++;
    for (; at > 0 && comes_before(way, &advice->way[at - 1]); at--)
        advice->way[at] = advice->way[at - 1];
    advice->way[at] = *way;
}

static void add_format(struct prune_advice *advice, struct question *question, const struct pr_source *source,
                       const char *format, double density)
{
    question->product.format = source->format;
    question->product.density = density;
    question->product.group_m = source->format == PR_SOURCE_NM ? source->group_m : 0;
    int reproducible = (question->cpu & PRUNE_CPU_REPRODUCIBLE) != 0; /* then no table is asked */
    for (int i = 0; i < pr_form_count; i++) {
        struct pr_way way = {.form = i};
        if (question->for_convolution && !pr_forms[i]->passes)
            continue;
        if (reproducible && !question->form && !pr_forms[i]->column_order)
            continue;
        if ((question->form && strcmp(question->form, pr_forms[i]->name) != 0) || !pr_forms[i]->can(source) ||
            (source->encoding != PR_VALUES_F32 && !pr_forms[i]->any_encoding))
            continue;
        snprintf(way.format, sizeof way.format, "%s", format);
        way.size = source->format == PR_SOURCE_CSR ? 8 * density : source->format == PR_SOURCE_NM ? 4.25 * density : 4;
        way.known =
            !reproducible && pr_speed_estimate(question->speeds, i, question->cpu, &question->product, &way.estimate);
        insert(advice, &way);
    }
}

static void add_nm(struct prune_advice *advice, struct question *question, struct pr_source *source, int keep_n,
                   int group_m, int unit_rows)
{
    char format[PR_MAX_SPEC];
    int length = snprintf(format, sizeof format, "nm:keep_n=%d,group_m=%d", keep_n, group_m);
    if (unit_rows > 1)
        snprintf(format + length, sizeof format - (size_t)length, ",unit_rows=%d", unit_rows);
    source->format = PR_SOURCE_NM;
    source->keep_n = keep_n;
    source->group_m = group_m;
    source->unit_rows = unit_rows;
    source->per_row = pr_ceil_div(source->columns, group_m) * keep_n;
    double columns = source->columns > 0 ? (double)source->columns : 1;
    add_format(advice, question, source, format, (double)source->per_row / columns);
}

void pr_advise(struct prune_advice *advice, const prune_mask *kept, const struct pr_matrix_spec *wanted)
{
    struct question question = {.speeds = pr_speeds_of(advice->context),
                                .cpu = prune_context_cpu(advice->context),
                                .form = wanted->form,
                                .for_convolution = wanted->for_convolution,
                                .product = {.rows = wanted->rows, .columns = wanted->columns, .n = (double)wanted->n}};
    struct pr_source source = {
        .rows = wanted->rows, .columns = wanted->columns, .unit_rows = 1, .encoding = wanted->encoding};
    int64_t rows = wanted->rows, columns = wanted->columns, count = prune_mask_count(kept);
    double density = count > 0 ? (double)prune_mask_kept(kept) / (double)count : 0;
    int alike = wanted->any && rows > 1 ? pr_pattern_rows_alike(kept, rows, columns, SHARED_ROWS) : 0;
    source.unit_rows = alike ? SHARED_ROWS : 1;
    pr_product_caches(&question.product, question.speeds);
    if (wanted->any || wanted->format == PR_SOURCE_CSR) {
        source.format = PR_SOURCE_CSR;
        source.block_rows = wanted->any ? 0 : wanted->block_rows;
        source.block_columns = wanted->any ? 0 : wanted->block_columns;
        add_format(advice, &question, &source, wanted->any ? "csr" : wanted->label, density);
        source.block_rows = source.block_columns = 0;
    }
    if (wanted->any || wanted->format == PR_SOURCE_DENSE) {
        source.format = PR_SOURCE_DENSE;
        add_format(advice, &question, &source, "dense", 1);
    }
    if (!wanted->any && wanted->format == PR_SOURCE_NM)
        add_nm(advice, &question, &source, wanted->keep_n, wanted->group_m, wanted->unit_rows);
    int groups_held =
        0; /* 1:4 is 2:8 as well and 2:4 is 4:8: the smaller group says more, and has the better kernels */
    for (int i = 0; wanted->any && i < PATTERNS; i++) {
        const int keep_n = patterns[i].keep_n, group_m = patterns[i].group_m;
        if (group_m == 8 && groups_held & keep_n / 2)
            continue;
        if (!pr_pattern_is_nm(kept, rows, columns, keep_n, group_m))
            continue;
        groups_held |= group_m == 4 ? keep_n : 0;
        add_nm(advice, &question, &source, keep_n, group_m, alike ? SHARED_ROWS : 1);
    }
}

void prune_advice_free(prune_advice *advice)
{
    if (!advice)
        return;
    prune_context *context = advice->context;
    pr_release(context, advice);
    prune_context_free(context);
}

static const struct pr_way *way_of(const prune_advice *advice, int32_t index)
{
    return advice && index >= 0 && index < advice->count ? &advice->way[index] : NULL;
}

int32_t prune_advice_count(const prune_advice *advice)
{
    return advice ? advice->count : 0;
}

const char *prune_advice_format(const prune_advice *advice, int32_t index)
{
    const struct pr_way *way = way_of(advice, index);
    return way ? way->format : NULL;
}

const char *prune_advice_form(const prune_advice *advice, int32_t index)
{
    const struct pr_way *way = way_of(advice, index);
    return way ? pr_forms[way->form]->name : NULL;
}

double prune_advice_seconds(const prune_advice *advice, int32_t index)
{
    const struct pr_way *way = way_of(advice, index);
    return way && way->known ? way->estimate.seconds : -1;
}

double prune_advice_bytes(const prune_advice *advice, int32_t index)
{
    const struct pr_way *way = way_of(advice, index);
    return way && way->known ? way->estimate.bytes : -1;
}
