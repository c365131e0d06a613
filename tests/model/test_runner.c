/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Running networks: against double, packed against dense, evaluation, and the comparison.
 */
#include "networks.h"

#include "model/network/runner.h"

START_TEST(every_output_of_a_branching_graph_is_right_at_any_batch)
{
    enum { COUNT = 9 };
    prune_network *network = branching_network(3), *packed;
    prune_tensor *images = random_images(COUNT, 6, 4);
    const float *x = prune_tensor_const_data(images);
    double *p[12];
    for (int i = 0; i < 12; i++) {
        prune_tensor *converted;
        OK(prune_tensor_convert(&converted, prune_network_parameter(network, prune_network_parameter_name(network, i)),
                                PRUNE_F64));
        size_t bytes = (size_t)prune_tensor_count(converted) * sizeof(double);
        p[i] = malloc(bytes);
        memcpy(p[i], prune_tensor_const_data(converted), bytes);
        prune_tensor_free(converted);
    }
    OK(prune_network_pack(&packed, network, "csr"));
    for (int which = 0; which < 2; which++)
        for (int64_t batch = 1; batch <= 4; batch += 3) {
            prune_runner *runner;
            OK(prune_runner_create(&runner, which ? packed : network, batch));
            ck_assert_int_eq(prune_runner_input_size(runner), 6);
            for (int32_t o = 0; o < 4; o++) {
                int64_t width = prune_runner_output_size(runner, o);
                ck_assert_int_eq(width, o == 3 ? 3 : 4);
                for (int64_t first = 0; first < COUNT; first += batch) {
                    int64_t n = COUNT - first < batch ? COUNT - first : batch;
                    float y[17];
                    for (int i = 0; i < 17; i++)
                        y[i] = 12345;
                    OK(prune_runner_run(runner, x + first * 6, n, o, y));
                    ck_assert(y[n * width] == 12345);
                    for (int64_t s = 0; s < n; s++) {
                        double wanted[4][4];
                        branching_double(p, x + (first + s) * 6, wanted);
                        for (int64_t c = 0; c < width; c++)
                            ck_assert_double_eq_tol((double)y[s * width + c], wanted[o][c], 4e-6);
                    }
                }
            }
            prune_runner_free(runner);
        }
    for (int i = 0; i < 12; i++)
        free(p[i]);
    prune_tensor_free(images);
    prune_network_free(network);
    prune_network_free(packed);
}
END_TEST

START_TEST(relu_is_fused_only_where_nobody_else_looks)
{
    prune_network *network = branching_network(3), *mlp = random_mlp("6-5-4-3", 1);
    prune_runner *runner;
    OK(pm_runner_create(&runner, network, 2, 0));
    ck_assert_int_eq(runner->step_count, 7); /* relu1 stays, since head2 takes the sum; relu3 goes into fc3 */
    prune_runner_free(runner);
    OK(pm_runner_create(&runner, mlp, 2, 0));
    ck_assert_int_eq(runner->step_count, 3);
    ck_assert_int_eq(runner->slot_count, 2); /* two buffers take turns, however many layers there are */
    prune_runner_free(runner);
    OK(prune_network_add_output(mlp, "fc1.sum"));
    OK(pm_runner_create(&runner, mlp, 2, 0));
    ck_assert_int_eq(runner->step_count, 4); /* and not where the sum is itself an output */
    prune_runner_free(runner);
    prune_network_free(network);
    prune_network_free(mlp);
}
END_TEST

