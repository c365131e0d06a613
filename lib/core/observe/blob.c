/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Observations as one block of bytes: a header, the arrays in the order of their table, the gradients that are kept.
 * Everything is a whole number of 8-byte words.
 */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "core/observe/observe.h"

static const char MAGIC[8] = "PROBSERV";
#define VERSION 1
#define BYTE_ORDER_MARK 0x01020304u

struct saved_group {
    int64_t started, rank, shape[PRUNE_MAX_RANK], samples, batches, values;
};

struct header {
    char magic[8];
    uint32_t version, byte_order;
    uint64_t bytes, checksum; /* of all that follows */
    int64_t needs, most_kept, kept_count;
    double epsilon;
    struct saved_group group[PR_GROUPS];
};

/* Multiplying by an odd number and folding are bijections of a word, so no change of one word goes unseen. */
static uint64_t checksum(const unsigned char *data, int64_t bytes)
{
    uint64_t sum = (uint64_t)bytes, word;
    for (int64_t at = offsetof(struct header, needs); at < bytes; at += 8) {
        memcpy(&word, data + at, sizeof word);
        sum = (sum ^ word) * 0x9e3779b97f4a7c15u;
        sum ^= sum >> 32;
    }
    return sum;
}

/* A kept gradient: its dtype in a word, then its numbers, filled up to whole words. */
static int32_t gradient_bytes(int32_t dtype, int64_t count, int64_t *bytes)
{
    PR_TRY(pr_mul(count, prune_dtype_size(dtype), bytes));
    PR_TRY(pr_add(*bytes, 15, bytes));
    *bytes -= *bytes % 8;
    return PRUNE_OK;
}

static int32_t array_bytes(const prune_observations *o, int32_t array, int64_t *bytes)
{
    const struct pr_observed_group *group = &o->group[pr_observed_rows[array].group];
    *bytes = 0;
    if (!group->started || !(o->needs & pr_observed_rows[array].need))
        return PRUNE_OK;
    PR_TRY(pr_observed_length(array, group->count, bytes));
    return pr_mul(*bytes, sizeof(double), bytes);
}

static int32_t total_bytes(const prune_observations *o, int64_t *bytes)
{
    int64_t total = (int64_t)sizeof(struct header), part;
    for (int32_t i = 0; i < PR_ARRAYS; i++) {
        PR_TRY(array_bytes(o, i, &part));
        PR_TRY(pr_add(total, part, &total));
    }
    for (int64_t i = 0; i < o->kept_count; i++) {
        const prune_tensor *kept = pr_observed_gradient(o, i);
        PR_TRY(gradient_bytes(kept->dtype, kept->count, &part));
        PR_TRY(pr_add(total, part, &total));
    }
    *bytes = total;
    return PRUNE_OK;
}

static void write_header(const prune_observations *o, struct header *header, int64_t bytes)
{
    memcpy(header->magic, MAGIC, sizeof MAGIC);
    header->version = VERSION;
    header->byte_order = BYTE_ORDER_MARK;
    header->bytes = (uint64_t)bytes;
    header->needs = o->needs;
    header->most_kept = o->most_kept;
    header->kept_count = o->kept_count;
    header->epsilon = o->epsilon;
    for (int32_t i = 0; i < PR_GROUPS; i++) {
        const struct pr_observed_group *group = &o->group[i];
        struct saved_group *saved = &header->group[i];
        saved->started = group->started;
        saved->rank = group->rank;
        memcpy(saved->shape, group->shape, (size_t)group->rank * sizeof *group->shape);
        saved->samples = group->samples;
        saved->batches = group->batches;
        saved->values = group->values;
    }
}

static void write_all(const prune_observations *o, unsigned char *data, int64_t bytes)
{
    struct header header;
    int64_t at = (int64_t)sizeof header, part = 0;
    memset(&header, 0, sizeof header);
    write_header(o, &header, bytes);
    for (int32_t i = 0; i < PR_ARRAYS; i++) {
        array_bytes(o, i, &part); /* fits: total_bytes has added them up */
        if (part)
            memcpy(data + at, o->array[i], (size_t)part);
        at += part;
    }
    for (int64_t i = 0; i < o->kept_count; i++) {
        const prune_tensor *kept = pr_observed_gradient(o, i);
        int64_t dtype = kept->dtype;
        gradient_bytes(kept->dtype, kept->count, &part);
        memcpy(data + at, &dtype, sizeof dtype);
        memcpy(data + at + 8, kept->data, (size_t)(kept->count * prune_dtype_size(kept->dtype)));
        at += part;
    }
    memcpy(data, &header, sizeof header);
    header.checksum = checksum(data, bytes);
    memcpy(data, &header, sizeof header);
}

