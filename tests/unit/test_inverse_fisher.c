/* SPDX-License-Identifier: BSD-2-Clause
 *
 * WoodFisher and M-FAC: scores by the inverse of the empirical Fisher matrix.
 */
#include "core/criterion/inverse_fisher.h"
#include "pruning.h"

static double random_number(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return (double)(int32_t)*state * 0x1p-31;
}

/* Gradients of n elements each, in the shape given. */
static prune_observations *gather(const double *gradients, int64_t samples, int32_t rank, const int64_t *shape)
{
    prune_observations *o;
    int64_t n = 1;
    OK(prune_observations_create(&o, NULL, PRUNE_OBSERVE_GRADIENT_SAMPLES));
    for (int32_t i = 0; i < rank; i++)
        n *= shape[i];
    for (int64_t s = 0; s < samples; s++) {
        prune_tensor *g = borrow(gradients + s * n, PRUNE_F64, rank, shape);
        OK(prune_observations_feed(o, PRUNE_GRADIENTS, g));
        prune_tensor_free(g);
    }
    return o;
}

static void scores_of(const char *spec, const char *granularity, const prune_tensor *weights,
                      const prune_observations *o, int64_t units, double *out)
{
    prune_criterion *c;
    prune_scores *scores;
    prune_granularity *g = cut(granularity);
    OK(prune_criterion_create(&c, NULL, spec));
    ck_assert_int_eq(prune_criterion_needs(c), PRUNE_OBSERVE_GRADIENT_SAMPLES);
    OK(prune_criterion_score(&scores, c, weights, o, g));
    ck_assert_int_eq(prune_tensor_count(prune_scores_values(scores)), units);
    memcpy(out, prune_tensor_const_data(prune_scores_values(scores)), (size_t)units * sizeof *out);
    prune_scores_free(scores);
    prune_granularity_free(g);
    prune_criterion_free(c);
}

/* Gauss and Jordan with pivots, for a symmetric positive definite matrix of up to 40. */
static void invert(int n, double *a)
{
    double work[40][80];
    for (int i = 0; i < n; i++)
        for (int j = 0; j < 2 * n; j++)
            work[i][j] = j < n ? a[i * n + j] : j - n == i;
    for (int k = 0; k < n; k++) {
        int best = k;
        for (int i = k; i < n; i++)
            best = fabs(work[i][k]) > fabs(work[best][k]) ? i : best;
        for (int j = 0; j < 2 * n; j++) {
            double t = work[k][j];
            work[k][j] = work[best][j];
            work[best][j] = t;
        }
        for (int i = 0; i < n; i++) {
            double by = work[i][k] / work[k][k];
            for (int j = 0; i != k && j < 2 * n; j++)
                work[i][j] -= by * work[k][j];
        }
        double by = work[k][k];
        for (int j = 0; j < 2 * n; j++)
            work[k][j] /= by;
    }
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            a[i * n + j] = work[i][n + j];
}

/* What is due, by inverting blocks of damping I + mean g g'. */
static void by_definition(const double *w, const double *gradients, int samples, int n, int block, double damping,
                          double *due)
{
    for (int begin = 0; begin < n; begin += block) {
        int size = n - begin < block ? n - begin : block;
        double f[1600];
        for (int i = 0; i < size; i++)
            for (int j = 0; j < size; j++) {
                f[i * size + j] = i == j ? damping : 0;
                for (int s = 0; s < samples; s++)
                    f[i * size + j] += gradients[s * n + begin + i] * gradients[s * n + begin + j] / samples;
            }
        invert(size, f);
        for (int i = 0; i < size; i++)
            due[begin + i] = w[begin + i] * w[begin + i] / (2 * f[i * (size + 1)]);
    }
}

static void expect_near(const double *got, const double *due, int64_t count, double tolerance)
{
    for (int64_t i = 0; i < count; i++)
        ck_assert_msg(fabs(got[i] - due[i]) <= tolerance * fabs(due[i]), "score %lld is %.17g, not %.17g", (long long)i,
                      got[i], due[i]);
}

