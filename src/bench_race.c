/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The race: in each round every contender runs for a slice of time, in a changing order, so that what disturbs the
 * machine disturbs all.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

#define LEAST_SLICE 0.0005
#define LEAST_ROUNDS 5

int race_open(struct race *race, prune_context *context, int64_t m, int64_t n, int64_t k)
{
    *race = (struct race){.context = context, .n = n};
    race->x = prune_context_alloc(context, (uint64_t)(n * k) * sizeof(float));
    race->y = prune_context_alloc(context, (uint64_t)(n * m) * sizeof(float));
    if (!race->x || !race->y)
        return complain_status(PRUNE_E_NOMEM, NULL);
    for (int64_t i = 0; i < n * k; i++)
        race->x[i] = (float)((i * 2654435761U) >> 8 & 0xffff) / 32768.0F - 1;
    return DONE;
}

static struct contender *add(struct race *race)
{
    struct contender *grown = realloc(race->contenders, sizeof *grown * (size_t)(race->count + 1));
    if (!grown) {
        complain(NO_MEMORY, "out of memory for a contender");
        return NULL;
    }
    race->contenders = grown;
    struct contender *contender = &grown[race->count++];
    memset(contender, 0, sizeof *contender);
    return contender;
}

int race_add_dense(struct race *race, const struct problem *problem)
{
    struct contender *contender = add(race);
    if (!contender)
        return NO_MEMORY;
    const int64_t *shape = prune_tensor_shape(problem->weights);
    char op[SPEC_SIZE];
    snprintf(op, sizeof op, "linear:in=%lld,out=%lld", (long long)shape[1], (long long)shape[0]);
    int32_t status = prune_network_create(&contender->network, race->context);
    if (!status)
        status = prune_network_add_input(contender->network, "x", 1, &shape[1]);
    if (!status)
        status = prune_network_add_node(contender->network, "w", op, "x", "y");
    if (!status)
        status = prune_network_add_output(contender->network, "y");
    if (!status) {
        memcpy(prune_tensor_data(prune_network_parameter(contender->network, "w.weight")),
               prune_tensor_const_data(problem->weights), sizeof(float) * (size_t)(shape[0] * shape[1]));
        status = prune_runner_create(&contender->runner, contender->network, race->n);
    }
    if (status)
        return complain_status(status, NULL);
    snprintf(contender->format, sizeof contender->format, "dense");
    contender->bytes = shape[0] * shape[1] * (int64_t)sizeof(float);
    contender->isa = prune_blas_kernel();
    return DONE;
}

int race_add_packed(struct race *race, const struct problem *problem, const char *spec, double total_bytes,
                    int most_copies)
{
    struct contender *contender = add(race);
    prune_packed *packed = NULL;
    if (!contender)
        return NO_MEMORY;
    const void *blob;
    int32_t status = prune_packed_create(&packed, problem->weights, problem->mask, spec);
    if (!status)
        status = prune_packed_blob(packed, &blob, &contender->bytes);
    if (status)
        return complain_status(status, spec);
    double wanted = ceil(total_bytes / (double)contender->bytes);
    int copies = wanted < 1 ? 1 : wanted > most_copies ? most_copies : (int)wanted;
    contender->packed = calloc((size_t)copies, sizeof(prune_packed *));
    if (!contender->packed) {
        prune_packed_free(packed);
        return complain(NO_MEMORY, "out of memory for %d copies", copies);
    }
    contender->packed[contender->copies++] = packed;
    while (contender->copies < copies && !status) {
        status = prune_packed_load(&contender->packed[contender->copies], race->context, blob, contender->bytes);
        contender->copies += !status;
    }
    if (status)
        return complain_status(status, spec);
    snprintf(contender->format, sizeof contender->format, "%s", prune_packed_format(packed));
    snprintf(contender->form, sizeof contender->form, "%s", prune_packed_form(packed));
    contender->isa = prune_packed_kernels(packed, race->n);
    return DONE;
}

static int32_t run_slice(const struct race *race, struct contender *c, int64_t first, int64_t runs, double *seconds)
{
    int32_t status = PRUNE_OK;
    double begun = now();
    for (int64_t i = first; i < first + runs && !status; i++) {
        if (c->runner) {
            status = prune_runner_run(c->runner, race->x, race->n, 0, race->y);
        } else {
            const prune_packed *packed = c->packed[i % c->copies];
            status = prune_packed_run_batch(packed, race->y, prune_packed_rows(packed), race->x,
                                            prune_packed_columns(packed), race->n, NULL);
        }
    }
    *seconds = (now() - begun) / (double)runs;
    return status;
}

/* The second run tells how long one takes; every copy is touched before it counts. */
static int32_t warm_up(const struct race *race, struct contender *contender, double slice)
{
    double seconds = 0;
    int32_t status = run_slice(race, contender, 0, contender->copies > 1 ? contender->copies : 1, &seconds);
    if (!status)
        status = run_slice(race, contender, 0, 1, &seconds);
    contender->runs = seconds > 0 && seconds < slice ? (int64_t)ceil(slice / seconds) : 1;
    return status;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, compare_doubles);
    return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

static void summarize(const struct race *race, int peer)
{
    double sorted[MOST_ROUNDS];
    for (int i = 0; i < race->count; i++) {
        struct contender *contender = &race->contenders[i];
        for (int r = 0; r < race->rounds; r++)
            sorted[r] = race->contenders[peer].times[r] / contender->times[r];
        contender->ratio = median(sorted, race->rounds);
        memcpy(sorted, contender->times, sizeof *sorted * (size_t)race->rounds);
        contender->seconds_median = median(sorted, race->rounds);
        contender->seconds_min = sorted[0];
    }
}

int race_run(struct race *race, double seconds)
{
    double slice = seconds / (LEAST_ROUNDS * 2) / (race->count ? race->count : 1);
    int32_t status = PRUNE_OK;
    if (slice > 0.005)
        slice = 0.005;
    if (slice < LEAST_SLICE)
        slice = LEAST_SLICE;
    for (int i = 0; i < race->count && !status; i++)
        status = warm_up(race, &race->contenders[i], slice);
    double begun = now();
    for (race->rounds = 0; race->rounds < MOST_ROUNDS && !status; race->rounds++) {
        if (race->rounds >= LEAST_ROUNDS && now() - begun > seconds)
            break;
        for (int j = 0; j < race->count && !status; j++) {
            struct contender *contender = &race->contenders[(j + race->rounds) % race->count];
            status = run_slice(race, contender, race->rounds * contender->runs, contender->runs,
                               &contender->times[race->rounds]);
        }
    }
    if (status)
        return complain_status(status, NULL);
    summarize(race, 0);
    return DONE;
}

void race_close(struct race *race)
{
    for (int i = 0; i < race->count; i++) {
        struct contender *contender = &race->contenders[i];
        for (int j = 0; j < contender->copies; j++)
            prune_packed_free(contender->packed[j]);
        free(contender->packed);
        prune_runner_free(contender->runner);
        prune_network_free(contender->network);
    }
    free(race->contenders);
    prune_context_release(race->context, race->x);
    prune_context_release(race->context, race->y);
    race->contenders = NULL;
    race->count = 0;
}
