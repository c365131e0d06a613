/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "base/checked.h"
#include "model/io/io.h"

/* Length of the well-formed UTF-8 sequence at `s`, 0 when there is none: no overlong forms, surrogates or numbers
 * beyond U+10FFFF (Unicode 15, table 3-7). */
static int64_t sequence(const unsigned char *s, int64_t left)
{
    if (s[0] < 0x80)
        return 1;
    int64_t length = s[0] >= 0xc2 && s[0] < 0xe0   ? 2
                     : s[0] >= 0xe0 && s[0] < 0xf0 ? 3
                     : s[0] >= 0xf0 && s[0] < 0xf5 ? 4
                                                   : 0;
    if (length == 0 || length > left)
        return 0;
    unsigned low = s[0] == 0xe0   ? 0xa0
                   : s[0] == 0xf0 ? 0x90
                                  : 0x80,
             high = s[0] == 0xed   ? 0x9f
                    : s[0] == 0xf4 ? 0x8f
                                   : 0xbf;
    if (s[1] < low || s[1] > high)
        return 0;
    for (int64_t i = 2; i < length; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    return length;
}

int pm_is_utf8(const char *text, int64_t length)
{
    const unsigned char *s = (const unsigned char *)text;
    for (int64_t i = 0; i < length;) {
        int64_t step = s[i] ? sequence(s + i, length - i) : 0;
        if (step == 0)
            return 0;
        i += step;
    }
    return 1;
}

static int continues(char c)
{
    return (c & 0xc0) == 0x80;
}

const char *pm_show(char out[PM_SHOWN], const char *text)
{
    size_t length = strlen(text), head = length, tail = 0;
    if (length >= PM_SHOWN) {
        head = 48;
        tail = PM_SHOWN - 1 - 3 - head;
        while (head > 0 && continues(text[head]))
            head--;
        while (tail > 0 && continues(text[length - tail]))
            tail--;
    }
    memcpy(out, text, head);
    if (tail > 0) {
        memcpy(out + head, "...", 3);
        memcpy(out + head + 3, text + length - tail, tail);
        head += 3 + tail;
    }
    out[head] = '\0';
    for (size_t i = 0; i < head; i++)
        if ((unsigned char)out[i] < 0x20 || out[i] == 0x7f)
            out[i] = '?';
    return out;
}

void pm_to_native(void *data, int64_t size, int64_t count, int file_is_big_endian)
{
    const int machine_is_big_endian = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
    if (size == 1 || machine_is_big_endian == file_is_big_endian)
        return;
    unsigned char *bytes = data;
    for (int64_t i = 0; i < count; i++, bytes += size)
        for (int64_t low = 0, high = size - 1; low < high; low++, high--) {
            unsigned char byte = bytes[low];
            bytes[low] = bytes[high];
            bytes[high] = byte;
        }
}

int32_t pm_check_bool(const void *data, int64_t count)
{
    const unsigned char *bytes = data;
    for (int64_t i = 0; i < count; i++)
        if (bytes[i] > 1)
            return pr_fail(PRUNE_E_FORMAT, "byte %lld of a bool tensor is %u; it must be 0 or 1", (long long)i,
                           (unsigned)bytes[i]);
    return PRUNE_OK;
}

int32_t pm_file_bytes(int32_t dtype, int32_t rank, const int64_t *shape, int64_t *bytes)
{
    int64_t count = 0, total = 0, filled[PRUNE_MAX_RANK];
    /* As if no extent were 0: strides of an empty tensor must fit too. */
    for (int32_t i = 0; i < rank; i++)
        filled[i] = shape[i] == 0 ? 1 : shape[i];
    if (pr_count(rank, filled, &total) || pr_mul(total, prune_dtype_size(dtype), &total) ||
        pr_count(rank, shape, &count))
        return pr_fail_in(PRUNE_E_FORMAT, "the shape is too large for any file");
    *bytes = count * prune_dtype_size(dtype);
    return PRUNE_OK;
}
