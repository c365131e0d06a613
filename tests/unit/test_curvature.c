/* SPDX-License-Identifier: BSD-2-Clause */
#include "allocator.h"
#include "base/rng.h"
#include "pruning.h"

#define MOST_LAYERS 3
#define MOST 64 /* of samples, of units of a layer */

/* A network of linear layers, each with a function behind it; E is a mean over samples. */
struct net {
    int layers, samples, units[MOST_LAYERS + 1];
    const char *function[MOST_LAYERS], *loss;
    double w[MOST_LAYERS][MOST * MOST];
    double x[MOST * MOST], d[MOST * MOST];
};

static double apply(const char *function, double a)
{
    return strcmp(function, "tanh") == 0       ? tanh(a)
           : strcmp(function, "relu") == 0     ? (a > 0 ? a : 0)
           : strcmp(function, "softplus") == 0 ? log1p(exp(a))
           : strcmp(function, "sigmoid") == 0  ? 1 / (1 + exp(-a))
                                               : a;
}

/* The loss, and for every layer its inputs, sums and outputs (NULL: not wanted). */
static double forward(const struct net *net, double (*a)[MOST * MOST], double (*x)[MOST * MOST])
{
    static double sums[MOST * MOST], in[MOST * MOST], out[MOST * MOST];
    double loss = 0;
    memcpy(in, net->x, sizeof in);
    for (int l = 0; l < net->layers; l++) {
        int n = net->units[l], m = net->units[l + 1];
        for (int s = 0; s < net->samples; s++)
            for (int i = 0; i < m; i++) {
                double sum = 0;
                for (int j = 0; j < n; j++)
                    sum += net->w[l][i * n + j] * in[s * n + j];
                sums[s * m + i] = sum;
                out[s * m + i] = apply(net->function[l], sum);
            }
        if (a) {
            memcpy(a[l], sums, sizeof sums);
            memcpy(x[l], in, sizeof in);
        }
        memcpy(in, out, sizeof in);
    }
    int classes = net->units[net->layers];
    for (int s = 0; s < net->samples; s++) {
        const double *o = out + s * classes, *d = net->d + s * classes;
        double sum = 0;
        for (int i = 0; i < classes; i++)
            sum += exp(o[i]);
        for (int i = 0; i < classes; i++)
            loss += strcmp(net->loss, "squared") == 0 ? (d[i] - o[i]) * (d[i] - o[i]) : -d[i] * (o[i] - log(sum));
    }
    if (a)
        memcpy(x[net->layers], out, sizeof out);
    return loss / net->samples;
}

/* The curvatures of all weights by the second backward pass, with or without the f'' terms. */
static void second_pass(const struct net *net, int with_second, double (*of_weights)[MOST * MOST])
{
    static double a[MOST_LAYERS][MOST * MOST], x[MOST_LAYERS + 1][MOST * MOST], h[MOST * MOST], g[MOST * MOST],
        next[MOST * MOST];
    forward(net, a, x);
    int64_t classes = net->units[net->layers], samples = net->samples;
    prune_tensor *th = borrow(h, PRUNE_F64, 2, SHAPE(samples, classes)),
                 *tg = borrow(g, PRUNE_F64, 2, SHAPE(samples, classes)),
                 *to = borrow(x[net->layers], PRUNE_F64, 2, SHAPE(samples, classes)),
                 *td = borrow(net->d, PRUNE_F64, 2, SHAPE(samples, classes));
    OK(prune_curvature_loss(th, tg, to, td, net->loss));
    prune_tensor_free(th), prune_tensor_free(tg), prune_tensor_free(to), prune_tensor_free(td);
    for (int l = net->layers - 1; l >= 0; l--) {
        int64_t in = net->units[l], out = net->units[l + 1];
        prune_tensor *ta = borrow(a[l], PRUNE_F64, 2, SHAPE(samples, out)),
                     *tx = borrow(x[l], PRUNE_F64, 2, SHAPE(samples, in)),
                     *tw = borrow(net->w[l], PRUNE_F64, 2, SHAPE(out, in)),
                     *hw = borrow(of_weights[l], PRUNE_F64, 2, SHAPE(out, in)),
                     *hx = borrow(next, PRUNE_F64, 2, SHAPE(samples, in));
        th = borrow(h, PRUNE_F64, 2, SHAPE(samples, out));
        tg = borrow(g, PRUNE_F64, 2, SHAPE(samples, out));
        OK(prune_curvature_activation(th, ta, with_second ? tg : NULL, net->function[l]));
        OK(prune_curvature_linear(hw, hx, tw, tx, th));
        /* The first pass, by hand: dE/da = f' dE/dx, dE/dx' = W' dE/da. */
        static double back[MOST * MOST];
        for (int64_t s = 0; s < samples; s++)
            for (int64_t j = 0; j < in; j++) {
                double sum = 0;
                for (int64_t i = 0; i < out; i++) {
                    double step = 1e-6, at = a[l][s * out + i];
                    double slope =
                        (apply(net->function[l], at + step) - apply(net->function[l], at - step)) / (2 * step);
                    sum += net->w[l][i * in + j] * slope * g[s * out + i];
                }
                back[s * in + j] = sum;
            }
        memcpy(g, back, sizeof g);
        memcpy(h, next, sizeof h);
        prune_tensor_free(th), prune_tensor_free(tg), prune_tensor_free(ta), prune_tensor_free(tx);
        prune_tensor_free(tw), prune_tensor_free(hw), prune_tensor_free(hx);
    }
}

