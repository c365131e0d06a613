/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What pruning and retraining do to the weights of fc1 of LeNet-300-100, on Fashion-MNIST where it is installed: the
 * kept weights end in two humps and spread (Han et al. 2015, figure 8).
 */
#include <math.h>
#include <unistd.h>

#include "prune/model.h"
#include "testing.h"

#define FOLDER "/usr/share/datasets/fashion-mnist"
enum { BINS = 61 }; /* odd: one bin is centred at 0 */

static void train(prune_network *network, const prune_tensor *images, const prune_tensor *labels, const char *spec)
{
    prune_trainer *trainer = NULL;
    OK(prune_trainer_create(&trainer, network, spec));
    OK(prune_trainer_run(trainer, images, labels, NULL));
    prune_trainer_free(trainer);
}

static void prune_layer(prune_network *network, const char *name, double sparsity)
{
    prune_granularity *element = NULL;
    prune_criterion *l1 = NULL;
    prune_scores *scores = NULL;
    prune_mask *mask = NULL;
    OK(prune_granularity_create(&element, NULL, "element"));
    OK(prune_criterion_create(&l1, NULL, "l1"));
    OK(prune_criterion_score(&scores, l1, prune_network_parameter(network, name), NULL, element));
    OK(prune_mask_select(&mask, scores, PRUNE_SPARSITY, sparsity));
    OK(prune_network_set_mask(network, name, mask));
    prune_mask_free(mask);
    prune_scores_free(scores);
    prune_criterion_free(l1);
    prune_granularity_free(element);
}

/* Deviation about the mean of the kept weights, and their histogram over three deviations of it to each side. */
static double deviation(prune_network *network, int64_t histogram[BINS])
{
    const prune_tensor *tensor = prune_network_parameter(network, "fc1.weight");
    const prune_mask *mask = prune_network_mask(network, "fc1.weight");
    const float *w = prune_tensor_const_data(tensor);
    double sum = 0, squares = 0;
    int64_t kept = 0;
    for (int pass = 0; pass < 2; pass++)
        for (int64_t i = 0; i < prune_tensor_count(tensor); i++) {
            int32_t is_kept = 1;
            if (mask)
                OK(prune_mask_get(mask, i, &is_kept));
            if (!is_kept)
                continue;
            if (pass == 0) {
                sum += w[i];
                squares += (double)w[i] * w[i];
                kept++;
            } else if (histogram) {
                double limit = 3 * sqrt(squares / (double)kept - sum / (double)kept * sum / (double)kept);
                double bin = floor((w[i] + limit) / (2 * limit) * BINS);
                if (bin >= 0 && bin < BINS)
                    histogram[(int)bin]++;
            }
        }
    return sqrt(squares / (double)kept - sum / (double)kept * sum / (double)kept);
}

static int64_t peak(const int64_t *histogram, int from, int to)
{
    int64_t most = 0;
    for (int i = from; i < to; i++)
        most = histogram[i] > most ? histogram[i] : most;
    return most;
}

START_TEST(kept_weights_become_bimodal)
{
    prune_tensor *images = NULL, *labels = NULL;
    prune_network *network = NULL;
    int64_t histogram[BINS] = {0};
    if (access(FOLDER, R_OK) != 0) {
        skip("kept weights become bimodal", "Debian's dataset-fashion-mnist is not installed");
        return;
    }
    prune_blas_set_threads(1);
    OK(prune_dataset_read(&images, &labels, NULL, FOLDER, "train"));
    OK(prune_network_create_mlp(&network, NULL, "784-300-100-10"));
    OK(prune_network_initialize(network, 1));
    train(network, images, labels, "epochs=6");
    double before = deviation(network, NULL);
    prune_layer(network, "fc1.weight", 0.92);
    prune_layer(network, "fc2.weight", 0.91);
    prune_layer(network, "fc3.weight", 0.74);
    train(network, images, labels, "epochs=3,lr=0.02");
    double after = deviation(network, histogram);
    int64_t centre = histogram[BINS / 2];
    ck_assert_msg(after > 2 * before, "the kept weights deviate by %g, all weights before by %g", after, before);
    ck_assert_msg(10 * centre < peak(histogram, 0, BINS / 2) && 10 * centre < peak(histogram, BINS / 2 + 1, BINS),
                  "%lld weights in the centre bin, peaks %lld and %lld", (long long)centre,
                  (long long)peak(histogram, 0, BINS / 2), (long long)peak(histogram, BINS / 2 + 1, BINS));
    prune_network_free(network);
    prune_tensor_free(labels);
    prune_tensor_free(images);
}
END_TEST

TEST_MAIN("retraining", kept_weights_become_bimodal)
