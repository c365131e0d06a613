/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The bytes that the reference writer makes of the same tensors: compact JSON, metadata first (keys in order), tensors
 * by dtype, then name, the header padded with spaces to a multiple of 8 so that every tensor is aligned.
 */
#include "model/io/safetensors.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

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

static int32_t put_metadata(struct text *text, const struct pm_entries *texts)
{
    PR_TRY(put_text(text, "\"__metadata__\":{"));
    for (int64_t i = 0; i < texts->count; i++) {
        PR_TRY(put_text(text, i > 0 ? "," : ""));
        PR_TRY(put_string(text, texts->all[i].name));
        PR_TRY(put_text(text, ":"));
        PR_TRY(put_string(text, texts->all[i].text));
    }
    return put_text(text, "}");
}

static int32_t put_tensor(struct text *text, const struct pm_entry *entry)
{
    PR_TRY(put_string(text, entry->name));
    PR_TRY(put_text(text, ":{\"dtype\":\""));
    PR_TRY(put_text(text, pm_safetensors_name(entry->dtype)));
    PR_TRY(put_text(text, "\",\"shape\":["));
    for (int32_t i = 0; i < entry->rank; i++) {
        PR_TRY(put_text(text, i > 0 ? "," : ""));
        PR_TRY(put_number(text, entry->shape[i]));
    }
    PR_TRY(put_text(text, "],\"data_offsets\":["));
    PR_TRY(put_number(text, entry->begin));
    PR_TRY(put_text(text, ","));
    PR_TRY(put_number(text, entry->end));
    return put_text(text, "]}");
}

static int32_t make_header(struct text *text, struct pm_entries *tensors, const struct pm_entries *texts)
{
    int64_t end = 0;
    const char *between = "";
    PR_TRY(put(text, "\0\0\0\0\0\0\0\0", 8));
    PR_TRY(put_text(text, "{"));
    if (texts->count > 0) {
        PR_TRY(put_metadata(text, texts));
        between = ",";
    }
    for (const int32_t *dtype = pm_safetensors_order; *dtype; dtype++)
        for (int64_t i = 0; i < tensors->count; i++) {
            struct pm_entry *entry = &tensors->all[i];
            int64_t bytes = 0;
            if (entry->dtype != *dtype)
                continue;
            PR_TRY(pm_file_bytes(entry->dtype, entry->rank, entry->shape, &bytes));
            entry->begin = end;
            PR_TRY(pr_add(end, bytes, &end));
            entry->end = end;
            PR_TRY(put_text(text, between));
            PR_TRY(put_tensor(text, entry));
            between = ",";
        }
    PR_TRY(put_text(text, "}"));
    PR_TRY(put(text, "        ", (size_t)(-text->length & 7)));
    int64_t length = text->length - 8;
    if (length > PM_SAFETENSORS_MOST_HEADER)
        return pr_fail(PRUNE_E_ARGUMENT, "names and metadata take a header of %lld bytes; a file may have %d",
                       (long long)length, PM_SAFETENSORS_MOST_HEADER);
    for (int i = 0; i < 8; i++)
        text->bytes[i] = (char)(length >> 8 * i);
    return PRUNE_OK;
}

int32_t pm_safetensors_head(char **head, int64_t *length, prune_context *context, struct pm_entries *tensors,
                            const struct pm_entries *texts)
{
    struct text text = {.context = context};
    int32_t status = make_header(&text, tensors, texts);
    if (status) {
        pr_release(context, text.bytes);
        return status;
    }
    *head = text.bytes;
    *length = text.length;
    return PRUNE_OK;
}
