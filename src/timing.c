/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "timing.h"

/* One network runs at least this long in a round, after one run that warms the caches. */
#define SLICE 0.002

struct contender {
    prune_runner *runner;
    float *y;
    int64_t runs; /* in one slice */
    double *times;
};

static int32_t run_slice(struct contender *contender, const prune_tensor *images, int64_t batch, int64_t runs,
                         double *seconds)
{
    int64_t count = prune_tensor_shape(images)[0];
    int64_t width = prune_runner_input_size(contender->runner);
    const float *x = prune_tensor_const_data(images);
    int64_t blocks = count / batch;
    int32_t status = prune_runner_run(contender->runner, x, batch, 0, contender->y);
    double begun = now();
    for (int64_t i = 0; i < runs && !status; i++)
        status = prune_runner_run(contender->runner, x + i % blocks * batch * width, batch, 0, contender->y);
    *seconds = (now() - begun) / (double)(runs * batch);
    return status;
}

static int32_t prepare(struct contender *contender, prune_network *network, const prune_tensor *images, int64_t batch,
                       int64_t rounds, struct timing *timing)
{
    int32_t status = prune_runner_create(&contender->runner, network, batch);
    if (status)
        return status;
    snprintf(timing->kernels, sizeof timing->kernels, "%s", prune_runner_kernels(contender->runner));
    int64_t out = batch * prune_runner_output_size(contender->runner, 0);
    contender->y = malloc(sizeof(float) * (size_t)out);
    contender->times = malloc(sizeof(double) * (size_t)rounds);
    if (!contender->y || !contender->times)
        return prune_fail(PRUNE_E_NOMEM, "out of memory for the timing");
    double seconds;
    for (contender->runs = 1; contender->runs < 1 << 20; contender->runs *= 2) {
        status = run_slice(contender, images, batch, contender->runs, &seconds);
        if (status || seconds * (double)(contender->runs * batch) >= SLICE)
            break;
    }
    return status;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(const double *values, int64_t count)
{
    double sorted[MAX_ROUNDS];
    memcpy(sorted, values, sizeof *sorted * (size_t)count);
    qsort(sorted, (size_t)count, sizeof *sorted, compare_doubles);
    return (sorted[(count - 1) / 2] + sorted[count / 2]) / 2;
}

static void summarize(struct timing *timings, const struct contender *contenders, int count, int64_t rounds)
{
    for (int i = 0; i < count; i++) {
        double ratios[MAX_ROUNDS];
        for (int64_t round = 0; round < rounds; round++)
            ratios[round] = contenders[0].times[round] / contenders[i].times[round];
        timings[i].seconds = median(contenders[i].times, rounds);
        timings[i].speedup = median(ratios, rounds);
    }
}

int timing_run(struct timing *timings, prune_network *const *networks, const char *const *names, int count,
               const prune_tensor *images, int64_t batch, int64_t rounds)
{
    struct contender *contenders = calloc((size_t)count, sizeof *contenders);
    if (!contenders)
        return complain(NO_MEMORY, "out of memory for the timing");
    int code = DONE;
    for (int i = 0; i < count && !code; i++) {
        int32_t status = prepare(&contenders[i], networks[i], images, batch, rounds, &timings[i]);
        code = status ? complain_status(status, names[i]) : DONE;
    }
    for (int64_t round = 0; round < rounds && !code; round++)
        for (int j = 0; j < count && !code; j++) {
            struct contender *contender = &contenders[(j + round) % count];
            int32_t status = run_slice(contender, images, batch, contender->runs, &contender->times[round]);
            code = status ? complain_status(status, names[(j + round) % count]) : DONE;
        }
    if (!code)
        summarize(timings, contenders, count, rounds);
    for (int i = 0; i < count; i++) {
        prune_runner_free(contenders[i].runner);
        free(contenders[i].y);
        free(contenders[i].times);
    }
    free(contenders);
    return code;
}