START_TEST(the_input_itself_can_be_an_output)
{
    prune_network *n;
    prune_runner *runner;
    const float x[] = {1, -2, 3, -4, 5, -6, 7, -8};
    float y[8];
    OK(prune_network_create(&n, NULL));
    OK(prune_network_add_input(n, "x", 2, (const int64_t[]){2, 2}));
    OK(prune_network_add_node(n, "f", "flatten", "x", "flat"));
    OK(prune_network_add_node(n, "r", "relu", "flat", "y"));
    OK(prune_network_add_output(n, "flat"));
    OK(prune_network_add_output(n, "y"));
    OK(prune_runner_create(&runner, n, 2));
    OK(prune_runner_run(runner, x, 2, 0, y));
    ck_assert_mem_eq(x, y, sizeof x);
    OK(prune_runner_run(runner, x, 2, 1, y));
    for (int i = 0; i < 8; i++)
        ck_assert_float_eq(y[i], x[i] > 0 ? x[i] : 0);
    ck_assert_str_eq(prune_runner_kernels(runner), "");
    prune_runner_free(runner);
    prune_network_free(n);
}
END_TEST

START_TEST(a_runner_does_not_see_later_changes)
{
    prune_network *network = random_mlp("6-5-3", 1);
    prune_tensor *images = random_images(1, 6, 1);
    prune_runner *runner;
    float before[3], after[3];
    OK(prune_runner_create(&runner, network, 1));
    OK(prune_runner_run(runner, prune_tensor_const_data(images), 1, 0, before));
    randomize(network, 2);
    OK(prune_runner_run(runner, prune_tensor_const_data(images), 1, 0, after));
    ck_assert_mem_eq(before, after, sizeof before);
    prune_network_free(network);
    OK(prune_runner_run(runner, prune_tensor_const_data(images), 1, 0, after));
    ck_assert_mem_eq(before, after, sizeof before);
    prune_runner_free(runner);
    prune_tensor_free(images);
}
END_TEST

START_TEST(kernels_are_named)
{
    prune_network *network = random_mlp("64-32-10", 1), *packed;
    prune_runner *runner;
    OK(prune_runner_create(&runner, network, 64));
    ck_assert_str_eq(prune_runner_kernels(runner), "sgemm,sgemm");
    prune_runner_free(runner);
    OK(prune_runner_create(&runner, network, 1));
    ck_assert_ptr_nonnull(strstr(prune_runner_kernels(runner), "sgem"));
    prune_runner_free(runner);
    prune_at_random(network, "fc1.weight", 0.1, 1);
    OK(prune_network_pack(&packed, network, "csr"));
    OK(prune_runner_create(&runner, packed, 1));
    ck_assert_ptr_nonnull(strstr(prune_runner_kernels(runner), "/"));
    ck_assert_ptr_nonnull(strstr(prune_runner_kernels(runner), ","));
    prune_runner_free(runner);
    prune_runner_free(NULL);
    ck_assert_uint_gt(strlen(prune_blas_kernel()), 0);
    ck_assert_ptr_nonnull(strstr(prune_blas_version(), "OpenBLAS"));
    prune_network_free(network);
    prune_network_free(packed);
}
END_TEST

START_TEST(bad_runs_are_refused)
{
    prune_network *network = random_mlp("6-3", 1);
    prune_runner *runner = UNTOUCHED;
    float x[12] = {0}, y[6] = {77, 77};
    FAILS(prune_runner_create(&runner, network, 0), PRUNE_E_ARGUMENT, "batch of 0");
    FAILS(prune_runner_create(&runner, network, INT64_MAX), PRUNE_E_ARGUMENT, "16777216");
    FAILS(prune_runner_create(&runner, NULL, 1), PRUNE_E_ARGUMENT, "network");
    ck_assert_ptr_eq(runner, UNTOUCHED);
    OK(prune_runner_create(&runner, network, 1));
    FAILS(prune_runner_run(runner, x, 2, 0, y), PRUNE_E_ARGUMENT, "0 to 1");
    FAILS(prune_runner_run(runner, x, -1, 0, y), PRUNE_E_ARGUMENT, "-1 samples");
    FAILS(prune_runner_run(runner, x, 1, 1, y), PRUNE_E_ARGUMENT, "no output 1");
    FAILS(prune_runner_run(runner, x, 1, -1, y), PRUNE_E_ARGUMENT, "no output -1");
    FAILS(prune_runner_run(runner, NULL, 1, 0, y), PRUNE_E_ARGUMENT, "x is NULL");
    FAILS(prune_runner_run(runner, x, 1, 0, NULL), PRUNE_E_ARGUMENT, "y is NULL");
    OK(prune_runner_run(runner, x, 0, 0, y));
    ck_assert(y[0] == 77 && y[1] == 77);
    ck_assert_int_eq(prune_runner_output_size(runner, 1), 0);
    prune_runner_free(runner);
    prune_network_free(network);
}
END_TEST

