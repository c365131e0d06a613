/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The bytes that the reference writer makes of the same tensors: compact JSON, metadata first (keys in order), tensors
 * by dtype, then name, the header padded with spaces to a multiple of 8 so that every tensor is aligned.
 */
#include "model/io/safetensors.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "model/io/archive.h"

const int32_t pm_safetensors_order[] = {PRUNE_I64, PRUNE_F64, PRUNE_F32, PRUNE_U32, PRUNE_I32,  PRUNE_BF16, PRUNE_F16,
                                        PRUNE_U16, PRUNE_I16, PRUNE_I8,  PRUNE_U8,  PRUNE_BOOL, 0};

const char *pm_safetensors_name(int32_t dtype)
{
    static const char *const names[] = {
        [PRUNE_F32] = "F32",   [PRUNE_F16] = "F16", [PRUNE_BF16] = "BF16", [PRUNE_U8] = "U8",
        [PRUNE_BOOL] = "BOOL", [PRUNE_I32] = "I32", [PRUNE_I64] = "I64",   [PRUNE_F64] = "F64",
        [PRUNE_I8] = "I8",     [PRUNE_I16] = "I16", [PRUNE_U16] = "U16",   [PRUNE_U32] = "U32",
    };
    return names[dtype];
}

int32_t pm_safetensors_dtype(const char *name)
{
    static const char *const others[] = {"F4",      "F6_E2M3",     "F6_E3M2",     "F8_E5M2", "F8_E4M3",
                                         "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ", "U64",     "C64"};
    for (const int32_t *dtype = pm_safetensors_order; *dtype; dtype++)
        if (strcmp(name, pm_safetensors_name(*dtype)) == 0)
            return *dtype;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strcmp(name, others[i]) == 0)
            return -1;
    return 0;
}

/* Text that grows. */
struct text {
    prune_context *context;
    char *bytes;
    int64_t length, capacity;
};

static int32_t put(struct text *text, const char *bytes, size_t length)
{
    int64_t needed = 0;
    PR_TRY(pr_add(text->length, (int64_t)length, &needed));
    if (needed > text->capacity) {
        char *larger;
        int64_t capacity = needed < 512 ? 1024 : 2 * needed;
        PR_TRY(pr_alloc(text->context, capacity, 1, &larger));
        if (text->length > 0)
            memcpy(larger, text->bytes, (size_t)text->length);
        pr_release(text->context, text->bytes);
        text->bytes = larger;
        text->capacity = capacity;
    }
    memcpy(text->bytes + text->length, bytes, length);
    text->length = needed;
    return PRUNE_OK;
}

static int32_t put_text(struct text *text, const char *string)
{
    return put(text, string, strlen(string));
}

static int32_t put_number(struct text *text, int64_t number)
{
    char digits[24];
    return put(text, digits, (size_t)snprintf(digits, sizeof digits, "%lld", (long long)number));
}

