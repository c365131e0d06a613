/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Gemm: Y = alpha op(A) op(B) + beta C, C broadcast to Y.
 */
#include "model/ops/product/linear.h"

struct gemm {
    struct pm_linear linear; /* rows M, in K, out N */
    int transpose_a, transpose_b;
    float alpha, beta;
    int64_t c_row, c_column; /* strides of C within Y */
};

static int32_t read_shapes(struct gemm *gemm, const struct pm_call *call)
{
    const struct pm_type *a = &call->inputs[0].type, *b = &call->inputs[1].type;
    struct gemm made = {.transpose_a = pm_attribute_int(call->node, "transA", 0) != 0,
                        .transpose_b = pm_attribute_int(call->node, "transB", 0) != 0,
                        .alpha = pm_attribute_float(call->node, "alpha", 1),
                        .beta = pm_attribute_float(call->node, "beta", 1)};
    char text[PM_TYPE_TEXT], more[PM_TYPE_TEXT];
    if (a->rank != 2 || b->rank != 2)
        return pr_fail(PRUNE_E_SHAPE, "A is %s and B is %s; both must be matrices", pm_type_text(a, text),
                       pm_type_text(b, more));
    made.linear.rows = a->extents[made.transpose_a];
    made.linear.in = a->extents[!made.transpose_a];
    made.linear.out = b->extents[!made.transpose_b];
    if (b->extents[made.transpose_b] != made.linear.in)
        return pr_fail(PRUNE_E_SHAPE, "A is %s%s and B is %s%s; the inner extents differ", pm_type_text(a, text),
                       made.transpose_a ? ", transposed," : "", pm_type_text(b, more),
                       made.transpose_b ? ", transposed" : "");
    *gemm = made;
    return PRUNE_OK;
}

static int32_t read_c(struct gemm *gemm, const struct pm_call *call)
{
    const struct pm_type *c = &call->inputs[2].type;
    const int64_t extents[2] = {gemm->linear.rows, gemm->linear.out};
    int64_t own[2] = {1, 1};
    char text[PM_TYPE_TEXT];
    if (c->rank <= 2)
        for (int32_t i = 0; i < c->rank; i++)
            own[2 - c->rank + i] = c->extents[i];
    if (c->rank > 2 || (own[0] != 1 && own[0] != extents[0]) || (own[1] != 1 && own[1] != extents[1]))
        return pr_fail(PRUNE_E_SHAPE, "C is %s; it must broadcast to [%lld,%lld]", pm_type_text(c, text),
                       (long long)extents[0], (long long)extents[1]);
    gemm->c_row = own[0] == 1 ? 0 : own[1];
    gemm->c_column = own[1] == 1 ? 0 : 1;
    return PRUNE_OK;
}

static int32_t infer(struct pm_call *call)
{
    struct gemm gemm;
    PR_TRY(pm_expect_inputs(call, 2, 3));
    PR_TRY(pm_expect_outputs(call, 1, 1));
    PR_TRY(pm_expect_f32(call));
    PR_TRY(read_shapes(&gemm, call));
    if (pm_has_input(call, 2))
        PR_TRY(read_c(&gemm, call));
    return pm_type_set(&call->outputs[0].type, PRUNE_F32, 2, (const int64_t[]){gemm.linear.rows, gemm.linear.out});
}

static int64_t macs(const struct pm_call *call)
{
    struct gemm gemm;
    return read_shapes(&gemm, call) ? 0 : gemm.linear.rows * gemm.linear.in * gemm.linear.out;
}

static void release(struct pm_call *call)
{
    struct gemm *gemm = call->state;
    if (!gemm)
        return;
    pm_linear_release(call, &gemm->linear);
    pr_release(call->context, gemm);
    call->state = NULL;
}

/* The bias that C is, one number for each output, in memory of its own. */
static int32_t spread(float **out, const struct gemm *gemm, const struct pm_call *call)
{
    const float *c = call->inputs[2].data;
    PR_TRY(pr_alloc(call->context, gemm->linear.out, sizeof **out, out));
    for (int64_t i = 0; i < gemm->linear.out; i++)
        (*out)[i] = c[i * gemm->c_column];
    return PRUNE_OK;
}