/* d2E/dw2 by central differences. */
static double difference(struct net *net, int layer, int weight)
{
    double step = 3e-4, *w = &net->w[layer][weight], at = *w, middle = forward(net, NULL, NULL);
    *w = at + step;
    double above = forward(net, NULL, NULL);
    *w = at - step;
    double below = forward(net, NULL, NULL);
    *w = at;
    return (above - 2 * middle + below) / (step * step);
}

static void fill(struct net *net, uint64_t seed)
{
    struct pr_rng rng;
    pr_rng_seed(&rng, seed);
    for (int l = 0; l < net->layers; l++)
        for (int i = 0; i < net->units[l] * net->units[l + 1]; i++)
            net->w[l][i] = (pr_rng_uniform(&rng) - .5) * 2;
    for (int i = 0; i < net->samples * net->units[0]; i++)
        net->x[i] = (pr_rng_uniform(&rng) - .5) * 2;
    for (int s = 0; s < net->samples; s++) {
        int classes = net->units[net->layers];
        for (int i = 0; i < classes; i++)
            net->d[s * classes + i] = strcmp(net->loss, "squared") == 0 ? pr_rng_uniform(&rng) : i == s % classes;
    }
}

static void expect_differences(struct net *net, int first_layer)
{
    static double h[MOST_LAYERS][MOST * MOST];
    second_pass(net, 1, h);
    for (int l = first_layer; l < net->layers; l++)
        for (int i = 0; i < net->units[l] * net->units[l + 1]; i++) {
            double due = difference(net, l, i);
            if (!(fabs(h[l][i] - due) <= 1e-5 * (1 + fabs(due))))
                ck_abort_msg("layer %d of %d, weight %d: %.10g, differences say %.10g", l, net->layers, i, h[l][i],
                             due);
        }
}

START_TEST(obd_removes_the_smaller_saliency_of_two_weights)
{
    /* E = (d - o)^2; x = 1, w1 = .5 (tanh), w2 = 2 (linear), d = 1. */
    static struct net net = {.layers = 2,
                             .samples = 1,
                             .units = {1, 1, 1},
                             .function = {"tanh", "identity"},
                             .loss = "squared",
                             .w = {{.5}, {2}},
                             .x = {1},
                             .d = {1}};
    static double with[MOST_LAYERS][MOST * MOST], without[MOST_LAYERS][MOST * MOST];
    second_pass(&net, 1, with);
    second_pass(&net, 0, without);
    ck_assert(fabs(with[1][0] - .427105) < 1e-6 && fabs(without[1][0] - .427105) < 1e-6);
    ck_assert(fabs(with[0][0] - 5.168285) < 1e-6);
    ck_assert(fabs(without[0][0] - 4.948000) < 1e-6);
    ck_assert(fabs(with[0][0] - difference(&net, 0, 0)) < 1e-5 && fabs(with[1][0] - difference(&net, 1, 0)) < 1e-5);
    const double w[] = {.5, 2}, h[] = {with[0][0], with[1][0]};
    prune_tensor *weights = borrow(w, PRUNE_F64, 1, SHAPE(2)), *curvatures = borrow(h, PRUNE_F64, 1, SHAPE(2));
    prune_observations *o;
    prune_criterion *obd;
    prune_granularity *g = cut("element");
    prune_scores *scores;
    OK(prune_observations_create(&o, NULL, PRUNE_OBSERVE_HESSIAN_DIAGONAL));
    OK(prune_observations_feed(o, PRUNE_CURVATURES, curvatures));
    OK(prune_criterion_create(&obd, NULL, "obd"));
    OK(prune_criterion_score(&scores, obd, weights, o, g));
    const double *saliency = prune_tensor_const_data(prune_scores_values(scores));
    ck_assert(fabs(saliency[0] - .646036) < 1e-6 && fabs(saliency[1] - .854209) < 1e-6);
    prune_scores_free(scores);
    prune_criterion_free(obd);
    prune_granularity_free(g);
    prune_observations_free(o);
    prune_tensor_free(weights), prune_tensor_free(curvatures);
}
END_TEST

START_TEST(the_last_two_layers_are_exact_under_a_squared_loss)
{
    const char *functions[] = {"tanh", "softplus", "sigmoid"}, *last[] = {"identity", "tanh", "softplus"};
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) {
            static struct net net;
            net = (struct net){.layers = 3,
                               .samples = 5,
                               .units = {4, 6, 5, 3},
                               .function = {functions[i], functions[j], last[i]},
                               .loss = "squared"};
            fill(&net, (uint64_t)(i * 3 + j));
            expect_differences(&net, 1);
        }
}
END_TEST

