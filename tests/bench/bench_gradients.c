/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The products of a backward pass under a mask, and sparse times sparse: dX = W' dY with and without a packed transpose
 * and dW at the mask's positions, in both layouts, against OpenBLAS's dense products; C = A B against plain loops.
 * One thread. Options: --size S (1024), --n LIST (64,256), --seconds S.
 */
#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "prune/prune.h"
#include "race.h"

struct work {
    int64_t size, n;
    float *w, *x, *y, *values, *gradient;
    prune_packed *plain, *both;
    prune_sparse *sparse;
};

static void *floats(int64_t count)
{
    return aligned_alloc(64, (size_t)(count + 15) / 16 * 64);
}

static void backward(void *state, int64_t turn)
{
    struct work *s = state;
    (void)turn;
    prune_packed_run_transposed(s->both, s->y, s->n, s->x, s->n, s->n, NULL);
}

static void backward_batch(void *state, int64_t turn)
{
    struct work *s = state;
    (void)turn;
    prune_packed_run_transposed_batch(s->both, s->y, s->size, s->x, s->size, s->n, NULL);
}

static void walked(void *state, int64_t turn)
{
    struct work *s = state;
    (void)turn;
    prune_packed_run_transposed(s->plain, s->y, s->n, s->x, s->n, s->n, NULL);
}

static void dense_backward(void *state, int64_t turn)
{
    struct work *s = state;
    int size = (int)s->size, n = (int)s->n;
    (void)turn;
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, size, n, size, 1, s->w, size, s->x, n, 0, s->y, n);
}

static void sampled(void *state, int64_t turn)
{
    struct work *s = state;
    (void)turn;
    prune_sddmm(s->sparse, s->values, s->y, s->n, s->x, s->n, s->n, NULL);
}

static void sampled_batch(void *state, int64_t turn)
{
    struct work *s = state;
    (void)turn;
    prune_sddmm_batch(s->sparse, s->values, s->y, s->size, s->x, s->size, s->n, NULL);
}

static void dense_gradient(void *state, int64_t turn)
{
    struct work *s = state;
    int size = (int)s->size, n = (int)s->n;
    (void)turn;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, size, size, n, 1, s->y, n, s->x, n, 0, s->gradient, size);
}

static void multiply(void *state, int64_t turn)
{
    struct work *s = state;
    prune_sparse *c = NULL;
    (void)turn;
    prune_sparse_multiply(&c, s->sparse, s->sparse);
    prune_sparse_free(c);
}

static int ascending(const void *a, const void *b)
{
    return *(const int32_t *)a - *(const int32_t *)b;
}

/* What one writes first: one pass, a dense row of sums, a list of columns that is sorted. */
static void multiply_plainly(void *state, int64_t turn)
{
    struct work *s = state;
    const int64_t *start = prune_tensor_const_data(prune_sparse_part(s->sparse, 0));
    const int32_t *column = prune_tensor_const_data(prune_sparse_part(s->sparse, 1));
    const float *value = prune_tensor_const_data(prune_sparse_part(s->sparse, 2));
    int64_t count = 0, room = 1024;
    float *sums = calloc((size_t)s->size, sizeof *sums), *values = malloc((size_t)room * sizeof *values);
    int32_t *columns = malloc((size_t)room * sizeof *columns);
    char *seen = calloc((size_t)s->size, 1);
    (void)turn;
    for (int64_t i = 0; i < s->size; i++) {
        int64_t first = count;
        while (room - count < s->size) {
            room *= 2;
            values = realloc(values, (size_t)room * sizeof *values);
            columns = realloc(columns, (size_t)room * sizeof *columns);
        }
        for (int64_t e = start[i]; e < start[i + 1]; e++)
            for (int64_t f = start[column[e]]; f < start[column[e] + 1]; f++) {
                if (!seen[column[f]])
                    columns[count++] = column[f];
                seen[column[f]] = 1;
                sums[column[f]] += value[e] * value[f];
            }
        qsort(columns + first, (size_t)(count - first), sizeof *columns, ascending);
        for (int64_t at = first; at < count; at++) {
            values[at] = sums[columns[at]];
            sums[columns[at]] = 0;
            seen[columns[at]] = 0;
        }
    }
    free(sums);
    free(values);
    free(columns);
    free(seen);
}