static int allocations;

static void *counting_alloc(void *user, uint64_t size, uint64_t align)
{
    (void)user;
    allocations++;
    return aligned_alloc(align, (size + align - 1) / align * align);
}

static void counting_release(void *user, void *pointer, uint64_t size)
{
    (void)user;
    (void)size;
    free(pointer);
}

START_TEST(running_dense_allocates_nothing)
{
    prune_context *context;
    prune_network *network;
    prune_runner *runner;
    float x[4 * 20] = {1}, y[4 * 5];
    OK(prune_context_create(&context));
    OK(prune_context_set_allocator(context, counting_alloc, counting_release, NULL));
    OK(prune_network_create_mlp(&network, context, "20-30-5"));
    prune_context_free(context);
    OK(prune_runner_create(&runner, network, 4));
    int before = allocations;
    ck_assert_int_gt(before, 0);
    for (int i = 1; i <= 4; i++)
        OK(prune_runner_run(runner, x, i, 0, y));
    ck_assert_int_eq(allocations, before);
    prune_runner_free(runner);
    prune_network_free(network);
}
END_TEST

START_TEST(choosing_a_class)
{
    ck_assert_int_eq(pm_choose((const float[]){1, 3, 3, 2}, 4), 1);
    ck_assert_int_eq(pm_choose((const float[]){NAN, -5, NAN, -6}, 4), 1);
    ck_assert_int_eq(pm_choose((const float[]){NAN, NAN}, 2), -1);
    ck_assert_int_eq(pm_choose((const float[]){-INFINITY, INFINITY}, 2), 1);
    ck_assert_int_eq(pm_choose((const float[]){-INFINITY, -INFINITY}, 2), 0);
}
END_TEST

START_TEST(evaluation_counts_right_answers)
{
    prune_network *network = random_mlp("2-2", 1);
    const float identity[] = {1, 0, 0, 1}, rows[] = {1, 2, 2, 1, 3, 3, NAN, 1, 0, 5};
    const int64_t wanted[] = {1, 0, 0, 1, 0};
    prune_tensor *images, *labels;
    int64_t right = 0;
    memcpy(numbers_of(network, "fc1.weight"), identity, sizeof identity);
    memset(numbers_of(network, "fc1.bias"), 0, 2 * sizeof(float));
    OK(prune_tensor_create(&images, NULL, PRUNE_F32, 3, (const int64_t[]){5, 2, 1}));
    OK(prune_tensor_create(&labels, NULL, PRUNE_I64, 1, (const int64_t[]){5}));
    memcpy(prune_tensor_data(images), rows, sizeof rows);
    memcpy(prune_tensor_data(labels), wanted, sizeof wanted);
    for (int64_t batch = 1; batch <= 6; batch++) {
        /* 1 and 0 are right; of two equal logits the lower class is chosen; 0 x NaN makes both logits NaN */
        OK(prune_network_evaluate(network, images, labels, batch, &right));
        ck_assert_int_eq(right, 3);
    }
    FAILS(prune_network_evaluate(network, images, labels, 0, &right), PRUNE_E_ARGUMENT, "batch of 0");
    ck_assert_int_eq(right, 3);
    prune_tensor_free(images);
    prune_tensor_free(labels);
    prune_network_free(network);
}
END_TEST

