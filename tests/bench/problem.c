/* SPDX-License-Identifier: BSD-2-Clause */
#include "problem.h"
#include "prune/matrix.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"

/* Sums of the whole product are checked below this many multiplications, some rows and some columns above. */
#define CHECK_ALL 30000000.0
#define SOME 12

static void *get(double bytes)
{
    void *memory = aligned_alloc(64, ((size_t)bytes + 127) / 64 * 64);
    if (!memory) {
        fprintf(stderr, "no memory for %.0f bytes\n", bytes);
        exit(1);
    }
    return memory;
}

static int read_smtx(struct problem *p, const char *path)
{
    prune_matrix *matrix = NULL;
    prune_tensor *kept = NULL;
    if (prune_matrix_read(&matrix, NULL, path, "smtx") || prune_matrix_to_tensor(&kept, matrix)) {
        fprintf(stderr, "%s\n", prune_error());
        prune_matrix_free(matrix);
        return 1;
    }
    p->m = prune_matrix_rows(matrix);
    p->k = prune_matrix_columns(matrix);
    p->kept = calloc((size_t)(p->m * p->k) + 1, 1);
    if (p->kept)
        memcpy(p->kept, prune_tensor_const_data(kept), (size_t)(p->m * p->k));
    prune_tensor_free(kept);
    prune_matrix_free(matrix);
    return p->kept == NULL;
}

static void keep_groups(struct problem *p, struct pr_rng *rng)
{
    for (int64_t r = 0; r < p->m; r += p->unit_rows)
        for (int64_t g = 0; g < p->k; g += p->group_m) {
            int chosen[16], width = (int)(p->k - g < p->group_m ? p->k - g : p->group_m);
            for (int i = 0; i < width; i++)
                chosen[i] = i;
            for (int i = 0; i < p->keep_n && i < width; i++) {
                int j = i + (int)pr_rng_below(rng, (uint64_t)(width - i)), column = chosen[j];
                chosen[j] = chosen[i];
                for (int64_t row = r; row < r + p->unit_rows && row < p->m; row++)
                    p->kept[row * p->k + g + column] = 1;
            }
        }
}

static int make_pattern(struct problem *p, const char *pattern, double sparsity, struct pr_rng *rng)
{
    int n, m, rows = 1, read = 0, end = 0;
    snprintf(p->pattern, sizeof p->pattern, "%s", pattern);
    if (strstr(pattern, ".smtx"))
        return read_smtx(p, pattern);
    p->kept = calloc((size_t)(p->m * p->k) + 1, 1);
    if (!p->kept)
        return 1;
    if (!strcmp(pattern, "dense"))
        memset(p->kept, 1, (size_t)(p->m * p->k));
    else if (!strcmp(pattern, "random"))
        for (int64_t i = 0; i < p->m * p->k; i++)
            p->kept[i] = pr_rng_uniform(rng) >= sparsity;
    else if ((read = sscanf(pattern, "%d:%d%nx%d%n", &n, &m, &end, &rows, &end)) >= 2 && !pattern[end] && n >= 1 &&
             n < m && m <= 16 && rows >= 1) {
        p->keep_n = n;
        p->group_m = m;
        p->unit_rows = rows;
        keep_groups(p, rng);
    } else {
        fprintf(stderr, "\"%s\" is no pattern: random, N:M, N:MxROWS, dense or a file *.smtx\n", pattern);
        return 1;
    }
    return 0;
}

static void look_at(struct problem *p, const double *x, int64_t row, int64_t column)
{
    double sum = 0, magnitude = 0;
    const float *w = p->w + row * p->k;
    for (int64_t i = 0; i < p->k; i++) {
        double product = (double)w[i] * x[column * p->k + i];
        sum += product;
        magnitude += fabs(product);
    }
    p->place[p->checks] = p->layout == KXN ? row * p->n + column : column * p->m + row;
    p->exact[p->checks] = sum;
    p->magnitude[p->checks++] = magnitude;
}

/* Number i of `some` that are spread over 0..count-1, the ends included. */
static int64_t spread(int64_t i, int64_t some, int64_t count)
{
    return some >= count ? i : i * (count - 1) / (some - 1);
}

static void make_reference(struct problem *p)
{
    int64_t rows = p->m, columns = p->n;
    double *x = get((double)(p->n * p->k) * sizeof *x);
    for (int64_t j = 0; j < p->n; j++)
        for (int64_t i = 0; i < p->k; i++)
            x[j * p->k + i] = (double)p->x[p->layout == KXN ? i * p->n + j : j * p->k + i];
    int all = (double)p->m * (double)p->n * (double)p->k <= CHECK_ALL;
    if (!all) {
        rows = rows < SOME ? rows : SOME;
        columns = columns < SOME ? columns : SOME;
    }
    double count = (double)p->m * (double)columns + (all ? 0 : (double)rows * (double)p->n);
    p->place = get(count * sizeof *p->place);
    p->exact = get(count * sizeof *p->exact);
    p->magnitude = get(count * sizeof *p->magnitude);
    for (int64_t i = 0; i < p->m; i++)
        for (int64_t j = 0; j < columns; j++)
            look_at(p, x, i, spread(j, columns, p->n));
    for (int64_t i = 0; !all && i < rows; i++)
        for (int64_t j = 0; j < p->n; j++)
            look_at(p, x, spread(i, rows, p->m), j);
    free(x);
}

int problem_make(struct problem *p, int64_t m, int64_t n, int64_t k, int layout, const char *pattern, double sparsity,
                 uint64_t seed)
{
    struct pr_rng rng;
    pr_rng_seed(&rng, seed);
    memset(p, 0, sizeof *p);
    p->m = m;
    p->n = n;
    p->k = k;
    p->layout = layout;
    if (make_pattern(p, pattern, sparsity, &rng)) {
        problem_free(p);
        return 1;
    }
    int64_t count = p->m * p->k;
    p->w = get((double)count * 4);
    p->x = get((double)(p->k * n) * 4);
    p->y = get((double)(p->m * n) * 4);
    for (int64_t i = 0; i < count; i++) {
        double value = pr_rng_uniform(&rng) - 0.5;
        p->w[i] = p->kept[i] ? (float)(value == 0 ? 0.25 : value) : 0;
        p->kept_count += p->kept[i];
    }
    for (int64_t i = 0; i < p->k * n; i++)
        p->x[i] = (float)(pr_rng_uniform(&rng) - 0.5);
    for (int64_t r = 0, terms; r < p->m; r++) {
        terms = 0;
        for (int64_t i = 0; i < p->k; i++)
            terms += p->kept[r * p->k + i];
        p->most_terms = terms > p->most_terms ? terms : p->most_terms;
    }
    p->sparsity = count ? 1 - (double)p->kept_count / (double)count : 0;
    make_reference(p);
    return 0;
}

void problem_free(struct problem *p)
{
    free(p->kept);
    free(p->w);
    free(p->x);
    free(p->y);
    free(p->place);
    free(p->exact);
    free(p->magnitude);
    memset(p, 0, sizeof *p);
}

int problem_check(const struct problem *p, double slack, double *worst)
{
    double u = ldexp((double)p->most_terms, -24), gamma = u / (1 - u);
    *worst = 0;
    for (int64_t i = 0; i < p->checks; i++) {
        double error = fabs((double)p->y[p->place[i]] - p->exact[i]);
        double quotient = error / (gamma * p->magnitude[i] + 1e-300);
        if (!(quotient <= *worst))
            *worst = isnan(quotient) ? INFINITY : quotient;
    }
    return *worst <= slack;
}
