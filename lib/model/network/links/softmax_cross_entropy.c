/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include "model/network/links/links.h"

/* Probabilities that are as good as zero are zero: products with denormals would make every layer below slow. */
#define LEAST_PROBABILITY 1e-30

double pm_softmax_cross_entropy(const float *logits, const int64_t *labels, int64_t samples, int64_t classes, float *d,
                                int accumulate)
{
    double total = 0;
    for (int64_t s = 0; s < samples; s++, logits += classes) {
        float most = logits[0];
        double sum = 0;
        for (int64_t c = 1; c < classes; c++)
            most = logits[c] > most ? logits[c] : most;
        for (int64_t c = 0; c < classes; c++)
            sum += exp((double)(logits[c] - most));
        total += log(sum) + (double)most - (double)logits[labels[s]];
        for (int64_t c = 0; d && c < classes; c++) {
            double p = exp((double)(logits[c] - most)) / sum;
            p = p < LEAST_PROBABILITY ? 0 : p;
            float g = (float)((p - (c == labels[s])) / (double)samples);
            d[s * classes + c] = accumulate ? d[s * classes + c] + g : g;
        }
    }
    return total / (double)samples;
}