START_TEST(chains_are_exact)
{
    static struct net net = {.layers = 3,
                             .samples = 4,
                             .units = {1, 1, 1, 1},
                             .function = {"softplus", "tanh", "sigmoid"},
                             .loss = "squared"};
    for (uint64_t seed = 0; seed < 10; seed++) {
        fill(&net, seed);
        expect_differences(&net, 0);
    }
}
END_TEST

START_TEST(the_last_layer_is_exact_under_cross_entropy)
{
    static struct net net = {
        .layers = 2, .samples = 6, .units = {5, 7, 4}, .function = {"relu", "identity"}, .loss = "cross-entropy"};
    fill(&net, 4);
    expect_differences(&net, 1);
}
END_TEST

static void ranks(const double *x, int count, double *rank)
{
    for (int i = 0; i < count; i++) {
        rank[i] = 0;
        for (int j = 0; j < count; j++)
            rank[i] += (x[j] < x[i]) + (x[j] == x[i]) / 2.;
    }
}

static double spearman(const double *x, const double *y, int count)
{
    double *a = malloc((size_t)count * sizeof *a), *b = malloc((size_t)count * sizeof *b);
    double mean = count / 2., xy = 0, xx = 0, yy = 0;
    ranks(x, count, a);
    ranks(y, count, b);
    for (int i = 0; i < count; i++) {
        xy += (a[i] - mean) * (b[i] - mean);
        xx += (a[i] - mean) * (a[i] - mean);
        yy += (b[i] - mean) * (b[i] - mean);
    }
    free(a), free(b);
    return xy / sqrt(xx * yy);
}

/* What is left out averages away over many outputs; with 2 in place of 16 the correlation is 0.65. */
START_TEST(layers_before_rank_as_differences_do)
{
    static struct net net = {.layers = 3,
                             .samples = 20,
                             .units = {6, 8, 8, 16},
                             .function = {"tanh", "softplus", "identity"},
                             .loss = "squared"};
    static double h[MOST_LAYERS][MOST * MOST], due[MOST * MOST];
    double mean = 0;
    for (uint64_t seed = 0; seed < 5; seed++) {
        fill(&net, seed);
        second_pass(&net, 1, h);
        for (int i = 0; i < 48; i++)
            due[i] = difference(&net, 0, i);
        mean += spearman(h[0], due, 48) / 5;
    }
    ck_assert_msg(mean > .9, "rank correlation %.3f", mean);
}
END_TEST

static double *numbers(uint64_t seed, int64_t count)
{
    double *x = malloc((size_t)count * sizeof *x);
    struct pr_rng rng;
    pr_rng_seed(&rng, seed);
    for (int64_t i = 0; i < count; i++)
        x[i] = pr_rng_uniform(&rng) * 2 - 1;
    return x;
}

