/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Trained networks as their files have them, against the logits that PyTorch computed.
 */
#include <math.h>

#include "../unit/allocator.h"
#include "data.h"

#include "prune/model.h"

struct network {
    const char *file, *inputs, *labels, *logits;
    int64_t samples, classes, correct;
};

static const struct network resnet20 = {"resnet/resnet20.onnx",
                                        "cifar10/test200_images.npy",
                                        "cifar10/test200_labels.npy",
                                        "resnet/resnet20_test200_logits.npy",
                                        200,
                                        10,
                                        180};
static const struct network raw_export = {"resnet/resnet20_raw_export.onnx",
                                          "cifar10/test200_images.npy",
                                          "cifar10/test200_labels.npy",
                                          "resnet/resnet20_test200_logits.npy",
                                          200,
                                          10,
                                          180};
static const struct network resnet56 = {"resnet/resnet56.onnx",
                                        "cifar10/test200_images.npy",
                                        "cifar10/test200_labels.npy",
                                        "resnet/resnet56_test200_logits.npy",
                                        200,
                                        10,
                                        182};
static const struct network ds_cnn = {
    "kws/ds_cnn_kws.onnx", "kws/kws01_inputs.npy", "kws/kws01_labels.npy", "kws/kws01_logits.npy", 1000, 12, 913};

/* Images are bytes [N, 32, 32, 3]; the networks take (x / 255 - mean) / deviation by channel as [N, 3, 32, 32]. */
static prune_tensor *normalised(const prune_tensor *images)
{
    static const double mean[] = {0.485, 0.456, 0.406}, deviation[] = {0.229, 0.224, 0.225};
    int64_t count = prune_tensor_shape(images)[0];
    const uint8_t *bytes = prune_tensor_const_data(images);
    prune_tensor *made;
    OK(prune_tensor_create(&made, NULL, PRUNE_F32, 4, (const int64_t[]){count, 3, 32, 32}));
    float *x = prune_tensor_data(made);
    for (int64_t i = 0; i < count * 3 * 1024; i++) {
        int64_t pixel = i / 3072 * 1024 + i % 1024, channel = i / 1024 % 3;
        x[i] = (float)((bytes[pixel * 3 + channel] / 255.0 - mean[channel]) / deviation[channel]);
    }
    return made;
}

static prune_tensor *numbers_of(const char *name)
{
    prune_tensor *tensor;
    OK(prune_npy_read(&tensor, NULL, data_path(name)));
    return tensor;
}

static prune_tensor *inputs_of(const struct network *network)
{
    prune_tensor *inputs = numbers_of(network->inputs);
    if (prune_tensor_dtype(inputs) != PRUNE_U8)
        return inputs;
    prune_tensor *made = normalised(inputs);
    prune_tensor_free(inputs);
    return made;
}

/* Logits of all samples, `batch` at a time, which divides their number. */
static float *logits_of(const struct network *network, int64_t batch, int32_t threads, const char *spec)
{
    prune_context *context;
    prune_graph *graph;
    prune_session *session = NULL;
    prune_tensor *inputs = inputs_of(network), *part;
    const char *name;
    float *logits = malloc((size_t)(network->samples * network->classes) * sizeof *logits);
    ck_assert_ptr_nonnull(logits);
    OK(prune_context_create(&context));
    OK(prune_context_set_threads(context, threads));
    OK(prune_graph_read(&graph, context, data_path(network->file), NULL));
    name = prune_graph_input_name(graph, 0);
    for (int64_t from = 0; from + batch <= network->samples; from += batch) {
        OK(prune_tensor_slice(&part, inputs, 0, from, batch, 1));
        const prune_tensor *const fed[] = {part};
        if (!session)
            OK(prune_session_create(&session, graph, 1, &name, fed, NULL, spec));
        OK(prune_session_run(session, 1, fed));
        memcpy(logits + from * network->classes, prune_tensor_const_data(prune_session_output(session, 0)),
               (size_t)(batch * network->classes) * sizeof *logits);
        prune_tensor_free(part);
    }
    prune_session_free(session);
    prune_graph_free(graph);
    prune_context_free(context);
    prune_tensor_free(inputs);
    return logits;
}

/* The largest difference, as a part of the largest logit of `reference`. */
static double difference(const float *logits, const float *reference, int64_t count)
{
    double most = 0, largest = 0;
    for (int64_t i = 0; i < count; i++) {
        double apart = fabs((double)logits[i] - (double)reference[i]);
        ck_assert(apart == apart);
        most = apart > most ? apart : most;
        largest = fabs((double)reference[i]) > largest ? fabs((double)reference[i]) : largest;
    }
    return most / largest;
}

static int64_t correct_of(const struct network *network, const float *logits)
{
    prune_tensor *labels = numbers_of(network->labels);
    const uint8_t *is = prune_tensor_const_data(labels);
    int64_t correct = 0;
    for (int64_t i = 0; i < network->samples; i++) {
        int64_t best = 0;
        for (int64_t j = 1; j < network->classes; j++)
            if (logits[i * network->classes + j] > logits[i * network->classes + best])
                best = j;
        correct += best == is[i];
    }
    prune_tensor_free(labels);
    return correct;
}

