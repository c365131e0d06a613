/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The caller's own criterion. It is in no list: it cannot be made from its name.
 */
#include <math.h>

#include "core/criterion/criterion.h"
#include "core/tensor/tensor.h"

static const struct pr_parameter parameters[] = {PR_AGGREGATE("sum"), PR_NORMALIZE, {0}};

static int32_t refuse_nan(const prune_tensor *importances)
{
    const double *values = prune_tensor_const_data(importances);
    char place[PR_MAX_SHAPE_TEXT];
    for (int64_t i = 0; i < importances->count; i++)
        if (isnan(values[i]))
            return pr_fail(PRUNE_E_VALUE, "importance %lld, at %s, is NaN; the callback must give numbers",
                           (long long)i, pr_index_text(place, importances->rank, importances->shape, i));
    return PRUNE_OK;
}

static int32_t elements(const struct pr_scoring *scoring, prune_tensor *importances)
{
    const prune_criterion *criterion = scoring->criterion;
    int32_t status = criterion->importance(criterion->user, scoring->weights, scoring->observations, importances);
    if (status > 0)
        return pr_fail(PRUNE_E_ARGUMENT, "the callback of the criterion returned %d; it returns 0 or a status below 0",
                       (int)status);
    return status ? status : refuse_nan(importances);
}

static const struct pr_criterion_kind callback = {
    .kind = {.name = "callback", .help = "the caller's own function", .parameters = parameters},
    .elements = elements,
};

int32_t prune_criterion_from_callback(prune_criterion **out, prune_context *context, prune_importance_fn importance,
                                      void *user, const char *settings)
{
    struct pr_values values;
    PR_REQUIRE(out);
    PR_REQUIRE(importance);
    PR_TRY(pr_spec_parse_list(settings, "criterion callback", parameters, &values));
    prune_criterion *criterion;
    PR_TRY(pr_criterion_new(&criterion, context, &callback, &values));
    criterion->importance = importance;
    criterion->user = user;
    *out = criterion;
    return PRUNE_OK;
}
