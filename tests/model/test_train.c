/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Training: the step, what holds after it, and what stops it.
 */
#include "networks.h"

#include "model/train/train.h"

static int is_plus_zero(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits == 0;
}

static void apply_constraint(const int64_t count, const uint8_t *kept, const struct pm_sgd *sgd, float *w, float *g,
                             float *v)
{
    struct pm_constraint constraint;
    prune_mask *mask;
    OK(prune_mask_from_bytes(&mask, NULL, 1, &count, kept, count));
    OK(pm_constraint_mask(&constraint, NULL, mask));
    pm_update(sgd, &constraint, w, g, v, count);
    constraint.kind->free(NULL, constraint.state);
    prune_mask_free(mask);
}

START_TEST(one_linear_neuron_with_its_second_weight_pruned)
{
    float w[] = {1.0f, 0, -0.8f}, g[] = {0.2f, 0.5f, -0.1f}, v[] = {0, 0, 0};
    struct pm_sgd sgd = {0.1f, 0.9f, 0};
    apply_constraint(3, (const uint8_t[]){1, 0, 1}, &sgd, w, g, v);
    ck_assert_float_eq_tol(w[0], 0.98f, 1e-7f);
    ck_assert_float_eq_tol(w[2], -0.79f, 1e-7f);
    ck_assert(is_plus_zero(w[1]) && is_plus_zero(g[1]) && is_plus_zero(v[1]));
}
END_TEST

START_TEST(the_mask_clears_whatever_stands_there)
{
    enum { N = 2 * PM_CHUNK + 37 };
    static float w[N], g[N], v[N];
    static uint8_t kept[N];
    const float odd[] = {NAN, -0.0f, INFINITY, -1e-40f, 3};
    struct pm_sgd sgd = {0.1f, 0.9f, 0.5f};
    for (int i = 0; i < N; i++) {
        kept[i] = pr_rng_at(3, (uint64_t)i) < 0.5;
        w[i] = kept[i] ? 1 : odd[i % 5];
        g[i] = kept[i] ? 2 : odd[(i + 1) % 5];
        v[i] = kept[i] ? 4 : odd[(i + 2) % 5];
    }
    apply_constraint(N, kept, &sgd, w, g, v);
    for (int i = 0; i < N; i++) {
        float speed = 0.9f * 4 + (2 + 0.5f * 1);
        if (kept[i])
            ck_assert_msg(v[i] == speed && w[i] == 1 - 0.1f * speed && g[i] == 2, "%d", i);
        else
            ck_assert_msg(is_plus_zero(w[i]) && is_plus_zero(g[i]) && is_plus_zero(v[i]), "%d", i);
    }
}
END_TEST

START_TEST(what_decays_becomes_zero_not_denormal)
{
    enum { N = 21 };
    float w[N], g[N], v[N];
    struct pm_sgd sgd = {0.05f, 0.9f, 0};
    for (int i = 0; i < N; i++)
        w[i] = i % 2 ? 1e-31f : -1e-3f, g[i] = 0, v[i] = i % 3 ? 1.05e-30f : -1.2e-30f;
    pm_sgd_step(&sgd, w, g, v, N);
    for (int i = 0; i < N; i++) {
        ck_assert_float_eq(v[i], i % 3 ? 0 : 0.9f * -1.2e-30f);
        ck_assert_float_eq(w[i], i % 2 ? 0 : -1e-3f);
    }
}
END_TEST

START_TEST(pruned_elements_are_plus_zero_after_each_of_50_steps)
{
    prune_network *network = random_mlp("12-9-5", 1);
    const char *names[] = {"fc1.weight", "fc1.bias", "fc2.weight"};
    prune_trainer *trainer;
    for (int i = 0; i < 3; i++)
        prune_at_random(network, names[i], 0.4, (uint64_t)i);
    OK(prune_trainer_create(&trainer, network, "lr=0.1,weight_decay=0.1,momentum=0.9,batch=16"));
    for (int step = 0; step < 50; step++) {
        prune_tensor *images = random_images(16, 12, (uint64_t)step), *labels = random_labels(16, 5, (uint64_t)step);
        OK(prune_trainer_step(trainer, images, labels, NULL));
        for (int i = 0; i < 3; i++) {
            const prune_mask *mask = prune_network_mask(network, names[i]);
            const float *w = numbers_of(network, names[i]);
            const float *g = prune_tensor_const_data(prune_trainer_gradient(trainer, names[i]));
            const float *v = prune_tensor_const_data(prune_trainer_momentum(trainer, names[i]));
            int moving = 0;
            for (int64_t j = 0; j < prune_mask_count(mask); j++) {
                int32_t kept;
                OK(prune_mask_get(mask, j, &kept));
                if (!kept)
                    ck_assert(is_plus_zero(w[j]) && is_plus_zero(g[j]) && is_plus_zero(v[j]));
                moving += v[j] != 0;
            }
            ck_assert_int_gt(moving, 0);
        }
        prune_tensor_free(images);
        prune_tensor_free(labels);
    }
    prune_trainer_free(trainer);
    prune_network_free(network);
}
END_TEST

