/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The back end that is OpenBLAS, by its C interface: loaded at the first call (PR_BLAS_LOAD, so that a program that
 * needs no dense algebra has neither its threads nor its memory), linked (PR_BLAS_LINK) or left out (PR_BLAS_NONE).
 * Its number of threads is the host's business: it is never asked for or set. A size of 0 never gets here, and leading
 * dimensions are made large enough, so that its error exit, which prints and may end the program, is not reached.
 */
#include "core/linalg/blas.h"

#include <stddef.h>

#if !defined(PR_BLAS_LOAD) && !defined(PR_BLAS_LINK) && !defined(PR_BLAS_NONE)
#define PR_BLAS_LOAD
#endif

#ifndef PR_BLAS_NONE

/* cblas.h's numbers. */
enum { ROW_MAJOR = 101, NO_TRANS = 111, TRANS = 112, LOWER = 122, NON_UNIT = 131, LEFT = 141, RIGHT = 142 };

typedef void dgemm_fn(int order, int transpose_a, int transpose_b, int m, int n, int k, double alpha, const double *a,
                      int lda, const double *b, int ldb, double beta, double *c, int ldc);
typedef void sgemm_fn(int order, int transpose_a, int transpose_b, int m, int n, int k, float alpha, const float *a,
                      int lda, const float *b, int ldb, float beta, float *c, int ldc);
typedef void dsyrk_fn(int order, int side, int transpose, int n, int k, double alpha, const double *a, int lda,
                      double beta, double *c, int ldc);
typedef void triangular_fn(int order, int side, int half, int transpose, int diagonal, int m, int n, double alpha,
                           const double *l, int ldl, double *x, int ldx);

#ifdef PR_BLAS_LINK
extern dgemm_fn cblas_dgemm;
extern sgemm_fn cblas_sgemm;
extern dsyrk_fn cblas_dsyrk;
extern triangular_fn cblas_dtrsm, cblas_dtrmm;
#define CALL(name) cblas_##name
#else
#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

/* Written once, under `once`. */
static struct {
    pthread_once_t once;
    int there;
    dgemm_fn *dgemm;
    sgemm_fn *sgemm;
    dsyrk_fn *dsyrk;
    triangular_fn *dtrsm, *dtrmm;
} pr_openblas_loaded = {.once = PTHREAD_ONCE_INIT};
#define CALL(name) pr_openblas_loaded.name
#endif

static int transposed(int flag)
{
    return flag ? TRANS : NO_TRANS;
}

static int leading(int64_t given, int64_t least)
{
    least = least > 1 ? least : 1;
    return (int)(given > least ? given : least);
}

static void gemm(prune_context *context, int transpose_a, int transpose_b, int64_t m, int64_t n, int64_t k,
                 double alpha, const double *a, int64_t lda, const double *b, int64_t ldb, double beta, double *c,
                 int64_t ldc)
{
    (void)context;
    CALL(dgemm)
    (ROW_MAJOR, transposed(transpose_a), transposed(transpose_b), (int)m, (int)n, (int)k, alpha, a,
     leading(lda, transpose_a ? m : k), b, leading(ldb, transpose_b ? k : n), beta, c, leading(ldc, n));
}

static void gemm_float(prune_context *context, int transpose_a, int transpose_b, int64_t m, int64_t n, int64_t k,
                       float alpha, const float *a, int64_t lda, const float *b, int64_t ldb, float beta, float *c,
                       int64_t ldc)
{
    (void)context;
    CALL(sgemm)
    (ROW_MAJOR, transposed(transpose_a), transposed(transpose_b), (int)m, (int)n, (int)k, alpha, a,
     leading(lda, transpose_a ? m : k), b, leading(ldb, transpose_b ? k : n), beta, c, leading(ldc, n));
}

static void syrk(prune_context *context, int transpose, int64_t n, int64_t k, double alpha, const double *a,
                 int64_t lda, double *c, int64_t ldc)
{
    (void)context;
    CALL(dsyrk)
    (ROW_MAJOR, LOWER, transposed(transpose), (int)n, (int)k, alpha, a, leading(lda, transpose ? n : k), 1, c,
     leading(ldc, n));
}

static void trsm(prune_context *context, int right, int transpose, int64_t m, int64_t n, const double *l, int64_t ldl,
                 double *x, int64_t ldx)
{
    (void)context;
    CALL(dtrsm)
    (ROW_MAJOR, right ? RIGHT : LEFT, LOWER, transposed(transpose), NON_UNIT, (int)m, (int)n, 1, l,
     leading(ldl, right ? n : m), x, leading(ldx, n));
}

static void trmm(prune_context *context, int transpose, int64_t m, int64_t n, const double *l, int64_t ldl, double *x,
                 int64_t ldx)
{
    (void)context;
    CALL(dtrmm)
    (ROW_MAJOR, LEFT, LOWER, transposed(transpose), NON_UNIT, (int)m, (int)n, 1, l, leading(ldl, m), x,
     leading(ldx, n));
}

static const struct pr_blas openblas = {"openblas", gemm, gemm_float, syrk, trsm, trmm};
#endif

#ifdef PR_BLAS_LOAD
/* A function pointer out of an object pointer, as POSIX has it. */
static int find(void *library, const char *name, void *function)
{
    void *address = dlsym(library, name);
    memcpy(function, &address, sizeof address);
    return address != NULL;
}

/* Whether its integers are int, as they are under these names unless somebody built it otherwise. */
static int has_int(void *library)
{
    char *(*config)(void);
    return find(library, "openblas_get_config", &config) && strstr(config(), "USE64BITINT") == NULL;
}

static void load(void)
{
    static const char *const names[] = {"libopenblas.so.0", "libopenblasp.so.0", "libopenblas.so"};
    for (size_t i = 0; i < sizeof names / sizeof *names && !pr_openblas_loaded.there; i++) {
        void *library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
        if (!library)
            continue;
        pr_openblas_loaded.there = has_int(library) && find(library, "cblas_dgemm", &pr_openblas_loaded.dgemm) &&
                                   find(library, "cblas_sgemm", &pr_openblas_loaded.sgemm) &&
                                   find(library, "cblas_dsyrk", &pr_openblas_loaded.dsyrk) &&
                                   find(library, "cblas_dtrsm", &pr_openblas_loaded.dtrsm) &&
                                   find(library, "cblas_dtrmm", &pr_openblas_loaded.dtrmm);
        if (!pr_openblas_loaded.there)
            dlclose(library);
    }
}
#endif

const struct pr_blas *pr_blas_openblas(void)
{
#if defined(PR_BLAS_NONE)
    return NULL;
#elif defined(PR_BLAS_LINK)
    return &openblas;
#else
    pthread_once(&pr_openblas_loaded.once, load);
    return pr_openblas_loaded.there ? &openblas : NULL;
#endif
}

const char *pr_blas_way(void)
{
#if defined(PR_BLAS_NONE)
    return "none";
#elif defined(PR_BLAS_LINK)
    return "link";
#else
    return "load";
#endif
}