static int32_t prepare(struct pm_call *call)
{
    struct gemm *gemm;
    float *bias = NULL;
    PR_TRY(pr_alloc_zero(call->context, 1, sizeof *gemm, &gemm));
    call->state = gemm;
    PR_TRY(read_shapes(gemm, call));
    struct pm_linear *linear = &gemm->linear;
    PR_TRY(pm_gemm_fits(linear->rows, linear->out, linear->in));
    int has_c = pm_has_input(call, 2) && gemm->beta != 0;
    if (has_c) {
        PR_TRY(read_c(gemm, call));
        linear->is_late = !pm_is_known(call, 2) || gemm->c_row != 0;
        if (!linear->is_late)
            PR_TRY(spread(&bias, gemm, call));
    }
    int32_t status = pm_tail_create(&linear->tail, call, linear->out, linear->is_late ? 1 : (double)gemm->alpha,
                                    (double)gemm->beta, bias);
    pr_release(call->context, bias);
    PR_TRY(status);
    if (gemm->transpose_a && pm_is_known(call, 1)) {
        PR_TRY(pr_mul(linear->rows, linear->in, &call->scratch_bytes));
        PR_TRY(pr_mul(call->scratch_bytes, (int64_t)sizeof(float), &call->scratch_bytes));
    }
    if (!pm_is_known(call, 1))
        return PRUNE_OK;
    struct pm_matrix matrix = {1, linear->out, linear->in, 0, 1, linear->out};
    if (gemm->transpose_b) {
        matrix.row_stride = linear->in;
        matrix.column_stride = 1;
    }
    return pm_linear_pack(linear, call, &matrix);
}

static void add_late(const struct gemm *gemm, const float *c, float *y)
{
    for (int64_t i = 0; i < gemm->linear.rows; i++, y += gemm->linear.out)
        for (int64_t j = 0; j < gemm->linear.out; j++)
            y[j] = gemm->alpha * y[j] + gemm->beta * c[i * gemm->c_row + j * gemm->c_column];
}

static int32_t run(const struct pm_call *call)
{
    const struct gemm *gemm = call->state;
    const struct pm_linear *linear = &gemm->linear;
    int64_t rows = linear->rows, in = linear->in, out = linear->out;
    const float *a = call->inputs[0].data, *b = call->inputs[1].data;
    float *y = call->outputs[0].data;
    if (linear->packed) {
        if (gemm->transpose_a) {
            pm_transpose(call->scratch, in, a, rows, in, rows);
            a = call->scratch;
        }
        PR_TRY(prune_packed_run_batch(linear->packed, y, out, a, in, rows, linear->epilogue));
    } else {
        pm_gemm(gemm->transpose_a, gemm->transpose_b, rows, out, in, a, gemm->transpose_a ? rows : in, b,
                gemm->transpose_b ? in : out, y, out);
    }
    if (linear->is_late)
        add_late(gemm, call->inputs[2].data, y);
    if (linear->is_late || !linear->packed)
        pm_tail_columns(&linear->tail, y, out, rows);
    return PRUNE_OK;
}

static int layer(const struct pm_call *call, int32_t index, struct pm_layer *out)
{
    struct gemm gemm;
    if (index != 0 || !pm_is_known(call, 1) || read_shapes(&gemm, call))
        return 0;
    *out = (struct pm_layer){.input = 1,
                             .is_transposed = !gemm.transpose_b,
                             .out = gemm.linear.out,
                             .in = gemm.linear.in,
                             .groups = 1,
                             .macs = macs(call),
                             .kind = "linear"};
    return 1;
}

static int32_t rows(const struct pm_call *call, int32_t index, pm_take_rows *take, void *user)
{
    struct gemm gemm;
    (void)index;
    PR_TRY(read_shapes(&gemm, call));
    return pm_linear_rows(call, call->inputs[0].data, gemm.linear.rows, gemm.linear.in, gemm.transpose_a, take, user);
}

const struct pm_operator pm_operator_gemm = {
    .op = "Gemm",
    .flags = PM_FUSES,
    .infer = infer,
    .prepare = prepare,
    .release = release,
    .run = run,
    .macs = macs,
    .layer = layer,
    .rows = rows,
};
