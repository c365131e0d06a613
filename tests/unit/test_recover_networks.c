/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Optimal Brain Surgeon on whole small networks, as published (Hassibi and Stork 1993): XOR, and the three MONK's
 * problems, made from their rules. All weights of a network are one row; its inputs are the derivatives of the output,
 * one sample a row, so that the Gram matrix is the outer-product Hessian.
 */
#include <math.h>

#include "base/rng.h"
#include "core/linalg/linalg.h"
#include "pruning.h"

#define MOST_WEIGHTS 58
#define MOST_SAMPLES 432
#define MOST_INPUTS 17
#define DECAY 1e-3

/* Sigmoid units; hidden x (inputs + 1) weights, then hidden + 1 of the output; the last of each row is its bias. */
struct network {
    int inputs, hidden, weights;
    double w[MOST_WEIGHTS];
    uint8_t keep[MOST_WEIGHTS];
};

struct samples {
    int count;
    double x[MOST_SAMPLES][MOST_INPUTS], target[MOST_SAMPLES];
};

static void make_network(struct network *net, int inputs, int hidden, uint64_t seed)
{
    struct pr_rng rng;
    pr_rng_seed(&rng, seed);
    net->inputs = inputs;
    net->hidden = hidden;
    net->weights = hidden * (inputs + 1) + hidden + 1;
    for (int i = 0; i < net->weights; i++) {
        net->w[i] = 2 * pr_rng_uniform(&rng) - 1;
        net->keep[i] = 1;
    }
}

static double sigmoid(double a)
{
    return 1 / (1 + exp(-a));
}

/* The output, and its derivatives with respect to the kept weights; 0 at the others. */
static double run(const struct network *net, const double *x, double *slope)
{
    double h[8], sum = net->w[net->weights - 1];
    const double *out = net->w + net->hidden * (net->inputs + 1);
    for (int i = 0; i < net->hidden; i++) {
        const double *w = net->w + i * (net->inputs + 1);
        double a = w[net->inputs];
        for (int j = 0; j < net->inputs; j++)
            a += w[j] * x[j];
        h[i] = sigmoid(a);
        sum += out[i] * h[i];
    }
    double o = sigmoid(sum), d = o * (1 - o);
    if (!slope)
        return o;
    for (int i = 0; i < net->hidden; i++) {
        double back = d * out[i] * h[i] * (1 - h[i]);
        for (int j = 0; j < net->inputs; j++)
            slope[i * (net->inputs + 1) + j] = back * x[j];
        slope[i * (net->inputs + 1) + net->inputs] = back;
        slope[net->hidden * (net->inputs + 1) + i] = d * h[i];
    }
    slope[net->weights - 1] = d;
    for (int i = 0; i < net->weights; i++)
        slope[i] *= net->keep[i];
    return o;
}

static double loss(const struct network *net, const struct samples *s, double decay)
{
    double total = 0;
    for (int i = 0; i < s->count; i++) {
        double e = run(net, s->x[i], NULL) - s->target[i];
        total += e * e;
    }
    for (int i = 0; i < net->weights; i++)
        total += decay * net->w[i] * net->w[i];
    return total;
}

static double correct(const struct network *net, const struct samples *s)
{
    int right = 0;
    for (int i = 0; i < s->count; i++)
        right += (run(net, s->x[i], NULL) > 0.5) == (s->target[i] > 0.5);
    return (double)right / s->count;
}

/* Levenberg and Marquardt on the kept weights. */
static void train(struct network *net, const struct samples *s, double decay, int steps)
{
    struct pr_linalg la;
    int n = net->weights;
    double damping = 1e-2, now = loss(net, s, decay);
    OK(pr_linalg_choose(&la, NULL, "builtin"));
    for (int step = 0; step < steps && damping < 1e8; step++) {
        static double a[MOST_WEIGHTS * MOST_WEIGHTS], l[MOST_WEIGHTS * MOST_WEIGHTS];
        double b[MOST_WEIGHTS], slope[MOST_WEIGHTS], d[MOST_WEIGHTS];
        memset(a, 0, sizeof a);
        for (int i = 0; i < n; i++)
            b[i] = -decay * net->w[i];
        for (int k = 0; k < s->count; k++) {
            double e = s->target[k] - run(net, s->x[k], slope);
            for (int i = 0; i < n; i++) {
                if (slope[i] == 0)
                    continue;
                b[i] += e * slope[i];
                for (int j = 0; j <= i; j++)
                    a[i * n + j] += slope[i] * slope[j];
            }
        }
        for (;;) {
            struct network next = *net;
            memcpy(l, a, sizeof l);
            memcpy(d, b, sizeof d);
            for (int i = 0; i < n; i++)
                l[i * n + i] += decay + damping;
            if (!pr_linalg_try_cholesky(&la, n, l, n, NULL)) {
                pr_linalg_solve_lower_vector(0, n, l, n, d);
                pr_linalg_solve_lower_vector(1, n, l, n, d);
                for (int i = 0; i < n; i++)
                    next.w[i] += net->keep[i] ? d[i] : 0;
                double then = loss(&next, s, decay);
                if (then < now) {
                    int done = now - then < 1e-7 * now;
                    *net = next;
                    now = then;
                    damping = damping > 1e-9 ? damping / 5 : damping;
                    if (done)
                        return;
                    break;
                }
            }
            damping *= 4;
            if (damping >= 1e8)
                return;
        }
    }
}

