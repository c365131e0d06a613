/* SPDX-License-Identifier: BSD-2-Clause
 *
 * LeNet-300-100 end to end: its three layers, batch-major, pruned in several ways, against the fastest dense library.
 */
#include <cblas.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "peers.h"
#include "problem.h"
#include "prune/prune.h"
#include "race.h"

#define LAYERS 3
static const int64_t rows_of[LAYERS] = {300, 100, 10}, columns_of[LAYERS] = {784, 300, 100};

static const struct {
    const char *title, *pattern;
    double sparsity[LAYERS];
} kinds[] = {{"2:4", "2:4", {0}},
             {"2:4 shared by 4 rows", "2:4x4", {0}},
             {"80 %", "random", {0.8, 0.8, 0.8}},
             {"90 %", "random", {0.9, 0.9, 0.9}},
             {"8, 9, 26 % kept", "random", {0.92, 0.91, 0.74}},
             {"dense", "dense", {0}}};
#define KINDS ((int)(sizeof kinds / sizeof *kinds))

struct network {
    char name[96];
    const struct peer *peer; /* NULL: ours */
    void *layer[LAYERS];
    float *between[LAYERS + 1]; /* what goes in, between and out */
    int64_t n;
};

static int wrong; /* a layer of ours */

static void run_layer(const struct network *net, int l, float *y, const float *x)
{
    if (net->peer)
        net->peer->run(net->layer[l], y, x);
    else
        prune_packed_run_batch(net->layer[l], y, rows_of[l], x, columns_of[l], net->n, NULL);
}

static void run(void *state, int64_t turn)
{
    const struct network *net = state;
    (void)turn;
    for (int l = 0; l < LAYERS; l++)
        run_layer(net, l, net->between[l + 1], net->between[l]);
}

static int make_layer(struct network *net, int l, int kind)
{
    struct problem p;
    char spec[128];
    if (problem_make(&p, rows_of[l], net->n, columns_of[l], NXK, kinds[kind].pattern, kinds[kind].sparsity[l], 7))
        return 1;
    memcpy(net->between[l], p.x, (size_t)(net->n * columns_of[l]) * 4);
    if (net->peer) {
        struct peer_product product = {.m = p.m,
                                       .n = p.n,
                                       .k = p.k,
                                       .layout = NXK,
                                       .w = p.w,
                                       .threads = 1,
                                       .avx512 = (prune_cpu_detect() & PRUNE_CPU_AVX512) != 0};
        net->layer[l] = net->peer->prepare(&product);
    } else {
        int64_t shape[2] = {p.m, p.k};
        prune_tensor *w = NULL;
        prune_mask *mask = NULL;
        snprintf(spec, sizeof spec, "columns=%lld%s", (long long)net->n,
                 p.unit_rows > 1 ? ",format=nm,unit_rows=4" : "");
        if (prune_tensor_borrow(&w, NULL, p.w, PRUNE_F32, 2, shape, NULL) ||
            prune_mask_from_bytes(&mask, NULL, 2, shape, p.kept, p.m * p.k) ||
            prune_packed_create((prune_packed **)&net->layer[l], w, mask, spec))
            fprintf(stderr, "%s\n", prune_error());
        else
            snprintf(net->name + strlen(net->name), sizeof net->name - strlen(net->name), " %s",
                     prune_packed_form(net->layer[l]));
        prune_mask_free(mask);
        prune_tensor_free(w);
    }
    int bad = net->layer[l] == NULL;
    if (!bad) {
        double slack = !net->peer ? 1 : net->peer->slack > 0 ? net->peer->slack : 4, worst;
        for (int64_t i = 0; i < p.m * p.n; i++)
            p.y[i] = NAN;
        run_layer(net, l, p.y, p.x);
        if (!problem_check(&p, slack, &worst)) {
            fprintf(stderr, "%s, layer %d: WRONG: its error is %.3g times the bound; left out\n", net->name, l, worst);
            bad = 1;
            wrong |= !net->peer;
        }
    }
    problem_free(&p);
    return bad;
}

static int race_batch(int64_t n, float *const *between)
{
    static struct network nets[MOST_RACERS];
    static struct racer racers[MOST_RACERS];
    struct race_limits limits = {.seconds = 1, .most_rounds = 1000};
    int count = 0, dense = -1;
    memset(nets, 0, sizeof nets);
    memset(racers, 0, sizeof racers);
    for (int i = 0; i < KINDS || bench_peers[i - KINDS]; i++) {
        struct network *net = &nets[count];
        memset(net, 0, sizeof *net);
        net->peer = i < KINDS ? NULL : bench_peers[i - KINDS];
        if (net->peer && net->peer->sparse)
            continue;
        net->n = n;
        memcpy(net->between, between, sizeof net->between);
        snprintf(net->name, sizeof net->name, "%s%s", net->peer ? net->peer->name : kinds[i].title,
                 net->peer ? "" : ":");
        int bad = 0;
        for (int l = 0; l < LAYERS && !bad; l++)
            bad = make_layer(net, l, net->peer ? KINDS - 1 : i);
        if (bad)
            continue;
        racers[count].run = run;
        racers[count++].state = net;
    }
    int rounds = race(racers, count, &limits);
    for (int i = 0; i < count; i++)
        if (nets[i].peer && (dense < 0 || racers[i].median < racers[dense].median))
            dense = i;
    printf("\nbatch %d, %d rounds: microseconds for the three layers, ratio to %s\n", (int)n, rounds, nets[dense].name);
    for (int i = 0; i < count; i++)
        printf("%-64s %9.3f %9.3f %7.2f\n", nets[i].name, 1e6 * racers[i].minimum, 1e6 * racers[i].median,
               median_ratio(&racers[dense], &racers[i], rounds));
    fflush(stdout);
    for (int i = 0; i < count; i++)
        for (int l = 0; l < LAYERS; l++)
            if (nets[i].peer)
                nets[i].peer->release(nets[i].layer[l]);
            else
                prune_packed_free(nets[i].layer[l]);
    return 0;
}

int main(int argc, char **argv)
{
    (void)argc;
    if (!getenv("PRUNE_BENCH_STARTED")) {
        unsetenv("OPENBLAS_CORETYPE");
        unsetenv("OPENBLAS_L2_SIZE");
        setenv("OPENBLAS_NUM_THREADS", "1", 1);
        setenv("OMP_NUM_THREADS", "1", 1);
        setenv("PRUNE_BENCH_STARTED", "1", 1);
        execv("/proc/self/exe", argv);
    }
    float *between[LAYERS + 1];
    for (int l = 0; l <= LAYERS; l++)
        between[l] = aligned_alloc(64, 64 * 1024 * 4);
    printf("OpenBLAS runs its %s kernels\n", openblas_get_corename());
    race_batch(1, between);
    race_batch(16, between);
    race_batch(64, between);
    for (int l = 0; l <= LAYERS; l++)
        free(between[l]);
    return wrong;
}