START_TEST(obs_recursion_over_three_samples)
{
    const double x[] = {1, 2, 2, 1, 1, 1}, w[] = {1, -1};
    double inverse[] = {1e4, 0, 0, 1e4}, scratch[2], scores[2];
    for (int s = 0; s < 3; s++)
        pr_fisher_add(2, inverse, x + 2 * s, 3, scratch);
    const double printed[] = {1.63591, -1.36319, -1.36319, 1.63591};
    for (int i = 0; i < 4; i++)
        ck_assert(fabs(inverse[i] - printed[i]) < 5e-6);
    double direct[] = {2 + 1e-4, 5. / 3, 5. / 3, 2 + 1e-4};
    invert(2, direct);
    for (int i = 0; i < 4; i++)
        ck_assert(fabs(inverse[i] - direct[i]) < 1e-10);
    prune_observations *o = gather(x, 3, 1, SHAPE(2));
    prune_tensor *weights = borrow(w, PRUNE_F64, 1, SHAPE(2));
    scores_of("woodfisher:damping=1e-4", "element", weights, o, 2, scores);
    ck_assert(fabs(scores[0] - 1 / (2 * 1.63591)) < 1e-5 && fabs(scores[1] - scores[0]) < 1e-10);
    scores_of("mfac:damping=1e-4", "element", weights, o, 2, scores);
    ck_assert(fabs(scores[0] - 1 / (2 * direct[0])) < 1e-10 && fabs(scores[1] - scores[0]) < 1e-10);
    prune_tensor_free(weights);
    prune_observations_free(o);
}
END_TEST

/* H = [[4,1,0],[1,3,1],[0,1,2]] as the mean of three outer products, w = (1,-2,3): OBS saliencies 9/5, 9/2, 81/11. */
START_TEST(obs_saliencies_of_a_three_by_three)
{
    /* sqrt(3) times the rows of L', H = L L'. */
    double l11 = 2, l21 = .5, l22 = sqrt(2.75), l32 = 1 / l22, l33 = sqrt(2 - l32 * l32), r = sqrt(3);
    const double g[] = {r * l11, r * l21, 0, 0, r * l22, r * l32, 0, 0, r * l33}, w[] = {1, -2, 3};
    const double due[] = {1.8, 4.5, 81. / 11};
    double scores[3];
    prune_observations *o = gather(g, 3, 1, SHAPE(3));
    prune_tensor *weights = borrow(w, PRUNE_F64, 1, SHAPE(3));
    scores_of("woodfisher:damping=1e-9", "element", weights, o, 3, scores);
    expect_near(scores, due, 3, 1e-6);
    scores_of("mfac:damping=1e-9", "element", weights, o, 3, scores);
    expect_near(scores, due, 3, 1e-5);
    prune_tensor_free(weights);
    prune_observations_free(o);
}
END_TEST

