/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The epilogue, bit by bit: what prune/packed.h writes out, applied to the sums that a run without epilogue gives.
 */
#include "problem.h"

struct ending {
    const char *spec;
    int scaled, biased;
    float alpha, beta;
    int relu;
    float most;
};

static const struct ending endings[] = {
    {NULL, 0, 0, 1, 0, 0, INFINITY},
    {"activation=relu", 0, 0, 1, 0, 1, INFINITY},
    {"activation=relu6", 0, 1, 1, 0, 1, 6},
    {"alpha=0.3", 0, 0, 0.3f, 0, 0, INFINITY},
    {"alpha=-1.1,activation=relu", 0, 1, -1.1f, 0, 1, INFINITY},
    {"", 1, 0, 1, 0, 0, INFINITY},
    {"alpha=0.7", 1, 1, 0.7f, 0, 0, INFINITY},
    {"beta=1", 0, 0, 1, 1, 0, INFINITY},
    {"beta=-0.9", 0, 1, 1, -0.9f, 0, INFINITY},
    {"activation=relu6,alpha=0.5,beta=1", 1, 1, 0.5f, 1, 1, 6},
    {"alpha=0,beta=1", 0, 0, 0, 1, 0, INFINITY},
    {"alpha=1,beta=0", 0, 1, 1, 0, 0, INFINITY},
};
#define ENDINGS ((int)(sizeof endings / sizeof *endings))

static float expected_of(const struct ending *e, float sum, float scale, float bias, float old)
{
    volatile float s = e->scaled ? e->alpha * scale : e->alpha;
    float t = e->biased ? fmaf(s, sum, bias) : s * sum;
    if (e->beta != 0)
        t = fmaf(e->beta, old, t);
    if (e->relu && t <= 0)
        t = 0.0f;
    return t > e->most ? e->most : t;
}

static void try_ending(const struct problem *p, const prune_packed *packed, const struct ending *e, int64_t n,
                       int batch)
{
    struct pr_rng rng;
    pr_rng_seed(&rng, (uint64_t)n);
    int64_t ldy = (batch ? p->rows : n) + 3, rows = batch ? n : p->rows, width = batch ? p->rows : n;
    int64_t count = (rows - 1) * ldy + width;
    float *x = random_x(p->columns * n), *sums = product_of(packed, x, n, batch);
    float *y = malloc((size_t)count * sizeof *y), *old = malloc((size_t)count * sizeof *old);
    float *scale = malloc((size_t)p->rows * sizeof *scale), *bias = malloc((size_t)p->rows * sizeof *bias);
    fill_random(&rng, old, count, 0);
    fill_random(&rng, scale, p->rows, 0);
    fill_random(&rng, bias, p->rows, 0);
    for (int64_t i = 0; i < p->rows; i++)
        scale[i] *= 9; /* so that some sums pass 6 */
    if (e->beta == 0)
        fill_pattern(old, count); /* NaN, which must not be read */
    memcpy(y, old, (size_t)count * sizeof *y);
    prune_epilogue *epilogue;
    OK(prune_epilogue_create(&epilogue, p->context, e->scaled ? scale : NULL, e->biased ? bias : NULL, p->rows,
                             e->spec));
    OK((batch ? prune_packed_run_batch : prune_packed_run)(packed, y, ldy, x, batch ? p->columns : n, n, epilogue));
    for (int64_t at = 0; at < count; at++) {
        int64_t r = at / ldy, c = at % ldy, i = batch ? c : r;
        float right = c < width ? expected_of(e, sums[r * width + c], scale[i], bias[i], old[at]) : old[at];
        if (memcmp(&y[at], &right, sizeof right) != 0)
            ck_abort_msg("\"%s\", n %lld, %s: Y(%lld, %lld) is %.9g; %.9g expected", e->spec ? e->spec : "NULL",
                         (long long)n, prune_packed_form(packed), (long long)r, (long long)c, (double)y[at],
                         (double)right);
    }
    prune_epilogue_free(epilogue);
    free(x);
    free(sums);
    free(y);
    free(old);
    free(scale);
    free(bias);
}

START_TEST(every_ending_is_the_formula_bit_by_bit)
{
    static const int64_t ns[] = {1, 2, 5, 16, 37};
    for (int f = 0; f < FORMS; f++)
        for (int m = 0; m < MASKS; m++) {
            struct problem p;
            prune_packed *packed;
            if (!cpu_has(masks[m]))
                continue;
            make(&p, 53, 44, every_form[f].pattern, 0.3, 0, masks[m], 1);
            OK(prune_packed_create(&packed, p.tensor, p.mask, every_form[f].spec));
            for (int i = 0; i < 5; i++)
                for (int e = 0; e < ENDINGS; e++)
                    for (int batch = 0; batch < 2; batch++)
                        try_ending(&p, packed, &endings[e], ns[i], batch);
            prune_packed_free(packed);
            drop(&p);
        }
}
END_TEST

/* 1 x 1: W = 3, X = 2, scale 4, bias -2, old Y 5: 0.5 * 4 * 6 - 2 + 5 = 15, at most 6. */
START_TEST(a_worked_example)
{
    const float scale = 4, bias = -2, x = 2;
    float w = 3, y = 5;
    const int64_t shape[2] = {1, 1};
    prune_tensor *tensor;
    prune_packed *packed;
    prune_epilogue *epilogue;
    OK(prune_tensor_borrow(&tensor, NULL, &w, PRUNE_F32, 2, shape, NULL));
    OK(prune_packed_create(&packed, tensor, NULL, NULL));
    OK(prune_epilogue_create(&epilogue, NULL, &scale, &bias, 1, "alpha=0.5,beta=1"));
    OK(prune_packed_run(packed, &y, 1, &x, 1, 1, epilogue));
    ck_assert(y == 15.0f);
    prune_epilogue_free(epilogue);
    y = 5;
    OK(prune_epilogue_create(&epilogue, NULL, &scale, &bias, 1, "alpha=0.5,beta=1,activation=relu6"));
    OK(prune_packed_run(packed, &y, 1, &x, 1, 1, epilogue));
    ck_assert(y == 6.0f);
    prune_epilogue_free(epilogue);
    prune_packed_free(packed);
    prune_tensor_free(tensor);
}
END_TEST

/* A W without rows or without columns: nothing to read, and endings apply to sums that are 0. */
START_TEST(endings_of_empty_sums)
{
    const int64_t shape[2] = {2, 0};
    const float bias[2] = {-1, 9};
    float w = 0, y[2] = {2, 2};
    prune_tensor *tensor;
    prune_packed *packed;
    prune_epilogue *epilogue;
    OK(prune_tensor_borrow(&tensor, NULL, &w, PRUNE_F32, 2, shape, NULL));
    OK(prune_packed_create(&packed, tensor, NULL, NULL));
    OK(prune_epilogue_create(&epilogue, NULL, NULL, bias, 2, "activation=relu6,beta=0.25"));
    OK(prune_packed_run(packed, y, 1, NULL, 1, 1, epilogue));
    ck_assert(y[0] == 0.0f && !signbit(y[0]) && y[1] == 6.0f);
    prune_epilogue_free(epilogue);
    prune_packed_free(packed);
    prune_tensor_free(tensor);
}
END_TEST

TEST_MAIN("epilogues", every_ending_is_the_formula_bit_by_bit, a_worked_example, endings_of_empty_sums)
