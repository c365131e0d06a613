/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The session: made from a graph, run, asked.
 */
#include <stdio.h>
#include <string.h>

#include "base/spec.h"
#include "model/graph/session.h"

static const struct pr_parameter parameters[] = {{.name = "weights",
                                                  .type = PR_WORD,
                                                  .standard = "auto",
                                                  .words = "auto|dense|csr|nm|bsr|csc|bitmap|codebook|none",
                                                  .help = "how pruned weights are packed"},
                                                 {.name = "fuse",
                                                  .type = PR_WORD,
                                                  .standard = "yes",
                                                  .words = "yes|no",
                                                  .help = "whether products take over what "
                                                          "follows them"},
                                                 {.name = NULL}};

static int32_t set_spec(prune_session *session, const char *spec)
{
    static const char *const formats[] = {"auto", "dense", "csr", "nm", "bsr", "csc", "bitmap", "codebook", "dense"};
    struct pr_values values;
    PR_TRY(pr_spec_parse_list(spec, "session", parameters, &values));
    int64_t format = values.whole[0];
    session->is_outline = format == 8;
    snprintf(session->pruned_weights, sizeof session->pruned_weights, "format=%s", formats[format]);
    snprintf(session->other_weights, sizeof session->other_weights, "format=%s", format == 0 ? "auto" : "dense");
    session->fuses = values.whole[1] == 0;
    return PRUNE_OK;
}

/* Whether a value of the body is fed: an initializer may stand among the inputs too. */
static int is_fed(const struct pm_body *body, int32_t input)
{
    return body->values[body->inputs[input]].parameter < 0;
}

/* Number `index` of the caller's inputs: a cell for it, with its numbers when it is fixed. */
static int32_t add_feed(prune_session *session, const struct pm_value *value, int32_t index,
                        const prune_tensor *example, int is_fixed)
{
    int32_t cell, dtype = prune_tensor_dtype(example);
    PR_TRY(pm_cell_add(session, value, &cell));
    struct pm_cell *c = &session->cells[cell];
    PR_TRY(pm_type_set(&c->operand.type, dtype, prune_tensor_rank(example), prune_tensor_shape(example)));
    if (is_fixed) {
        PR_TRY(prune_tensor_create(&c->owned, session->context, dtype, c->operand.type.rank, c->operand.type.extents));
        PR_TRY(prune_tensor_copy(c->owned, example));
        c->operand.data = prune_tensor_data(c->owned);
        c->operand.is_constant = 1;
    } else {
        c->feed = index;
    }
    session->feeds[index] = cell;
    return PRUNE_OK;
}

static int32_t check_type(const struct pm_value *value, const prune_tensor *example)
{
    const struct pm_type *type = &value->type;
    char wanted[PM_TYPE_TEXT], given[PM_TYPE_TEXT];
    struct pm_type theirs;
    PR_TRY(pm_type_set(&theirs, prune_tensor_dtype(example), prune_tensor_rank(example), prune_tensor_shape(example)));
    if (type->dtype && type->dtype != theirs.dtype)
        return pr_fail(PRUNE_E_DTYPE, "input \"%s\" is %s; the graph takes %s", value->name,
                       pm_type_text(&theirs, given), pm_type_text(type, wanted));
    int fits = type->rank < 0 || type->rank == theirs.rank;
    for (int32_t i = 0; fits && i < type->rank; i++)
        fits = type->extents[i] < 0 || type->extents[i] == theirs.extents[i];
    if (!fits)
        return pr_fail(PRUNE_E_SHAPE, "input \"%s\" is %s; the graph takes %s", value->name,
                       pm_type_text(&theirs, given), pm_type_text(type, wanted));
    return PRUNE_OK;
}

/* The input of the graph's body that has the name; -1 for none. */
static int32_t find_input(const struct pm_body *body, const char *name)
{
    for (int32_t i = 0; i < body->input_count; i++)
        if (is_fed(body, i) && strcmp(body->values[body->inputs[i]].name, name) == 0)
            return i;
    return -1;
}

