/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Packed objects: choosing a form, packing once, wrapping up.
 */
#include "core/sparse/packed/packed.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/spec.h"
#include "core/sparse/choice/advice.h"
#include "core/sparse/packed/transposed.h"
#include "core/sparse/sparse.h"

/* Bytes; asked for once for each object, since asking may take microseconds. */
static int64_t first_level_cache(void)
{
    long bytes = 0;
#ifdef _SC_LEVEL1_DCACHE_SIZE
    bytes = sysconf(_SC_LEVEL1_DCACHE_SIZE);
#endif
    return bytes >= 16384 && bytes <= 1 << 20 ? bytes : 32768;
}

static int32_t prepare(prune_packed *packed, const struct pr_header *header)
{
    int64_t blocks = pr_block_count(header), tile = 0, floats = 0;
    PR_TRY(pr_alloc(packed->context, blocks + 1, sizeof *packed->work, &packed->work));
    packed->work[0] = 0;
    packed->widest = packed->form->tile;
    if (packed->form->widest)
        packed->widest = packed->form->widest(header, packed->cpu, first_level_cache());
    for (int64_t i = 0; i < blocks; i++)
        packed->work[i + 1] = packed->work[i] + packed->form->block_work(header, i) + pr_block_size(header, i);
    PR_TRY(pr_scratch_floats(packed, header->column_hint, &tile, &floats));
    PR_TRY(pr_mul(floats, (int64_t)sizeof(float), &packed->scratch_bytes));
    int32_t threads = prune_context_threads(packed->context);
    for (int32_t i = 0; packed->context && i < threads && i < PR_SCRATCH_SLOTS; i++)
        PR_TRY(pr_alloc(packed->context, packed->scratch_bytes, 1, &packed->scratch[i]));
    return PRUNE_OK;
}

int32_t pr_packed_wrap(prune_packed **out, struct pr_blob *blob, const struct pr_form *form)
{
    prune_packed *packed;
    int32_t status = pr_alloc_zero(blob->context, 1, sizeof *packed, &packed);
    if (status) {
        if (!blob->borrowed)
            pr_release(blob->context, blob->header);
        return status;
    }
    packed->context = prune_context_retain(blob->context);
    packed->header = blob->header;
    packed->borrowed = blob->borrowed;
    packed->form = form;
    packed->cpu = prune_context_cpu(blob->context);
    pr_kernels_select(packed->cpu, &packed->kernels);
    status = prepare(packed, blob->header);
    if (!status)
        status = pr_packed_open_backward(packed);
    if (status) {
        prune_packed_free(packed);
        return status;
    }
    *out = packed;
    return PRUNE_OK;
}

void prune_packed_free(prune_packed *packed)
{
    if (!packed)
        return;
    prune_context *context = packed->context;
    prune_packed_free(packed->backward);
    for (int i = 0; i < PR_SCRATCH_SLOTS; i++)
        pr_release(context, packed->scratch[i]);
    pr_release(context, packed->work);
    if (!packed->borrowed)
        pr_release(context, packed->header);
    pr_release(context, packed);
    prune_context_free(context);
}

int32_t pr_form_allowed(const struct pr_form *form, uint32_t cpu)
{
    if ((cpu & PRUNE_CPU_REPRODUCIBLE) && !form->column_order)
        return pr_fail(PRUNE_E_UNSUPPORTED,
                       "packed: form=%s does not sum by ascending columns, which the reproducible mode asks for; pack "
                       "with form=auto",
                       form->name);
    return PRUNE_OK;
}

static int takes(int form, const struct pr_source *source)
{
    return (source->encoding == PR_VALUES_F32 || pr_forms[form]->any_encoding) && pr_forms[form]->can(source);
}

/* The form to take, -1 for none: the fastest one; where the table of speeds does not know both of two, the one that it
 * knows, then the one that prefers to. */
struct choice {
    int form, known, preferred;
    double seconds;
};

static void consider(struct choice *best, int form, const struct pr_source *source, const struct pr_speeds *speeds,
                     const struct pr_product *product, uint32_t cpu)
{
    struct pr_estimate estimate = {0};
    struct choice next = {.form = form,
                          .known = pr_speed_estimate(speeds, form, cpu, product, &estimate),
                          .preferred = pr_forms[form]->prefers(source, (int64_t)product->n, cpu),
                          .seconds = estimate.seconds};
    int better = best->form < 0 || (next.known != best->known ? next.known
                                    : next.known              ? next.seconds < best->seconds
                                                              : next.preferred > best->preferred);
    if (better)
        *best = next;
}

