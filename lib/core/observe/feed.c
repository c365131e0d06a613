/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What happens to every batch: everything that can be wrong is looked for and all memory is taken before the first
 * number is added, so that a refused batch changes nothing.
 */
#include <math.h>
#include <string.h>

#include "core/observe/observe.h"

#define CHUNK 512

/* One batch, looked at. */
struct batch {
    int32_t group;
    const prune_tensor *data, *other;
    const struct pr_images *images; /* what the inputs are made of; NULL where they are the data themselves */
    int32_t rank;                   /* of a sample or step */
    int64_t shape[PRUNE_MAX_RANK], count, samples, values;
};

int32_t pr_check_finite(const prune_tensor *tensor, const char *what)
{
    struct pr_walk walk;
    char place[PR_MAX_SHAPE_TEXT];
    pr_walk_start(&walk, tensor);
    while (walk.count) {
        double chunk[CHUNK];
        int64_t count = walk.count < CHUNK ? walk.count : CHUNK, bad = 0;
        pr_read_double(tensor->dtype, walk.data, walk.stride, count, chunk);
        for (int64_t i = 0; i < count; i++)
            bad |= !isfinite(chunk[i]);
        for (int64_t i = 0; bad && i < count; i++)
            if (!isfinite(chunk[i]))
                return pr_fail(PRUNE_E_VALUE, "number %lld of the %s, at %s, is %s; all must be finite",
                               (long long)(walk.position + i), what,
                               pr_index_text(place, tensor->rank, tensor->shape, walk.position + i),
                               isnan(chunk[i]) ? "NaN" : "infinite");
        pr_walk_skip(&walk, count);
    }
    return PRUNE_OK;
}

void pr_take_numbers(struct pr_walk *walk, int32_t dtype, int64_t count, double *out)
{
    while (count > 0) {
        int64_t part = walk->count < count ? walk->count : count;
        pr_read_double(dtype, walk->data, walk->stride, part, out);
        pr_walk_skip(walk, part);
        out += part;
        count -= part;
    }
}

static int32_t check_dtype(const prune_tensor *tensor, const char *what)
{
    if (!pr_dtype_is_float(tensor->dtype))
        return pr_fail(PRUNE_E_DTYPE, "the %s are %s; they must be f32, f16, bf16 or f64", what,
                       prune_dtype_name(tensor->dtype));
    return PRUNE_OK;
}

static int32_t measure_images(struct batch *batch)
{
    const struct pr_images *images = batch->images;
    batch->rank = 1;
    PR_TRY(pr_mul(images->window.height, images->window.width, &batch->count));
    PR_TRY(pr_mul(batch->count, images->channels, &batch->count));
    batch->shape[0] = batch->count;
    PR_TRY(pr_mul(images->output[0], images->output[1], &batch->samples));
    return pr_mul(batch->samples, batch->data->shape[0], &batch->samples);
}

/* The sizes of a batch from its shape. */
static int32_t measure(struct batch *batch)
{
    const prune_tensor *data = batch->data;
    char text[PR_MAX_SHAPE_TEXT];
    int32_t rank = data->rank;
    const char *what = pr_observed_group_names[batch->group];
    batch->samples = batch->values = 1;
    if (batch->group == PR_GRADIENTS || batch->group == PR_CURVATURES) {
        batch->rank = rank;
        memcpy(batch->shape, data->shape, sizeof batch->shape);
        batch->count = data->count;
        return PRUNE_OK;
    }
    if (batch->images)
        return measure_images(batch);
    int32_t least = batch->group == PR_ACTIVATIONS ? 2 : 1, most = batch->group == PR_SCALES ? 1 : PRUNE_MAX_RANK;
    if (rank < least || rank > most)
        return pr_fail(PRUNE_E_SHAPE, "%s have rank %d (shape %s); they must have rank %d%s", what, (int)rank,
                       pr_shape_text(text, rank, data->shape), (int)least, most > least ? " or more" : "");
    int32_t axis = batch->group == PR_INPUTS ? rank - 1 : batch->group == PR_ACTIVATIONS ? 1 : 0;
    batch->rank = 1;
    batch->shape[0] = batch->count = data->shape[axis];
    PR_TRY(pr_count(axis, data->shape, &batch->samples));
    return pr_count(rank - axis - 1, data->shape + axis + 1, &batch->values);
}