/* With images of zeros only weight decay moves a weight, so that the rates of the steps can be read off. */
START_TEST(cosine_runs_from_lr_to_zero_and_decay_spares_biases)
{
    prune_network *network = random_mlp("3-2", 1);
    prune_tensor *images, *labels = random_labels(8, 2, 1);
    prune_trainer *trainer;
    double wanted = (double)numbers_of(network, "fc1.weight")[1], bias[2];
    OK(prune_tensor_create(&images, NULL, PRUNE_F32, 2, (const int64_t[]){8, 3}));
    for (int i = 0; i < 2; i++)
        bias[i] = (double)numbers_of(network, "fc1.bias")[i];
    OK(prune_trainer_create(&trainer, network, "lr=0.2,weight_decay=1,momentum=0,batch=2,epochs=3"));
    OK(prune_trainer_run(trainer, images, labels, NULL));
    for (int t = 0; t < 12; t++)
        wanted *= 1 - 0.2 * 0.5 * (1 + cos(3.14159265358979 * t / 12));
    ck_assert_double_eq_tol((double)numbers_of(network, "fc1.weight")[1], wanted, 1e-6);
    /* Softmax gradients of two classes are opposite, so the sum of the biases stays unless they decay. */
    ck_assert_double_eq_tol((double)numbers_of(network, "fc1.bias")[0] + (double)numbers_of(network, "fc1.bias")[1],
                            bias[0] + bias[1], 1e-6);
    ck_assert((double)numbers_of(network, "fc1.bias")[0] != bias[0]);
    FAILS(prune_trainer_epoch(trainer, images, labels, NULL), PRUNE_E_ARGUMENT, "all 3 epochs");
    prune_trainer_free(trainer);
    prune_tensor_free(images);
    prune_tensor_free(labels);
    prune_network_free(network);
}
END_TEST

static prune_network *train_once(const char *spec, double *loss)
{
    prune_network *network = random_mlp("20-16-4", 9);
    prune_tensor *images = random_images(150, 20, 1), *labels = random_labels(150, 4, 2);
    prune_trainer *trainer;
    prune_at_random(network, "fc1.weight", 0.5, 4);
    OK(prune_trainer_create(&trainer, network, spec));
    OK(prune_trainer_run(trainer, images, labels, loss));
    prune_trainer_free(trainer);
    prune_tensor_free(images);
    prune_tensor_free(labels);
    return network;
}

START_TEST(the_same_seed_gives_the_same_bits)
{
    double loss[3];
    prune_network *a = train_once("batch=16,epochs=4,seed=3", &loss[0]);
    prune_network *b = train_once("batch=16,epochs=4,seed=3", &loss[1]);
    prune_network *c = train_once("batch=16,epochs=4,seed=4", &loss[2]);
    ck_assert_mem_eq(numbers_of(a, "fc1.weight"), numbers_of(b, "fc1.weight"), 320 * sizeof(float));
    ck_assert_mem_eq(numbers_of(a, "fc2.bias"), numbers_of(b, "fc2.bias"), 4 * sizeof(float));
    ck_assert_mem_ne(numbers_of(a, "fc1.weight"), numbers_of(c, "fc1.weight"), 320 * sizeof(float));
    ck_assert(loss[0] == loss[1] && loss[0] != loss[2]);
    prune_network_free(a);
    prune_network_free(b);
    prune_network_free(c);
}
END_TEST

