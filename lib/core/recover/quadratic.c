/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/recover/quadratic.h"

#include <math.h>
#include <string.h>

#define ROWS 64 /* that are multiplied at once */

/* ---- Making it ---- */

static void find_damping(struct pr_quadratic *problem)
{
    int64_t n = problem->columns;
    double sum = 0;
    for (int64_t j = 0; j < n; j++) {
        double diagonal = problem->gram[j * n + j];
        problem->dead += diagonal == 0;
        sum += diagonal;
    }
    if (problem->dead < n)
        problem->damping = problem->fraction * (sum / (double)(n - problem->dead));
}

static void clear_dead(struct pr_quadratic *problem)
{
    int64_t size = prune_dtype_size(problem->work->dtype), n = problem->columns;
    for (int64_t j = 0; j < n && problem->dead > 0; j++)
        if (problem->gram[j * n + j] == 0)
            for (int64_t i = 0; i < problem->rows; i++)
                memset(problem->work->data + (i * n + j) * size, 0, (size_t)size);
}

int32_t pr_quadratic_make(struct pr_quadratic *out, prune_context *context, const prune_tensor *weights,
                          const double *gram, int64_t columns, double fraction, int32_t dtype)
{
    struct pr_quadratic made = {.context = context,
                                .la = pr_linalg_of(context),
                                .weights = weights,
                                .gram = gram,
                                .columns = columns,
                                .fraction = fraction};
    made.rows = weights->shape[0];
    find_damping(&made);
    PR_TRY(prune_tensor_convert(&made.work, weights, dtype));
    int32_t status = pr_alloc(context, weights->count, 1, &made.keep);
    if (status) {
        prune_tensor_free(made.work);
        return status;
    }
    memset(made.keep, 1, (size_t)weights->count);
    clear_dead(&made);
    *out = made;
    return PRUNE_OK;
}

void pr_quadratic_free(struct pr_quadratic *problem)
{
    prune_tensor_free(problem->work);
    pr_release(problem->context, problem->keep);
    problem->work = NULL;
    problem->keep = NULL;
}

/* ---- A mask beforehand ---- */

static void read_row(const prune_tensor *tensor, int64_t row, int64_t begin, int64_t count, double *out)
{
    int64_t columns = tensor->shape[0] > 0 ? tensor->count / tensor->shape[0] : 0;
    pr_read_double(tensor->dtype, tensor->data + (row * columns + begin) * prune_dtype_size(tensor->dtype), 1, count,
                   out);
}

static int32_t select_by(struct pr_quadratic *problem, const prune_tensor *scores, const prune_granularity *granularity,
                         int32_t target, double amount)
{
    prune_criterion *sum = NULL;
    prune_scores *units = NULL;
    prune_mask *mask = NULL;
    int32_t status = prune_criterion_create(&sum, problem->context, "scores");
    if (!status)
        status = prune_criterion_score(&units, sum, scores, NULL, granularity);
    if (!status)
        status = prune_mask_select(&mask, units, target, amount);
    if (!status)
        status = prune_mask_to_bytes(mask, problem->keep, prune_mask_count(mask));
    prune_mask_free(mask);
    prune_scores_free(units);
    prune_criterion_free(sum);
    return status;
}

int32_t pr_quadratic_select(struct pr_quadratic *problem, const prune_granularity *granularity, int32_t target,
                            double amount, int with_norms)
{
    int64_t n = problem->columns;
    double *norm;
    prune_tensor *scores;
    PR_TRY(pr_alloc(problem->context, n, sizeof *norm, &norm));
    int32_t status = pr_tensor_new(&scores, problem->context, PRUNE_F64, problem->work->rank, problem->work->shape);
    if (status) {
        pr_release(problem->context, norm);
        return status;
    }
    for (int64_t j = 0; j < n; j++)
        norm[j] = with_norms ? sqrt(problem->gram[j * n + j]) : 1;
    double *score = prune_tensor_data(scores);
    for (int64_t i = 0; i < problem->rows; i++, score += n) {
        read_row(problem->work, i, 0, n, score);
        for (int64_t j = 0; j < n; j++)
            score[j] = fabs(score[j]) * norm[j];
    }
    status = select_by(problem, scores, granularity, target, amount);
    pr_release(problem->context, norm);
    prune_tensor_free(scores);
    return status;
}

/* ---- Between the frame and a kind ---- */

int32_t pr_quadratic_begin(struct pr_quadratic *out, const struct pr_recovering *r, double fraction, int64_t memory,
                           int32_t dtype)
{
    PR_TRY(pr_quadratic_make(out, r->context, r->weights, r->gram, r->columns, fraction, dtype));
    out->memory = memory;
    for (int64_t i = 0; r->mask && i < r->weights->count; i++)
        out->keep[i] = (uint8_t)pr_mask_get(r->mask, i);
    return PRUNE_OK;
}

int32_t pr_quadratic_finish(struct pr_quadratic *problem, struct pr_recovering *r, int32_t status)
{
    if (!status && r->granularity)
        status = prune_mask_from_bytes(&r->chosen, r->context, r->weights->rank, r->weights->shape, problem->keep,
                                       r->weights->count);
    if (!status) {
        r->result = problem->work;
        problem->work = NULL;
        r->damping = problem->damping;
        r->condition = problem->condition;
        r->predicted = problem->predicted;
        r->dead = problem->dead;
        r->memory = problem->taken;
    }
    pr_quadratic_free(problem);
    return status;
}

/* ---- Groups of columns ---- */