/* A convolution of `groups` groups as the linear layer that it is, whose weights are shared. */
static void compare_with_linear(int64_t in, int64_t out, int64_t groups, int64_t kh, int64_t kw, int64_t stride,
                                int64_t padding, int64_t dilation)
{
    enum { SAMPLES = 3, H = 7, W = 6 };
    char spec[100];
    int64_t oh = (H + 2 * padding - dilation * (kh - 1) - 1) / stride + 1,
            ow = (W + 2 * padding - dilation * (kw - 1) - 1) / stride + 1;
    int64_t wide = in * H * W, tall = out * oh * ow, per = in / groups, count = out * per * kh * kw;
    double *w = numbers(1, count), *x = numbers(2, SAMPLES * wide), *h = numbers(3, SAMPLES * tall);
    double *matrix = calloc((size_t)(wide * tall), sizeof *matrix), *hw = calloc((size_t)count, sizeof *hw),
           *hx = calloc((size_t)(SAMPLES * wide), sizeof *hx), *hm = calloc((size_t)(wide * tall), sizeof *hm),
           *hy = calloc((size_t)(SAMPLES * wide), sizeof *hy), *due = calloc((size_t)count, sizeof *due);
    snprintf(spec, sizeof spec, "stride=%d,padding=%d,dilation=%d,groups=%d", (int)stride, (int)padding, (int)dilation,
             (int)groups);
    int64_t *shared = malloc((size_t)(wide * tall) * sizeof *shared);
    for (int64_t i = 0; i < wide * tall; i++)
        shared[i] = -1;
    for (int64_t n = 0; n < count; n++)
        for (int64_t p = 0; p < oh * ow; p++) {
            int64_t v = n % kw, u = n / kw % kh, c = n / (kw * kh) % per, o = n / (kw * kh * per);
            int64_t row = p / ow * stride + u * dilation - padding, column = p % ow * stride + v * dilation - padding;
            int64_t channel = o / (out / groups) * per + c;
            if (row < 0 || row >= H || column < 0 || column >= W)
                continue;
            int64_t at = (o * oh * ow + p) * wide + (channel * H + row) * W + column;
            matrix[at] = w[n];
            shared[at] = n;
        }
    prune_tensor *t[] = {
        borrow(hw, PRUNE_F64, 4, SHAPE(out, per, kh, kw)),    borrow(hx, PRUNE_F64, 4, SHAPE(SAMPLES, in, H, W)),
        borrow(w, PRUNE_F64, 4, SHAPE(out, per, kh, kw)),     borrow(x, PRUNE_F64, 4, SHAPE(SAMPLES, in, H, W)),
        borrow(h, PRUNE_F64, 4, SHAPE(SAMPLES, out, oh, ow)), borrow(hm, PRUNE_F64, 2, SHAPE(tall, wide)),
        borrow(hy, PRUNE_F64, 2, SHAPE(SAMPLES, wide)),       borrow(matrix, PRUNE_F64, 2, SHAPE(tall, wide)),
        borrow(x, PRUNE_F64, 2, SHAPE(SAMPLES, wide)),        borrow(h, PRUNE_F64, 2, SHAPE(SAMPLES, tall))};
    OK(prune_curvature_convolution(t[0], t[1], t[2], t[3], t[4], spec));
    OK(prune_curvature_linear(t[5], t[6], t[7], t[8], t[9]));
    for (int64_t i = 0; i < wide * tall; i++)
        if (shared[i] >= 0)
            due[shared[i]] += hm[i];
    for (int64_t i = 0; i < count; i++)
        ck_assert_msg(fabs(hw[i] - due[i]) < 1e-12 * (1 + fabs(due[i])), "%s: weight %d: %g, not %g", spec, (int)i,
                      hw[i], due[i]);
    for (int64_t i = 0; i < SAMPLES * wide; i++)
        ck_assert(fabs(hx[i] - hy[i]) < 1e-12 * (1 + fabs(hy[i])));
    memset(hw, 0, (size_t)count * sizeof *hw);
    OK(prune_curvature_convolution(t[0], NULL, t[2], t[3], t[4], spec));
    for (int64_t i = 0; i < count; i++)
        ck_assert(fabs(hw[i] - due[i]) < 1e-12 * (1 + fabs(due[i])));
    for (int i = 0; i < 10; i++)
        prune_tensor_free(t[i]);
    free(w), free(x), free(h), free(matrix), free(hw), free(hx), free(hm), free(hy), free(due), free(shared);
}

START_TEST(a_convolution_is_a_linear_layer_that_shares_weights)
{
    compare_with_linear(1, 1, 1, 1, 1, 1, 0, 1);
    compare_with_linear(3, 2, 1, 3, 3, 1, 1, 1);
    compare_with_linear(4, 6, 2, 3, 2, 2, 1, 1);
    compare_with_linear(3, 3, 3, 2, 3, 1, 2, 2);
    compare_with_linear(2, 2, 1, 7, 6, 1, 0, 1);
}
END_TEST

START_TEST(pooling_routes_and_shares)
{
    const double x[16] = {1, 5, 2, 2, 3, 4, 2, 2, 0, 0, -1, -2, 0, 0, -3, -4}, h[4] = {1, 2, 3, 4},
                 odd[4] = {1, 10, 100, 1000};
    double hx[16], nine[9] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    prune_tensor *tx = borrow(x, PRUNE_F64, 4, SHAPE(1, 1, 4, 4)), *th = borrow(h, PRUNE_F64, 4, SHAPE(1, 1, 2, 2)),
                 *thx = borrow(hx, PRUNE_F64, 4, SHAPE(1, 1, 4, 4)), *to = borrow(odd, PRUNE_F64, 4, SHAPE(1, 1, 2, 2)),
                 *t9 = borrow(nine, PRUNE_F64, 4, SHAPE(1, 1, 3, 3));
    OK(prune_curvature_pool(thx, tx, th, NULL)); /* the first of equal ones */
    const double most[16] = {0, 1, 2, 0, 0, 0, 0, 0, 3, 0, 4, 0, 0, 0, 0, 0};
    ck_assert_mem_eq(hx, most, sizeof hx);
    OK(prune_curvature_pool(thx, tx, th, "kind=average"));
    for (int i = 0; i < 16; i++)
        ck_assert(hx[i] == h[i / 8 * 2 + i % 4 / 2] / 16);
    OK(prune_curvature_pool(thx, tx, to, "size=3,stride=1")); /* windows overlap: 5 is in two, 4 in two */
    double sum = 0;
    for (int i = 0; i < 16; i++)
        sum += hx[i];
    ck_assert(sum == 1111 && hx[1] == 11 && hx[5] == 1100);
    OK(prune_curvature_pool(thx, tx, t9, "kind=average,padding=1"));
    for (int i = 0; i < 16; i++)
        ck_assert(hx[i] == nine[(i / 4 + 1) / 2 * 3 + (i % 4 + 1) / 2] / 16);
    FAILS(prune_curvature_pool(thx, tx, th, "size=3"), PRUNE_E_SHAPE, "[1, 1, 1, 1]");
    FAILS(prune_curvature_pool(thx, tx, th, "padding=2"), PRUNE_E_SPEC, "padding=2");
    FAILS(prune_curvature_pool(thx, tx, th, "kind=least"), PRUNE_E_SPEC, "kind");
    FAILS(prune_curvature_pool(thx, tx, th, "size=9"), PRUNE_E_SHAPE, "smaller");
    prune_tensor_free(tx), prune_tensor_free(th), prune_tensor_free(thx), prune_tensor_free(to);
    prune_tensor_free(t9);
}
END_TEST

