/* SPDX-License-Identifier: BSD-2-Clause
 *
 * NumPy's npy: "\x93NUMPY", version, header length, a Python dictionary of descr, fortran_order and shape, then the
 * data to the end of the file. Of Python only what NumPy writes is understood: nothing is evaluated.
 */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "model/io/npy.h"

#define MOST_HEADER 10000 /* NumPy's own limit */

struct header {
    int64_t shape[PRUNE_MAX_RANK], data_begin;
    int32_t rank, dtype;
    int is_big_endian, is_fortran;
    int64_t text_bytes; /* of a byte string, where one is asked for */
    int wants_text;
};

struct cursor {
    const char *text;
    int64_t length, at;
};

static const struct {
    const char *code;
    int32_t dtype;
} codes[] = {{"f2", PRUNE_F16},  {"f4", PRUNE_F32}, {"f8", PRUNE_F64}, {"u1", PRUNE_U8},
             {"b1", PRUNE_BOOL}, {"i4", PRUNE_I32}, {"i8", PRUNE_I64}, {"i1", PRUNE_I8},
             {"i2", PRUNE_I16},  {"u2", PRUNE_U16}, {"u4", PRUNE_U32}};
#define CODES ((int)(sizeof codes / sizeof *codes))

static int take(struct cursor *cursor, const char *word)
{
    int64_t length = (int64_t)strlen(word);
    while (cursor->at < cursor->length && cursor->text[cursor->at] && strchr(" \t\r\n", cursor->text[cursor->at]))
        cursor->at++;
    if (cursor->length - cursor->at < length || memcmp(cursor->text + cursor->at, word, (size_t)length) != 0)
        return 0;
    cursor->at += length;
    return 1;
}

static int32_t expect(struct cursor *cursor, const char *word, const char *where)
{
    if (take(cursor, word))
        return PRUNE_OK;
    return pr_fail(PRUNE_E_FORMAT, "byte %lld of the npy header: \"%s\" is expected %s", (long long)cursor->at, word,
                   where);
}

/* A string in single or double quotes, of printable ASCII without a backslash. */
static int32_t parse_string(struct cursor *cursor, char out[32], const char *what)
{
    char quote = take(cursor, "'") ? '\'' : take(cursor, "\"") ? '"' : '\0';
    int64_t length = 0, left = cursor->length - cursor->at;
    const char *text = cursor->text + cursor->at;
    if (!quote)
        return pr_fail(PRUNE_E_FORMAT, "byte %lld of the npy header: %s is expected, in quotes", (long long)cursor->at,
                       what);
    while (length < left && length < 31 && text[length] != quote && text[length] >= 0x20 && text[length] < 0x7f &&
           text[length] != '\\')
        length++;
    if (length >= left || text[length] != quote)
        return pr_fail(PRUNE_E_FORMAT, "byte %lld of the npy header: %s is not 0 to 31 plain characters in quotes",
                       (long long)cursor->at, what);
    memcpy(out, text, (size_t)length);
    out[length] = '\0';
    cursor->at += length + 1;
    return PRUNE_OK;
}

static int32_t parse_descr(struct cursor *cursor, struct header *header)
{
    char descr[32];
    if (take(cursor, "["))
        return pr_fail(PRUNE_E_UNSUPPORTED,
                       "the dtype is structured; a plain one is needed: f2, f4, f8, b1, i1, i2, i4, i8, u1, u2, u4");
    PR_TRY(parse_string(cursor, descr, "descr"));
    if (header->wants_text && descr[0] == '|' && descr[1] == 'S' && strspn(descr + 2, "0123456789") > 0 &&
        strlen(descr) <= 4) {
        for (const char *digit = descr + 2; *digit >= '0' && *digit <= '9'; digit++)
            header->text_bytes = 10 * header->text_bytes + (*digit - '0');
        return PRUNE_OK;
    }
    int order = descr[0] == '<' || descr[0] == '>' || descr[0] == '|';
    for (int i = 0; order && i < CODES; i++)
        if (strcmp(descr + 1, codes[i].code) == 0 && (descr[0] != '|' || descr[2] == '1')) {
            header->dtype = codes[i].dtype;
            header->is_big_endian = descr[0] == '>';
            return PRUNE_OK;
        }
    if (strchr(descr, 'O'))
        return pr_fail(PRUNE_E_UNSUPPORTED, "dtype '%s' holds Python objects, which are never read; save numbers",
                       descr);
    if (order && descr[1] && strchr("tbiufcmMSUV", descr[1]) && strspn(descr + 2, "0123456789") == strlen(descr + 2))
        return pr_fail(PRUNE_E_UNSUPPORTED, "dtype '%s' is not read; f2, f4, f8, b1, i1, i2, i4, i8, u1, u2 and u4 are",
                       descr);
    return pr_fail(PRUNE_E_FORMAT, "'%s' is no dtype of npy; '<f4' is one", descr);
}

