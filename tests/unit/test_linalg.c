/* SPDX-License-Identifier: BSD-2-Clause */
#include <dlfcn.h>
#include <math.h>
#include <pthread.h>

#include "base/rng.h"
#include "core/linalg/blas.h"
#include "testing.h"

/* Every test runs with each back end that is there. This program is built three times: with OpenBLAS loaded, linked and
 * left out. */
static const char *const back_ends[] = {"builtin", "openblas"};

#define FOR_EACH_BACK_END(la)                                                                                          \
    for (int b_ = 0; b_ < 2; b_++)                                                                                     \
        if (there(back_ends[b_], &(la)))

static int there(const char *name, struct pr_linalg *la)
{
    return pr_linalg_choose(la, NULL, name) == PRUNE_OK;
}

static double *numbers(int64_t count, uint64_t seed)
{
    double *x = malloc((size_t)(count ? count : 1) * sizeof *x);
    for (int64_t i = 0; i < count; i++)
        x[i] = 2 * pr_rng_at(seed, (uint64_t)i) - 1;
    return x;
}

/* X'X / samples + shift: positive definite, both sides filled, rows lda apart. */
static double *definite(int64_t n, int64_t lda, double shift, uint64_t seed)
{
    int64_t samples = 2 * n + 3;
    double *x = numbers(samples * n, seed), *a = numbers(n * lda, seed + 1);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++) {
            double sum = i == j ? shift : 0;
            for (int64_t s = 0; s < samples; s++)
                sum += x[s * n + i] * x[s * n + j] / (double)samples;
            a[i * lda + j] = sum;
        }
    free(x);
    return a;
}

static double element(int transpose, const double *a, int64_t lda, int64_t i, int64_t j)
{
    return transpose ? a[j * lda + i] : a[i * lda + j];
}

START_TEST(products)
{
    static const int64_t sizes[][3] = {{1, 1, 1}, {3, 5, 7}, {4, 8, 128},   {17, 33, 129}, {0, 4, 3},
                                       {4, 0, 3}, {5, 6, 0}, {64, 65, 257}, {1, 70, 9},    {130, 3, 260}};
    struct pr_linalg la;
    FOR_EACH_BACK_END(la)
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (int flags = 0; flags < 12; flags++) {
            int ta = flags & 1, tb = flags >> 1 & 1;
            double beta = (double[]){0, 1, -0.5}[flags >> 2];
            int64_t m = sizes[s][0], n = sizes[s][1], k = sizes[s][2];
            int64_t lda = (ta ? m : k) + 3, ldb = (tb ? k : n) + 1, ldc = n + 2;
            double *a = numbers((ta ? k : m) * lda, 1), *b = numbers((tb ? n : k) * ldb, 2), *c = numbers(m * ldc, 3);
            double *before = numbers(m * ldc, 3);
            float *fa = malloc(sizeof(float) * (size_t)((ta ? k : m) * lda + 1)),
                  *fb = malloc(sizeof(float) * (size_t)((tb ? n : k) * ldb + 1)),
                  *fc = malloc(sizeof(float) * (size_t)(m * ldc + 1));
            for (int64_t i = 0; i < (ta ? k : m) * lda; i++)
                fa[i] = (float)a[i];
            for (int64_t i = 0; i < (tb ? n : k) * ldb; i++)
                fb[i] = (float)b[i];
            for (int64_t i = 0; i < m * ldc; i++) {
                /* What is not read may be anything. */
                if (beta == 0 && i % ldc < n)
                    c[i] = NAN;
                fc[i] = (float)c[i];
            }
            OK(pr_linalg_gemm(&la, ta, tb, m, n, k, 1.5, a, lda, b, ldb, beta, c, ldc));
            OK(pr_linalg_gemm_float(&la, ta, tb, m, n, k, 1.5F, fa, lda, fb, ldb, (float)beta, fc, ldc));
            for (int64_t i = 0; i < m; i++) {
                for (int64_t j = 0; j < n; j++) {
                    double sum = 0;
                    for (int64_t p = 0; p < k; p++)
                        sum += element(ta, a, lda, i, p) * element(tb, b, ldb, p, j);
                    double due = 1.5 * sum + beta * before[i * ldc + j];
                    ck_assert_double_eq_tol(c[i * ldc + j], due, 1e-13 * (double)(k + 1));
                    ck_assert_double_eq_tol((double)fc[i * ldc + j], due, 2e-6 * (double)(k + 1));
                }
                for (int64_t j = n; j < ldc; j++)
                    ck_assert(c[i * ldc + j] == before[i * ldc + j]);
            }
            free(a), free(b), free(c), free(before), free(fa), free(fb), free(fc);
        }
}
END_TEST