START_TEST(scales_count_squared)
{
    double h[12] = {1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6};
    const double scale[3] = {2, -1, .5};
    prune_tensor *th = borrow(h, PRUNE_F64, 3, SHAPE(2, 3, 2)), *ts = borrow(scale, PRUNE_F64, 1, SHAPE(3)),
                 *flat = borrow(h, PRUNE_F64, 1, SHAPE(12)), *two = borrow(scale, PRUNE_F64, 1, SHAPE(2));
    OK(prune_curvature_scale(th, ts));
    const double due[12] = {4, 4, 2, 2, .75, .75, 16, 16, 5, 5, 1.5, 1.5};
    ck_assert_mem_eq(h, due, sizeof h);
    FAILS(prune_curvature_scale(flat, ts), PRUNE_E_SHAPE, "rank 1");
    FAILS(prune_curvature_scale(th, two), PRUNE_E_SHAPE, "[3]");
    ck_assert_mem_eq(h, due, sizeof h);
    prune_tensor_free(th), prune_tensor_free(ts), prune_tensor_free(flat), prune_tensor_free(two);
}
END_TEST

START_TEST(what_does_not_fit_is_refused_and_nothing_written)
{
    double a[6] = {1, 2, 3, 4, 5, 6}, b[6] = {7, 7, 7, 7, 7, 7};
    const double nan[6] = {1, 2, NAN, 4, 5, 6};
    const int32_t whole[6] = {0};
    prune_tensor *x = borrow(a, PRUNE_F64, 2, SHAPE(3, 2)), *y = borrow(b, PRUNE_F64, 2, SHAPE(3, 2)),
                 *turned = borrow(a, PRUNE_F64, 2, SHAPE(2, 3)), *bad = borrow(nan, PRUNE_F64, 2, SHAPE(3, 2)),
                 *ints = borrow(whole, PRUNE_I32, 2, SHAPE(3, 2)), *square = borrow(a, PRUNE_F64, 2, SHAPE(2, 2)),
                 *wsq = borrow(b, PRUNE_F64, 2, SHAPE(2, 2)), *image = borrow(a, PRUNE_F64, 4, SHAPE(1, 1, 2, 3)),
                 *kernel = borrow(a, PRUNE_F64, 4, SHAPE(1, 2, 1, 1)), *hi = borrow(b, PRUNE_F64, 4, SHAPE(1, 1, 2, 3));
    FAILS(prune_curvature_loss(y, NULL, x, x, "hinge"), PRUNE_E_SPEC, "hinge");
    FAILS(prune_curvature_loss(y, NULL, x, turned, "squared"), PRUNE_E_SHAPE, "[2, 3]");
    FAILS(prune_curvature_loss(turned, NULL, x, x, "squared"), PRUNE_E_SHAPE, "[3, 2]");
    FAILS(prune_curvature_loss(y, NULL, bad, x, "squared"), PRUNE_E_VALUE, "(1, 0), is NaN");
    FAILS(prune_curvature_loss(ints, NULL, x, x, "squared"), PRUNE_E_DTYPE, "i32");
    FAILS(prune_curvature_activation(y, x, NULL, "swish"), PRUNE_E_SPEC, "swish");
    FAILS(prune_curvature_activation(y, turned, NULL, "tanh"), PRUNE_E_SHAPE, "[2, 3]");
    FAILS(prune_curvature_activation(y, x, bad, "tanh"), PRUNE_E_VALUE, "gradients");
    FAILS(prune_curvature_linear(NULL, NULL, square, x, x), PRUNE_E_ARGUMENT, "one at least");
    FAILS(prune_curvature_linear(wsq, NULL, square, turned, x), PRUNE_E_SHAPE, "inputs");
    FAILS(prune_curvature_linear(wsq, NULL, square, x, turned), PRUNE_E_SHAPE, "curvatures");
    FAILS(prune_curvature_linear(y, NULL, square, x, x), PRUNE_E_SHAPE, "curvatures of the weights");
    FAILS(prune_curvature_linear(wsq, NULL, square, x, bad), PRUNE_E_VALUE, "curvatures");
    FAILS(prune_curvature_convolution(NULL, hi, kernel, image, image, NULL), PRUNE_E_SHAPE, "1 channels");
    FAILS(prune_curvature_convolution(NULL, hi, image, image, image, NULL), PRUNE_E_SHAPE, "[1, 1, 1, 1]");
    FAILS(prune_curvature_convolution(NULL, hi, square, image, image, NULL), PRUNE_E_SHAPE, "rank 2");
    FAILS(prune_curvature_convolution(NULL, hi, image, image, image, "stride=0"), PRUNE_E_SPEC, "stride");
    for (int i = 0; i < 6; i++)
        ck_assert(b[i] == 7);
    prune_tensor *all[] = {x, y, turned, bad, ints, square, wsq, image, kernel, hi};
    for (int i = 0; i < 10; i++)
        prune_tensor_free(all[i]);
}
END_TEST

