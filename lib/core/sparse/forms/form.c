/* SPDX-License-Identifier: BSD-2-Clause */
#define _DEFAULT_SOURCE /* madvise */
#include "core/sparse/forms/form.h"

#include <string.h>
#ifdef __linux__
#include <sys/mman.h>
#endif

#include "base/context.h"

#define PR_FORM(identifier, text) extern const struct pr_form pr_form_##identifier;
#include "core/sparse/forms/forms.def"
#undef PR_FORM

const struct pr_form *const pr_forms[] = {
#define PR_FORM(identifier, text) &pr_form_##identifier,
#include "core/sparse/forms/forms.def"
#undef PR_FORM
};
const int pr_form_count = (int)(sizeof pr_forms / sizeof *pr_forms);

const struct pr_form *pr_form_named(const char *name)
{
    for (int i = 0; i < pr_form_count; i++)
        if (strcmp(pr_forms[i]->name, name) == 0)
            return pr_forms[i];
    return NULL;
}

#define HUGE_PAGE ((int64_t)2 << 20)
#define PAGE ((uintptr_t)4096)

/* Weights of many megabytes are read from end to end, and the cores' prefetchers stop at the end of a page: 5 to 10 %
 * at one column of X. Only for memory that comes from malloc; where the system has nothing to give, nothing happens. */
static void ask_for_huge_pages(const prune_context *context, void *memory, int64_t bytes)
{
#ifdef MADV_HUGEPAGE
    uintptr_t begin = ((uintptr_t)memory + PAGE - 1) / PAGE * PAGE,
              end = ((uintptr_t)memory + (uintptr_t)bytes) / PAGE * PAGE;
    if (bytes >= 2 * HUGE_PAGE && !(context && context->alloc))
        (void)madvise((void *)begin, end - begin, MADV_HUGEPAGE);
#else
    (void)context;
    (void)memory;
    (void)bytes;
#endif
}

int32_t pr_blob_begin(struct pr_blob *blob, const int64_t *section_bytes, int count)
{
    const struct pr_source *source = blob->source;
    int64_t offsets[PR_MAX_SECTIONS] = {0}, sizes[PR_MAX_SECTIONS] = {0}, end = (int64_t)sizeof(struct pr_header);
    memcpy(sizes, section_bytes, (size_t)count * sizeof *sizes);
    if (source->scales)
        PR_TRY(pr_mul(source->rows, (int64_t)sizeof *source->scales, &sizes[PR_SCALES]));
    for (int i = 0; i < PR_MAX_SECTIONS; i++) {
        if (i >= count && i != PR_SCALES)
            continue;
        PR_TRY(pr_add(end, 63, &end));
        offsets[i] = end / 64 * 64;
        PR_TRY(pr_add(offsets[i], sizes[i], &end));
    }
    PR_TRY(pr_add(end, 63, &end));
    end = end / 64 * 64;
    PR_TRY(pr_alloc(blob->context, end, 1, &blob->header));
    ask_for_huge_pages(blob->context, blob->header, end);
    memset(blob->header, 0, (size_t)end);
    blob->header->bytes = (uint64_t)end;
    memcpy(blob->header->offset, offsets, sizeof offsets);
    memcpy(blob->header->section_bytes, sizes, sizeof sizes);
    blob->header->encoding = source->encoding;
    if (source->scales)
        memcpy(pr_section(blob->header, PR_SCALES), source->scales, (size_t)sizes[PR_SCALES]);
    return PRUNE_OK;
}

int32_t pr_blob_expect(const struct pr_header *header, const int64_t *section_bytes, int count)
{
    for (int i = 0; i < PR_MAX_SECTIONS; i++) {
        int64_t expected = i < count ? section_bytes[i] : 0;
        if (i == PR_SCALES && header->encoding == PR_VALUES_INT8)
            expected = header->rows * (int64_t)sizeof(float);
        if (header->section_bytes[i] != expected)
            return pr_fail(PRUNE_E_FORMAT, "section %d of the packed data has %lld bytes; %lld fit its shape", i,
                           (long long)header->section_bytes[i], (long long)expected);
    }
    return PRUNE_OK;
}

int32_t pr_blob_expect_blocks(const struct pr_header *header, int64_t multiple, int64_t most)
{
    if (header->block_rows > most || header->block_rows % multiple)
        return pr_fail(PRUNE_E_FORMAT,
                       "the packed data has blocks of %lld rows; multiples of %lld up to %lld are possible",
                       (long long)header->block_rows, (long long)multiple, (long long)most);
    return PRUNE_OK;
}

int64_t pr_choose_block_rows(int64_t rows, int64_t least, int64_t most)
{
    int64_t block = pr_ceil_div(pr_ceil_div(rows, 4), least) * least;
    return block < least ? least : block > most ? most : block;
}