/* In the reproducible mode the choice, and with it the packed bytes, are the same on every machine: no table is asked.
 * */
static int choose_reproducible(const struct pr_source *source, int64_t column_hint)
{
    for (int i = 0; i < pr_form_count; i++)
        if (pr_forms[i]->column_order && takes(i, source) &&
            pr_forms[i]->prefers(source, column_hint, PRUNE_CPU_REPRODUCIBLE))
            return i;
    return -1;
}

/* The first that prefers to: of all that take other encodings, which the table does not know, or of those that do what
 * no other does. */
static int choose_preferred(const struct pr_source *source, int64_t column_hint, uint32_t cpu)
{
    for (int i = 0; i < pr_form_count; i++)
        if ((pr_forms[i]->own_way || source->encoding != PR_VALUES_F32) && takes(i, source) &&
            pr_forms[i]->prefers(source, column_hint, cpu))
            return i;
    return -1;
}

static int choose_fastest(const struct pr_source *source, int64_t column_hint, const prune_context *context)
{
    int preferred = choose_preferred(source, column_hint, prune_context_cpu(context));
    if (preferred >= 0)
        return preferred;
    const struct pr_speeds *speeds = pr_speeds_of(context);
    struct pr_product product = {.format = source->format, .rows = source->rows, .columns = source->columns};
    struct choice best = {.form = -1};
    double elements = (double)source->rows * (double)source->columns;
    product.group_m = source->format == PR_SOURCE_NM ? source->group_m : 0;
    product.density = elements > 0 ? (double)pr_source_begin(source, source->rows) / elements : 0;
    product.n = (double)column_hint;
    pr_product_caches(&product, speeds);
    for (int i = 0; i < pr_form_count; i++)
        if (takes(i, source))
            consider(&best, i, source, speeds, &product, prune_context_cpu(context));
    return best.form;
}

static int choose_named(const struct pr_source *source, const char *name)
{
    for (int i = 0; i < pr_form_count; i++)
        if (strcmp(name, pr_forms[i]->name) == 0 && takes(i, source))
            return i;
    return -1;
}

static int32_t choose(const struct pr_source *source, const char *name, int64_t column_hint,
                      const prune_context *context, const struct pr_form **form)
{
    uint32_t cpu = prune_context_cpu(context);
    int index = name                           ? choose_named(source, name)
                : cpu & PRUNE_CPU_REPRODUCIBLE ? choose_reproducible(source, column_hint)
                                               : choose_fastest(source, column_hint, context);
    if (index < 0)
        return pr_fail(PRUNE_E_SPEC,
                       "packed: form=%s does not take weights of this format with values=%s; use form=auto",
                       name ? name : "auto", pr_encoding_name(source->encoding));
    PR_TRY(pr_form_allowed(pr_forms[index], cpu));
    *form = pr_forms[index];
    return PRUNE_OK;
}

int32_t pr_pack(prune_packed **out, prune_context *context, const struct pr_source *source, const char *format,
                const char *form_name, int64_t column_hint)
{
    if (source->rows > INT32_MAX || source->columns > INT32_MAX)
        return pr_fail(PRUNE_E_UNSUPPORTED, "a matrix of %lld x %lld; up to %d rows and columns can be packed",
                       (long long)source->rows, (long long)source->columns, INT32_MAX);
    const struct pr_form *form = NULL;
    PR_TRY(choose(source, form_name, column_hint, context, &form));
    struct pr_blob blob = {.context = context, .source = source};
    PR_TRY(form->packing.pack(&blob, source, column_hint, prune_context_cpu(context)));
    blob.header->column_hint = column_hint;
    pr_blob_seal(blob.header, form, format);
    return pr_packed_wrap(out, &blob, form);
}