static int32_t add_feeds(prune_session *session, const char *const *names, const prune_tensor *const *examples,
                         const int32_t *fixed, int32_t *cells)
{
    const struct pm_body *body = session->graph->body;
    for (int32_t i = 0; i < session->feed_count; i++) {
        if (!names[i] || !examples[i])
            return pr_fail(PRUNE_E_ARGUMENT, "input %d has no %s; it must be given", (int)i,
                           names[i] ? "example" : "name");
        int32_t input = find_input(body, names[i]);
        if (input < 0)
            return pr_fail(PRUNE_E_ARGUMENT, "\"%s\" is no input of the graph; the first of %d is \"%s\"", names[i],
                           (int)prune_graph_input_count(session->graph),
                           prune_graph_input_count(session->graph) ? prune_graph_input_name(session->graph, 0) : "");
        const struct pm_value *value = &body->values[body->inputs[input]];
        if (cells[body->inputs[input]] >= 0)
            return pr_fail(PRUNE_E_ARGUMENT, "input \"%s\" is given twice", names[i]);
        PR_TRY(check_type(value, examples[i]));
        PR_TRY(add_feed(session, value, i, examples[i], fixed && fixed[i]));
        cells[body->inputs[input]] = session->feeds[i];
    }
    for (int32_t i = 0; i < body->input_count; i++)
        if (is_fed(body, i) && cells[body->inputs[i]] < 0)
            return pr_fail(PRUNE_E_ARGUMENT, "input \"%s\" of the graph is missing; each must be given",
                           body->values[body->inputs[i]].name);
    return PRUNE_OK;
}

static int32_t allocate(prune_session *session)
{
    prune_context *context = session->context;
    PR_TRY(pr_alloc_zero(context, session->feed_count, sizeof *session->feeds, &session->feeds));
    PR_TRY(pr_alloc_zero(context, session->feed_count, sizeof(prune_tensor *), &session->places));
    PR_TRY(pr_alloc_zero(context, session->output_count, sizeof *session->outputs, &session->outputs));
    return pr_alloc_zero(context, session->output_count, sizeof(prune_tensor *), &session->results);
}

static int32_t build(prune_session *session, int32_t *cells)
{
    PR_TRY(pm_session_plan(session, cells));
    PR_TRY(pm_session_drop(session));
    PR_TRY(pm_session_fuse(session));
    for (int32_t i = 0; i < session->step_count && !session->is_outline; i++)
        PR_TRY(pm_step_prepare(session, &session->steps[i]));
    PR_TRY(pm_session_place(session));
    return session->is_outline ? PRUNE_OK : pm_session_results(session);
}

static int32_t make(prune_session *session, const char *const *names, const prune_tensor *const *examples,
                    const int32_t *fixed, const char *spec)
{
    const struct pm_body *body = session->graph->body;
    int32_t *cells;
    PR_TRY(set_spec(session, spec));
    PR_TRY(allocate(session));
    PR_TRY(pr_alloc(session->context, body->value_count, sizeof *cells, &cells));
    for (int32_t i = 0; i < body->value_count; i++)
        cells[i] = -1;
    int32_t status = add_feeds(session, names, examples, fixed, cells);
    if (!status)
        status = build(session, cells);
    pr_release(session->context, cells);
    return status;
}

int32_t pm_session_create(prune_session **out, const prune_graph *graph, int32_t count, const char *const *names,
                          const prune_tensor *const *examples, const int32_t *fixed, const char *spec,
                          struct pm_packs *packs)
{
    prune_session *session;
    prune_context *context = prune_context_retain(graph->context);
    if (!context) /* one of its own then, that lends scratch from one run to the next */
        PR_TRY(prune_context_create(&context));
    int32_t status = pr_alloc_zero(context, 1, sizeof *session, &session);
    if (status) {
        prune_context_free(context);
        return status;
    }
    session->context = context;
    session->graph = graph;
    session->packs = packs;
    session->feed_count = count;
    session->output_count = graph->body->output_count;
    status = make(session, names, examples, fixed, spec);
    if (status) {
        prune_session_free(session);
        return status;
    }
    *out = session;
    return PRUNE_OK;
}