static int32_t parse_extent(struct cursor *cursor, int64_t *extent)
{
    const char *digits = cursor->text + cursor->at;
    int64_t left = cursor->length - cursor->at, length = 0, number = 0;
    while (length < left && digits[length] >= '0' && digits[length] <= '9')
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, digits[length++] - '0', &number))
            return pr_fail(PRUNE_E_FORMAT, "byte %lld of the npy header: an extent does not fit in 63 bits",
                           (long long)cursor->at);
    if (length == 0 || (length > 1 && digits[0] == '0'))
        return pr_fail(PRUNE_E_FORMAT,
                       "byte %lld of the npy header: an extent must be a whole number, 0 or more, in plain digits",
                       (long long)cursor->at);
    cursor->at += length;
    *extent = number;
    return PRUNE_OK;
}

static int32_t parse_shape(struct cursor *cursor, struct header *header)
{
    int comma = 1;
    PR_TRY(expect(cursor, "(", "at the start of shape"));
    while (!take(cursor, ")")) {
        int64_t extent = 0;
        if (!comma)
            return expect(cursor, ",", "between extents");
        PR_TRY(parse_extent(cursor, &extent));
        if (header->rank == PRUNE_MAX_RANK)
            return pr_fail(PRUNE_E_UNSUPPORTED, "the shape has more than %d extents", PRUNE_MAX_RANK);
        header->shape[header->rank++] = extent;
        comma = take(cursor, ",");
    }
    if (header->rank == 1 && !comma)
        return pr_fail(PRUNE_E_FORMAT, "shape (%lld) is a number, not a tuple; (%lld,) is one",
                       (long long)header->shape[0], (long long)header->shape[0]);
    return PRUNE_OK;
}

static int32_t parse_order(struct cursor *cursor, struct header *header)
{
    if (take(cursor, "True"))
        header->is_fortran = 1;
    else if (!take(cursor, "False"))
        return pr_fail(PRUNE_E_FORMAT, "byte %lld of the npy header: fortran_order must be True or False",
                       (long long)cursor->at);
    return PRUNE_OK;
}

static int32_t parse(struct cursor *cursor, struct header *header)
{
    static const char *const keys[] = {"descr", "fortran_order", "shape"};
    int seen[3] = {0}, comma = 1;
    if (cursor->length == 0 || cursor->text[cursor->length - 1] != '\n')
        return pr_fail(PRUNE_E_FORMAT, "the npy header does not end with a newline");
    PR_TRY(expect(cursor, "{", "at the start"));
    while (!take(cursor, "}")) {
        char key[32];
        int which = 0;
        if (!comma)
            return expect(cursor, ",", "between keys");
        PR_TRY(parse_string(cursor, key, "a key"));
        while (which < 3 && strcmp(key, keys[which]) != 0)
            which++;
        if (which == 3)
            return pr_fail(PRUNE_E_FORMAT, "'%s' is no key of an npy header; descr, fortran_order and shape are", key);
        if (seen[which]++)
            return pr_fail(PRUNE_E_FORMAT, "a duplicate key: %s stands twice in the npy header", key);
        PR_TRY(expect(cursor, ":", "after a key"));
        PR_TRY(which == 0   ? parse_descr(cursor, header)
               : which == 1 ? parse_order(cursor, header)
                            : parse_shape(cursor, header));
        comma = take(cursor, ",");
    }
    for (int which = 0; which < 3; which++)
        if (!seen[which])
            return pr_fail(PRUNE_E_FORMAT, "%s is missing in the npy header", keys[which]);
    take(cursor, "");
    if (cursor->at != cursor->length)
        return pr_fail(PRUNE_E_FORMAT, "byte %lld of the npy header: nothing is expected after the dictionary",
                       (long long)cursor->at);
    return PRUNE_OK;
}

