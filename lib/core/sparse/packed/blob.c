/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The packed object as one block of bytes: sealing, and letting one in from outside. Whatever passes the checks cannot
 * make a kernel read or write out of bounds.
 */
#include <stddef.h>
#include <string.h>

#include "core/sparse/packed/packed.h"

static const char MAGIC[8] = "PRPACKED";
#define BYTE_ORDER_MARK 0x01020304u
#define MOST_ROWS INT32_MAX /* rows within a block and columns are 32-bit in the layouts */

/* Four interleaved chains of multiply and fold, each a bijection of its word: no change of one word goes unseen. */
static uint64_t checksum(const struct pr_header *header)
{
    const unsigned char *data = (const unsigned char *)header;
    uint64_t start = offsetof(struct pr_header, format), chain[4] = {1, 2, 3, 4}, word;
    for (uint64_t at = start, i = 0; at + 8 <= header->bytes; at += 8, i++) {
        memcpy(&word, data + at, sizeof word);
        uint64_t mixed = (chain[i % 4] ^ word) * 0x9e3779b97f4a7c15u;
        chain[i % 4] = mixed ^ mixed >> 32;
    }
    uint64_t sum = header->bytes;
    for (int i = 0; i < 4; i++) {
        sum = (sum ^ chain[i]) * 0xbf58476d1ce4e5b9u;
        sum ^= sum >> 29;
    }
    return sum;
}

void pr_blob_seal(struct pr_header *header, const struct pr_form *form, const char *format)
{
    memcpy(header->magic, MAGIC, sizeof MAGIC);
    header->version = PR_BLOB_VERSION;
    header->byte_order = BYTE_ORDER_MARK;
    strncpy(header->format, format, sizeof header->format - 1);
    strncpy(header->form, form->name, sizeof header->form - 1);
    pr_blob_stamp(header);
}

void pr_blob_stamp(struct pr_header *header)
{
    header->checksum = checksum(header);
}

static int32_t check_beginning(const struct pr_header *header, int64_t bytes)
{
    if (bytes < (int64_t)sizeof *header)
        return pr_fail(PRUNE_E_FORMAT, "%lld bytes are too few for packed data, whose header has %zu", (long long)bytes,
                       sizeof *header);
    if (memcmp(header->magic, MAGIC, sizeof MAGIC) != 0)
        return pr_fail(PRUNE_E_FORMAT, "these bytes are not packed data: they do not begin with PRPACKED");
    if (header->byte_order != BYTE_ORDER_MARK)
        return pr_fail(PRUNE_E_FORMAT, "the packed data is of a machine with another byte order (mark %08x)",
                       (unsigned)header->byte_order);
    if (header->version != PR_BLOB_VERSION)
        return pr_fail(PRUNE_E_FORMAT, "the packed data has version %u; this library knows version %d; pack again",
                       (unsigned)header->version, PR_BLOB_VERSION);
    if (header->bytes != (uint64_t)bytes)
        return pr_fail(PRUNE_E_FORMAT, "the packed data should have %llu bytes and has %lld",
                       (unsigned long long)header->bytes, (long long)bytes);
    return PRUNE_OK;
}

static int32_t check_sum(const struct pr_header *header)
{
    if (header->checksum != checksum(header))
        return pr_fail(PRUNE_E_FORMAT, "the checksum of the packed data does not fit: it was changed or damaged");
    return PRUNE_OK;
}

static int32_t check_sections(const struct pr_header *header)
{
    int64_t end = (int64_t)sizeof *header;
    for (int i = 0; i < PR_MAX_SECTIONS; i++) {
        int64_t from = header->offset[i], size = header->section_bytes[i];
        if (size == 0 && from == 0)
            continue;
        if (from % 64 != 0 || size < 0 || from < end || from > (int64_t)header->bytes ||
            size > (int64_t)header->bytes - from)
            return pr_fail(PRUNE_E_FORMAT, "section %d of the packed data, %lld bytes at %lld, is not within its %llu",
                           i, (long long)size, (long long)from, (unsigned long long)header->bytes);
        end = from + size;
    }
    return PRUNE_OK;
}

static int32_t check_shape(const struct pr_header *header)
{
    int64_t count;
    if (header->rows < 0 || header->columns < 0 || header->rows > MOST_ROWS || header->columns > MOST_ROWS ||
        header->stored < 0 || header->column_hint < 0)
        return pr_fail(PRUNE_E_FORMAT, "the packed data has a shape of %lld x %lld with %lld stored",
                       (long long)header->rows, (long long)header->columns, (long long)header->stored);
    if (header->encoding < 0 || header->encoding >= PR_ENCODINGS)
        return pr_fail(PRUNE_E_FORMAT, "the packed data has values of encoding %lld; 0 to %d are known",
                       (long long)header->encoding, PR_ENCODINGS - 1);
    if (header->block_rows < 1 || header->block_rows > PR_MAX_BLOCK_ROWS)
        return pr_fail(PRUNE_E_FORMAT, "the packed data has blocks of %lld rows; 1 to %d are possible",
                       (long long)header->block_rows, PR_MAX_BLOCK_ROWS);
    return pr_mul(header->rows, header->columns, &count);
}