/* Blocks of every size, the last one ragged; M-FAC is one block of everything. */
START_TEST(both_equal_the_inverse_by_definition)
{
    enum { N = 35, M = 12 };
    double w[N], g[M * N], due[N], got[N], again[N];
    uint32_t state = 11;
    for (int i = 0; i < N; i++)
        w[i] = random_number(&state);
    for (int i = 0; i < M * N; i++)
        g[i] = random_number(&state);
    prune_observations *o = gather(g, M, 2, SHAPE(5, 7));
    prune_tensor *weights = borrow(w, PRUNE_F64, 2, SHAPE(5, 7));
    const int blocks[] = {1, 3, 7, 20, 34, 35, 128};
    for (int i = 0; i < 7; i++) {
        char spec[60];
        snprintf(spec, sizeof spec, "woodfisher:block=%d,damping=0.01", blocks[i]);
        by_definition(w, g, M, N, blocks[i], 0.01, due);
        scores_of(spec, "element", weights, o, N, got);
        expect_near(got, due, N, 1e-10);
    }
    scores_of("mfac:damping=0.01", "element", weights, o, N, again);
    expect_near(again, due, N, 1e-10);
    expect_near(again, got, N, 1e-10); /* as the naive recursion over the whole tensor gives */
    /* The last gradients only. */
    by_definition(w, g + 7 * N, 5, N, N, 0.01, due);
    scores_of("mfac:damping=0.01,samples=5", "element", weights, o, N, got);
    expect_near(got, due, N, 1e-10);
    scores_of("woodfisher:damping=0.01,samples=5", "element", weights, o, N, got);
    expect_near(got, due, N, 1e-10);
    /* Units take the sum of their elements' scores, or what aggregate says. */
    scores_of("mfac:damping=0.01,samples=5", "row", weights, o, 5, got);
    for (int i = 0; i < 5; i++) {
        double sum = 0;
        for (int j = 0; j < 7; j++)
            sum += due[i * 7 + j];
        ck_assert(fabs(got[i] - sum) < 1e-10 * sum);
    }
    scores_of("woodfisher:damping=0.01,samples=5,aggregate=first,normalize=max", "column", weights, o, 7, got);
    double most = 0;
    for (int i = 0; i < 7; i++)
        most = due[i] > most ? due[i] : most;
    for (int i = 0; i < 7; i++)
        ck_assert(fabs(got[i] - due[i] / most) < 1e-10);
    prune_tensor_free(weights);
    prune_observations_free(o);
}
END_TEST

/* With blocks of one element F is its diagonal: w^2 (damping + mean g^2) / 2. */
START_TEST(blocks_of_one_are_the_diagonal_fisher)
{
    const double w[] = {1, -2, 3, 0}, g[] = {1, 2, 0, 5, 3, -2, 0, 1};
    const double due[] = {5.5 / 2, 4 * 4.5 / 2, 9 * .5 / 2, 0};
    double got[4];
    prune_observations *o = gather(g, 2, 1, SHAPE(4));
    prune_tensor *weights = borrow(w, PRUNE_F64, 1, SHAPE(4));
    scores_of("woodfisher:block=1,damping=0.5", "element", weights, o, 4, got);
    expect_near(got, due, 4, 1e-14);
    prune_tensor_free(weights);
    prune_observations_free(o);
}
END_TEST

START_TEST(threads_views_and_infinities)
{
    enum { ROWS = 37, COLUMNS = 29, N = ROWS * COLUMNS, M = 9 };
    static double w[N], turned[N], g[M * N], got[3][N], free_of_matrix[3][N];
    const int32_t order[] = {1, 0};
    uint32_t state = 4;
    for (int i = 0; i < N; i++) {
        w[i] = random_number(&state);
        turned[i % COLUMNS * ROWS + i / COLUMNS] = w[i];
    }
    for (int i = 0; i < M * N; i++)
        g[i] = random_number(&state);
    w[100] = -INFINITY;
    turned[100 % COLUMNS * ROWS + 100 / COLUMNS] = -INFINITY;
    prune_observations *o = gather(g, M, 2, SHAPE(ROWS, COLUMNS));
    for (int k = 0; k < 3; k++) {
        prune_context *context;
        prune_tensor *weights, *view;
        OK(prune_context_create(&context));
        OK(prune_context_set_threads(context, k ? 4 : 1));
        OK(prune_tensor_borrow(&weights, context, k == 2 ? turned : w, PRUNE_F64, 2,
                               k == 2 ? SHAPE(COLUMNS, ROWS) : SHAPE(ROWS, COLUMNS), NULL));
        if (k == 2) {
            OK(prune_tensor_permute(&view, weights, order));
            prune_tensor_free(weights);
            weights = view;
        }
        scores_of("woodfisher:block=50,damping=0.1", "element", weights, o, N, got[k]);
        ck_assert(got[k][100] == INFINITY && got[k][99] < 1e6);
        ck_assert_mem_eq(got[k], got[0], sizeof got[0]);
        scores_of("mfac:damping=0.1", "element", weights, o, N, free_of_matrix[k]);
        ck_assert(free_of_matrix[k][100] == INFINITY && free_of_matrix[k][99] < 1e6);
        ck_assert_mem_eq(free_of_matrix[k], free_of_matrix[0], sizeof free_of_matrix[0]);
        prune_tensor_free(weights);
        prune_context_free(context);
    }
    prune_observations_free(o);
}
END_TEST

