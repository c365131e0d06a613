/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What criteria share that invert the empirical Fisher matrix F = damping I + the mean of g g' over kept gradients.
 * The score of weight q, removed alone while the others make up for it, is w^2 / (2 [F^-1]_qq).
 */
#ifndef PR_CORE_INVERSE_FISHER_H
#define PR_CORE_INVERSE_FISHER_H

#include "core/criterion/criterion.h"
#include "core/observe/observe.h"

#define PR_DAMPING                                                                                                     \
    {                                                                                                                  \
        .name = "damping", .type = PR_REAL, .standard = "1e-5", .least = 1e-30, .most = 1e30,                          \
        .help = "added to the diagonal of the Fisher matrix, 1e-30 to 1e30"                                            \
    }
#define PR_SAMPLES                                                                                                     \
    {                                                                                                                  \
        .name = "samples", .type = PR_WHOLE, .standard = "0", .least = 0, .most = 2147483647,                          \
        .help = "how many of the last gradients, 0 for all that are kept"                                              \
    }

/* Checks the observations; how many gradients there are to take (1 or more), and the first of them. */
int32_t pr_fisher_begin(const struct pr_scoring *scoring, int64_t samples, int64_t *first, int64_t *count);

/* Elements position..position+count-1 of kept gradient `index`, as doubles. */
void pr_fisher_gradient(const struct pr_scoring *scoring, int64_t index, int64_t position, int64_t count, double *out);

/* The weights in row-major order, as doubles. */
void pr_fisher_weights(const struct pr_scoring *scoring, double *out);

/* w^2 / (2 inverse), infinite where w is. */
double pr_fisher_score(double w, double inverse);

/* Whether damping [F^-1]_qq, what is left of 1 after as many subtractions, is nothing but their rounding. */
int pr_fisher_lost(double left, int64_t samples);

/* The element whose inverse is lost. */
int32_t pr_fisher_refuse(const struct pr_scoring *scoring, int64_t position);

/* One more gradient of `samples` into the inverse (n x n) by Sherman and Morrison: H -= (H g)(H g)' / (samples + g' H
 * g). `scratch` has n. The first inverse is I / damping. */
void pr_fisher_add(int64_t n, double *inverse, const double *g, double samples, double *scratch);

#endif
