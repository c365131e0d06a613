/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Recurrent layers: attributes, shapes and weights.
 */
#include "model/ops/product/recurrent.h"

#include <math.h>
#include <string.h>

static float sigmoid(float x)
{
    return 1 / (1 + expf(-x));
}

static float relu(float x)
{
    return x <= 0 ? 0 : x;
}

static int is_word(const char *text, const char *word)
{
    while (*text && (*text | 32) == (*word | 32)) {
        text++;
        word++;
    }
    return !*text && !*word;
}

static int32_t read_activations(struct pm_recurrent *r, const struct pm_call *call)
{
    const struct pm_attribute *listed = pm_attribute(call->node, "activations");
    int32_t each = r->kind->activation_count, count = each * r->directions;
    if (listed && (listed->kind != PM_STRINGS || listed->count != count))
        return pr_fail(PRUNE_E_FORMAT, "activations has %lld names; %d directions need %d", (long long)listed->count,
                       (int)r->directions, (int)count);
    for (int32_t i = 0; i < count; i++) {
        const char *name = listed ? listed->texts[i] : r->kind->activations[i % each];
        r->squash[i] = is_word(name, "Sigmoid") ? sigmoid
                       : is_word(name, "Tanh")  ? tanhf
                       : is_word(name, "Relu")  ? relu
                                                : NULL;
        if (!r->squash[i])
            return pr_fail(PRUNE_E_UNSUPPORTED, "activation %.40s; Sigmoid, Tanh and Relu are run", name);
    }
    return PRUNE_OK;
}

static int32_t read_direction(struct pm_recurrent *r, const struct pm_call *call)
{
    const char *direction = pm_attribute_string(call->node, "direction", "forward");
    r->is_reverse = !strcmp(direction, "reverse");
    r->directions = strcmp(direction, "bidirectional") ? 1 : 2;
    if (r->directions == 1 && !r->is_reverse && strcmp(direction, "forward") != 0)
        return pr_fail(PRUNE_E_FORMAT, "direction is %.40s; it must be forward, reverse or bidirectional", direction);
    return PRUNE_OK;
}

/* Input `index`, where it is there, against the shape that it must have. */
static int32_t expect(const struct pm_call *call, int32_t index, int32_t rank, const int64_t *extents)
{
    struct pm_type due;
    char text[PM_TYPE_TEXT], more[PM_TYPE_TEXT];
    if (!pm_has_input(call, index))
        return PRUNE_OK;
    const struct pm_type *type = &call->inputs[index].type;
    PR_TRY(pm_type_set(&due, index == 4 ? PRUNE_I32 : PRUNE_F32, rank, extents));
    if (type->dtype != due.dtype)
        return pr_fail(PRUNE_E_UNSUPPORTED, "input %d is %s; %s is run", (int)index, pm_type_text(type, text),
                       prune_dtype_name(due.dtype));
    for (int32_t i = 0; i < rank && type->rank == rank; i++)
        if (type->extents[i] != extents[i])
            rank = -1;
    if (type->rank != rank)
        return pr_fail(PRUNE_E_SHAPE, "input %d is %s; it must be %s", (int)index, pm_type_text(type, text),
                       pm_type_text(&due, more));
    return PRUNE_OK;
}

static int32_t read_shapes(struct pm_recurrent *r, const struct pm_call *call, const struct pm_recurrent_kind *kind)
{
    const struct pm_type *x = &call->inputs[0].type, *recurrence = &call->inputs[2].type;
    char text[PM_TYPE_TEXT];
    *r = (struct pm_recurrent){.kind = kind,
                               .is_batch_first = pm_attribute_int(call->node, "layout", 0) != 0,
                               .is_linear_before_reset = pm_attribute_int(call->node, "linear_before_reset", 0) != 0,
                               .is_coupled = pm_attribute_int(call->node, "input_forget", 0) != 0,
                               .clip = pm_attribute_float(call->node, "clip", 0)};
    PR_TRY(read_direction(r, call));
    PR_TRY(read_activations(r, call));
    if (x->rank != 3 || recurrence->rank != 3)
        return pr_fail(PRUNE_E_SHAPE, "x is %s; it and the weights must have 3 axes", pm_type_text(x, text));
    r->steps = x->extents[r->is_batch_first];
    r->batch = x->extents[!r->is_batch_first];
    r->in = x->extents[2];
    r->hidden = pm_attribute_int(call->node, "hidden_size", recurrence->extents[2]);
    if (r->hidden < 1 || r->hidden > INT32_MAX / 8 || r->in > INT32_MAX / 8)
        return pr_fail(PRUNE_E_SHAPE, "hidden_size is %lld and x has %lld; both must be 1 to %d", (long long)r->hidden,
                       (long long)r->in, INT32_MAX / 8);
    int64_t d = r->directions, gates = kind->gates * r->hidden;
    const int64_t state[] = {r->is_batch_first ? r->batch : d, r->is_batch_first ? d : r->batch, r->hidden};
    PR_TRY(expect(call, 0, 3, x->extents));
    PR_TRY(expect(call, 1, 3, (const int64_t[]){d, gates, r->in}));
    PR_TRY(expect(call, 2, 3, (const int64_t[]){d, gates, r->hidden}));
    PR_TRY(expect(call, 3, 2, (const int64_t[]){d, 2 * gates}));
    PR_TRY(expect(call, 4, 1, &r->batch));
    PR_TRY(expect(call, 5, 3, state));
    PR_TRY(expect(call, 6, 3, state));
    return expect(call, 7, 2, (const int64_t[]){d, 3 * r->hidden});
}

