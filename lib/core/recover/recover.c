/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The frame of every recovery: checks, the kind's work on copies, and then, all or nothing, the caller's weights.
 */
#include "core/recover/recover.h"

#include <float.h>
#include <stdio.h>
#include <string.h>

#include "core/recover/least_squares.h"

#define PR_RECOVERY(name) extern const struct pr_recovery_kind pr_recovery_##name;
#include "core/recover/recoveries.def"
#undef PR_RECOVERY

/* The kind is the first member of its struct, so that one list serves both. */
const struct pr_kind *const pr_recovery_kinds[] = {
#define PR_RECOVERY(name) &pr_recovery_##name.kind,
#include "core/recover/recoveries.def"
#undef PR_RECOVERY
};
const int32_t pr_recovery_kind_count = (int32_t)(sizeof pr_recovery_kinds / sizeof *pr_recovery_kinds);

struct prune_repair {
    prune_context *context;
    double facts[PRUNE_REPAIR_SAMPLES + 1];
};

int32_t prune_recovery_create(prune_recovery **out, prune_context *context, const char *spec)
{
    int32_t index;
    struct pr_values values;
    char canonical[PR_MAX_SPEC];
    prune_recovery *recovery;
    PR_REQUIRE(out);
    PR_REQUIRE(spec);
    PR_TRY(pr_spec_parse(spec, "recovery", pr_recovery_kinds, pr_recovery_kind_count, &index, &values));
    const struct pr_recovery_kind *kind = (const struct pr_recovery_kind *)pr_recovery_kinds[index];
    if (kind->check)
        PR_TRY(kind->check(&values));
    pr_spec_print(canonical, &kind->kind, &values);
    PR_TRY(pr_alloc_zero(context, 1, sizeof *recovery, &recovery));
    int32_t status = pr_copy_text(context, canonical, &recovery->spec);
    if (status) {
        pr_release(context, recovery);
        return status;
    }
    recovery->context = prune_context_retain(context);
    recovery->kind = kind;
    recovery->values = values;
    *out = recovery;
    return PRUNE_OK;
}

const char *prune_recovery_spec(const prune_recovery *recovery)
{
    return recovery ? recovery->spec : NULL;
}

int32_t prune_recovery_needs(const prune_recovery *recovery)
{
    return recovery ? recovery->kind->needs : 0;
}

int32_t prune_recovery_repairs(const prune_recovery *recovery)
{
    return recovery && recovery->kind->repair;
}

int32_t prune_recovery_chooses(const prune_recovery *recovery)
{
    return recovery && recovery->kind->choose;
}

void prune_recovery_free(prune_recovery *recovery)
{
    if (!recovery)
        return;
    prune_context *context = recovery->context;
    pr_release(context, recovery->spec);
    pr_release(context, recovery);
    prune_context_free(context);
}

static int32_t refuse_infinite(const prune_tensor *weights)
{
    char place[PR_MAX_SHAPE_TEXT];
    struct pr_walk walk;
    double row[256];
    for (pr_walk_start(&walk, weights); walk.count;) {
        int64_t count = walk.count < 256 ? walk.count : 256;
        pr_read_double(weights->dtype, walk.data, walk.stride, count, row);
        for (int64_t i = 0; i < count; i++)
            if (isinf(row[i]))
                return pr_fail(PRUNE_E_VALUE, "weight %lld, at %s, is infinite; weights must be finite numbers",
                               (long long)(walk.position + i),
                               pr_index_text(place, weights->rank, weights->shape, walk.position + i));
        if (count < walk.count)
            pr_walk_skip(&walk, count);
        else
            pr_walk_next(&walk);
    }
    return PRUNE_OK;
}

/* Inputs were observed together with targets: one Gram matrix of [X Y]. */
static int32_t part_targets(struct pr_recovering *r)
{
    int64_t n = r->columns, in = n + r->rows;
    PR_TRY(pr_alloc(r->context, n, n * (int64_t)sizeof *r->own_gram, &r->own_gram));
    for (int64_t i = 0; i < n; i++)
        memcpy(r->own_gram + i * n, r->gram + i * in, (size_t)n * sizeof *r->own_gram);
    r->targets = r->gram + n * in;
    r->gram = r->own_gram;
    return PRUNE_OK;
}