START_TEST(gram_of_floats_and_doubles)
{
    struct pr_linalg la;
    FOR_EACH_BACK_END(la)
    for (int64_t n = 1; n < 100; n += n < 5 ? 1 : 31)
        for (int64_t samples = 0; samples < 700; samples = samples * 3 + 1) {
            int64_t ldx = n + 2, ldc = n + 1;
            double *x = numbers(samples * ldx, 5), *c = numbers(n * ldc, 6), *before = numbers(n * ldc, 6);
            double *cf = numbers(n * ldc, 6);
            float *xf = malloc(sizeof(float) * (size_t)(samples * ldx + 1));
            for (int64_t i = 0; i < samples * ldx; i++)
                x[i] = xf[i] = (float)x[i];
            OK(pr_linalg_gram(&la, PRUNE_F64, samples, n, x, ldx, c, ldc));
            OK(pr_linalg_gram(&la, PRUNE_F32, samples, n, xf, ldx, cf, ldc));
            for (int64_t i = 0; i < n; i++)
                for (int64_t j = 0; j < ldc; j++) {
                    double due = before[i * ldc + j];
                    for (int64_t s = 0; s < samples && j <= i; s++)
                        due += x[s * ldx + i] * x[s * ldx + j];
                    if (j > i)
                        ck_assert(c[i * ldc + j] == due && cf[i * ldc + j] == due);
                    ck_assert_double_eq_tol(c[i * ldc + j], due, 1e-12);
                    ck_assert_double_eq_tol(cf[i * ldc + j], due, 1e-12);
                }
            pr_linalg_mirror(n, c, ldc);
            for (int64_t i = 0; i < n; i++)
                for (int64_t j = 0; j < n; j++)
                    ck_assert(c[i * ldc + j] == c[j * ldc + i]);
            free(x), free(c), free(before), free(cf), free(xf);
        }
}
END_TEST

static const int64_t orders[] = {1, 2, 3, 31, 48, 49, 97, 200};
#define ORDERS (sizeof orders / sizeof *orders)

