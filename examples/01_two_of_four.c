/* SPDX-License-Identifier: BSD-2-Clause
 *
 * N:M: of every four neighbouring weights in a row the two largest stay. Shows the mask, checks its pattern, breaks it
 * on purpose and asks where; then the same with a pattern that four rows share.
 */
#include <prune/prune.h>
#include <stdio.h>

#define ROWS 4
#define COLUMNS 10 /* no multiple of 4: the last group has two weights and keeps both */

static void show(const char *title, const prune_mask *mask)
{
    printf("%s\n", title);
    for (int64_t row = 0; row < ROWS; row++) {
        for (int64_t column = 0; column < COLUMNS; column++) {
            int32_t kept = 0;
            prune_mask_get(mask, row * COLUMNS + column, &kept);
            printf("%s%c", column % 4 ? "" : " ", kept ? '#' : '.');
        }
        printf("\n");
    }
}

/* A mask of `weights` with the pattern that `spec` names. */
static int32_t select_pattern(prune_mask **mask, const prune_tensor *weights, const char *spec)
{
    prune_granularity *granularity = NULL;
    prune_criterion *criterion = NULL;
    prune_scores *scores = NULL;
    int32_t status = prune_granularity_create(&granularity, NULL, spec);
    if (!status)
        status = prune_criterion_create(&criterion, NULL, "l1");
    if (!status)
        status = prune_criterion_score(&scores, criterion, weights, NULL, granularity);
    if (!status)
        status = prune_mask_select(mask, scores, PRUNE_QUOTA, 0);
    prune_scores_free(scores);
    prune_criterion_free(criterion);
    prune_granularity_free(granularity);
    return status;
}

static int32_t show_and_break(const prune_tensor *weights)
{
    prune_mask *mask = NULL, *shared = NULL;
    prune_granularity *pattern = NULL;
    int64_t where = -1;
    int32_t holds = 0;
    int32_t bad = select_pattern(&mask, weights, "nm:keep_n=2,group_m=4");
    if (!bad) {
        show("2:4, each row for itself:", mask);
        bad = prune_granularity_create(&pattern, NULL, "nm:keep_n=2,group_m=4");
    }
    for (int64_t i = 0; !bad && i < 4; i++)
        bad = prune_mask_set(mask, i, 1); /* keeps all of the first group */
    if (!bad)
        bad = prune_granularity_check(pattern, mask, &holds, &where);
    if (!bad) {
        printf("with the whole first group kept the pattern %s at element %lld\n", holds ? "holds" : "breaks",
               (long long)where);
        bad = select_pattern(&shared, weights, "nm:keep_n=2,group_m=4,unit_rows=4");
    }
    if (!bad)
        show("2:4, one pattern for four rows:", shared);
    prune_granularity_free(pattern);
    prune_mask_free(shared);
    prune_mask_free(mask);
    return bad;
}

int main(void)
{
    float weights[ROWS * COLUMNS];
    int64_t shape[2] = {ROWS, COLUMNS};
    prune_tensor *tensor = NULL;
    for (int i = 0; i < ROWS * COLUMNS; i++)
        weights[i] = (float)((i * i * 7 + i * 3) % 41 - 20) / 20.0f;
    int32_t bad = prune_tensor_borrow(&tensor, NULL, weights, PRUNE_F32, 2, shape, NULL);
    if (!bad)
        bad = show_and_break(tensor);
    if (bad)
        fprintf(stderr, "%s\n", prune_error());
    prune_tensor_free(tensor);
    return bad != 0;
}