/* The weight that costs least, of those that are neither gone nor `held`, and its removal: through the library. */
static int surgery(struct network *net, const struct samples *s, const uint8_t *held)
{
    static double rows[MOST_SAMPLES * MOST_WEIGHTS];
    int n = net->weights, best = -1;
    prune_observations *o;
    prune_criterion *criterion;
    prune_granularity *element = cut("element");
    prune_recovery *recovery;
    prune_scores *scores;
    prune_mask *mask;
    for (int k = 0; k < s->count; k++)
        run(net, s->x[k], rows + k * n);
    prune_tensor *x = borrow(rows, PRUNE_F64, 2, SHAPE(s->count, n));
    prune_tensor *w = borrow(net->w, PRUNE_F64, 2, SHAPE(1, n));
    OK(prune_criterion_create(&criterion, NULL, "obs:damping=0.00001"));
    OK(prune_observations_create(&o, NULL, prune_criterion_needs(criterion)));
    OK(prune_observations_feed(o, PRUNE_INPUTS, x));
    OK(prune_criterion_score(&scores, criterion, w, o, element));
    const double *costs = prune_tensor_const_data(prune_scores_values(scores));
    for (int i = 0; i < n; i++)
        if (net->keep[i] && !held[i] && (best < 0 || costs[i] < costs[best]))
            best = i;
    if (best >= 0) {
        net->keep[best] = 0;
        OK(prune_mask_from_bytes(&mask, NULL, 2, SHAPE(1, n), net->keep, n));
        OK(prune_recovery_create(&recovery, NULL, "obs:damping=0.00001"));
        OK(prune_recovery_repair(w, recovery, mask, o, NULL));
        prune_recovery_free(recovery);
        prune_mask_free(mask);
    }
    prune_scores_free(scores);
    prune_criterion_free(criterion);
    prune_observations_free(o);
    prune_granularity_free(element);
    prune_tensor_free(x), prune_tensor_free(w);
    return best;
}

static int kept_weights(const struct network *net)
{
    int count = 0;
    for (int i = 0; i < net->weights; i++)
        count += net->keep[i];
    return count;
}

static const int sizes[] = {3, 3, 2, 3, 4, 2};

static int rule(int problem, const int *a)
{
    int ones = 0;
    for (int i = 0; i < 6; i++)
        ones += a[i] == 1;
    if (problem == 1)
        return a[0] == a[1] || a[4] == 1;
    if (problem == 2)
        return ones == 2;
    return (a[4] == 3 && a[3] == 1) || (a[4] != 4 && a[1] != 3);
}

static void all_points(struct samples *s, int problem)
{
    s->count = 0;
    for (int point = 0; point < 432; point++) {
        int a[6], rest = point, column = 0;
        double *x = s->x[s->count];
        memset(x, 0, sizeof s->x[0]);
        for (int i = 0; i < 6; i++) {
            a[i] = rest % sizes[i] + 1;
            rest /= sizes[i];
            x[column + a[i] - 1] = 1;
            column += sizes[i];
        }
        s->target[s->count++] = rule(problem, a);
    }
}

/* `count` of all points, no two the same; a `noise` part of the targets turned round. */
static void training_points(struct samples *s, const struct samples *all, int count, double noise, uint64_t seed)
{
    struct pr_rng rng;
    int order[MOST_SAMPLES];
    pr_rng_seed(&rng, seed);
    for (int i = 0; i < all->count; i++)
        order[i] = i;
    s->count = count;
    for (int i = 0; i < count; i++) {
        int j = i + (int)pr_rng_below(&rng, (uint64_t)(all->count - i)), number = order[j];
        order[j] = order[i];
        memcpy(s->x[i], all->x[number], sizeof s->x[i]);
        s->target[i] = i < (int)(noise * count + 0.5) ? 1 - all->target[number] : all->target[number];
    }
}