static const struct pr_parameter parameters[] = {
    {.name = "columns", .type = PR_WHOLE, .standard = "1", .least = 0, .most = INT32_MAX, .help = "columns of X"},
    {.name = "format",
     .type = PR_WORD,
     .standard = "auto",
     .words = "auto|csr|nm|dense|bsr|csc|bitmap|codebook",
     .help = "what is stored"},
    {.name = "keep_n", .type = PR_WHOLE, .standard = "2", .least = 1, .most = 256, .help = "nm: stored of a group"},
    {.name = "group_m", .type = PR_WHOLE, .standard = "4", .least = 1, .most = 256, .help = "nm: columns of a group"},
    {.name = "unit_rows", .type = PR_WHOLE, .standard = "1", .least = 1, .most = INT32_MAX, .help = "nm: rows alike"},
    {.name = "block_rows", .type = PR_WHOLE, .standard = "4", .least = 1, .most = 4096, .help = "bsr: rows of a block"},
    {.name = "block_columns", .type = PR_WHOLE, .standard = "1", .least = 1, .most = 4096, .help = "bsr: its columns"},
    {.name = "levels", .type = PR_WORD, .standard = "16", .words = "16|256", .help = "codebook: numbers to share"},
    {.name = "gap_bits", .type = PR_WORD, .standard = "4", .words = "4|8", .help = "codebook: bits of a gap"},
    {.name = "values",
     .type = PR_WORD,
     .standard = "f32",
     .words = "f32|f16|bf16|int8", /* as enum pr_encoding */
     .help = "how values are stored"},
#define PR_FORM(identifier, name) "|" name
    {.name = "form",
     .type = PR_WORD,
     .standard = "auto",
     .words = "auto"
#include "core/sparse/forms/forms.def"
     ,
     .help = "layout and loop order"},
#undef PR_FORM
    {.name = "backward", .type = PR_WORD, .standard = "no", .words = "no|yes", .help = "also pack W'"},
    {.name = "convolution", .type = PR_WORD, .standard = "no", .words = "no|yes", .help = "forms for these alone"},
    {0},
};

enum {
    COLUMNS,
    FORMAT,
    KEEP_N,
    GROUP_M,
    UNIT_ROWS,
    BLOCK_ROWS,
    BLOCK_COLUMNS,
    LEVELS,
    GAP_BITS,
    VALUES,
    FORM,
    BACKWARD,
    CONVOLUTION
};
enum { FORMAT_AUTO, FORMAT_CSR, FORMAT_NM, FORMAT_DENSE, FORMAT_BSR, FORMAT_CSC, FORMAT_BITMAP, FORMAT_CODEBOOK };

/* By the value of FORM. */
static const char *const form_names[] = {
    NULL,
#define PR_FORM(identifier, name) name,
#include "core/sparse/forms/forms.def"
#undef PR_FORM
};

static enum pr_source_format source_format(int64_t format)
{
    return format == FORMAT_NM ? PR_SOURCE_NM : format == FORMAT_DENSE ? PR_SOURCE_DENSE : PR_SOURCE_CSR;
}

static int32_t parse(const char *spec, struct pr_values *values)
{
    PR_TRY(pr_spec_parse_list(spec, "packed", parameters, values));
    if (values->whole[KEEP_N] > values->whole[GROUP_M])
        return pr_fail(PRUNE_E_SPEC, "packed: keep_n=%lld is above group_m=%lld; it must be 1 to group_m",
                       (long long)values->whole[KEEP_N], (long long)values->whole[GROUP_M]);
    return PRUNE_OK;
}

static void print_format(char text[PR_MAX_SPEC], int64_t format, const struct pr_values *values)
{
    int length = 0;
    if (format == FORMAT_NM) {
        length = snprintf(text, PR_MAX_SPEC, "nm:keep_n=%d,group_m=%d", (int)values->whole[KEEP_N],
                          (int)values->whole[GROUP_M]);
        if (values->whole[UNIT_ROWS] > 1)
            snprintf(text + length, (size_t)(PR_MAX_SPEC - length), ",unit_rows=%d", (int)values->whole[UNIT_ROWS]);
    } else if (format == FORMAT_BSR) {
        snprintf(text, PR_MAX_SPEC, "bsr:block_rows=%d,block_columns=%d", (int)values->whole[BLOCK_ROWS],
                 (int)values->whole[BLOCK_COLUMNS]);
    } else {
        static const char *const names[] = {"", "csr", "", "dense", "", "csc", "bitmap", "codebook"};
        const char *levels = values->whole[LEVELS] ? "levels=256" : "",
                   *gaps = values->whole[GAP_BITS] ? "gap_bits=8" : "";
        int shared = format == FORMAT_CODEBOOK && (*levels || *gaps);
        snprintf(text, PR_MAX_SPEC, "%s%s%s%s%s", names[format], shared ? ":" : "", shared ? levels : "",
                 shared && *levels && *gaps ? "," : "", shared ? gaps : "");
    }
}

