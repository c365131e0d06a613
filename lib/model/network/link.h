/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a link of a trainable chain is. Everything about one stands in its file in links/, which exports one `const
 * struct pm_link`; links/links.def lists them. The network, the runner and the trainer know links through this struct
 * only.
 */
#ifndef PM_NETWORK_LINK_H
#define PM_NETWORK_LINK_H

#include "base/spec.h"
#include "prune/prune.h"

#define PM_MAX_NODE_PARAMETERS 2
#define PM_MAX_EXTENT 16777216 /* 2^24: extents that BLAS's int can hold, and products of two that 63 bits can */

/* The shape of one sample of a value: without the batch axis. */
struct pm_sample_shape {
    int32_t rank;
    int64_t extents[PRUNE_MAX_RANK];
    int64_t count; /* elements */
};

/* A parameter as the link declares it: the node "fc1" makes "weight" the parameter "fc1.weight". */
struct pm_parameter_form {
    const char *suffix;
    int32_t rank;
    int64_t shape[2];
    int64_t fan_in; /* inputs summed for one output, for He's initial values; 0: starts at zero */
    int decays;     /* weight decay applies */
};

/* One batch through one node. Buffers are row-major, one sample after another. */
struct pm_pass {
    const struct pr_values *attributes;
    int64_t samples, in, out; /* elements of one sample of x and of y */
    const float *parameters[PM_MAX_NODE_PARAMETERS];
    const float *x;
    float *y;
    /* Backward only. `dx` may be NULL; where `accumulate` is not 0 it is added to. Gradients of parameters are
     * overwritten. */
    const float *dy;
    float *dx;
    int accumulate;
    float *gradients[PM_MAX_NODE_PARAMETERS];
};

/* How rounding errors pass one node: see compare.c. */
struct pm_bound {
    int64_t samples, in, out;
    const double *magnitudes[PM_MAX_NODE_PARAMETERS]; /* |parameter|, dense */
    const float *x;                                   /* the computed input */
    const double *x_error;                            /* bound on its error; NULL for exact */
    double *y_error;
    double *scratch; /* samples * in */
};

enum pm_role {
    PM_PRODUCT,    /* y = x W' + b with parameters W and b; W may be sparse */
    PM_ACTIVATION, /* element by element, may run in place */
    PM_VIEW        /* y is x in another shape: nothing to do */
};

struct pm_link {
    struct pr_kind kind;
    enum pm_role role;
    const char *epilogue; /* PM_ACTIVATION: the spec of the prune_epilogue that does the same, or NULL */

    /* The output's shape; PRUNE_E_SHAPE for an input that does not fit. */
    int32_t (*shape)(const struct pr_values *attributes, const struct pm_sample_shape *in, struct pm_sample_shape *out);

    /* Parameter `index`; 0 when there are not so many, else 1. NULL for none at all. */
    int (*parameter)(const struct pr_values *attributes, int32_t index, struct pm_parameter_form *form);

    /* Not called for PM_VIEW. `backward` of an activation may read y but not x, which may have been overwritten. */
    void (*forward)(const struct pm_pass *pass);
    void (*backward)(const struct pm_pass *pass);

    /* NULL where the link is exact and no difference of two inputs grows through it. */
    void (*bound)(const struct pm_bound *bound);

    /* Multiply-adds for one sample. */
    int64_t (*macs)(const struct pr_values *attributes, const struct pm_sample_shape *in);
};

extern const struct pm_link *const pm_links[];
extern const int32_t pm_link_count;

/* Parses "linear:in=784,out=300". */
int32_t pm_link_parse(const char *spec, const struct pm_link **op, struct pr_values *attributes);

/* y = y + bias, then ReLU if asked for, on `samples` rows: what follows a product. */
void pm_finish_rows(float *y, const float *bias, int64_t samples, int64_t out, int relu);

/* y = x W' + b by sgemm. */
void pm_matrix_product(const float *weights, const float *bias, const float *x, float *y, int64_t samples, int64_t in,
                       int64_t out, int relu);

#endif