START_TEST(bad_input)
{
    double w[] = {1, 2, 3, 4}, g[] = {1, 2, 3, 4, 1, 1, 1, 2};
    prune_tensor *weights = borrow(w, PRUNE_F64, 2, SHAPE(2, 2));
    prune_granularity *cuts = cut("element");
    const char *names[] = {"woodfisher", "mfac"};
    for (int i = 0; i < 2; i++) {
        char spec[60];
        prune_criterion *c, *none = UNTOUCHED, *many, *tiny;
        prune_scores *scores = UNTOUCHED;
        prune_observations *others, *empty, *flat = gather(g, 2, 1, SHAPE(4)), *good = gather(g, 2, 2, SHAPE(2, 2));
        prune_observations *ones = gather(g + 4, 1, 1, SHAPE(1)), *twice = gather(g + 4, 2, 1, SHAPE(1));
        prune_tensor *one = borrow(w, PRUNE_F64, 1, SHAPE(1));
        OK(prune_observations_create(&others, NULL, PRUNE_OBSERVE_GRADIENTS));
        OK(prune_observations_create(&empty, NULL, PRUNE_OBSERVE_GRADIENT_SAMPLES));
        OK(prune_criterion_create(&c, NULL, names[i]));
        FAILS(prune_criterion_score(&scores, c, weights, NULL, cuts), PRUNE_E_ARGUMENT, names[i]);
        FAILS(prune_criterion_score(&scores, c, weights, others, cuts), PRUNE_E_ARGUMENT, names[i]);
        FAILS(prune_criterion_score(&scores, c, weights, empty, cuts), PRUNE_E_ARGUMENT, names[i]);
        FAILS(prune_criterion_score(&scores, c, weights, flat, cuts), PRUNE_E_SHAPE, "[4]");
        snprintf(spec, sizeof spec, "%s:samples=3", names[i]);
        OK(prune_criterion_create(&many, NULL, spec));
        FAILS(prune_criterion_score(&scores, many, weights, good, cuts), PRUNE_E_ARGUMENT, "2 gradients are kept");
        snprintf(spec, sizeof spec, "%s:damping=0", names[i]);
        FAILS(prune_criterion_create(&none, NULL, spec), PRUNE_E_SPEC, "range");
        ck_assert_ptr_eq(none, UNTOUCHED);
        snprintf(spec, sizeof spec, "%s:damping=1e-30", names[i]);
        OK(prune_criterion_create(&tiny, NULL, spec));
        w[2] = NAN;
        FAILS(prune_criterion_score(&scores, c, weights, good, cuts), PRUNE_E_VALUE, "(1, 0)");
        w[2] = 3;
        FAILS(prune_criterion_score(&scores, tiny, one, ones, cuts), PRUNE_E_VALUE, "damping");
        FAILS(prune_criterion_score(&scores, tiny, one, twice, cuts), PRUNE_E_VALUE, "damping");
        ck_assert_ptr_eq(scores, UNTOUCHED);
        prune_tensor_free(one);
        prune_observations_free(twice);
        prune_observations_free(ones);
        prune_observations_free(good);
        prune_observations_free(flat);
        prune_observations_free(empty);
        prune_observations_free(others);
        prune_criterion_free(tiny);
        prune_criterion_free(many);
        prune_criterion_free(c);
    }
    prune_granularity_free(cuts);
    prune_tensor_free(weights);
}
END_TEST

TEST_MAIN("inverse_fisher", obs_recursion_over_three_samples, obs_saliencies_of_a_three_by_three,
          both_equal_the_inverse_by_definition, blocks_of_one_are_the_diagonal_fisher, threads_views_and_infinities,
          bad_input)