START_TEST(training_learns_what_can_be_learnt)
{
    prune_network *network;
    prune_tensor *images = random_images(400, 2, 1), *labels = random_labels(400, 2, 2);
    prune_trainer *trainer;
    int64_t right = 0;
    const float *x = prune_tensor_const_data(images);
    for (int i = 0; i < 400; i++) /* exclusive or: no linear layer can */
        ((int64_t *)prune_tensor_data(labels))[i] = (x[2 * i] > 0) != (x[2 * i + 1] > 0);
    OK(prune_network_create_mlp(&network, NULL, "2-16-2"));
    OK(prune_network_initialize(network, 1));
    OK(prune_trainer_create(&trainer, network, "batch=20,epochs=60,lr=0.1"));
    OK(prune_trainer_run(trainer, images, labels, NULL));
    OK(prune_network_evaluate(network, images, labels, 64, &right));
    ck_assert_int_ge(right, 388);
    prune_trainer_free(trainer);
    prune_tensor_free(images);
    prune_tensor_free(labels);
    prune_network_free(network);
}
END_TEST

START_TEST(a_loss_that_is_no_number_stops_before_the_step)
{
    prune_network *network = random_mlp("3-4-2", 1), *held;
    prune_tensor *images = random_images(8, 3, 1), *labels = random_labels(8, 2, 1);
    prune_trainer *trainer;
    double loss = 77;
    OK(prune_trainer_create(&trainer, network, "batch=8,lr=0.01"));
    OK(prune_trainer_step(trainer, images, labels, NULL));
    OK(prune_network_copy(&held, network));
    ((float *)prune_tensor_data(images))[4] = NAN;
    FAILS(prune_trainer_step(trainer, images, labels, &loss), PRUNE_E_DIVERGED, "step 2");
    FAILS(prune_trainer_epoch(trainer, images, labels, &loss), PRUNE_E_DIVERGED, "NaN");
    ck_assert(loss == 77);
    for (int i = 0; i < prune_network_parameter_count(network); i++) {
        const char *name = prune_network_parameter_name(network, i);
        ck_assert_mem_eq(numbers_of(network, name), numbers_of(held, name),
                         (size_t)prune_tensor_count(prune_network_parameter(network, name)) * sizeof(float));
    }
    ((float *)prune_tensor_data(images))[4] = 0;
    OK(prune_trainer_step(trainer, images, labels, &loss));
    ck_assert(isfinite(loss));
    prune_trainer_free(trainer);
    OK(prune_trainer_create(&trainer, network, "batch=2,lr=1e5,epochs=50"));
    FAILS(prune_trainer_run(trainer, images, labels, &loss), PRUNE_E_DIVERGED, "epoch");
    prune_trainer_free(trainer);
    prune_network_free(held);
    prune_network_free(network);
    prune_tensor_free(images);
    prune_tensor_free(labels);
}
END_TEST

START_TEST(bad_data_is_refused_and_nothing_moves)
{
    prune_network *network = random_mlp("6-3", 1), *held;
    prune_tensor *images = random_images(5, 6, 1), *labels = random_labels(5, 3, 1), *wide = random_images(5, 7, 1);
    prune_tensor *few = random_labels(4, 3, 1), *many = random_images(9, 6, 1), *many_labels = random_labels(9, 3, 1);
    prune_tensor *none, *doubles;
    prune_trainer *trainer;
    int64_t *l = prune_tensor_data(labels), zero[] = {0, 6}, correct = 77;
    double loss = 77;
    OK(prune_tensor_create(&none, NULL, PRUNE_F32, 2, zero));
    OK(prune_tensor_convert(&doubles, images, PRUNE_F64));
    OK(prune_network_copy(&held, network));
    OK(prune_trainer_create(&trainer, network, "batch=8"));
    l[3] = 3;
    FAILS(prune_trainer_epoch(trainer, images, labels, &loss), PRUNE_E_VALUE, "label 3 is 3");
    FAILS(prune_network_evaluate(network, images, labels, 8, &correct), PRUNE_E_VALUE, "0 to 2");
    l[3] = -1;
    FAILS(prune_trainer_step(trainer, images, labels, &loss), PRUNE_E_VALUE, "label 3 is -1");
    FAILS(prune_trainer_backward(trainer, images, labels, &loss), PRUNE_E_VALUE, "0 to 2");
    l[3] = 0;
    FAILS(prune_trainer_epoch(trainer, wide, labels, &loss), PRUNE_E_SHAPE, "7 numbers");
    FAILS(prune_network_evaluate(network, wide, labels, 8, &correct), PRUNE_E_SHAPE, "7 numbers");
    FAILS(prune_trainer_epoch(trainer, none, labels, &loss), PRUNE_E_SHAPE, "0 images");
    FAILS(prune_trainer_epoch(trainer, images, few, &loss), PRUNE_E_SHAPE, "4 elements");
    FAILS(prune_trainer_epoch(trainer, doubles, labels, &loss), PRUNE_E_DTYPE, "f64");
    FAILS(prune_trainer_epoch(trainer, images, images, &loss), PRUNE_E_DTYPE, "i64");
    FAILS(prune_trainer_step(trainer, many, many_labels, &loss), PRUNE_E_SHAPE, "at most 8");
    FAILS(prune_trainer_epoch(trainer, NULL, labels, &loss), PRUNE_E_ARGUMENT, "images");
    FAILS(prune_trainer_epoch(trainer, images, NULL, &loss), PRUNE_E_ARGUMENT, "labels");
    FAILS(prune_trainer_run(NULL, images, labels, &loss), PRUNE_E_ARGUMENT, "trainer");
    ck_assert_mem_eq(numbers_of(network, "fc1.weight"), numbers_of(held, "fc1.weight"), 18 * sizeof(float));
    ck_assert(loss == 77 && correct == 77);
    OK(prune_network_add_node(network, "late", "linear:in=3,out=2", "logits", "more"));
    FAILS(prune_trainer_step(trainer, images, labels, &loss), PRUNE_E_ARGUMENT, "new trainer");
    ck_assert_ptr_null(prune_trainer_gradient(trainer, "late.weight"));
    ck_assert_ptr_null(prune_trainer_gradient(trainer, "fc2.weight"));
    ck_assert_ptr_null(prune_trainer_momentum(NULL, "fc1.weight"));
    prune_trainer_free(trainer);
    prune_trainer_free(NULL);
    prune_tensor *all[] = {images, labels, wide, few, many, many_labels, none, doubles};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        prune_tensor_free(all[i]);
    prune_network_free(network);
    prune_network_free(held);
}
END_TEST