int32_t prune_session_create(prune_session **out, const prune_graph *graph, int32_t count, const char *const *names,
                             const prune_tensor *const *examples, const int32_t *fixed, const char *spec)
{
    PR_REQUIRE(out);
    PR_REQUIRE(graph);
    if (count < 0)
        return pr_fail(PRUNE_E_ARGUMENT, "%s: %d inputs; it must be 0 or more", __func__, (int)count);
    if (count > 0) {
        PR_REQUIRE(names);
        PR_REQUIRE(examples);
    }
    return pm_session_create(out, graph, count, names, examples, fixed, spec, graph->packs);
}

/* The input as it was when the session was made, but for its numbers. */
static int32_t check_input(const prune_session *session, int32_t index, const prune_tensor *input)
{
    const struct pm_cell *cell = &session->cells[session->feeds[index]];
    const struct pm_type *type = &cell->operand.type;
    char made_for[PM_TYPE_TEXT], given[PM_TYPE_TEXT];
    struct pm_type theirs;
    PR_TRY(pm_type_set(&theirs, prune_tensor_dtype(input), prune_tensor_rank(input), prune_tensor_shape(input)));
    int same = type->rank == theirs.rank;
    for (int32_t i = 0; same && i < type->rank; i++)
        same = type->extents[i] == theirs.extents[i];
    if (!same || type->dtype != theirs.dtype)
        return pr_fail(same ? PRUNE_E_DTYPE : PRUNE_E_SHAPE, "input \"%s\" is %s; this session was made for %s",
                       cell->value->name, pm_type_text(&theirs, given), pm_type_text(type, made_for));
    return PRUNE_OK;
}

int32_t pm_session_begin(prune_session *session, const prune_tensor *const *inputs)
{
    for (int32_t i = 0; i < session->feed_count; i++) {
        const struct pm_cell *cell = &session->cells[session->feeds[i]];
        if (inputs[i])
            PR_TRY(check_input(session, i, inputs[i]));
        else if (!cell->operand.is_constant)
            return pr_fail(PRUNE_E_ARGUMENT, "input \"%s\" is NULL; it must be given", cell->value->name);
    }
    session->has_run = 0;
    for (int32_t i = 0; i < session->feed_count; i++) {
        struct pm_cell *cell = &session->cells[session->feeds[i]];
        if (cell->offset < 0) /* fixed, or nobody reads it */
            continue;
        const void *data = prune_tensor_const_data(inputs[i]);
        if (!cell->is_output && prune_tensor_is_contiguous(inputs[i]) && (uintptr_t)data % 64 == 0 && data) {
            cell->operand.data = (void *)(uintptr_t)data; /* nothing writes over an input */
        } else {
            cell->operand.data = session->arena + cell->offset;
            PR_TRY(prune_tensor_copy(session->places[i], inputs[i]));
        }
    }
    session->has_run = session->step_count == 0;
    return PRUNE_OK;
}

/* Where an operand's numbers are now. */
static void *data_of(const prune_session *session, int32_t cell)
{
    const struct pm_cell *c = &session->cells[cell];
    return c->operand.is_constant ? c->operand.data : session->cells[pm_cell_storage(session, cell)].operand.data;
}

const struct pm_call *pm_session_call(prune_session *session, int32_t index)
{
    struct pm_step *step = &session->steps[index];
    for (int32_t i = 0; i < step->call.input_count; i++)
        if (step->inputs[i] >= 0)
            step->call.inputs[i].data = data_of(session, step->inputs[i]);
    for (int32_t i = 0; i < step->call.output_count; i++)
        if (step->outputs[i] >= 0)
            step->call.outputs[i].data = data_of(session, step->outputs[i]);
    step->call.scratch = session->scratch;
    return &step->call;
}

int32_t pm_session_step(prune_session *session, int32_t index)
{
    const struct pm_step *step = &session->steps[index];
    if (!step->is_prepared)
        return pm_step_fail(step, pr_fail(PRUNE_E_ARGUMENT, "its weights have changed and could not be packed again"));
    int32_t status = step->kind->run(pm_session_call(session, index));
    if (status)
        return pm_step_fail(step, status);
    session->has_run = index == session->step_count - 1;
    return PRUNE_OK;
}