/* The bounds of a network's logits against double, and how much of them is used. */
START_TEST(bounds_hold_and_are_not_vacuous)
{
    enum { COUNT = 40, IN = 60, HIDDEN = 50, OUT = 7 };
    prune_network *network = random_mlp("60-50-7", 3);
    prune_at_random(network, "fc1.weight", 0.3, 1);
    prune_tensor *images = random_images(COUNT, IN, 5);
    const float *x = prune_tensor_const_data(images);
    const float *w[] = {numbers_of(network, "fc1.weight"), numbers_of(network, "fc2.weight")};
    const float *b[] = {numbers_of(network, "fc1.bias"), numbers_of(network, "fc2.bias")};
    prune_runner *runner;
    double e1[HIDDEN], e2[OUT], scratch[IN], m1[HIDDEN * IN], m2[OUT * HIDDEN], n1[HIDDEN], n2[OUT], used = 0;
    for (int i = 0; i < HIDDEN * IN; i++)
        m1[i] = fabs((double)w[0][i]);
    for (int i = 0; i < OUT * HIDDEN; i++)
        m2[i] = fabs((double)w[1][i]);
    for (int i = 0; i < HIDDEN; i++)
        n1[i] = fabs((double)b[0][i]);
    for (int i = 0; i < OUT; i++)
        n2[i] = fabs((double)b[1][i]);
    OK(pm_runner_create(&runner, network, 1, 1));
    for (int s = 0; s < COUNT; s++) {
        const float *row = x + s * IN;
        double hidden[HIDDEN];
        OK(pm_runner_execute(runner, row, 1, 0, NULL));
        const float *h = runner->slots[0], *y = pm_runner_value(runner, runner->outputs[0], row);
        struct pm_bound first = {1, IN, HIDDEN, {m1, n1}, row, NULL, e1, scratch};
        struct pm_bound second = {1, HIDDEN, OUT, {m2, n2}, h, e1, e2, scratch};
        runner->steps[0].node->op->bound(&first);
        runner->steps[0].node->op->bound(&second);
        for (int r = 0; r < HIDDEN; r++) {
            hidden[r] = (double)b[0][r];
            for (int c = 0; c < IN; c++)
                hidden[r] += (double)w[0][r * IN + c] * (double)row[c];
            hidden[r] = hidden[r] > 0 ? hidden[r] : 0;
            ck_assert_double_le(fabs((double)h[r] - hidden[r]), e1[r]);
        }
        for (int r = 0; r < OUT; r++) {
            double sum = (double)b[1][r];
            for (int c = 0; c < HIDDEN; c++)
                sum += (double)w[1][r * HIDDEN + c] * hidden[c];
            ck_assert_double_le(fabs((double)y[r] - sum), e2[r]);
            used = fmax(used, fabs((double)y[r] - sum) / e2[r]);
            ck_assert_double_lt(e2[r], 1e-2);
        }
    }
    ck_assert_double_gt(used, 1e-4);
    prune_runner_free(runner);
    prune_tensor_free(images);
    prune_network_free(network);
}
END_TEST

static void check_explained(const prune_network *a, const prune_network *b, const prune_tensor *images, int64_t batch)
{
    int64_t differing, within, unexplained;
    OK(prune_network_compare(a, b, images, batch, &differing, &within, &unexplained));
    ck_assert_int_eq(unexplained, 0);
    ck_assert_int_le(differing, within);
}

START_TEST(packed_networks_choose_what_the_dense_one_does)
{
    prune_network *network = random_mlp("96-64-10", 1), *csr, *nm, *dense;
    prune_tensor *images = random_images(300, 96, 2);
    const char *names[] = {"fc1.weight", "fc2.weight"};
    prune_granularity *pattern;
    prune_criterion *magnitude;
    OK(prune_granularity_create(&pattern, NULL, "nm:keep_n=2,group_m=4"));
    OK(prune_criterion_create(&magnitude, NULL, "l1"));
    for (int i = 0; i < 2; i++) {
        prune_scores *scores;
        prune_mask *mask;
        OK(prune_criterion_score(&scores, magnitude, prune_network_parameter(network, names[i]), NULL, pattern));
        OK(prune_mask_select(&mask, scores, PRUNE_QUOTA, 0));
        OK(prune_network_set_mask(network, names[i], mask));
        prune_mask_free(mask);
        prune_scores_free(scores);
    }
    OK(prune_network_pack(&csr, network, "csr"));
    OK(prune_network_pack(&nm, network, "nm:keep_n=2,group_m=4"));
    OK(prune_network_pack(&dense, network, "dense"));
    prune_network *all[] = {csr, nm, dense};
    for (int i = 0; i < 3; i++) {
        check_explained(network, all[i], images, 64);
        check_explained(network, all[i], images, 1);
        prune_network_free(all[i]);
    }
    prune_granularity_free(pattern);
    prune_criterion_free(magnitude);
    prune_tensor_free(images);
    prune_network_free(network);
}
END_TEST

