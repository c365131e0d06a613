/* SPDX-License-Identifier: BSD-2-Clause */
#include <float.h>
#include <math.h>

#include "base/spec.h"
#include "core/sparse/packed/packed.h"

static const struct pr_parameter parameters[] = {
    {.name = "activation",
     .type = PR_WORD,
     .standard = "none",
     .words = "none|relu|relu6",
     .help = "what is done at the end: none, relu or relu6"},
    {.name = "alpha", .type = PR_REAL, .standard = "1", .least = -FLT_MAX, .most = FLT_MAX, .help = "factor of W X"},
    {.name = "beta", .type = PR_REAL, .standard = "0", .least = -FLT_MAX, .most = FLT_MAX, .help = "factor of old Y"},
    {0},
};

enum { ACTIVATION, ALPHA, BETA };
enum { NONE, RELU, RELU6 };

/* `factor` times each, in memory of its own; NULL stays NULL. */
static int32_t copy(prune_context *context, const float *from, int64_t count, float factor, float **to)
{
    if (!from)
        return PRUNE_OK;
    PR_TRY(pr_alloc(context, count, sizeof *from, to));
    for (int64_t i = 0; i < count; i++)
        (*to)[i] = factor * from[i];
    return PRUNE_OK;
}

int32_t prune_epilogue_create(prune_epilogue **out, prune_context *context, const float *scale, const float *bias,
                              int64_t rows, const char *spec)
{
    PR_REQUIRE(out);
    struct pr_values values;
    PR_TRY(pr_spec_parse_list(spec, "epilogue", parameters, &values));
    if ((scale || bias) && rows < 0)
        return pr_fail(PRUNE_E_SHAPE, "a %s of %lld rows; it must be 0 or more", bias ? "bias" : "scale",
                       (long long)rows);
    prune_epilogue *epilogue;
    PR_TRY(pr_alloc_zero(context, 1, sizeof *epilogue, &epilogue));
    epilogue->context = prune_context_retain(context);
    epilogue->rows = rows;
    epilogue->args = (struct pr_epilogue_args){
        .alpha = (float)values.real[ALPHA],
        .beta = (float)values.real[BETA],
        .clamp = values.whole[ACTIVATION] != NONE,
        .least = 0.0f,
        .most = values.whole[ACTIVATION] == RELU6 ? 6.0f : INFINITY,
    };
    int32_t status = copy(context, scale, rows, epilogue->args.alpha, &epilogue->scale);
    if (!status)
        status = copy(context, bias, rows, 1.0f, &epilogue->bias);
    if (status) {
        prune_epilogue_free(epilogue);
        return status;
    }
    *out = epilogue;
    return PRUNE_OK;
}

void prune_epilogue_free(prune_epilogue *epilogue)
{
    if (!epilogue)
        return;
    prune_context *context = epilogue->context;
    pr_release(context, epilogue->scale);
    pr_release(context, epilogue->bias);
    pr_release(context, epilogue);
    prune_context_free(context);
}
