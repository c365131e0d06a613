/* SPDX-License-Identifier: BSD-2-Clause
 *
 * MatMul: NumPy's matmul. A constant B without batch axes is packed; where A has some, they are rows as well.
 */
#include "model/ops/product/linear.h"

struct matmul {
    struct pm_linear linear; /* of one product, but rows of all where B is one matrix */
    int64_t batch;           /* products */
    int32_t rank;            /* of the batch axes */
    int64_t extents[PRUNE_MAX_RANK], a_strides[PRUNE_MAX_RANK], b_strides[PRUNE_MAX_RANK]; /* in matrices */
};

/* How many matrices lie between neighbours along each batch axis, 0 where the value is broadcast. */
static void batch_strides(const struct pm_type *type, int32_t rank, int64_t *strides)
{
    int64_t stride = 1;
    int32_t own = type->rank > 2 ? type->rank - 2 : 0;
    for (int32_t i = rank - 1; i >= 0; i--) {
        int32_t axis = i - rank + own;
        int64_t extent = axis < 0 ? 1 : type->extents[axis];
        strides[i] = extent == 1 ? 0 : stride;
        stride *= extent;
    }
}

static int32_t read_batch(const struct pm_type *type, struct pm_type *out)
{
    return pm_type_set(out, type->dtype, type->rank > 2 ? type->rank - 2 : 0, type->extents);
}

static int32_t read_shapes(struct matmul *m, const struct pm_call *call, struct pm_type *y)
{
    const struct pm_type *a = &call->inputs[0].type, *b = &call->inputs[1].type;
    struct pm_type batch_a, batch_b, batch;
    struct matmul made = {0};
    char text[PM_TYPE_TEXT], more[PM_TYPE_TEXT];
    if (a->rank < 1 || b->rank < 1)
        return pr_fail(PRUNE_E_SHAPE, "A is %s and B is %s; both must have one axis or more", pm_type_text(a, text),
                       pm_type_text(b, more));
    made.linear.rows = a->rank == 1 ? 1 : a->extents[a->rank - 2];
    made.linear.in = a->extents[a->rank - 1];
    made.linear.out = b->rank == 1 ? 1 : b->extents[b->rank - 1];
    if (b->extents[b->rank == 1 ? 0 : b->rank - 2] != made.linear.in)
        return pr_fail(PRUNE_E_SHAPE, "A is %s and B is %s; the inner extents differ", pm_type_text(a, text),
                       pm_type_text(b, more));
    PR_TRY(read_batch(a, &batch_a));
    PR_TRY(read_batch(b, &batch_b));
    PR_TRY(pm_broadcast(&batch_a, &batch_b, &batch));
    int64_t extents[PRUNE_MAX_RANK + 2];
    int32_t rank = batch.rank;
    for (int32_t i = 0; i < rank; i++)
        made.extents[i] = extents[i] = batch.extents[i];
    if (a->rank > 1)
        extents[rank++] = made.linear.rows;
    if (b->rank > 1)
        extents[rank++] = made.linear.out;
    if (y)
        PR_TRY(pm_type_set(y, PRUNE_F32, rank, extents));
    made.batch = batch.count;
    made.rank = batch.rank;
    batch_strides(a, made.rank, made.a_strides);
    batch_strides(b, made.rank, made.b_strides);
    if (batch_b.count == 1) { /* one product of all rows */
        made.linear.rows *= made.batch;
        made.batch = 1;
        made.rank = 0;
    }
    *m = made;
    return PRUNE_OK;
}

static int32_t infer(struct pm_call *call)
{
    struct matmul m;
    PR_TRY(pm_expect_inputs(call, 2, 2));
    PR_TRY(pm_expect_outputs(call, 1, 1));
    PR_TRY(pm_expect_f32(call));
    return read_shapes(&m, call, &call->outputs[0].type);
}

static int64_t macs(const struct pm_call *call)
{
    struct matmul m;
    return read_shapes(&m, call, NULL) ? 0 : m.batch * m.linear.rows * m.linear.in * m.linear.out;
}

static void release(struct pm_call *call)
{
    struct matmul *m = call->state;
    if (!m)
        return;
    pm_linear_release(call, &m->linear);
    pr_release(call->context, m);
    call->state = NULL;
}

static int is_weights(const struct pm_call *call, const struct matmul *m)
{
    return pm_is_known(call, 1) && call->inputs[1].type.count == m->linear.in * m->linear.out;
}

static int32_t prepare(struct pm_call *call)
{
    struct matmul *m;
    PR_TRY(pr_alloc_zero(call->context, 1, sizeof *m, &m));
    call->state = m;
    PR_TRY(read_shapes(m, call, NULL));
    struct pm_linear *linear = &m->linear;
    PR_TRY(pm_gemm_fits(linear->rows, linear->out, linear->in));
    PR_TRY(pm_tail_create(&linear->tail, call, linear->out, 1, 1, NULL));
    if (!is_weights(call, m))
        return PRUNE_OK;
    struct pm_matrix matrix = {1, linear->out, linear->in, 0, 1, linear->out};
    return pm_linear_pack(linear, call, &matrix);
}

static int32_t run(const struct pm_call *call)
{
    const struct matmul *m = call->state;
    const struct pm_linear *linear = &m->linear;
    int64_t rows = linear->rows, in = linear->in, out = linear->out, at[PRUNE_MAX_RANK] = {0};
    const float *a = call->inputs[0].data, *b = call->inputs[1].data;
    float *y = call->outputs[0].data;
    if (call->outputs[0].type.count == 0)
        return PRUNE_OK;
    if (linear->packed)
        return prune_packed_run_batch(linear->packed, y, out, a, in, rows, linear->epilogue);
    for (int64_t i = 0; i < m->batch; i++, y += rows * out) {
        int64_t matrix_a = 0, matrix_b = 0;
        for (int32_t axis = 0; axis < m->rank; axis++) {
            matrix_a += at[axis] * m->a_strides[axis];
            matrix_b += at[axis] * m->b_strides[axis];
        }
        pm_gemm(0, 0, rows, out, in, a + matrix_a * rows * in, in, b + matrix_b * in * out, out, y, out);
        pm_tail_columns(&linear->tail, y, out, rows);
        for (int32_t axis = m->rank - 1; axis >= 0 && ++at[axis] == m->extents[axis]; axis--)
            at[axis] = 0;
    }
    return PRUNE_OK;
}

static int layer(const struct pm_call *call, int32_t index, struct pm_layer *out)
{
    struct matmul m;
    if (index != 0 || !pm_is_known(call, 1) || read_shapes(&m, call, NULL) || !is_weights(call, &m))
        return 0;
    *out = (struct pm_layer){.input = 1,
                             .is_transposed = 1,
                             .out = m.linear.out,
                             .in = m.linear.in,
                             .groups = 1,
                             .macs = macs(call),
                             .kind = "linear"};
    return 1;
}

static int32_t rows(const struct pm_call *call, int32_t index, pm_take_rows *take, void *user)
{
    struct matmul m;
    (void)index;
    PR_TRY(read_shapes(&m, call, NULL));
    return pm_linear_rows(call, call->inputs[0].data, m.linear.rows, m.linear.in, 0, take, user);
}

const struct pm_operator pm_operator_matmul = {
    .op = "MatMul",
    .flags = PM_FUSES,
    .infer = infer,
    .prepare = prepare,
    .release = release,
    .run = run,
    .macs = macs,
    .layer = layer,
    .rows = rows,
};