START_TEST(cholesky_and_triangular_solves)
{
    struct pr_linalg la;
    FOR_EACH_BACK_END(la)
    for (size_t o = 0; o < ORDERS; o++) {
        int64_t n = orders[o], lda = n + 3, m = 5, ldx = 7;
        double *a = definite(n, lda, 0.1, 7), *l = definite(n, lda, 0.1, 7), *x = numbers(n * ldx, 9);
        double *vector = numbers(n, 1), *vector_t = numbers(n, 1), *inverse;
        OK(pr_linalg_cholesky(&la, n, l, lda));
        for (int64_t i = 0; i < n; i++)
            for (int64_t j = 0; j < n; j++) {
                double sum = 0;
                for (int64_t k = 0; k <= i && k <= j; k++)
                    sum += l[i * lda + k] * l[j * lda + k];
                ck_assert_double_eq_tol(sum, a[i * lda + j], 1e-13);
                if (j > i)
                    ck_assert_msg(l[i * lda + j] == a[i * lda + j], "what is above the diagonal was written");
            }
        for (int transposed = 0; transposed < 2; transposed++) {
            double *y = numbers(n * ldx, 9);
            OK(pr_linalg_solve_lower(&la, transposed, n, m, l, lda, y, ldx));
            for (int64_t i = 0; i < n; i++)
                for (int64_t c = 0; c < ldx; c++) {
                    double sum = c < m ? 0 : y[i * ldx + c];
                    for (int64_t k = transposed ? i : 0; k < (transposed ? n : i + 1) && c < m; k++)
                        sum += element(transposed, l, lda, i, k) * y[k * ldx + c];
                    ck_assert_double_eq_tol(sum, x[i * ldx + c], 1e-12);
                }
            free(y);
        }
        pr_linalg_solve_lower_vector(0, n, l, lda, vector);
        pr_linalg_solve_lower_vector(1, n, l, lda, vector_t);
        for (int64_t i = 0; i < n; i++) {
            double sum = 0, sum_t = 0;
            for (int64_t k = 0; k <= i; k++)
                sum += l[i * lda + k] * vector[k];
            for (int64_t k = i; k < n; k++)
                sum_t += l[k * lda + i] * vector_t[k];
            ck_assert_double_eq_tol(sum, 2 * pr_rng_at(1, (uint64_t)i) - 1, 1e-12);
            ck_assert_double_eq_tol(sum_t, 2 * pr_rng_at(1, (uint64_t)i) - 1, 1e-12);
        }
        inverse = malloc(sizeof *inverse * (size_t)(n * lda));
        memcpy(inverse, l, sizeof *inverse * (size_t)(n * lda));
        OK(pr_linalg_invert_lower(&la, n, inverse, lda));
        for (int64_t i = 0; i < n; i++)
            for (int64_t j = 0; j <= i; j++) {
                double sum = 0;
                for (int64_t k = j; k <= i; k++)
                    sum += l[i * lda + k] * inverse[k * lda + j];
                ck_assert_double_eq_tol(sum, i == j, 1e-11);
            }
        free(a), free(l), free(x), free(vector), free(vector_t), free(inverse);
    }
}
END_TEST

START_TEST(inverse_and_its_upper_factor)
{
    struct pr_linalg la;
    FOR_EACH_BACK_END(la)
    for (size_t o = 0; o < ORDERS; o++) {
        int64_t n = orders[o], lda = n + 1;
        double *a = definite(n, lda, 0.1, 17), *inverse = definite(n, lda, 0.1, 17), *u = definite(n, n, 0.1, 17);
        OK(pr_linalg_invert(&la, n, inverse, lda));
        OK(pr_linalg_inverse_factor(&la, n, u, n));
        for (int64_t i = 0; i < n; i++)
            for (int64_t j = 0; j < n; j++) {
                double one = 0, factored = 0;
                for (int64_t k = 0; k < n; k++)
                    one += a[i * lda + k] * inverse[k * lda + j];
                for (int64_t k = 0; k <= i && k <= j; k++)
                    factored += u[k * n + i] * u[k * n + j];
                ck_assert_double_eq_tol(one, i == j, 1e-11);
                ck_assert(inverse[i * lda + j] == inverse[j * lda + i]);
                ck_assert_double_eq_tol(factored, inverse[i * lda + j], 1e-10);
                if (j < i)
                    ck_assert(u[i * n + j] == 0);
            }
        free(a), free(inverse), free(u);
    }
}
END_TEST

/* Of the two sides, cholesky and invert read the lower, inverse_factor the upper. */
START_TEST(one_side_is_enough)
{
    struct pr_linalg la;
    FOR_EACH_BACK_END(la)
    {
        int64_t n = 60;
        double *whole = definite(n, n, 0.1, 3), *side = definite(n, n, 0.1, 3);
        for (int64_t i = 0; i < n; i++)
            for (int64_t j = i + 1; j < n; j++)
                side[i * n + j] = NAN;
        OK(pr_linalg_invert(&la, n, whole, n));
        OK(pr_linalg_invert(&la, n, side, n));
        ck_assert(memcmp(whole, side, sizeof *side * (size_t)(n * n)) == 0);
        free(whole), free(side);
        whole = definite(n, n, 0.1, 3), side = definite(n, n, 0.1, 3);
        for (int64_t i = 0; i < n; i++)
            for (int64_t j = 0; j < i; j++)
                side[i * n + j] = NAN;
        OK(pr_linalg_inverse_factor(&la, n, whole, n));
        OK(pr_linalg_inverse_factor(&la, n, side, n));
        ck_assert(memcmp(whole, side, sizeof *side * (size_t)(n * n)) == 0);
        free(whole), free(side);
    }
}
END_TEST