/* A network with a hidden layer of rectifiers, trained a little on what a teacher says; each hidden unit removed in
 * turn is the oracle: the mean over batches of the squared change of the loss. */
#define IN 8
#define HIDDEN 32
#define OUT 3
#define DATA 256
#define BATCH 16

struct student {
    double v[HIDDEN][IN], u[OUT][HIDDEN];
};

static double batch_loss(const struct student *n, const double *x, const double *d, int removed, double (*z)[HIDDEN],
                         double (*dz)[HIDDEN], struct student *gradient)
{
    double loss = 0;
    for (int s = 0; s < BATCH; s++) {
        double hidden[HIDDEN], e[OUT];
        for (int i = 0; i < HIDDEN; i++) {
            double sum = 0;
            for (int j = 0; j < IN; j++)
                sum += n->v[i][j] * x[s * IN + j];
            hidden[i] = sum > 0 && i != removed ? sum : 0;
        }
        for (int o = 0; o < OUT; o++) {
            double sum = -d[s * OUT + o];
            for (int i = 0; i < HIDDEN; i++)
                sum += n->u[o][i] * hidden[i];
            loss += sum * sum / BATCH;
            e[o] = 2 * sum / BATCH;
        }
        for (int i = 0; gradient && i < HIDDEN; i++) {
            double back = 0;
            for (int o = 0; o < OUT; o++) {
                back += n->u[o][i] * e[o];
                gradient->u[o][i] += e[o] * hidden[i];
            }
            z[s][i] = hidden[i];
            dz[s][i] = back;
            for (int j = 0; hidden[i] > 0 && j < IN; j++)
                gradient->v[i][j] += back * x[s * IN + j];
        }
    }
    return loss;
}

static void make_student(struct student *n, double *x, double *d, uint64_t seed)
{
    struct pr_rng rng;
    struct student teacher;
    static double z[BATCH][HIDDEN], dz[BATCH][HIDDEN];
    pr_rng_seed(&rng, seed);
    double *all[] = {&n->v[0][0], &n->u[0][0], &teacher.v[0][0], &teacher.u[0][0]};
    const int counts[] = {HIDDEN * IN, HIDDEN * OUT, HIDDEN * IN, HIDDEN * OUT};
    for (int k = 0; k < 4; k++)
        for (int i = 0; i < counts[k]; i++)
            all[k][i] = (pr_rng_uniform(&rng) - .5) * (k % 2 ? 1 : 2);
    for (int i = 0; i < DATA * IN; i++)
        x[i] = (pr_rng_uniform(&rng) - .5) * 2;
    for (int s = 0; s < DATA; s++)
        for (int o = 0; o < OUT; o++) {
            double sum = (pr_rng_uniform(&rng) - .5);
            for (int i = 0; i < HIDDEN; i++) {
                double a = 0;
                for (int j = 0; j < IN; j++)
                    a += teacher.v[i][j] * x[s * IN + j];
                sum += a > 0 ? teacher.u[o][i] * a : 0;
            }
            d[s * OUT + o] = sum;
        }
    for (int step = 0; step < 400; step++) {
        struct student gradient = {{{0}}, {{0}}};
        int at = step % (DATA / BATCH) * BATCH;
        batch_loss(n, x + at * IN, d + at * OUT, -1, z, dz, &gradient);
        for (int i = 0; i < HIDDEN * IN; i++)
            (&n->v[0][0])[i] -= .02 * (&gradient.v[0][0])[i];
        for (int i = 0; i < HIDDEN * OUT; i++)
            (&n->u[0][0])[i] -= .02 * (&gradient.u[0][0])[i];
    }
}

static void score_into(double *out, const double *w, const prune_observations *o, const char *criterion)
{
    prune_tensor *weights = borrow(w, PRUNE_F64, 2, SHAPE(HIDDEN, IN));
    prune_criterion *c;
    prune_granularity *g = cut("row");
    prune_scores *scores;
    OK(prune_criterion_create(&c, NULL, criterion));
    OK(prune_criterion_score(&scores, c, weights, o, g));
    memcpy(out, prune_tensor_const_data(prune_scores_values(scores)), HIDDEN * sizeof *out);
    prune_scores_free(scores);
    prune_criterion_free(c);
    prune_granularity_free(g);
    prune_tensor_free(weights);
}