/* The ways to pack what is kept, fastest first. */
static int32_t list_ways(prune_advice **out, const prune_tensor *weights, const prune_mask *mask,
                         const struct pr_values *values)
{
    prune_mask *nonzero = NULL;
    prune_advice *advice;
    int64_t format = values->whole[FORMAT], count = prune_tensor_count(weights);
    if (!mask && format == FORMAT_DENSE) /* whatever its numbers are */
        PR_TRY(prune_mask_create(&nonzero, weights->context, weights->rank, weights->shape, 1));
    else if (!mask)
        PR_TRY(prune_mask_from_nonzero(&nonzero, weights));
    int32_t status = pr_alloc_zero(weights->context, 1, sizeof *advice, &advice);
    if (!status) {
        char label[PR_MAX_SPEC];
        print_format(label, format, values);
        struct pr_matrix_spec wanted = {
            .rows = weights->rank > 1 ? weights->shape[0] : 1,
            .n = values->whole[COLUMNS],
            .any = format == FORMAT_AUTO,
            .label = label,
            .encoding = (int)values->whole[VALUES],
            .format = source_format(format),
            .keep_n = (int)values->whole[KEEP_N],
            .group_m = (int)values->whole[GROUP_M],
            .unit_rows = (int)values->whole[UNIT_ROWS],
            .block_rows = format == FORMAT_BSR ? values->whole[BLOCK_ROWS] : 0,
            .block_columns = format == FORMAT_BSR ? values->whole[BLOCK_COLUMNS] : 0,
            .form = form_names[values->whole[FORM]],
            .for_convolution = (int)values->whole[CONVOLUTION],
        };
        wanted.columns = wanted.rows > 0 ? count / wanted.rows : 0;
        advice->context = prune_context_retain(weights->context);
        pr_advise(advice, mask ? mask : nonzero, &wanted);
        *out = advice;
    }
    prune_mask_free(nonzero);
    return status;
}

int32_t prune_packed_advise(prune_advice **out, const prune_tensor *weights, const prune_mask *mask, const char *spec)
{
    PR_REQUIRE(out);
    PR_REQUIRE(weights);
    struct pr_values values;
    PR_TRY(parse(spec, &values));
    if (mask)
        PR_TRY(pr_mask_fits(__func__, mask, weights));
    return list_ways(out, weights, mask, &values);
}

/* Puts the fastest format and form in place of "auto". */
static int32_t choose_way(const prune_tensor *weights, const prune_mask *mask, struct pr_values *values,
                          char format[PR_MAX_SPEC])
{
    prune_advice *advice;
    PR_TRY(list_ways(&advice, weights, mask, values));
    if (advice->count > 0) {
        snprintf(format, PR_MAX_SPEC, "%s", advice->way[0].format);
        if (advice->way[0].known ||
            values->whole[CONVOLUTION]) /* otherwise by what forms prefer, which needs the arrays */
            values->whole[FORM] = advice->way[0].form + 1;
    }
    if (advice->count > 0 && mask && strcmp(format, "dense") == 0 && prune_mask_kept(mask) < prune_mask_count(mask))
        prune_context_log(weights->context, PRUNE_LOG_INFO, "packed: dense is faster here than any sparse format");
    int32_t found = advice->count;
    prune_advice_free(advice);
    if (found == 0)
        return pr_fail(PRUNE_E_SPEC, "packed: form=%s%s takes no format that these weights have; use form=auto",
                       values->whole[FORM] ? form_names[values->whole[FORM]] : "auto",
                       values->whole[CONVOLUTION] ? " with convolution=yes" : "");
    return PRUNE_OK;
}

