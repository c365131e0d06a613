/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/sparse/form.h"

#include <string.h>

#define PR_FORM(identifier, text) extern const struct pr_form pr_form_##identifier;
#include "core/sparse/forms.def"
#undef PR_FORM

const struct pr_form *const pr_forms[] = {
#define PR_FORM(identifier, text) &pr_form_##identifier,
#include "core/sparse/forms.def"
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
    PR_TRY(pr_alloc_zero(blob->context, end, 1, &blob->header));
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