START_TEST(taylor_ranks_as_leaving_units_out_does)
{
    static double x[DATA * IN], d[DATA * OUT], z[BATCH][HIDDEN], dz[BATCH][HIDDEN];
    double taylor = 0, gate = 0, magnitude = 0;
    for (uint64_t seed = 0; seed < 5; seed++) {
        struct student n;
        double oracle[HIDDEN] = {0}, by[3][HIDDEN];
        prune_observations *o;
        make_student(&n, x, d, seed);
        OK(prune_observations_create(&o, NULL, PRUNE_OBSERVE_ACTIVATION_GRADIENTS | PRUNE_OBSERVE_GRADIENT_SAMPLES));
        for (int at = 0; at < DATA; at += BATCH) {
            struct student gradient = {{{0}}, {{0}}};
            double loss = batch_loss(&n, x + at * IN, d + at * OUT, -1, z, dz, &gradient);
            for (int i = 0; i < HIDDEN; i++) {
                double change = batch_loss(&n, x + at * IN, d + at * OUT, i, z, dz, NULL) - loss;
                oracle[i] += change * change / (DATA / BATCH);
            }
            prune_tensor *a = borrow(z, PRUNE_F64, 2, SHAPE(BATCH, HIDDEN)),
                         *b = borrow(dz, PRUNE_F64, 2, SHAPE(BATCH, HIDDEN)),
                         *g = borrow(gradient.v, PRUNE_F64, 2, SHAPE(HIDDEN, IN));
            OK(prune_observations_feed_pair(o, PRUNE_ACTIVATIONS, a, b));
            OK(prune_observations_feed(o, PRUNE_GRADIENTS, g));
            prune_tensor_free(a), prune_tensor_free(b), prune_tensor_free(g);
        }
        score_into(by[0], &n.v[0][0], o, "taylor-activation:form=gate");
        score_into(by[1], &n.v[0][0], o, "taylor-gate");
        score_into(by[2], &n.v[0][0], o, "l2");
        taylor += spearman(by[0], oracle, HIDDEN) / 5;
        gate += spearman(by[1], oracle, HIDDEN) / 5;
        magnitude += spearman(by[2], oracle, HIDDEN) / 5;
        prune_observations_free(o);
    }
    printf("rank correlation with leaving out: Taylor %.3f, of the weights %.3f, magnitude %.3f\n", taylor, gate,
           magnitude);
    ck_assert_msg(taylor > .8 && gate > .8 && magnitude < taylor, "Taylor %.3f, of the weights %.3f, magnitude %.3f",
                  taylor, gate, magnitude);
}
END_TEST

/* The loss over all data of a student whose weights are cut to `sparsity` in each layer. */
static double loss_after(const struct student *n, const double *x, const double *d, const char *criterion,
                         prune_observations *const *o, double sparsity)
{
    struct student cut_down = *n;
    prune_tensor *layer[] = {borrow(cut_down.v, PRUNE_F64, 2, SHAPE(HIDDEN, IN)),
                             borrow(cut_down.u, PRUNE_F64, 2, SHAPE(OUT, HIDDEN))};
    prune_criterion *c;
    prune_granularity *g = cut("element");
    double loss = 0;
    OK(prune_criterion_create(&c, NULL, criterion));
    for (int i = 0; i < 2; i++) {
        prune_scores *scores;
        prune_mask *mask;
        OK(prune_criterion_score(&scores, c, layer[i], o[i], g));
        OK(prune_mask_select(&mask, scores, PRUNE_SPARSITY, sparsity));
        OK(prune_mask_apply(mask, layer[i]));
        prune_scores_free(scores);
        prune_mask_free(mask);
        prune_tensor_free(layer[i]);
    }
    prune_criterion_free(c);
    prune_granularity_free(g);
    for (int at = 0; at < DATA; at += BATCH)
        loss += batch_loss(&cut_down, x + at * IN, d + at * OUT, -1, NULL, NULL, NULL) * BATCH / DATA;
    return loss;
}