START_TEST(monks_rules_and_their_positives)
{
    const int positives[] = {216, 142, 228};
    static struct samples all;
    for (int problem = 1; problem <= 3; problem++) {
        int count = 0;
        all_points(&all, problem);
        ck_assert_int_eq(all.count, 432);
        for (int i = 0; i < all.count; i++)
            count += all.target[i] > 0.5;
        ck_assert_int_eq(count, positives[problem - 1]);
    }
}
END_TEST

/* Removes weight after weight while the training points stay right; the fewest with which all 432 points are right to
 * `wanted`. */
static int fewest(int problem, int hidden, int points, double noise, double accept, double wanted, uint64_t seed)
{
    static struct samples all, some;
    struct network net;
    uint8_t held[MOST_WEIGHTS] = {0};
    all_points(&all, problem);
    training_points(&some, &all, points, noise, 1000 * (uint64_t)problem + seed);
    make_network(&net, MOST_INPUTS, hidden, seed);
    train(&net, &some, DECAY, 200);
    int least = correct(&net, &all) >= wanted ? net.weights : MOST_WEIGHTS + 1;
    for (;;) {
        struct network before = net;
        int gone = surgery(&net, &some, held);
        if (gone < 0)
            return least;
        train(&net, &some, DECAY, 60);
        if (correct(&net, &some) < accept) {
            net = before;
            held[gone] = 1;
            continue;
        }
        if (correct(&net, &all) >= wanted && kept_weights(&net) < least)
            least = kept_weights(&net);
    }
}

static void expect_monk(int problem, int hidden, int points, double noise, double accept, double wanted, int most)
{
    int best = MOST_WEIGHTS + 1;
    for (uint64_t seed = 1; seed <= 10 && best > most; seed++) {
        int now = fewest(problem, hidden, points, noise, accept, wanted, seed);
        best = now < best ? now : best;
        if (getenv("MONK"))
            fprintf(stderr, "monk %d seed %d: %d\n", problem, (int)seed, now);
    }
    ck_assert_msg(best <= most, "MONK%d: %d weights, more than %d", problem, best, most);
}

START_TEST(monk_1_with_14_of_58_weights)
{
    expect_monk(1, 3, 124, 0, 1, 1, 14);
}
END_TEST

START_TEST(monk_2_with_16_of_39_weights)
{
    expect_monk(2, 2, 169, 0, 1, 1, 16);
}
END_TEST

START_TEST(monk_3_with_4_of_39_weights)
{
    expect_monk(3, 2, 122, 0.05, 0.9, 0.972, 4);
}
END_TEST

/* Of each trained XOR network, OBS removes a weight that it can do without; magnitude does not always. */
START_TEST(xor_loses_a_weight_that_it_can_do_without)
{
    static struct samples xor ;
    int trained = 0, obs_right = 0, magnitude_right = 0;
    xor.count = 4;
    for (int i = 0; i < 4; i++) {
        xor.x[i][0] = i & 1;
        xor.x[i][1] = i >> 1;
        xor.target[i] = (i & 1) ^ (i >> 1);
    }
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct network net, after;
        uint8_t held[MOST_WEIGHTS] = {0};
        int smallest = 0;
        make_network(&net, 2, 2, seed);
        ck_assert_int_eq(net.weights, 9);
        train(&net, &xor, 1e-3, 300);
        if (correct(&net, &xor) < 1)
            continue;
        trained++;
        after = net;
        surgery(&after, &xor, held);
        obs_right += correct(&after, &xor) == 1;
        for (int i = 1; i < net.weights; i++)
            smallest = fabs(net.w[i]) < fabs(net.w[smallest]) ? i : smallest;
        after = net;
        after.w[smallest] = 0;
        magnitude_right += correct(&after, &xor) == 1;
    }
    if (getenv("MONK"))
        fprintf(stderr, "xor: %d trained, OBS %d, magnitude %d\n", trained, obs_right, magnitude_right);
    ck_assert_int_ge(trained, 20);
    ck_assert_int_eq(obs_right, trained);
    ck_assert_int_lt(magnitude_right, trained);
}
END_TEST

TEST_MAIN("OBS on networks", monks_rules_and_their_positives, xor_loses_a_weight_that_it_can_do_without,
          monk_1_with_14_of_58_weights, monk_2_with_16_of_39_weights, monk_3_with_4_of_39_weights)