START_TEST(a_bad_pivot_is_named)
{
    static const int64_t at[] = {0, 1, 47, 48, 90, 149};
    struct pr_linalg la;
    FOR_EACH_BACK_END(la)
    for (size_t k = 0; k < sizeof at / sizeof *at; k++) {
        int64_t n = 150, column = at[k];
        char words[64];
        struct pr_pivot bad;
        double *a = definite(n, n, 0.5, 23), *l = definite(n, n, 0.5, 23);
        /* The pivot is the square of the factor's diagonal, so this makes it -0.25. */
        OK(pr_linalg_cholesky(&la, n, l, n));
        double pivot = l[column * n + column] * l[column * n + column];
        free(l);
        a[column * n + column] -= pivot + 0.25;
        double diagonal = a[column * n + column];
        snprintf(words, sizeof words, "column %d is -0.2", (int)column);
        ck_assert_int_eq(pr_linalg_try_cholesky(&la, n, a, n, &bad), 1);
        ck_assert_int_eq(bad.column, column);
        ck_assert_double_eq_tol(bad.value, -0.25, 1e-12);
        ck_assert_double_eq_tol(bad.diagonal, diagonal, 1e-12);
        FAILS(pr_linalg_not_definite(n, &bad), PRUNE_E_VALUE, words);
        free(a);
    }
}
END_TEST

START_TEST(the_pivots_of_the_inverse_factor_run_from_the_last)
{
    struct pr_linalg la;
    FOR_EACH_BACK_END(la)
    {
        double a[] = {2, 0, 0, 0, -3, 0, 0, 0, 5};
        FAILS(pr_linalg_inverse_factor(&la, 3, a, 3), PRUNE_E_VALUE, "column 1 is -3");
    }
}
END_TEST

START_TEST(singular_is_refused_although_rounding_hides_it)
{
    struct pr_linalg la;
    FOR_EACH_BACK_END(la)
    for (int64_t samples = 1; samples < 60; samples += 7) {
        int64_t n = 60;
        double *x = numbers(samples * n, 31), *c = calloc((size_t)(n * n), sizeof *c);
        OK(pr_linalg_gram(&la, PRUNE_F64, samples, n, x, n, c, n));
        FAILS(pr_linalg_cholesky(&la, n, c, n), PRUNE_E_VALUE, "not positive definite");
        free(x), free(c);
    }
}
END_TEST

START_TEST(nan_and_infinity_are_bad_pivots)
{
    struct pr_linalg la;
    FOR_EACH_BACK_END(la)
    {
        double a[] = {2, 1, 1, 2}, b[] = {2, 1, NAN, 2}, c[] = {INFINITY, 1, 1, 2}, d[] = {1, 0, 0, -INFINITY};
        a[0] = NAN;
        FAILS(pr_linalg_cholesky(&la, 2, a, 2), PRUNE_E_VALUE, "column 0 is NaN");
        FAILS(pr_linalg_invert(&la, 2, b, 2), PRUNE_E_VALUE, "column 1 is NaN");
        FAILS(pr_linalg_cholesky(&la, 2, c, 2), PRUNE_E_VALUE, "column 0 is inf");
        FAILS(pr_linalg_cholesky(&la, 2, d, 2), PRUNE_E_VALUE, "column 1 is -inf");
    }
}
END_TEST