START_TEST(obd_costs_less_than_magnitude_without_retraining)
{
    static double x[DATA * IN], d[DATA * OUT], a[DATA * HIDDEN], z[DATA * HIDDEN], h[DATA * OUT], hz[DATA * HIDDEN],
        hv[HIDDEN * IN], hu[OUT * HIDDEN];
    double obd = 0, magnitude = 0;
    for (uint64_t seed = 0; seed < 5; seed++) {
        struct student n;
        prune_observations *o[2];
        make_student(&n, x, d, seed);
        for (int i = 0; i < DATA * HIDDEN; i++) {
            a[i] = 0;
            for (int j = 0; j < IN; j++)
                a[i] += n.v[i % HIDDEN][j] * x[i / HIDDEN * IN + j];
            z[i] = a[i] > 0 ? a[i] : 0;
        }
        for (int i = 0; i < DATA * OUT; i++)
            h[i] = 2. / DATA;
        prune_tensor *tx = borrow(x, PRUNE_F64, 2, SHAPE(DATA, IN)), *ta = borrow(a, PRUNE_F64, 2, SHAPE(DATA, HIDDEN)),
                     *tz = borrow(z, PRUNE_F64, 2, SHAPE(DATA, HIDDEN)),
                     *th = borrow(h, PRUNE_F64, 2, SHAPE(DATA, OUT)),
                     *thz = borrow(hz, PRUNE_F64, 2, SHAPE(DATA, HIDDEN)),
                     *tv = borrow(n.v, PRUNE_F64, 2, SHAPE(HIDDEN, IN)),
                     *tu = borrow(n.u, PRUNE_F64, 2, SHAPE(OUT, HIDDEN)),
                     *curvature[] = {borrow(hv, PRUNE_F64, 2, SHAPE(HIDDEN, IN)),
                                     borrow(hu, PRUNE_F64, 2, SHAPE(OUT, HIDDEN))};
        OK(prune_curvature_linear(curvature[1], thz, tu, tz, th));
        OK(prune_curvature_activation(thz, ta, NULL, "relu"));
        OK(prune_curvature_linear(curvature[0], NULL, tv, tx, thz));
        for (int i = 0; i < 2; i++) {
            OK(prune_observations_create(&o[i], NULL, PRUNE_OBSERVE_HESSIAN_DIAGONAL));
            OK(prune_observations_feed(o[i], PRUNE_CURVATURES, curvature[i]));
        }
        obd += loss_after(&n, x, d, "obd", o, .8) / 5;
        magnitude += loss_after(&n, x, d, "l1", o, .8) / 5;
        prune_tensor *all[] = {tx, ta, tz, th, thz, tv, tu, curvature[0], curvature[1]};
        for (int i = 0; i < 9; i++)
            prune_tensor_free(all[i]);
        prune_observations_free(o[0]), prune_observations_free(o[1]);
    }
    printf("loss at 80 %% without retraining: OBD %.4f, magnitude %.4f\n", obd, magnitude);
    ck_assert(obd < magnitude);
}
END_TEST

static int32_t take_step(int images, int step, prune_tensor *const *t)
{
    if (images)
        return step == 0 ? prune_curvature_pool(t[3], t[0], t[2], "size=1")
                         : prune_curvature_convolution(t[3], t[4], t[0], t[1], t[2], NULL);
    if (step == 0)
        return prune_curvature_loss(t[3], t[4], t[0], t[1], "cross-entropy");
    if (step == 1)
        return prune_curvature_activation(t[3], t[0], t[1], "tanh");
    return prune_curvature_linear(t[3], step == 2 ? NULL : t[4], t[0], t[1], t[2]);
}

START_TEST(every_allocation_may_fail)
{
    struct allocator a;
    prune_context *context = counted_context(&a);
    double w[4] = {1, 2, 3, 4}, h[4] = {1, 1, 1, 1}, out[2][4];
    prune_tensor *t[6];
    double *data[] = {w, w, h, out[0], out[1]};
    for (int images = 0; images <= 1; images++) {
        for (int i = 0; i < 5; i++)
            OK(prune_tensor_borrow(&t[i], context, data[i], PRUNE_F64, images ? 4 : 2,
                                   images ? SHAPE(2, 2, 1, 1) : SHAPE(2, 2), NULL));
        int64_t live = a.live;
        for (int step = 0; step < 5; step++) {
            int64_t failing = 0;
            for (;; failing++) {
                memset(out, 0, sizeof out);
                a.fail_at = a.calls + failing;
                int32_t status = take_step(images, step, t);
                ck_assert_int_eq(a.live, live);
                if (status == PRUNE_OK)
                    break;
                ck_assert_int_eq(status, PRUNE_E_NOMEM);
                for (int i = 0; i < 8; i++)
                    ck_assert(out[i / 4][i % 4] == 0);
            }
            ck_assert_int_gt(failing, 1);
        }
        a.fail_at = -1;
        for (int i = 0; i < 5; i++)
            prune_tensor_free(t[i]);
    }
    prune_context_free(context);
    ck_assert_int_eq(a.live, 0);
}
END_TEST

TEST_MAIN("curvature", obd_removes_the_smaller_saliency_of_two_weights,
          the_last_two_layers_are_exact_under_a_squared_loss, chains_are_exact,
          the_last_layer_is_exact_under_cross_entropy, layers_before_rank_as_differences_do,
          a_convolution_is_a_linear_layer_that_shares_weights, pooling_routes_and_shares, scales_count_squared,
          what_does_not_fit_is_refused_and_nothing_written, taylor_ranks_as_leaving_units_out_does,
          obd_costs_less_than_magnitude_without_retraining, every_allocation_may_fail)