static int32_t check_pair(const prune_observations *o, const struct batch *batch)
{
    char ours[PR_MAX_SHAPE_TEXT], theirs[PR_MAX_SHAPE_TEXT];
    const prune_tensor *a = batch->data, *b = batch->other;
    const char *what = batch->group == PR_GRADIENTS ? "weights" : "gradients of activations";
    int32_t pairs = batch->group == PR_GRADIENTS ? PRUNE_OBSERVE_MOVEMENTS : PRUNE_OBSERVE_ACTIVATION_GRADIENTS;
    int takes_pairs = batch->group == PR_GRADIENTS || batch->group == PR_ACTIVATIONS;
    if (!b) {
        if (takes_pairs && o->needs & pairs)
            return pr_fail(PRUNE_E_ARGUMENT, "%s are gathered, so %s come with %s: prune_observations_feed_pair",
                           pr_need_name(pairs), pr_observed_group_names[batch->group], what);
        return PRUNE_OK;
    }
    if (!takes_pairs)
        return pr_fail(PRUNE_E_ARGUMENT, "%s are fed alone; gradients and activations can be fed in pairs",
                       pr_observed_group_names[batch->group]);
    PR_TRY(check_dtype(b, what));
    if (!pr_same_shape(a->rank, a->shape, b->rank, b->shape))
        return pr_fail(PRUNE_E_SHAPE, "%s have shape %s, the %s %s; they must be equal",
                       pr_observed_group_names[batch->group], pr_shape_text(ours, a->rank, a->shape), what,
                       pr_shape_text(theirs, b->rank, b->shape));
    return pr_check_finite(b, what);
}

static int32_t check_batch(const prune_observations *o, struct batch *batch)
{
    char ours[PR_MAX_SHAPE_TEXT], theirs[PR_MAX_SHAPE_TEXT];
    const struct pr_observed_group *group = &o->group[batch->group];
    const char *what = pr_observed_group_names[batch->group];
    int64_t total = 0;
    if (!(o->needs & pr_group_needs(batch->group)))
        return pr_fail(PRUNE_E_ARGUMENT, "%s are not gathered: these observations were made with needs %d", what,
                       (int)o->needs);
    PR_TRY(check_dtype(batch->data, what));
    PR_TRY(measure(batch));
    if (group->started && !pr_same_shape(group->rank, group->shape, batch->rank, batch->shape))
        return pr_fail(PRUNE_E_SHAPE, "%s of shape %s are fed, those before had shape %s; they must be equal", what,
                       pr_shape_text(ours, batch->rank, batch->shape),
                       pr_shape_text(theirs, group->rank, group->shape));
    PR_TRY(pr_add(group->samples, batch->samples, &total));
    PR_TRY(pr_mul(batch->samples, batch->values, &total));
    PR_TRY(pr_add(group->values, total, &total));
    PR_TRY(pr_check_finite(batch->data, what));
    return check_pair(o, batch);
}

/* The arrays of a group that has not started yet. */
static int32_t start_group(prune_observations *o, const struct batch *batch)
{
    struct pr_observed_group *group = &o->group[batch->group];
    int32_t status = PRUNE_OK;
    int64_t length = 0;
    if (group->started)
        return PRUNE_OK;
    for (int32_t i = 0; !status && i < PR_ARRAYS; i++)
        if (pr_observed_rows[i].group == batch->group && o->needs & pr_observed_rows[i].need) {
            status = pr_observed_length(i, batch->count, &length);
            if (!status)
                status = pr_alloc_zero(o->context, length, sizeof(double), &o->array[i]);
        }
    for (int32_t i = 0; status && i < PR_ARRAYS; i++)
        if (pr_observed_rows[i].group == batch->group) {
            pr_release(o->context, o->array[i]);
            o->array[i] = NULL;
        }
    if (status)
        return status;
    group->started = 1;
    group->rank = batch->rank;
    memcpy(group->shape, batch->shape, sizeof group->shape);
    group->count = batch->count;
    return PRUNE_OK;
}

/* Room for one more gradient in the ring. */
static int32_t make_room(prune_observations *o)
{
    int64_t room = o->room ? 2 * o->room : 16;
    prune_tensor **kept;
    if (o->kept_count < o->room || o->kept_count == o->most_kept)
        return PRUNE_OK;
    room = room < o->most_kept ? room : o->most_kept;
    PR_TRY(pr_alloc_zero(o->context, room, sizeof *kept, &kept));
    if (o->kept_count)
        memcpy(kept, o->kept, (size_t)o->kept_count * sizeof *kept);
    pr_release(o->context, o->kept);
    o->kept = kept;
    o->room = room;
    return PRUNE_OK;
}

static int32_t copy_gradient(prune_observations *o, const prune_tensor *data, prune_tensor **copy)
{
    PR_TRY(make_room(o));
    int32_t dtype = data->dtype == PRUNE_F64 ? PRUNE_F64 : PRUNE_F32;
    PR_TRY(prune_tensor_create(copy, o->context, dtype, data->rank, data->shape));
    int32_t status = prune_tensor_copy(*copy, data);
    if (status)
        prune_tensor_free(*copy);
    return status;
}