/* Packs what `sparse` stores, brought into the format of `wanted` (NULL: as it is) on the way. */
static int32_t pack_sparse(prune_packed **out, const prune_sparse *sparse, const struct pr_source *wanted,
                           const char *format, const struct pr_values *values)
{
    struct pr_owned_source owned;
    PR_TRY(pr_source_of(&owned, sparse));
    if (wanted)
        PR_TRY(pr_source_convert(&owned, wanted));
    prune_packed *packed = NULL;
    int32_t status = PRUNE_OK;
    if (wanted)
        owned.source.by_columns = wanted->by_columns;
    if (wanted && wanted->levels)
        status = pr_source_share_values(&owned, wanted->levels, wanted->gap_bits);
    if (!status)
        status = pr_source_encode(&owned, values->whole[VALUES]);
    if (!status)
        status = pr_pack(&packed, sparse->context, &owned.source, format, form_names[values->whole[FORM]],
                         values->whole[COLUMNS]);
    if (!status && values->whole[BACKWARD])
        status = pr_packed_add_backward(packed, &owned.source);
    pr_source_release(&owned);
    if (status) {
        prune_packed_free(packed);
        return status;
    }
    *out = packed;
    return PRUNE_OK;
}

int32_t prune_packed_create(prune_packed **out, const prune_tensor *weights, const prune_mask *mask, const char *spec)
{
    PR_REQUIRE(out);
    PR_REQUIRE(weights);
    struct pr_values values;
    char format_text[PR_MAX_SPEC];
    PR_TRY(parse(spec, &values));
    if (mask)
        PR_TRY(pr_mask_fits(__func__, mask, weights));
    if (values.whole[FORMAT] == FORMAT_AUTO || values.whole[CONVOLUTION])
        PR_TRY(choose_way(weights, mask, &values, format_text));
    else
        print_format(format_text, values.whole[FORMAT], &values);
    prune_sparse *sparse;
    PR_TRY(prune_sparse_create(&sparse, weights, mask, format_text));
    int32_t status = pack_sparse(out, sparse, NULL, sparse->spec, &values);
    prune_sparse_free(sparse);
    return status;
}

int32_t prune_packed_from_sparse(prune_packed **out, const prune_sparse *sparse, const char *spec)
{
    PR_REQUIRE(out);
    PR_REQUIRE(sparse);
    struct pr_values values;
    char format_text[PR_MAX_SPEC];
    PR_TRY(parse(spec, &values));
    print_format(format_text, values.whole[FORMAT], &values);
    if (values.whole[FORMAT] == FORMAT_AUTO || strcmp(format_text, sparse->spec) == 0)
        return pack_sparse(out, sparse, NULL, sparse->spec, &values);
    const int blocks = values.whole[FORMAT] == FORMAT_BSR, shared = values.whole[FORMAT] == FORMAT_CODEBOOK;
    const struct pr_source wanted = {
        .format = source_format(values.whole[FORMAT]),
        .keep_n = (int32_t)values.whole[KEEP_N],
        .group_m = (int32_t)values.whole[GROUP_M],
        .unit_rows = (int32_t)values.whole[UNIT_ROWS],
        .block_rows = blocks ? values.whole[BLOCK_ROWS] : 0,
        .block_columns = blocks ? values.whole[BLOCK_COLUMNS] : 0,
        .by_columns = values.whole[FORMAT] == FORMAT_CSC,
        .levels = !shared                ? 0
                  : values.whole[LEVELS] ? 256
                                         : 16,
        .gap_bits = values.whole[GAP_BITS] ? 8 : 4,
    };
    return pack_sparse(out, sparse, &wanted, format_text, &values);
}

int64_t prune_packed_rows(const prune_packed *packed)
{
    return packed ? packed->header->rows : 0;
}

int64_t prune_packed_columns(const prune_packed *packed)
{
    return packed ? packed->header->columns : 0;
}

int64_t prune_packed_stored(const prune_packed *packed)
{
    return packed ? packed->header->stored : 0;
}

const char *prune_packed_format(const prune_packed *packed)
{
    return packed ? packed->header->format : NULL;
}

const char *prune_packed_values(const prune_packed *packed)
{
    return packed ? pr_encoding_name(packed->header->encoding) : NULL;
}

const char *prune_packed_form(const prune_packed *packed)
{
    return packed ? packed->form->name : NULL;
}

const char *prune_packed_kernels(const prune_packed *packed, int64_t n)
{
    return packed ? pr_kernels_origin(packed->cpu, packed->form->slot(packed->header, n)) : NULL;
}