static const struct {
    const char *name;
    void (*run)(void *state, int64_t turn);
    int dense; /* which of these it is compared with */
} entries[] = {
    {"dX dense", dense_backward, 0},
    {"dX backward=yes", backward, 0},
    {"dX backward=yes, batch", backward_batch, 0},
    {"dX walked", walked, 0},
    {"dW dense", dense_gradient, 4},
    {"dW sampled", sampled, 4},
    {"dW sampled, batch", sampled_batch, 4},
    {"A A plainly", multiply_plainly, 7},
    {"A A", multiply, 7},
};
#define PRODUCTS 7
#define ENTRIES ((int)(sizeof entries / sizeof *entries))

static void measure(int64_t size, int64_t n, double sparsity, double seconds)
{
    struct work s = {.size = size, .n = n};
    uint32_t state = 7;
    const int64_t shape[2] = {size, size};
    char spec[64];
    float **all[] = {&s.w, &s.x, &s.y, &s.values, &s.gradient};
    for (int i = 0; i < 5; i++) {
        int64_t count = i == 1 || i == 2 ? size * n : size * size;
        *all[i] = floats(count);
        for (int64_t e = 0; e < count; e++) {
            state = state * 1664525u + 1013904223u;
            (*all[i])[e] = (float)(state >> 8) / 8388608.0f - 1.0f;
        }
    }
    for (int64_t e = 0; e < size * size; e++) {
        state = state * 1664525u + 1013904223u;
        if ((double)(state >> 8) / 16777216.0 < sparsity)
            s.w[e] = 0;
    }
    prune_tensor *tensor = NULL;
    snprintf(spec, sizeof spec, "columns=%d,format=csr", (int)n);
    int bad = prune_tensor_borrow(&tensor, NULL, s.w, PRUNE_F32, 2, shape, NULL) ||
              prune_packed_create(&s.plain, tensor, NULL, spec) || prune_sparse_create(&s.sparse, tensor, NULL, "csr");
    snprintf(spec, sizeof spec, "columns=%d,format=csr,backward=yes", (int)n);
    bad = bad || prune_packed_create(&s.both, tensor, NULL, spec);
    if (bad) {
        fprintf(stderr, "%s\n", prune_error());
        exit(1);
    }
    struct racer racers[ENTRIES] = {{0}};
    for (int i = 0; i < ENTRIES; i++)
        racers[i] = (struct racer){.run = entries[i].run, .state = &s};
    int rounds = race(racers, PRODUCTS, &(struct race_limits){seconds, 200});
    for (int i = 0; i < PRODUCTS; i++)
        printf("%lld x %lld, n %4lld, %2.0f %%  %-24s %9.1f us  %5.2f\n", (long long)size, (long long)size,
               (long long)n, 100 * sparsity, entries[i].name, 1e6 * racers[i].median,
               median_ratio(&racers[entries[i].dense], &racers[i], rounds));
    rounds = n == 64 ? race(racers + PRODUCTS, 2, &(struct race_limits){seconds, 200}) : 0;
    for (int i = PRODUCTS; rounds && i < ENTRIES; i++)
        printf("%lld x %lld, %2.0f %%  %-24s %9.1f us  %5.2f\n", (long long)size, (long long)size, 100 * sparsity,
               entries[i].name, 1e6 * racers[i].median, median_ratio(&racers[PRODUCTS], &racers[i], rounds));
    fflush(stdout);
    prune_sparse_free(s.sparse);
    prune_packed_free(s.plain);
    prune_packed_free(s.both);
    prune_tensor_free(tensor);
    for (int i = 0; i < 5; i++)
        free(*all[i]);
}

int main(int argc, char **argv)
{
    static const double sparsities[] = {0.5, 0.8, 0.9, 0.95, 0.99};
    int64_t size = 1024;
    double seconds = 1;
    const char *list = "64,256";
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--size") == 0)
            size = atoll(argv[i + 1]);
        else if (strcmp(argv[i], "--n") == 0)
            list = argv[i + 1];
        else if (strcmp(argv[i], "--seconds") == 0)
            seconds = atof(argv[i + 1]);
    }
    for (; *list; list += strcspn(list, ","), list += *list == ',')
        for (int i = 0; i < 5; i++)
            measure(size, atoll(list), sparsities[i], seconds);
    return 0;
}