START_TEST(no_blas_sees_a_size_that_it_cannot_hold)
{
    const int64_t big = (int64_t)INT32_MAX + 1;
    struct pr_linalg la;
    FOR_EACH_BACK_END(la)
    {
        double x = 1, y = 2;
        float f = 1;
        FAILS(pr_linalg_gemm(&la, 0, 0, big, 1, 1, 1, &x, 1, &x, 1, 0, &y, 1), PRUNE_E_UNSUPPORTED, "2147483648");
        FAILS(pr_linalg_gemm(&la, 0, 0, 1, big, 1, 1, &x, 1, &x, big, 0, &y, big), PRUNE_E_UNSUPPORTED, "2147483648");
        FAILS(pr_linalg_gemm(&la, 0, 0, 1, 1, big, 1, &x, big, &x, 1, 0, &y, 1), PRUNE_E_UNSUPPORTED, "2147483648");
        FAILS(pr_linalg_gemm(&la, 0, 0, 1, 1, 1, 1, &x, 1, &x, 1, 0, &y, big), PRUNE_E_UNSUPPORTED, "2147483648");
        FAILS(pr_linalg_gemm_float(&la, 0, 0, 1, 1, 1, 1, &f, big, &f, 1, 0, &f, 1), PRUNE_E_UNSUPPORTED, "distance");
        FAILS(pr_linalg_gram(&la, PRUNE_F64, 1, big, &x, big, &y, big), PRUNE_E_UNSUPPORTED, "Gram");
        FAILS(pr_linalg_cholesky(&la, big, &y, big), PRUNE_E_UNSUPPORTED, "2147483647");
        FAILS(pr_linalg_invert(&la, big, &y, big), PRUNE_E_UNSUPPORTED, "2147483647");
        FAILS(pr_linalg_inverse_factor(&la, -1, &y, 1), PRUNE_E_UNSUPPORTED, "-1");
        FAILS(pr_linalg_solve_lower(&la, 0, 1, big, &x, 1, &y, big), PRUNE_E_UNSUPPORTED, "right-hand sides");
        ck_assert(y == 2);
    }
}
END_TEST

START_TEST(condition_estimates)
{
    struct pr_linalg la;
    FOR_EACH_BACK_END(la)
    for (size_t o = 0; o < ORDERS; o++)
        for (int tiny = 0; tiny < 3; tiny++) {
            int64_t n = orders[o];
            double shift = (double[]){1, 1e-4, 1e-8}[tiny], *work = numbers(3 * n, 1), sum = 0, exact = 0;
            double *a = definite(n, n, shift, 41), *l = definite(n, n, shift, 41), *inverse = definite(n, n, shift, 41);
            if (n > 1) /* two columns that are nearly the same */
                for (int64_t i = 0; i < n; i++) {
                    a[i * n + 1] = l[i * n + 1] = inverse[i * n + 1] = a[i * n];
                    a[n + i] = l[n + i] = inverse[n + i] = i == 1 ? a[0] + shift : i == 0 ? a[0] : a[i];
                }
            double norm = pr_linalg_norm(n, a, n, work);
            for (int64_t i = 0; i < n; i++) {
                sum = 0;
                for (int64_t j = 0; j < n; j++)
                    sum += fabs(a[i * n + j]);
                exact = sum > exact ? sum : exact;
            }
            ck_assert_double_eq_tol(norm, exact, 1e-12 * exact);
            OK(pr_linalg_cholesky(&la, n, l, n));
            OK(pr_linalg_invert(&la, n, inverse, n));
            double estimate = pr_linalg_condition(n, l, n, norm, work);
            double condition = norm * pr_linalg_norm(n, inverse, n, work);
            ck_assert_msg(estimate <= condition * (1 + 1e-6) && estimate >= condition / 3, "%lld: %g of %g",
                          (long long)n, estimate, condition);
            free(a), free(l), free(inverse), free(work);
        }
}
END_TEST

START_TEST(builtin_has_the_same_bits_for_any_number_of_threads)
{
    int64_t n = 230;
    double *one = definite(n, n, 0.1, 51), *two = definite(n, n, 0.1, 51);
    prune_context *context;
    struct pr_linalg la;
    OK(prune_context_create(&context));
    OK(prune_context_set_threads(context, 4));
    OK(pr_linalg_choose(&la, NULL, "builtin"));
    ck_assert_str_eq(pr_linalg_name(&la), "builtin");
    OK(pr_linalg_inverse_factor(&la, n, one, n));
    OK(pr_linalg_choose(&la, context, "builtin"));
    OK(pr_linalg_inverse_factor(&la, n, two, n));
    ck_assert(memcmp(one, two, sizeof *one * (size_t)(n * n)) == 0);
    free(one), free(two);
    prune_context_free(context);
}
END_TEST