int32_t prune_observations_save(prune_tensor **out, const prune_observations *observations)
{
    prune_tensor *tensor;
    int64_t bytes;
    PR_REQUIRE(out);
    PR_REQUIRE(observations);
    PR_TRY(total_bytes(observations, &bytes));
    PR_TRY(prune_tensor_create(&tensor, observations->context, PRUNE_U8, 1, &bytes));
    write_all(observations, prune_tensor_data(tensor), bytes);
    *out = tensor;
    return PRUNE_OK;
}

static int32_t check_header(const struct header *header, const unsigned char *data, int64_t bytes)
{
    if (memcmp(header->magic, MAGIC, sizeof MAGIC) != 0)
        return pr_fail(PRUNE_E_FORMAT, "these bytes are not observations: they do not begin with PROBSERV");
    if (header->byte_order != BYTE_ORDER_MARK)
        return pr_fail(PRUNE_E_FORMAT, "the observations are of a machine with another byte order (mark %08x)",
                       (unsigned)header->byte_order);
    if (header->version != VERSION)
        return pr_fail(PRUNE_E_FORMAT, "the observations have version %u; this library knows version %d",
                       (unsigned)header->version, VERSION);
    if (header->bytes != (uint64_t)bytes || bytes % 8 != 0)
        return pr_fail(PRUNE_E_FORMAT, "the observations should have %llu bytes and have %lld",
                       (unsigned long long)header->bytes, (long long)bytes);
    if (header->checksum != checksum(data, bytes))
        return pr_fail(PRUNE_E_FORMAT, "the checksum of the observations does not fit: they were changed or damaged");
    return PRUNE_OK;
}

static int32_t read_group(prune_observations *o, int32_t number, const struct saved_group *saved)
{
    struct pr_observed_group *group = &o->group[number];
    int64_t most = PRUNE_MAX_RANK;
    const char *what = pr_observed_group_names[number];
    if (!saved->started)
        return PRUNE_OK;
    if (number == PR_INPUTS || number == PR_ACTIVATIONS || number == PR_SCALES)
        most = 1;
    if (!(o->needs & pr_group_needs(number)) || saved->rank < 0 || saved->rank > most)
        return pr_fail(PRUNE_E_FORMAT, "the observations have %s of rank %lld with needs %d", what,
                       (long long)saved->rank, (int)o->needs);
    if (saved->samples < 1 || saved->batches < 1 || saved->batches > saved->samples || saved->values < saved->samples)
        return pr_fail(PRUNE_E_FORMAT, "the observations have %lld samples of %s in %lld batches with %lld values",
                       (long long)saved->samples, what, (long long)saved->batches, (long long)saved->values);
    group->rank = (int32_t)saved->rank;
    memcpy(group->shape, saved->shape, sizeof group->shape);
    PR_TRY(pr_count(group->rank, group->shape, &group->count));
    group->started = 1;
    group->samples = saved->samples;
    group->batches = saved->batches;
    group->values = saved->values;
    return PRUNE_OK;
}

static int32_t read_settings(prune_observations *o, const struct header *header)
{
    if (header->most_kept < 1 || header->most_kept > INT32_MAX || !(header->epsilon >= 0) || isinf(header->epsilon))
        return pr_fail(PRUNE_E_FORMAT, "the observations have samples=%lld and epsilon=%g",
                       (long long)header->most_kept, header->epsilon);
    o->most_kept = header->most_kept;
    o->epsilon = header->epsilon;
    for (int32_t i = 0; i < PR_GROUPS; i++)
        PR_TRY(read_group(o, i, &header->group[i]));
    int64_t steps = o->group[PR_GRADIENTS].samples, due = steps < o->most_kept ? steps : o->most_kept;
    due = o->needs & PRUNE_OBSERVE_GRADIENT_SAMPLES ? due : 0;
    if (header->kept_count != due)
        return pr_fail(PRUNE_E_FORMAT, "the observations keep %lld gradients; of %lld steps they keep %lld",
                       (long long)header->kept_count, (long long)steps, (long long)due);
    return PRUNE_OK;
}

