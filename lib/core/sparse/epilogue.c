/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "base/spec.h"
#include "core/sparse/packed.h"

static const struct pr_parameter parameters[] = {
    {.name = "activation",
     .type = PR_WORD,
     .standard = "none",
     .words = "none|relu",
     .help = "what is done to each sum: none or relu"},
    {0},
};

int32_t prune_epilogue_create(prune_epilogue **out, prune_context *context, const float *bias, int64_t rows,
                              const char *spec)
{
    PR_REQUIRE(out);
    struct pr_values values;
    PR_TRY(pr_spec_parse_list(spec, "epilogue", parameters, &values));
    if (bias && rows < 0)
        return pr_fail(PRUNE_E_SHAPE, "a bias of %lld rows; it must be 0 or more", (long long)rows);
    prune_epilogue *epilogue;
    PR_TRY(pr_alloc_zero(context, 1, sizeof *epilogue, &epilogue));
    if (bias) {
        int32_t status = pr_alloc(context, rows, sizeof *bias, &epilogue->bias);
        if (status) {
            pr_release(context, epilogue);
            return status;
        }
        memcpy(epilogue->bias, bias, (size_t)rows * sizeof *bias);
        epilogue->rows = rows;
    }
    epilogue->relu = values.whole[0] == 1;
    epilogue->context = prune_context_retain(context);
    *out = epilogue;
    return PRUNE_OK;
}

void prune_epilogue_free(prune_epilogue *epilogue)
{
    if (!epilogue)
        return;
    prune_context *context = epilogue->context;
    pr_release(context, epilogue->bias);
    pr_release(context, epilogue);
    prune_context_free(context);
}