START_TEST(bad_settings_and_networks_are_refused)
{
    prune_network *network = random_mlp("6-3", 1), *two, *none;
    prune_trainer *trainer = UNTOUCHED;
    FAILS(prune_trainer_create(&trainer, network, "rate=1"), PRUNE_E_SPEC, "unknown key \"rate\"");
    FAILS(prune_trainer_create(&trainer, network, "lr="), PRUNE_E_SPEC, "no value");
    FAILS(prune_trainer_create(&trainer, network, "lr=-1"), PRUNE_E_SPEC, "range");
    FAILS(prune_trainer_create(&trainer, network, "lr=nan"), PRUNE_E_SPEC, "nan");
    FAILS(prune_trainer_create(&trainer, network, "batch=0"), PRUNE_E_SPEC, "range");
    FAILS(prune_trainer_create(&trainer, network, "epochs=1.5"), PRUNE_E_SPEC, "whole");
    FAILS(prune_trainer_create(&trainer, network, "decay=step"), PRUNE_E_SPEC, "cosine|constant");
    FAILS(prune_trainer_create(&trainer, NULL, ""), PRUNE_E_ARGUMENT, "network");
    OK(prune_network_create(&none, NULL));
    FAILS(prune_trainer_create(&trainer, none, ""), PRUNE_E_UNSUPPORTED, "0 inputs");
    OK(prune_network_add_input(none, "x", 2, (const int64_t[]){2, 3}));
    FAILS(prune_trainer_create(&trainer, none, ""), PRUNE_E_ARGUMENT, "no output");
    OK(prune_network_add_output(none, "x"));
    FAILS(prune_trainer_create(&trainer, none, ""), PRUNE_E_SHAPE, "rank 2");
    OK(prune_network_copy(&two, network));
    OK(prune_network_add_input(two, "y", 1, (const int64_t[]){2}));
    FAILS(prune_trainer_create(&trainer, two, ""), PRUNE_E_UNSUPPORTED, "2 inputs");
    ck_assert_ptr_eq(trainer, UNTOUCHED);
    prune_network_free(network);
    prune_network_free(two);
    prune_network_free(none);
}
END_TEST