static int32_t check_numbers(const double *numbers, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        if (!isfinite(numbers[i]))
            return pr_fail(PRUNE_E_FORMAT, "number %lld of an array of the observations is not finite", (long long)i);
    return PRUNE_OK;
}

static int32_t read_arrays(prune_observations *o, const unsigned char *data, int64_t bytes, int64_t *at)
{
    int64_t part;
    for (int32_t i = 0; i < PR_ARRAYS; i++) {
        PR_TRY(array_bytes(o, i, &part));
        if (part > bytes - *at)
            return pr_fail(PRUNE_E_FORMAT, "the observations end at byte %lld, inside an array of %lld bytes",
                           (long long)bytes, (long long)part);
        if (part == 0)
            continue;
        PR_TRY(pr_alloc(o->context, part, 1, &o->array[i]));
        memcpy(o->array[i], data + *at, (size_t)part);
        PR_TRY(check_numbers(o->array[i], part / (int64_t)sizeof(double)));
        *at += part;
    }
    return PRUNE_OK;
}

static int32_t read_gradients(prune_observations *o, int64_t count, const unsigned char *data, int64_t bytes,
                              int64_t *at)
{
    const struct pr_observed_group *group = &o->group[PR_GRADIENTS];
    for (int64_t i = 0; i < count; i++) {
        int64_t dtype = 0, part;
        if (bytes - *at >= 8)
            memcpy(&dtype, data + *at, sizeof dtype);
        if (dtype != PRUNE_F32 && dtype != PRUNE_F64)
            return pr_fail(PRUNE_E_FORMAT, "gradient %lld of the observations has dtype %lld; it must be f32 or f64",
                           (long long)i, (long long)dtype);
        PR_TRY(gradient_bytes((int32_t)dtype, group->count, &part));
        if (part > bytes - *at)
            return pr_fail(PRUNE_E_FORMAT, "the observations end at byte %lld, inside gradient %lld of %lld bytes",
                           (long long)bytes, (long long)i, (long long)part);
        if (!o->kept)
            PR_TRY(pr_alloc_zero(o->context, count, sizeof *o->kept, &o->kept));
        PR_TRY(prune_tensor_create(&o->kept[i], o->context, (int32_t)dtype, group->rank, group->shape));
        o->room = o->kept_count = i + 1;
        memcpy(o->kept[i]->data, data + *at + 8, (size_t)(group->count * prune_dtype_size((int32_t)dtype)));
        if (pr_check_finite(o->kept[i], "gradients"))
            return pr_fail(PRUNE_E_FORMAT, "gradient %lld of the observations has numbers that are not finite",
                           (long long)i);
        *at += part;
    }
    return PRUNE_OK;
}

static int32_t read_all(prune_observations *o, const struct header *header, const unsigned char *data, int64_t bytes)
{
    int64_t at = (int64_t)sizeof *header;
    PR_TRY(read_settings(o, header));
    PR_TRY(read_arrays(o, data, bytes, &at));
    PR_TRY(read_gradients(o, header->kept_count, data, bytes, &at));
    if (at != bytes)
        return pr_fail(PRUNE_E_FORMAT, "the observations have %lld bytes, of which %lld are used", (long long)bytes,
                       (long long)at);
    return PRUNE_OK;
}

int32_t prune_observations_load(prune_observations **out, prune_context *context, const void *data, int64_t bytes)
{
    struct header header;
    prune_observations *o;
    PR_REQUIRE(out);
    PR_REQUIRE(data);
    if (bytes < (int64_t)sizeof header)
        return pr_fail(PRUNE_E_FORMAT, "%lld bytes are too few for observations, whose header has %zu",
                       (long long)bytes, sizeof header);
    memcpy(&header, data, sizeof header);
    PR_TRY(check_header(&header, data, bytes));
    if (header.needs <= 0 || header.needs > PR_ALL_NEEDS)
        return pr_fail(PRUNE_E_FORMAT, "the observations have needs %lld; 1 to %d are known", (long long)header.needs,
                       PR_ALL_NEEDS);
    PR_TRY(prune_observations_create(&o, context, (int32_t)header.needs));
    int32_t status = read_all(o, &header, data, bytes);
    if (status) {
        prune_observations_free(o);
        return status == PRUNE_E_OVERFLOW ? pr_fail_in(PRUNE_E_FORMAT, "the observations") : status;
    }
    *out = o;
    return PRUNE_OK;
}