static void keep_gradient(prune_observations *o, prune_tensor *copy)
{
    if (o->kept_count < o->most_kept) {
        o->kept[o->kept_count++] = copy;
        return;
    }
    prune_tensor_free(o->kept[o->oldest]);
    o->kept[o->oldest] = copy;
    o->oldest = (o->oldest + 1) % o->most_kept;
}

static int32_t add_batch(prune_observations *o, const struct batch *batch)
{
    double *block = NULL, *image;
    prune_tensor *copy = NULL;
    struct pr_observed_group *group = &o->group[batch->group];
    int64_t length = 0;
    if (batch->group == PR_INPUTS || batch->group == PR_ACTIVATIONS) {
        PR_TRY(pr_mul(batch->group == PR_INPUTS ? pr_observed_block(batch->count) : 1, batch->count, &length));
        PR_TRY(pr_add(length, batch->images ? batch->data->count / batch->data->shape[0] : 0, &length));
        PR_TRY(pr_alloc(o->context, length, sizeof *block, &block));
    }
    image = batch->images ? block + pr_observed_block(batch->count) * batch->count : NULL;
    if (batch->group == PR_GRADIENTS && o->needs & PRUNE_OBSERVE_GRADIENT_SAMPLES)
        PR_TRY(copy_gradient(o, batch->data, &copy));
    int32_t status = start_group(o, batch);
    if (status) {
        prune_tensor_free(copy);
        pr_release(o->context, block);
        return status;
    }
    if (batch->images)
        pr_observe_images(o, batch->images, batch->data, block, image);
    else if (batch->group == PR_INPUTS)
        pr_observe_inputs(o, batch->data, block);
    else if (batch->group == PR_GRADIENTS)
        pr_observe_gradients(o, batch->data, batch->other);
    else if (batch->group == PR_CURVATURES)
        pr_observe_curvatures(o, batch->data);
    else if (batch->group == PR_ACTIVATIONS)
        pr_observe_activations(o, batch->data, batch->other,
                               batch->other && o->array[PR_ACTIVATION_GATES] ? block : NULL);
    else
        pr_observe_scales(o, batch->data);
    if (copy)
        keep_gradient(o, copy);
    group->samples += batch->samples;
    group->batches++;
    group->values += batch->samples * batch->values;
    pr_release(o->context, block);
    return PRUNE_OK;
}

static int32_t feed(const char *function, prune_observations *o, int32_t kind, const prune_tensor *data,
                    const prune_tensor *other)
{
    struct batch batch = {.group = kind - PRUNE_INPUTS, .data = data, .other = other};
    if (kind < PRUNE_INPUTS || kind > PRUNE_CHANNEL_SCALES)
        return pr_fail(PRUNE_E_ARGUMENT, "%s: kind is %d; it must be PRUNE_INPUTS (%d) to PRUNE_CHANNEL_SCALES (%d)",
                       function, (int)kind, PRUNE_INPUTS, PRUNE_CHANNEL_SCALES);
    PR_TRY(check_batch(o, &batch));
    return data->count == 0 ? PRUNE_OK : add_batch(o, &batch);
}

int32_t prune_observations_feed(prune_observations *observations, int32_t kind, const prune_tensor *data)
{
    PR_REQUIRE(observations);
    PR_REQUIRE(data);
    return feed(__func__, observations, kind, data, NULL);
}

int32_t prune_observations_feed_pair(prune_observations *observations, int32_t kind, const prune_tensor *data,
                                     const prune_tensor *other)
{
    PR_REQUIRE(observations);
    PR_REQUIRE(data);
    PR_REQUIRE(other);
    return feed(__func__, observations, kind, data, other);
}

int32_t prune_observations_feed_images(prune_observations *observations, const prune_tensor *images,
                                       int64_t kernel_height, int64_t kernel_width, const char *spec)
{
    struct pr_values values;
    char text[PR_MAX_SHAPE_TEXT];
    PR_REQUIRE(observations);
    PR_REQUIRE(images);
    PR_TRY(pr_spec_parse_list(spec, "convolution", pr_window_parameters, &values));
    if (images->rank != 4)
        return pr_fail(PRUNE_E_SHAPE, "images have shape %s; it must be [samples, channels, height, width]",
                       pr_shape_text(text, images->rank, images->shape));
    struct pr_images as = {
        {kernel_height, kernel_width, values.whole[PR_STRIDE], values.whole[PR_PADDING], values.whole[PR_DILATION]},
        images->shape[1],
        images->shape[2],
        images->shape[3],
        {0, 0}};
    PR_TRY(pr_window_output(&as.window, as.height, as.width, as.output));
    struct batch batch = {.group = PR_INPUTS, .data = images, .images = &as};
    PR_TRY(check_batch(observations, &batch));
    return images->count == 0 ? PRUNE_OK : add_batch(observations, &batch);
}