START_TEST(views_of_images_train_as_copies_do)
{
    prune_network *a = random_mlp("6-3", 1), *b = random_mlp("6-3", 1);
    prune_tensor *images = random_images(10, 6, 1), *labels = random_labels(10, 3, 1), *turned, *back, *view, *odd;
    prune_trainer *trainer;
    prune_tensor *used[] = {images, NULL};
    int64_t reversed[10];
    OK(prune_tensor_permute(&turned, images, (const int32_t[]){1, 0}));
    OK(prune_tensor_convert(&back, turned, PRUNE_F32)); /* 6 x 10 */
    OK(prune_tensor_permute(&view, back, (const int32_t[]){1, 0}));
    ck_assert(!prune_tensor_is_contiguous(view));
    for (int i = 0; i < 10; i++)
        reversed[9 - i] = ((const int64_t *)prune_tensor_const_data(labels))[i];
    OK(prune_tensor_borrow(&odd, NULL, &reversed[9], PRUNE_I64, 1, (const int64_t[]){10}, (const int64_t[]){-1}));
    used[1] = view;
    for (int i = 0; i < 2; i++) {
        OK(prune_trainer_create(&trainer, i ? b : a, "batch=4,epochs=2"));
        OK(prune_trainer_run(trainer, used[i], i ? odd : labels, NULL));
        prune_trainer_free(trainer);
    }
    ck_assert_mem_eq(numbers_of(a, "fc1.weight"), numbers_of(b, "fc1.weight"), 18 * sizeof(float));
    prune_tensor *all[] = {images, labels, turned, back, view, odd};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        prune_tensor_free(all[i]);
    prune_network_free(a);
    prune_network_free(b);
}
END_TEST

static int32_t stop_at(void *user, const char *what, int64_t done, int64_t total)
{
    ck_assert_str_eq(what, "training");
    ck_assert_int_le(done, total);
    return --*(int *)user == 0;
}

START_TEST(progress_can_stop_a_training)
{
    prune_context *context;
    prune_network *network;
    prune_tensor *images = random_images(200, 6, 1), *labels = random_labels(200, 3, 1);
    prune_trainer *trainer;
    int calls_left = 3;
    double loss = 77;
    OK(prune_context_create(&context));
    OK(prune_context_set_progress(context, stop_at, &calls_left));
    OK(prune_network_create_mlp(&network, context, "6-3"));
    prune_context_free(context);
    OK(prune_trainer_create(&trainer, network, "batch=2,epochs=1000"));
    FAILS(prune_trainer_run(trainer, images, labels, &loss), PRUNE_E_CANCELLED, "96 of 100000");
    ck_assert(loss == 77);
    prune_network_free(network); /* the trainer may be freed after it */
    prune_trainer_free(trainer);
    prune_tensor_free(images);
    prune_tensor_free(labels);
}
END_TEST

/* Two epochs of the demo's first step; the whole of it is measured there. */
START_TEST(lenet_300_100_learns_fashion_mnist)
{
    prune_tensor *x, *y, *test_x, *test_y;
    prune_network *network;
    prune_trainer *trainer;
    int64_t right = 0;
    const char *folder = "/usr/share/datasets/fashion-mnist";
    int32_t status = prune_dataset_read(&x, &y, NULL, folder, "train");
    if (status == PRUNE_E_NOTFOUND) {
        skip("lenet_300_100_learns_fashion_mnist", "no package dataset-fashion-mnist");
        return;
    }
    OK(status);
    OK(prune_dataset_read(&test_x, &test_y, NULL, folder, "test"));
    OK(prune_network_create_mlp(&network, NULL, "784-300-100-10"));
    OK(prune_network_initialize(network, 1));
    OK(prune_trainer_create(&trainer, network, "epochs=2"));
    OK(prune_trainer_run(trainer, x, y, NULL));
    OK(prune_network_evaluate(network, test_x, test_y, 100, &right));
    ck_assert_int_ge(right, 8500);
    prune_trainer_free(trainer);
    prune_network_free(network);
    prune_tensor *all[] = {x, y, test_x, test_y};
    for (int i = 0; i < 4; i++)
        prune_tensor_free(all[i]);
}
END_TEST

TEST_MAIN("train", one_linear_neuron_with_its_second_weight_pruned, the_mask_clears_whatever_stands_there,
          what_decays_becomes_zero_not_denormal, pruned_elements_are_plus_zero_after_each_of_50_steps,
          cosine_runs_from_lr_to_zero_and_decay_spares_biases, the_same_seed_gives_the_same_bits,
          training_learns_what_can_be_learnt, a_loss_that_is_no_number_stops_before_the_step,
          bad_data_is_refused_and_nothing_moves, bad_settings_and_networks_are_refused,
          views_of_images_train_as_copies_do, progress_can_stop_a_training, lenet_300_100_learns_fashion_mnist)