static int32_t find_form(const struct pr_header *header, const struct pr_form **form)
{
    if (!memchr(header->form, 0, sizeof header->form) || !memchr(header->format, 0, sizeof header->format))
        return pr_fail(PRUNE_E_FORMAT, "the name of the packed data's form or format has no end");
    *form = pr_form_named(header->form);
    if (*form && header->encoding != PR_VALUES_F32 && !(*form)->any_encoding)
        return pr_fail(PRUNE_E_FORMAT, "the packed form \"%s\" has no values in %s", header->form,
                       pr_encoding_name(header->encoding));
    if (*form)
        return PRUNE_OK;
    return pr_fail(PRUNE_E_FORMAT, "this library does not know the packed form \"%s\"; pack again", header->form);
}

/* All that begins at `header`, but for the block of W'; without `verify` its header alone. */
static int32_t check_block(const struct pr_header *header, int64_t bytes, uint32_t cpu, int verify,
                           const struct pr_form **form)
{
    PR_TRY(check_beginning(header, bytes));
    if (verify)
        PR_TRY(check_sum(header));
    PR_TRY(check_sections(header));
    PR_TRY(check_shape(header));
    PR_TRY(find_form(header, form));
    PR_TRY(pr_form_allowed(*form, cpu));
    return verify ? (*form)->validate(header) : PRUNE_OK;
}

static int32_t check_backward(const struct pr_header *header, uint32_t cpu, int verify)
{
    int64_t at = header->backward, bytes = (int64_t)header->bytes;
    const struct pr_form *form = NULL;
    if (at == 0)
        return PRUNE_OK;
    if (at % 64 != 0 || at < (int64_t)sizeof *header || at > bytes)
        return pr_fail(PRUNE_E_FORMAT, "the packed transpose should begin at %lld, which is not within the %lld bytes",
                       (long long)at, (long long)bytes);
    const struct pr_header *backward = (const void *)((const char *)header + at);
    PR_TRY(check_block(backward, bytes - at, cpu, verify, &form));
    if (backward->rows != header->columns || backward->columns != header->rows || backward->backward)
        return pr_fail(PRUNE_E_FORMAT, "the packed transpose is %lld x %lld beside %lld x %lld",
                       (long long)backward->rows, (long long)backward->columns, (long long)header->rows,
                       (long long)header->columns);
    return PRUNE_OK;
}

int32_t prune_packed_blob(const prune_packed *packed, const void **data, int64_t *bytes)
{
    PR_REQUIRE(packed);
    PR_REQUIRE(data);
    PR_REQUIRE(bytes);
    *data = packed->header;
    *bytes = (int64_t)packed->header->bytes;
    return PRUNE_OK;
}

/* Takes over the block of `blob`, if it is good. */
static int32_t open_block(prune_packed **out, struct pr_blob *blob, int64_t bytes, int verify)
{
    const struct pr_form *form = NULL;
    uint32_t cpu = prune_context_cpu(blob->context);
    int32_t status = check_block(blob->header, bytes, cpu, verify, &form);
    if (!status)
        status = check_backward(blob->header, cpu, verify);
    if (!status)
        return pr_packed_wrap(out, blob, form);
    if (!blob->borrowed)
        pr_release(blob->context, blob->header);
    /* A size in the header that does not fit is the bytes' fault. */
    return status == PRUNE_E_OVERFLOW ? pr_fail_in(PRUNE_E_FORMAT, "the packed data") : status;
}

static int32_t check_size(int64_t bytes)
{
    if (bytes < (int64_t)sizeof(struct pr_header))
        return pr_fail(PRUNE_E_FORMAT, "%lld bytes are too few for packed data, whose header has %zu", (long long)bytes,
                       sizeof(struct pr_header));
    return PRUNE_OK;
}

/* The copy is made first: what is checked is what is used, whatever happens to the caller's bytes meanwhile. */
int32_t prune_packed_load(prune_packed **out, prune_context *context, const void *data, int64_t bytes)
{
    PR_REQUIRE(out);
    PR_REQUIRE(data);
    PR_TRY(check_size(bytes));
    struct pr_blob blob = {.context = context};
    PR_TRY(pr_alloc(context, bytes, 1, &blob.header));
    memcpy(blob.header, data, (size_t)bytes);
    return open_block(out, &blob, bytes, 1);
}

int32_t prune_packed_attach(prune_packed **out, prune_context *context, const void *data, int64_t bytes, int32_t verify)
{
    PR_REQUIRE(out);
    PR_REQUIRE(data);
    if ((uintptr_t)data % 64 != 0)
        return pr_fail(PRUNE_E_ARGUMENT, "%s: data is %u bytes past a multiple of 64; it must be aligned to 64",
                       __func__, (unsigned)((uintptr_t)data % 64));
    PR_TRY(check_size(bytes));
    struct pr_blob blob = {
        .context = context,
        .header = (struct pr_header *)(uintptr_t)data, /* nothing writes to it */
        .borrowed = 1,
    };
    return open_block(out, &blob, bytes, verify != 0);
}