START_TEST(comparison_finds_a_network_that_is_another)
{
    prune_network *a = random_mlp("20-10-4", 1), *b, *c = random_mlp("20-5", 1);
    prune_tensor *images = random_images(200, 20, 2), *wide = random_images(2, 21, 2);
    int64_t differing, within, unexplained;
    OK(prune_network_copy(&b, a));
    OK(prune_network_compare(a, b, images, 50, &differing, &within, &unexplained));
    ck_assert_int_eq(differing, 0);
    ck_assert_int_le(within, 3);
    ck_assert_int_eq(unexplained, 0);
    numbers_of(b, "fc2.bias")[1] += 1;
    OK(prune_network_compare(a, b, images, 50, &differing, &within, &unexplained));
    ck_assert_int_gt(differing, 5);
    ck_assert_int_eq(unexplained, differing);
    /* Classes 0 and 1 alike: a tie is within any bound, and who wins it is no difference in function. */
    memcpy(numbers_of(a, "fc2.weight"), numbers_of(a, "fc2.weight") + 10, 10 * sizeof(float));
    numbers_of(a, "fc2.bias")[0] = numbers_of(a, "fc2.bias")[1] = 9;
    prune_network_free(b);
    OK(prune_network_copy(&b, a));
    numbers_of(b, "fc2.bias")[1] = 9.000001f;
    OK(prune_network_compare(a, b, images, 50, &differing, &within, &unexplained));
    ck_assert_int_eq(within, 200);
    ck_assert_int_gt(differing, 5);
    ck_assert_int_eq(unexplained, 0);
    /* A tie elsewhere explains nothing: `b` chooses class 2, which is far away. */
    numbers_of(b, "fc2.bias")[2] = 100;
    OK(prune_network_compare(a, b, images, 50, &differing, &within, &unexplained));
    ck_assert_int_eq(within, 200);
    ck_assert_int_eq(unexplained, 200);
    differing = 77;
    FAILS(prune_network_compare(a, c, images, 50, &differing, &within, &unexplained), PRUNE_E_SHAPE, "4 and 5");
    FAILS(prune_network_compare(a, b, wide, 50, &differing, &within, &unexplained), PRUNE_E_SHAPE, "21");
    FAILS(prune_network_compare(a, b, images, 0, &differing, &within, &unexplained), PRUNE_E_ARGUMENT, "batch");
    FAILS(prune_network_compare(a, NULL, images, 1, &differing, &within, &unexplained), PRUNE_E_ARGUMENT, "other");
    FAILS(prune_network_compare(a, b, images, 1, &differing, NULL, &unexplained), PRUNE_E_ARGUMENT, "within");
    ck_assert_int_eq(differing, 77);
    prune_network_free(a);
    prune_network_free(b);
    prune_network_free(c);
    prune_tensor_free(images);
    prune_tensor_free(wide);
}
END_TEST

TEST_MAIN("runner", every_output_of_a_branching_graph_is_right_at_any_batch, relu_is_fused_only_where_nobody_else_looks,
          the_input_itself_can_be_an_output, a_runner_does_not_see_later_changes, kernels_are_named,
          bad_runs_are_refused, running_dense_allocates_nothing, choosing_a_class, evaluation_counts_right_answers,
          bounds_hold_and_are_not_vacuous, packed_networks_choose_what_the_dense_one_does,
          comparison_finds_a_network_that_is_another)