START_TEST(back_ends_by_name)
{
    struct pr_linalg la = {NULL, UNTOUCHED};
    FAILS(pr_linalg_choose(&la, NULL, "mkl"), PRUNE_E_UNSUPPORTED, "\"mkl\"");
    ck_assert_ptr_eq(la.blas, UNTOUCHED);
    const char *way = pr_blas_way();
    if (strcmp(way, "none") == 0)
        FAILS(pr_linalg_choose(&la, NULL, "openblas"), PRUNE_E_UNSUPPORTED, "\"builtin\" always is");
    int is_there = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL) != NULL;
    if (strcmp(way, "load") == 0 && !is_there)
        skip("OpenBLAS, loaded", "libopenblas.so.0 is not installed");
    la = pr_linalg_of(NULL);
    ck_assert_str_eq(pr_linalg_name(&la),
                     strcmp(way, "link") == 0 || (strcmp(way, "load") == 0 && is_there) ? "openblas" : "builtin");
}
END_TEST

/* Nothing of OpenBLAS is in the process before dense algebra is asked for. Runs first: without a fork for each test the
 * others would have asked. */
START_TEST(loaded_at_the_first_call_and_not_before)
{
    void *before = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_NOLOAD);
    if (strcmp(pr_blas_way(), "link") == 0)
        return;
    ck_assert_ptr_null(before);
    struct pr_linalg la = pr_linalg_of(NULL);
    void *after = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_NOLOAD);
    ck_assert_int_eq(after != NULL, strcmp(pr_linalg_name(&la), "openblas") == 0);
}
END_TEST

static void *first_call(void *argument)
{
    struct pr_linalg *la = argument;
    double a[] = {4, 2, 2, 3};
    *la = pr_linalg_of(NULL);
    OK(pr_linalg_invert(la, 2, a, 2));
    ck_assert_double_eq_tol(a[1], -.25, 1e-15);
    return NULL;
}

START_TEST(any_thread_may_be_first)
{
    pthread_t threads[8];
    struct pr_linalg las[8];
    for (int i = 0; i < 8; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, first_call, &las[i]), 0);
    for (int i = 0; i < 8; i++) {
        pthread_join(threads[i], NULL);
        ck_assert_ptr_eq(las[i].blas, las[0].blas);
    }
}
END_TEST

START_TEST(the_hosts_blas_threads_stay_as_they_are)
{
    int64_t n = 300;
    void *library = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL);
    int (*get)(void);
    void (*set)(int);
    if (!library)
        return;
    *(void **)&get = dlsym(library, "openblas_get_num_threads");
    *(void **)&set = dlsym(library, "openblas_set_num_threads");
    for (int threads = 1; threads <= 2; threads++) {
        double *a = definite(n, n, 0.1, 3);
        struct pr_linalg la = pr_linalg_of(NULL);
        set(threads);
        OK(pr_linalg_invert(&la, n, a, n));
        ck_assert_int_eq(get(), threads);
        free(a);
    }
}
END_TEST

TEST_MAIN("linalg", loaded_at_the_first_call_and_not_before, products, gram_of_floats_and_doubles,
          cholesky_and_triangular_solves, inverse_and_its_upper_factor, one_side_is_enough, a_bad_pivot_is_named,
          the_pivots_of_the_inverse_factor_run_from_the_last, singular_is_refused_although_rounding_hides_it,
          nan_and_infinity_are_bad_pivots, no_blas_sees_a_size_that_it_cannot_hold, condition_estimates,
          builtin_has_the_same_bits_for_any_number_of_threads, back_ends_by_name, any_thread_may_be_first,
          the_hosts_blas_threads_stay_as_they_are)