static int is_there(const struct network *network)
{
    return data_path(network->file) && data_path(network->inputs);
}

static void check_network(const struct network *network)
{
    if (!is_there(network))
        return;
    float *logits = logits_of(network, 50, 1, NULL), *plain, *single, *threads;
    int64_t count = network->samples * network->classes;
    prune_tensor *reference = numbers_of(network->logits);
    const float *expected = prune_tensor_const_data(reference);
    ck_assert_int_eq(correct_of(network, logits), network->correct);
    ck_assert_double_le(difference(logits, expected, count), 1e-5);
    threads = logits_of(network, 50, 2, NULL);
    ck_assert(memcmp(logits, threads, (size_t)count * sizeof *logits) == 0);
    plain = logits_of(network, 50, 1, "fuse=no");
    ck_assert_int_eq(correct_of(network, plain), network->correct);
    ck_assert_double_le(difference(plain, expected, count), 1e-5);
    ck_assert_double_le(difference(plain, logits, count), 1e-5);
    single = logits_of(network, 1, 1, NULL);
    ck_assert_int_eq(correct_of(network, single), network->correct);
    ck_assert_double_le(difference(single, expected, count), 1e-5);
    printf("%s: %lld of %lld; largest difference %.2g, unfused %.2g, one at a time %.2g of the largest logit\n",
           network->file, (long long)network->correct, (long long)network->samples, difference(logits, expected, count),
           difference(plain, expected, count), difference(single, expected, count));
    free(logits);
    free(threads);
    free(plain);
    free(single);
    prune_tensor_free(reference);
}

/* Minutes, where every access is checked; DS-CNN goes the same ways. */
static int is_too_slow(const char *name)
{
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(SANITIZED)
    skip(name, "left out where accesses are checked");
    return 1;
#else
    (void)name;
    return 0;
#endif
}

START_TEST(resnet_20_has_180_of_200)
{
    if (!is_too_slow("ResNet-20"))
        check_network(&resnet20);
}
END_TEST

START_TEST(resnet_56_has_182_of_200)
{
    if (!is_too_slow("ResNet-56"))
        check_network(&resnet56);
}
END_TEST

START_TEST(ds_cnn_has_913_of_1000)
{
    check_network(&ds_cnn);
}
END_TEST

START_TEST(the_export_that_computes_its_shapes_is_the_same_network)
{
    if (is_too_slow("ResNet-20, its shapes computed") || !is_there(&raw_export))
        return;
    float *logits = logits_of(&raw_export, 40, 1, NULL), *folded;
    folded = logits_of(&resnet20, 40, 1, NULL);
    ck_assert(memcmp(logits, folded, 2000 * sizeof *logits) == 0);
    free(logits);
    free(folded);
}
END_TEST

/* 19 (55) convolutions with all that follows them, 9 (27) sums, each with its activation, and the steps around. */
START_TEST(a_run_of_resnet_20_allocates_nothing_and_its_memory_is_known)
{
    struct allocator allocator;
    prune_context *context = counted_context(&allocator);
    prune_graph *graph;
    prune_session *session;
    if (!is_there(&resnet20)) {
        prune_context_free(context);
        return;
    }
    prune_tensor *inputs = inputs_of(&resnet20), *one;
    OK(prune_tensor_slice(&one, inputs, 0, 3, 1, 1));
    const prune_tensor *const fed[] = {one};
    OK(prune_graph_read(&graph, context, data_path(resnet20.file), NULL));
    const char *name = prune_graph_input_name(graph, 0);
    OK(prune_session_create(&session, graph, 1, &name, fed, NULL, NULL));
    int64_t calls = allocator.calls, macs = 0, convolutions = 0;
    for (int32_t i = 0; i < 3; i++)
        OK(prune_session_run(session, 1, fed));
    ck_assert_int_eq(allocator.calls, calls);
    for (int32_t i = 0; i < prune_session_step_count(session); i++) {
        int64_t of_step = prune_session_step_macs(session, i);
        macs += of_step;
        convolutions += of_step > 0;
    }
    ck_assert_int_eq(macs, 40550400 + 640);
    ck_assert_int_eq(convolutions, 20);
    printf("resnet20 at batch 1: %d steps, %lld bytes\n", (int)prune_session_step_count(session),
           (long long)prune_session_memory(session));
    /* At least the largest moment: input and output of a convolution of the first stage and what is carried past. */
    ck_assert_int_ge(prune_session_memory(session), 3 * 16 * 1024 * 4);
    ck_assert_int_le(prune_session_memory(session), 1 << 20);
    prune_session_free(session);
    prune_graph_free(graph);
    prune_tensor_free(one);
    prune_tensor_free(inputs);
    ck_assert_int_eq(allocator.live, 0);
    prune_context_free(context);
}
END_TEST

TEST_MAIN("session_networks", resnet_20_has_180_of_200, resnet_56_has_182_of_200, ds_cnn_has_913_of_1000,
          the_export_that_computes_its_shapes_is_the_same_network,
          a_run_of_resnet_20_allocates_nothing_and_its_memory_is_known)