static int32_t read_header(const struct pm_input *file, struct header *header)
{
    unsigned char start[12];
    char text[MOST_HEADER];
    int64_t begin, length;
    if (file->size < 10)
        return pr_fail(PRUNE_E_FORMAT, "it has %lld bytes; an npy file has more: it is truncated or another format",
                       (long long)file->size);
    PR_TRY(pm_input_read(file, 0, start, 10));
    if (memcmp(start, "\x93NUMPY", 6) != 0)
        return pr_fail(PRUNE_E_FORMAT, "it does not begin with npy's magic bytes 93 4e 55 4d 50 59");
    if (start[6] < 1 || start[6] > 3 || start[7] != 0)
        return pr_fail(PRUNE_E_UNSUPPORTED, "npy version %d.%d is not known; 1.0, 2.0 and 3.0 are", start[6], start[7]);
    begin = start[6] == 1 ? 10 : 12;
    if (file->size < begin)
        return pr_fail(PRUNE_E_FORMAT, "it ends within the length of the npy header: it is truncated");
    PR_TRY(pm_input_read(file, 0, start, begin));
    length = start[8] | start[9] << 8;
    if (begin == 12)
        length |= (int64_t)start[10] << 16 | (int64_t)start[11] << 24;
    if (length > file->size - begin)
        return pr_fail(PRUNE_E_FORMAT, "the npy header takes %lld bytes, but only %lld follow: it is truncated",
                       (long long)length, (long long)(file->size - begin));
    if (length > MOST_HEADER)
        return pr_fail(PRUNE_E_FORMAT, "the npy header takes %lld bytes; at most %d are possible", (long long)length,
                       MOST_HEADER);
    PR_TRY(pm_input_read(file, begin, text, length));
    header->data_begin = begin + length;
    return parse(&(struct cursor){text, length, 0}, header);
}

/* Column-major data of shape (a, b, c) are row-major data of shape (c, b, a), seen with the axes reversed. */
static int32_t to_row_major(prune_tensor **tensor)
{
    int32_t order[PRUNE_MAX_RANK], rank = prune_tensor_rank(*tensor);
    prune_tensor *view, *copy;
    for (int32_t i = 0; i < rank; i++)
        order[i] = rank - 1 - i;
    PR_TRY(prune_tensor_permute(&view, *tensor, order));
    int32_t status = prune_tensor_convert(&copy, view, prune_tensor_dtype(view));
    prune_tensor_free(view);
    PR_TRY(status);
    prune_tensor_free(*tensor);
    *tensor = copy;
    return PRUNE_OK;
}

static int32_t fill(const struct pm_input *file, const struct header *header, prune_tensor **tensor)
{
    void *data = prune_tensor_data(*tensor);
    int64_t count = prune_tensor_count(*tensor), size = prune_dtype_size(header->dtype);
    PR_TRY(pm_input_read(file, header->data_begin, data, count * size));
    pm_to_native(data, size, count, header->is_big_endian);
    if (header->dtype == PRUNE_BOOL)
        PR_TRY(pm_check_bool(data, count));
    return header->is_fortran ? to_row_major(tensor) : PRUNE_OK;
}

int32_t pm_npy_parse(prune_tensor **out, prune_context *context, const struct pm_input *file)
{
    struct header header = {0};
    prune_tensor *tensor;
    int64_t bytes, there, stored[PRUNE_MAX_RANK];
    PR_TRY(read_header(file, &header));
    PR_TRY(pm_file_bytes(header.dtype, header.rank, header.shape, &bytes));
    there = file->size - header.data_begin;
    if (bytes != there)
        return pr_fail(PRUNE_E_FORMAT, "descr and shape take %lld bytes of data, but the file holds %lld: it is %s",
                       (long long)bytes, (long long)there, bytes > there ? "truncated" : "overlong");
    for (int32_t i = 0; i < header.rank; i++)
        stored[i] = header.shape[header.is_fortran ? header.rank - 1 - i : i];
    PR_TRY(prune_tensor_create(&tensor, context, header.dtype, header.rank, stored));
    int32_t status = fill(file, &header, &tensor);
    if (status)
        prune_tensor_free(tensor);
    else
        *out = tensor;
    return status;
}