/* Half of the memory is for the matrix. */
int64_t pr_quadratic_columns(const struct pr_quadratic *problem)
{
    double whole = (double)problem->columns * (double)problem->columns * 16;
    return problem->memory > 0 && (double)problem->memory < whole ? (int64_t)sqrt((double)problem->memory / 16)
                                                                  : problem->columns;
}

int64_t pr_quadratic_group(const struct pr_quadratic *problem, const struct pr_windows *windows, int64_t *window)
{
    int64_t begin = windows->edge[*window], most = pr_quadratic_columns(problem);
    do {
        ++*window;
    } while (*window < windows->count && windows->edge[*window + 1] - begin <= most);
    return windows->edge[*window];
}

/* What the copy differs by, for columns begin to end - 1 of some rows. */
static void read_change(const struct pr_quadratic *problem, int64_t row, int64_t rows, int64_t end,
                        const prune_tensor *before, double *change, double *scratch)
{
    for (int64_t i = 0; i < rows; i++) {
        read_row(problem->work, row + i, 0, end, change + i * end);
        read_row(before, row + i, 0, end, scratch);
        for (int64_t j = 0; j < end; j++)
            change[i * end + j] -= scratch[j];
    }
}

static double product(const double *a, const double *b, int64_t count)
{
    double sum = 0;
    for (int64_t i = 0; i < count; i++)
        sum += a[i] * b[i];
    return sum;
}

/* `change` times G, times the inverse: what these rows of the group move by, in `move`. `pull` is scratch. */
static int32_t work_out_move(struct pr_quadratic *problem, int64_t rows, int64_t begin, int64_t end,
                             const double *inverse, int is_factor, const double *change, double *pull, double *move)
{
    const struct pr_linalg *la = &problem->la;
    int64_t n = problem->columns, size = end - begin;
    PR_TRY(pr_linalg_gemm(la, 0, 0, rows, size, begin, 1, change, begin, problem->gram + begin, n, 0, pull, size));
    PR_TRY(pr_linalg_gemm(la, 0, is_factor, rows, size, size, 1, pull, size, inverse, size, 0, move, size));
    if (!is_factor) {
        problem->predicted -= product(pull, move, rows * size);
        return PRUNE_OK;
    }
    problem->predicted -= product(move, move, rows * size);
    memcpy(pull, move, (size_t)(rows * size) * sizeof *pull);
    return pr_linalg_gemm(la, 0, 0, rows, size, size, 1, pull, size, inverse, size, 0, move, size);
}

static int32_t shift_rows(struct pr_quadratic *problem, int64_t begin, int64_t end, const double *inverse,
                          int is_factor, const prune_tensor *before, double *scratch)
{
    int64_t n = problem->columns, size = end - begin, bytes = prune_dtype_size(problem->work->dtype);
    double *change = scratch, *pull = scratch + ROWS * n, *move = pull + ROWS * n, *line = move + ROWS * n;
    for (int64_t row = 0; row < problem->rows; row += ROWS) {
        int64_t rows = problem->rows - row < ROWS ? problem->rows - row : ROWS;
        read_change(problem, row, rows, begin, before, change, line);
        PR_TRY(work_out_move(problem, rows, begin, end, inverse, is_factor, change, pull, move));
        for (int64_t i = 0; i < rows; i++) {
            read_row(problem->work, row + i, begin, size, line);
            for (int64_t j = 0; j < size; j++)
                line[j] -= move[i * size + j];
            pr_store_double(problem->work->dtype, problem->work->data + ((row + i) * n + begin) * bytes, 1, size, line);
        }
    }
    return PRUNE_OK;
}

int32_t pr_quadratic_shift(struct pr_quadratic *problem, int64_t begin, int64_t end, const double *inverse,
                           int is_factor)
{
    prune_tensor *before;
    double *scratch;
    int64_t size = 0;
    if (begin == 0)
        return PRUNE_OK;
    PR_TRY(pr_mul(problem->columns, 3 * ROWS + 1, &size));
    PR_TRY(prune_tensor_convert(&before, problem->weights, problem->work->dtype));
    int32_t status = pr_alloc(problem->context, size, sizeof *scratch, &scratch);
    if (!status) {
        status = shift_rows(problem, begin, end, inverse, is_factor, before, scratch);
        pr_release(problem->context, scratch);
    }
    prune_tensor_free(before);
    return status;
}

/* ---- The error ---- */

int32_t pr_quadratic_error(const struct pr_quadratic *problem, double *error)
{
    int64_t n = problem->columns, size = 0;
    prune_tensor *before;
    double *scratch = NULL, sum = 0;
    PR_TRY(pr_mul(n, 2 * ROWS + 1, &size));
    PR_TRY(prune_tensor_convert(&before, problem->weights, problem->work->dtype));
    int32_t status = pr_alloc(problem->context, size, sizeof *scratch, &scratch);
    for (int64_t row = 0; row < problem->rows && !status; row += ROWS) {
        int64_t rows = problem->rows - row < ROWS ? problem->rows - row : ROWS;
        read_change(problem, row, rows, n, before, scratch, scratch + 2 * ROWS * n);
        status =
            pr_linalg_gemm(&problem->la, 0, 0, rows, n, n, 1, scratch, n, problem->gram, n, 0, scratch + ROWS * n, n);
        if (!status)
            sum += product(scratch, scratch + ROWS * n, rows * n);
    }
    pr_release(problem->context, scratch);
    prune_tensor_free(before);
    if (!status)
        *error = sum;
    return status;
}