/* Fills in what the kind reads. */
static int32_t begin(struct pr_recovering *r, const char *function)
{
    const prune_tensor *w = r->weights;
    char who[80], shape[PR_MAX_SHAPE_TEXT];
    int64_t in = 0;
    const struct pr_recovery_kind *kind = r->recovery->kind;
    r->context = w->context;
    if (!pr_dtype_is_float(w->dtype))
        return pr_fail(PRUNE_E_DTYPE, "%s: weights are %s; they must be f32, f16, bf16 or f64", function,
                       prune_dtype_name(w->dtype));
    if (w->rank < 2)
        return pr_fail(PRUNE_E_SHAPE, "%s: weights of rank %d; they must be out x in, rank 2 or more", function,
                       (int)w->rank);
    r->rows = w->shape[0];
    r->columns = 1;
    for (int32_t i = 1; i < w->rank; i++)
        r->columns *= w->shape[i];
    if (kind->needs) {
        snprintf(who, sizeof who, "recovery %s", kind->kind.name);
        PR_TRY(pr_observations_require(r->observations, kind->needs, who));
    }
    if (kind->needs & PRUNE_OBSERVE_GRAM) {
        r->gram = pr_observed_gram(r->observations, &in, &r->samples);
        int targets = kind->takes_targets && in == r->columns + r->rows;
        if (in != r->columns && !targets)
            return pr_fail(PRUNE_E_SHAPE,
                           "%s: inputs of %lld numbers were observed, weights of shape %s take %lld; they must be as "
                           "many",
                           function, (long long)in, pr_shape_text(shape, w->rank, w->shape), (long long)r->columns);
        if (r->samples < 1)
            return pr_fail(PRUNE_E_ARGUMENT, "%s: 0 samples were observed; recovery %s needs 1 or more", function,
                           kind->kind.name);
    }
    PR_TRY(pr_refuse_nan(w, "weights"));
    PR_TRY(refuse_infinite(w));
    return kind->takes_targets && in > r->columns ? part_targets(r) : PRUNE_OK;
}

/* Nothing may become infinite on the way into the weights' type. */
static int32_t check_result(const struct pr_recovering *r)
{
    static const double largest[] = {
        [PRUNE_F32] = FLT_MAX, [PRUNE_F16] = 65504, [PRUNE_BF16] = 0x1.fep127, [PRUNE_F64] = DBL_MAX};
    const prune_tensor *result = r->result;
    char place[PR_MAX_SHAPE_TEXT];
    double row[256], most = largest[r->weights->dtype];
    for (int64_t first = 0; first < result->count; first += 256) {
        int64_t count = result->count - first < 256 ? result->count - first : 256;
        pr_read_double(result->dtype, result->data + first * prune_dtype_size(result->dtype), 1, count, row);
        for (int64_t i = 0; i < count; i++)
            if (!(fabs(row[i]) <= most))
                return pr_fail(PRUNE_E_VALUE,
                               "the repaired weight at %s is no number that %s can hold; more damping, or weights of a "
                               "wider type, would make it one",
                               pr_index_text(place, result->rank, result->shape, first + i),
                               prune_dtype_name(r->weights->dtype));
    }
    return PRUNE_OK;
}

/* What weights `after` cost: against the targets, or against the weights before. All F64. */
static int32_t error_between(const struct pr_recovering *r, const struct pr_linalg *la, const prune_tensor *after,
                             const prune_tensor *before, double *error)
{
    const double *a = prune_tensor_const_data(after), *b = prune_tensor_const_data(before);
    return r->targets ? pr_target_error(r, la, a, error)
                      : pr_layer_error(la, r->rows, r->columns, r->gram, a, b, error);
}

/* The errors of what will be stored: F64 copies of the weights before and after, and of those pruned only. */
static int32_t true_errors(const struct pr_recovering *r, const prune_mask *mask, double *error, double *plain)
{
    prune_tensor *before = NULL, *stored = NULL, *after = NULL;
    struct pr_linalg la = pr_linalg_of(r->context);
    int32_t status = prune_tensor_convert(&before, r->weights, PRUNE_F64);
    if (!status)
        status = prune_tensor_convert(&stored, r->result, r->weights->dtype);
    if (!status)
        status = prune_tensor_convert(&after, stored, PRUNE_F64);
    if (!status)
        status = error_between(r, &la, after, before, error);
    if (!status)
        status = prune_tensor_copy(after, before) || prune_mask_apply(mask, after);
    if (!status)
        status = error_between(r, &la, after, before, plain);
    prune_tensor_free(before);
    prune_tensor_free(stored);
    prune_tensor_free(after);
    return status;
}