int32_t prune_npy_read(prune_tensor **out, prune_context *context, const char *path)
{
    PR_REQUIRE(out);
    PR_REQUIRE(path);
    struct pm_input file;
    int32_t status = pm_input_open(&file, path);
    if (!status) {
        status = pm_npy_parse(out, context, &file);
        pm_input_close(&file);
    }
    return status ? pr_fail_in(status, "%s", PM_SHOW(path)) : PRUNE_OK;
}

int32_t pm_npy_parse_text(char out[16], const struct pm_input *file)
{
    struct header header = {.wants_text = 1};
    char text[16] = {0};
    PR_TRY(read_header(file, &header));
    if (header.text_bytes < 1 || header.text_bytes > 15 || header.rank != 0)
        return pr_fail(PRUNE_E_FORMAT, "it is no byte string of 1 to 15 characters, rank 0");
    if (file->size - header.data_begin != header.text_bytes)
        return pr_fail(PRUNE_E_FORMAT, "the byte string takes %lld bytes, but %lld are there",
                       (long long)header.text_bytes, (long long)(file->size - header.data_begin));
    PR_TRY(pm_input_read(file, header.data_begin, text, header.text_bytes));
    memcpy(out, text, sizeof text);
    return PRUNE_OK;
}

int32_t pm_npy_header(char out[PM_NPY_MOST_HEADER], const prune_tensor *tensor, int64_t *length)
{
    int32_t rank = prune_tensor_rank(tensor), dtype = prune_tensor_dtype(tensor);
    const int64_t *shape = prune_tensor_shape(tensor);
    const char *code = NULL;
    char dict[384];
    for (int i = 0; i < CODES; i++)
        if (codes[i].dtype == dtype)
            code = codes[i].code;
    if (!code)
        return pr_fail(PRUNE_E_DTYPE, "npy has no type for %s; convert to f32 before", prune_dtype_name(dtype));
    size_t used = (size_t)snprintf(dict, sizeof dict, "{'descr': '%c%s', 'fortran_order': False, 'shape': (",
                                   code[1] == '1' ? '|' : '<', code);
    for (int32_t i = 0; i < rank; i++)
        used += (size_t)snprintf(dict + used, sizeof dict - used, "%lld%s", (long long)shape[i],
                                 rank == 1      ? ","
                                 : i < rank - 1 ? ", "
                                                : "");
    used += (size_t)snprintf(dict + used, sizeof dict - used, "), }");
    size_t padded = (10 + used + 1 + 63) / 64 * 64 - 10;
    memcpy(out, "\x93NUMPY\x01\x00", 8);
    out[8] = (char)(padded & 255);
    out[9] = (char)(padded >> 8);
    memset(out + 10, ' ', padded);
    memcpy(out + 10, dict, used);
    out[10 + padded - 1] = '\n';
    *length = (int64_t)(10 + padded);
    return PRUNE_OK;
}

int32_t pm_npy_writable(const prune_tensor **out, prune_tensor **copy, const prune_tensor *tensor)
{
    int32_t dtype = prune_tensor_dtype(tensor);
    *out = tensor;
    if (dtype == PRUNE_BOOL || !prune_tensor_is_contiguous(tensor)) {
        PR_TRY(prune_tensor_convert(copy, tensor, dtype));
        *out = *copy;
    }
    return PRUNE_OK;
}

static int32_t write_npy(struct pm_output *output, const prune_tensor *tensor, const char *header, int64_t length)
{
    PR_TRY(pm_output_write(output, header, length));
    PR_TRY(pm_output_elements(output, prune_tensor_const_data(tensor), prune_dtype_size(prune_tensor_dtype(tensor)),
                              prune_tensor_count(tensor)));
    return pm_output_commit(output);
}

int32_t prune_npy_write(const prune_tensor *tensor, const char *path)
{
    PR_REQUIRE(tensor);
    PR_REQUIRE(path);
    char header[PM_NPY_MOST_HEADER];
    int64_t length = 0;
    struct pm_output output;
    const prune_tensor *plain = NULL;
    prune_tensor *copy = NULL;
    PR_TRY(pm_npy_header(header, tensor, &length));
    PR_TRY(pm_npy_writable(&plain, &copy, tensor));
    int32_t status = pm_output_open(&output, prune_tensor_context(tensor), path);
    if (!status) {
        status = write_npy(&output, plain, header, length);
        pm_output_close(&output);
    }
    prune_tensor_free(copy);
    return status ? pr_fail_in(status, "%s", PM_SHOW(path)) : PRUNE_OK;
}
