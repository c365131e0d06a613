/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the frame promises a form: X in groups of its x_group, zeros beyond the last column of W and of X, sums either
 * way round. A form made for the test takes its products from there, element by element.
 */
#include "problem.h"

#include "core/sparse/packed/packed.h"

static const struct problem *current;
static const struct pr_form *current_form;

/* Where the frame says that X of column k of W and column j of the tile is. */
static float packed_x(const struct pr_block_run *run, int64_t k, int64_t j)
{
    int64_t group = current_form->x_group;
    if (group == PR_X_WHOLE)
        return run->x[j * run->ldx + k];
    return run->x[k / group * run->ldx + j * group + k % group];
}

static void check_zeros(const struct pr_block_run *run, int64_t columns, int64_t width, int64_t j)
{
    for (int64_t k = 0; k < width; k++)
        if (k >= columns && packed_x(run, k, j) != 0)
            ck_abort_msg("X is %g at column %lld of %lld", (double)packed_x(run, k, j), (long long)k,
                         (long long)columns);
}

static void test_run(const struct pr_block_run *run)
{
    int64_t columns = current->columns, group = current_form->x_group, first = run->block * run->header->block_rows;
    int64_t width = group == PR_X_WHOLE ? pr_padded(columns) : pr_ceil_div(columns, group) * group;
    int lanes = current_form->lanes_along_rows || run->tile == 1;
    if (current_form->tile_step && !lanes && run->tile > current_form->tile_least)
        ck_assert_int_eq(run->tile % current_form->tile_step, 0);
    for (int64_t j = 0; j < run->tile; j++) {
        check_zeros(run, columns, width, j);
        for (int64_t i = 0; i < pr_block_size(run->header, run->block); i++) {
            float sum = 0;
            for (int64_t k = 0; k < columns; k++)
                if (current->kept[(first + i) * columns + k])
                    sum += current->weights[(first + i) * columns + k] * packed_x(run, k, j);
            run->sums[lanes ? j * run->ld_sums + i : i * run->ld_sums + j] = sum;
        }
    }
}

static void check_layout(const struct problem *p, prune_packed *packed, const struct pr_form *form, int64_t n)
{
    current = p;
    current_form = packed->form = form;
    float *x = random_x(p->columns * n), *turned = malloc((size_t)(p->columns * n + 1) * sizeof *turned);
    for (int64_t i = 0; i < p->columns * n; i++)
        turned[i % n * p->columns + i / n] = x[i] = (float)(int)(x[i] * 8);
    float *y = product_of(packed, x, n, 0), *z = product_of(packed, turned, n, 1);
    for (int64_t i = 0; i < p->rows; i++)
        for (int64_t j = 0; j < n; j++) {
            float right = 0;
            for (int64_t e = p->indptr[i]; e < p->indptr[i + 1]; e++)
                right += p->weights[i * p->columns + p->indices[e]] * x[p->indices[e] * n + j];
            if (y[i * n + j] != right || z[j * p->rows + i] != right)
                ck_abort_msg("groups of %lld, tiles of %lld, n %lld: y(%lld, %lld) = %g and %g, not %g",
                             (long long)form->x_group, (long long)form->tile_step, (long long)n, (long long)i,
                             (long long)j, (double)y[i * n + j], (double)z[j * p->rows + i], (double)right);
        }
    free(x);
    free(turned);
    free(y);
    free(z);
}

START_TEST(every_layout_of_x_and_sums)
{
    static const int64_t groups[] = {1, 4, 16, 32, PR_X_WHOLE}, steps[] = {4, 16, 0}, ns[] = {1, 2, 4, 5, 17, 40};
    static const int64_t columns[] = {45, 64, 3};
    for (int m = 0; m < MASKS; m++)
        for (int c = 0; cpu_has(masks[m]) && c < 3; c++) {
            struct problem p;
            prune_packed *packed;
            make(&p, 70, columns[c], RANDOM, 0.5, 1, masks[m], 1);
            OK(prune_packed_create(&packed, p.tensor, p.mask, "format=csr,form=rows"));
            const struct pr_form *rows_form = packed->form;
            for (int variant = 0; variant < 5 * 3 * 4; variant++) {
                struct pr_form form = *rows_form;
                form.x_group = groups[variant % 5];
                form.tile_step = steps[variant / 5 % 3];
                form.tile = 16;
                form.lanes_along_rows = variant / 15 % 2;
                form.tile_least = variant / 30;
                form.run = test_run;
                if (!form.lanes_along_rows && !form.tile_step)
                    continue;
                for (int i = 0; i < (int)(sizeof ns / sizeof *ns); i++)
                    check_layout(&p, packed, &form, ns[i]);
            }
            prune_packed_free(packed);
            drop(&p);
        }
}
END_TEST

TEST_MAIN("packed layouts", every_layout_of_x_and_sums)