static int32_t make_report(prune_repair **out, const struct pr_recovering *r, const prune_mask *mask)
{
    prune_repair *report;
    double error = 0, plain = 0;
    if (r->gram)
        PR_TRY(true_errors(r, mask, &error, &plain));
    PR_TRY(pr_alloc_zero(r->context, 1, sizeof *report, &report));
    report->context = prune_context_retain(r->context);
    report->facts[PRUNE_REPAIR_DAMPING] = r->damping;
    report->facts[PRUNE_REPAIR_CONDITION] = r->condition;
    report->facts[PRUNE_REPAIR_DEAD_COLUMNS] = (double)r->dead;
    report->facts[PRUNE_REPAIR_PREDICTED] = r->predicted;
    report->facts[PRUNE_REPAIR_ERROR] = error;
    report->facts[PRUNE_REPAIR_PLAIN_ERROR] = plain;
    report->facts[PRUNE_REPAIR_MEMORY] = (double)r->memory;
    report->facts[PRUNE_REPAIR_SAMPLES] = (double)r->samples;
    *out = report;
    return PRUNE_OK;
}

/* The kind has done its work: looks at it, and hands it over. What is handed over cannot fail any more. */
static int32_t finish(struct pr_recovering *r, prune_tensor *weights, const prune_mask *mask, prune_repair **report)
{
    prune_repair *made = NULL;
    int32_t status = check_result(r);
    if (!status && report)
        status = make_report(&made, r, mask);
    if (!status)
        status = prune_tensor_copy(weights, r->result);
    if (!status && report)
        *report = made;
    else
        prune_repair_free(made);
    return status;
}

int32_t prune_recovery_repair(prune_tensor *weights, const prune_recovery *recovery, const prune_mask *mask,
                              const prune_observations *observations, prune_repair **report)
{
    struct pr_recovering r = {.recovery = recovery, .weights = weights, .mask = mask, .observations = observations};
    PR_REQUIRE(weights);
    PR_REQUIRE(recovery);
    PR_REQUIRE(mask);
    if (!recovery->kind->repair)
        return pr_fail(PRUNE_E_UNSUPPORTED, "%s: recovery %s chooses the mask itself; use prune_recovery_prune",
                       __func__, recovery->kind->kind.name);
    PR_TRY(pr_mask_fits(__func__, mask, weights));
    PR_TRY(begin(&r, __func__));
    r.reports = report != NULL;
    int32_t status = recovery->kind->repair(&r);
    if (!status)
        status = finish(&r, weights, mask, report);
    prune_tensor_free(r.result);
    pr_release(r.context, r.own_gram);
    return status;
}

int32_t prune_recovery_prune(prune_tensor *weights, prune_mask **mask, const prune_recovery *recovery,
                             const prune_granularity *granularity, int32_t target, double amount,
                             const prune_observations *observations, prune_repair **report)
{
    struct pr_recovering r = {.recovery = recovery,
                              .weights = weights,
                              .granularity = granularity,
                              .target = target,
                              .amount = amount,
                              .observations = observations};
    PR_REQUIRE(weights);
    PR_REQUIRE(mask);
    PR_REQUIRE(recovery);
    PR_REQUIRE(granularity);
    if (!recovery->kind->choose)
        return pr_fail(PRUNE_E_UNSUPPORTED, "%s: recovery %s needs a mask that is given; use prune_recovery_repair",
                       __func__, recovery->kind->kind.name);
    PR_TRY(begin(&r, __func__));
    r.reports = report != NULL;
    int32_t status = recovery->kind->choose(&r);
    if (!status)
        status = finish(&r, weights, r.chosen, report);
    prune_tensor_free(r.result);
    pr_release(r.context, r.own_gram);
    if (status)
        prune_mask_free(r.chosen);
    else
        *mask = r.chosen;
    return status;
}

int32_t prune_repair_get(const prune_repair *report, int32_t what, double *value)
{
    PR_REQUIRE(report);
    PR_REQUIRE(value);
    if (what < PRUNE_REPAIR_DAMPING || what > PRUNE_REPAIR_SAMPLES)
        return pr_fail(PRUNE_E_ARGUMENT, "%s: %d is no fact of a report; they are %d to %d", __func__, (int)what,
                       PRUNE_REPAIR_DAMPING, PRUNE_REPAIR_SAMPLES);
    *value = report->facts[what];
    return PRUNE_OK;
}

void prune_repair_free(prune_repair *report)
{
    if (!report)
        return;
    prune_context *context = report->context;
    pr_release(context, report);
    prune_context_free(context);
}