static int32_t put_string(struct text *text, const char *string)
{
    static const char specials[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
    PR_TRY(put(text, "\"", 1));
    for (const char *rest = string; *rest;) {
        size_t plain = 0;
        while (rest[plain] && (unsigned char)rest[plain] >= 0x20 && rest[plain] != '"' && rest[plain] != '\\')
            plain++;
        PR_TRY(put(text, rest, plain));
        rest += plain;
        if (*rest) {
            char escape[16] = "\\";
            const char *special = strchr(specials, *rest);
            if (special)
                escape[1] = letters[special - specials];
            else
                snprintf(escape, sizeof escape, "\\u%04x", (unsigned)(unsigned char)*rest);
            PR_TRY(put_text(text, escape));
            rest++;
        }
    }
    return put(text, "\"", 1);
}

static int32_t put_metadata(struct text *text, const struct pm_list *texts)
{
    PR_TRY(put_text(text, "\"__metadata__\":{"));
    for (int32_t i = 0; i < texts->count; i++) {
        PR_TRY(put_text(text, i > 0 ? "," : ""));
        PR_TRY(put_string(text, texts->items[i].name));
        PR_TRY(put_text(text, ":"));
        PR_TRY(put_string(text, texts->items[i].text));
    }
    return put_text(text, "}");
}

static int64_t bytes_of(const prune_tensor *tensor)
{
    return prune_tensor_count(tensor) * prune_dtype_size(prune_tensor_dtype(tensor));
}

static int32_t put_tensor(struct text *text, const struct pm_item *item, int64_t begin, int64_t end)
{
    PR_TRY(put_string(text, item->name));
    PR_TRY(put_text(text, ":{\"dtype\":\""));
    PR_TRY(put_text(text, pm_safetensors_name(prune_tensor_dtype(item->tensor))));
    PR_TRY(put_text(text, "\",\"shape\":["));
    for (int32_t i = 0; i < prune_tensor_rank(item->tensor); i++) {
        PR_TRY(put_text(text, i > 0 ? "," : ""));
        PR_TRY(put_number(text, prune_tensor_shape(item->tensor)[i]));
    }
    PR_TRY(put_text(text, "],\"data_offsets\":["));
    PR_TRY(put_number(text, begin));
    PR_TRY(put_text(text, ","));
    PR_TRY(put_number(text, end));
    return put_text(text, "]}");
}

static int32_t make_header(struct text *text, const prune_archive *archive)
{
    int64_t end = 0;
    const char *between = "";
    PR_TRY(put_text(text, "{"));
    if (archive->texts.count > 0) {
        PR_TRY(put_metadata(text, &archive->texts));
        between = ",";
    }
    for (const int32_t *dtype = pm_safetensors_order; *dtype; dtype++)
        for (int32_t i = 0; i < archive->tensors.count; i++) {
            const struct pm_item *item = &archive->tensors.items[i];
            int64_t begin = end;
            if (prune_tensor_dtype(item->tensor) != *dtype)
                continue;
            PR_TRY(pr_add(begin, bytes_of(item->tensor), &end));
            PR_TRY(put_text(text, between));
            PR_TRY(put_tensor(text, item, begin, end));
            between = ",";
        }
    PR_TRY(put_text(text, "}"));
    PR_TRY(put(text, "        ", (size_t)(-text->length & 7)));
    if (text->length > PM_SAFETENSORS_MOST_HEADER)
        return pr_fail(PRUNE_E_ARGUMENT, "names and metadata take a header of %lld bytes; a file may have %d",
                       (long long)text->length, PM_SAFETENSORS_MOST_HEADER);
    return PRUNE_OK;
}

static int32_t write_data(struct pm_output *output, const prune_archive *archive)
{
    for (const int32_t *dtype = pm_safetensors_order; *dtype; dtype++)
        for (int32_t i = 0; i < archive->tensors.count; i++) {
            const prune_tensor *tensor = archive->tensors.items[i].tensor;
            if (prune_tensor_dtype(tensor) == *dtype)
                PR_TRY(pm_output_elements(output, prune_tensor_const_data(tensor), prune_dtype_size(*dtype),
                                          prune_tensor_count(tensor)));
        }
    return PRUNE_OK;
}

static int32_t write_archive(struct pm_output *output, const prune_archive *archive, const struct text *header)
{
    unsigned char length[8];
    for (int i = 0; i < 8; i++)
        length[i] = (unsigned char)(header->length >> 8 * i);
    PR_TRY(pm_output_write(output, length, 8));
    PR_TRY(pm_output_write(output, header->bytes, header->length));
    PR_TRY(write_data(output, archive));
    return pm_output_commit(output);
}

int32_t prune_archive_write(const prune_archive *archive, const char *path)
{
    PR_REQUIRE(archive);
    PR_REQUIRE(path);
    struct pm_output output;
    struct text header = {.context = archive->context};
    int32_t status = make_header(&header, archive);
    if (!status)
        status = pm_output_open(&output, archive->context, path);
    if (!status) {
        status = write_archive(&output, archive, &header);
        pm_output_close(&output);
    }
    pr_release(archive->context, header.bytes);
    return status ? pr_fail_in(status, "%s", PM_SHOW(path)) : PRUNE_OK;
}
