/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The smallest whole thing: remove the three quarters of a matrix's weights that are smallest in magnitude.
 *
 *   cc 00_hello_mask.c $(pkg-config --cflags --libs libprune) && ./a.out
 */
#include <prune/prune.h>
#include <stdio.h>

int main(void)
{
    float weights[3][4] = {{0.9f, -0.1f, 0.2f, 0.4f}, {-0.3f, 0.7f, 0.05f, -0.6f}, {0.0f, 0.8f, -0.15f, 0.25f}};
    int64_t shape[2] = {3, 4};
    prune_tensor *tensor = NULL;
    prune_granularity *granularity = NULL;
    prune_criterion *criterion = NULL;
    prune_scores *scores = NULL;
    prune_mask *mask = NULL;

    /* NULL for the context: malloc, one thread. The tensor is a view of `weights`. Calls chain, since 0 is success. */
    int bad = prune_tensor_borrow(&tensor, NULL, weights, PRUNE_F32, 2, shape, NULL) ||
              prune_granularity_create(&granularity, NULL, "element") || /* single weights compete */
              prune_criterion_create(&criterion, NULL, "l1") ||          /* by magnitude */
              prune_criterion_score(&scores, criterion, tensor, NULL, granularity) ||
              prune_mask_select(&mask, scores, PRUNE_SPARSITY, 0.75) || /* 9 of the 12 go */
              prune_mask_apply(mask, tensor);
    if (bad) {
        fprintf(stderr, "%s\n", prune_error());
    } else {
        printf("%lld of %lld weights are left:\n", (long long)prune_mask_kept(mask), (long long)prune_mask_count(mask));
        for (int row = 0; row < 3; row++)
            printf("%6.2f %6.2f %6.2f %6.2f\n", (double)weights[row][0], (double)weights[row][1],
                   (double)weights[row][2], (double)weights[row][3]);
    }

    prune_mask_free(mask);
    prune_scores_free(scores);
    prune_criterion_free(criterion);
    prune_granularity_free(granularity);
    prune_tensor_free(tensor);
    return bad != 0;
}