int32_t prune_session_run(prune_session *session, int32_t count, const prune_tensor *const *inputs)
{
    PR_REQUIRE(session);
    if (count != session->feed_count)
        return pr_fail(PRUNE_E_ARGUMENT, "%s: %d inputs; the session was made for %d", __func__, (int)count,
                       (int)session->feed_count);
    if (count > 0)
        PR_REQUIRE(inputs);
    if (session->is_outline)
        return pr_fail(PRUNE_E_UNSUPPORTED, "the session was made with weights=none, which says what a run would take; "
                                            "make another one to run");
    PR_TRY(pm_session_begin(session, inputs));
    for (int32_t i = 0; i < session->step_count; i++)
        PR_TRY(pm_session_step(session, i));
    return PRUNE_OK;
}

const prune_tensor *prune_session_output(const prune_session *session, int32_t index)
{
    if (!session || !session->has_run || index < 0 || index >= session->output_count)
        return NULL;
    return session->results[index];
}

int64_t prune_session_memory(const prune_session *session)
{
    return session ? session->arena_bytes + session->scratch_bytes : 0;
}

int32_t prune_session_step_count(const prune_session *session)
{
    return session ? session->step_count : 0;
}

static const struct pm_step *step_at(const prune_session *session, int32_t index)
{
    return session && index >= 0 && index < session->step_count ? &session->steps[index] : NULL;
}

const char *prune_session_step_node(const prune_session *session, int32_t index)
{
    const struct pm_step *step = step_at(session, index);
    return step ? step->call.node->name : NULL;
}

const char *prune_session_step_kernels(const prune_session *session, int32_t index)
{
    const struct pm_step *step = step_at(session, index);
    return step ? step->call.kernels : NULL;
}

int64_t prune_session_step_macs(const prune_session *session, int32_t index)
{
    const struct pm_step *step = step_at(session, index);
    return step && step->kind->macs ? step->kind->macs(&step->call) : 0;
}

/* `macs` by what the mask keeps; exact where every weight has the same number of products. */
static int64_t kept_of(int64_t macs, const prune_mask *mask)
{
    int64_t all = mask ? prune_mask_count(mask) : 0, kept = mask ? prune_mask_kept(mask) : 0;
    if (!all)
        return macs;
    if (macs % all == 0)
        return macs / all * kept;
    return (int64_t)((double)macs * ((double)kept / (double)all) + 0.5);
}

int64_t prune_session_step_kept_macs(const prune_session *session, int32_t index)
{
    const struct pm_step *step = step_at(session, index);
    int64_t macs = prune_session_step_macs(session, index);
    struct pm_layer layer;
    for (int32_t i = 0; step && step->kind->layer && step->kind->layer(&step->call, i, &layer); i++)
        macs -= layer.macs - kept_of(layer.macs, step->call.inputs[layer.input].mask);
    return macs;
}

static void free_steps(prune_session *session, struct pm_step *steps, int32_t count)
{
    for (int32_t i = 0; i < count; i++)
        pm_step_release(session->context, &steps[i]);
    pr_release(session->context, steps);
}

void prune_session_free(prune_session *session)
{
    if (!session)
        return;
    prune_context *context = session->context;
    free_steps(session, session->steps, session->step_count);
    free_steps(session, session->folds, session->fold_count);
    for (int32_t i = 0; i < session->cell_count; i++) {
        prune_tensor_free(session->cells[i].owned);
        prune_mask_free(session->cells[i].owned_mask);
    }
    for (int32_t i = 0; session->places && i < session->feed_count; i++)
        prune_tensor_free(session->places[i]);
    for (int32_t i = 0; session->results && i < session->output_count; i++)
        prune_tensor_free(session->results[i]);
    pr_release(context, session->cells);
    pr_release(context, session->feeds);
    pr_release(context, session->outputs);
    pr_release(context, session->places);
    pr_release(context, session->results);
    pr_release(context, session->arena);
    pr_release(context, session->scratch);
    pr_release(context, session);
    prune_context_free(context);
}