int32_t pm_recurrent_infer(struct pm_call *call, const struct pm_recurrent_kind *kind)
{
    struct pm_recurrent r;
    PR_TRY(pm_expect_inputs(call, 3, kind->most_inputs));
    PR_TRY(pm_expect_outputs(call, 0, kind->most_outputs));
    PR_TRY(read_shapes(&r, call, kind));
    int64_t d = r.directions;
    const int64_t all[] = {r.steps, d, r.batch, r.hidden}, all_first[] = {r.batch, r.steps, d, r.hidden};
    const int64_t state[] = {r.is_batch_first ? r.batch : d, r.is_batch_first ? d : r.batch, r.hidden};
    for (int32_t i = 0; i < call->output_count; i++)
        if (pm_has_output(call, i) && i == 0)
            PR_TRY(pm_type_set(&call->outputs[i].type, PRUNE_F32, 4, r.is_batch_first ? all_first : all));
        else if (pm_has_output(call, i))
            PR_TRY(pm_type_set(&call->outputs[i].type, PRUNE_F32, 3, state));
    return PRUNE_OK;
}

static int32_t pack(struct pm_recurrent *r, struct pm_call *call)
{
    int64_t hidden = r->hidden, gates = r->kind->gates * hidden;
    int64_t first = r->kind->reset && !r->is_linear_before_reset ? gates - hidden : gates;
    for (int32_t d = 0; d < r->directions; d++) {
        struct pm_matrix w = {1, gates, r->in, d * gates * r->in, r->in, 1};
        struct pm_matrix rest = {2, first, hidden, d * gates * hidden, hidden, 1};
        struct pm_matrix last = {2, hidden, hidden, (d * gates + first) * hidden, hidden, 1};
        if (pm_is_known(call, 1))
            PR_TRY(pm_pack(&r->w[d], call, call->context, &w, r->steps * r->batch, NULL));
        if (pm_is_known(call, 2)) {
            PR_TRY(pm_pack(&r->r[d], call, call->context, &rest, r->batch, NULL));
            if (first < gates)
                PR_TRY(pm_pack(&r->last[d], call, call->context, &last, r->batch, NULL));
        }
    }
    if (r->r[0])
        pm_say_kernels(call, r->r[0], r->batch);
    return PRUNE_OK;
}

int32_t pm_recurrent_prepare(struct pm_call *call, const struct pm_recurrent_kind *kind)
{
    struct pm_recurrent *r;
    PR_TRY(pr_alloc_zero(call->context, 1, sizeof *r, &r));
    call->state = r;
    PR_TRY(read_shapes(r, call, kind));
    int64_t rows = 0, floats = 0, states = 0;
    PR_TRY(pr_mul(r->steps, r->batch, &rows));
    PR_TRY(pm_gemm_fits(rows, kind->gates * r->hidden, r->in));
    PR_TRY(pr_add(rows, r->batch, &rows));
    PR_TRY(pr_mul(rows, kind->gates * r->hidden, &floats)); /* products with W, with R */
    PR_TRY(pr_mul(r->batch, 3 * r->hidden, &states));       /* h, c, h after reset */
    PR_TRY(pr_add(floats, states, &floats));
    PR_TRY(pr_mul(floats, (int64_t)sizeof(float), &call->scratch_bytes));
    return pack(r, call);
}

void pm_recurrent_release(struct pm_call *call)
{
    struct pm_recurrent *r = call->state;
    if (!r)
        return;
    for (int32_t d = 0; d < 2; d++) {
        prune_packed_free(r->w[d]);
        prune_packed_free(r->r[d]);
        prune_packed_free(r->last[d]);
    }
    pr_release(call->context, r);
    call->state = NULL;
}

int64_t pm_recurrent_macs(const struct pm_call *call, const struct pm_recurrent_kind *kind)
{
    struct pm_recurrent r;
    if (read_shapes(&r, call, kind))
        return 0;
    return r.steps * r.batch * r.directions * kind->gates * r.hidden * (r.in + r.hidden);
}

int pm_recurrent_layer(const struct pm_call *call, const struct pm_recurrent_kind *kind, int32_t index,
                       struct pm_layer *out)
{
    struct pm_recurrent r;
    if (index < 0 || index > 1 || !pm_is_known(call, 1 + index) || read_shapes(&r, call, kind))
        return 0;
    int64_t rows = r.directions * kind->gates * r.hidden, in = index ? r.hidden : r.in;
    *out = (struct pm_layer){.input = 1 + index,
                             .out = rows,
                             .in = in,
                             .groups = r.directions,
                             .macs = r.steps * r.batch * rows * in,
                             .kind = "recurrent"};
    return 1;
}
