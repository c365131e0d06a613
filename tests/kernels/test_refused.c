/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the four products of a packed object refuse, each with its name in the sentence and before Y is touched.
 */
#include "problem.h"

typedef int32_t run_fn(const prune_packed *packed, float *y, int64_t ldy, const float *x, int64_t ldx, int64_t n,
                       const prune_epilogue *epilogue);

static const struct {
    run_fn *run;
    const char *name;
    int batch, transposed;
} products[] = {
    {prune_packed_run, "prune_packed_run", 0, 0},
    {prune_packed_run_batch, "prune_packed_run_batch", 1, 0},
    {prune_packed_run_transposed, "prune_packed_run_transposed", 0, 1},
    {prune_packed_run_transposed_batch, "prune_packed_run_transposed_batch", 1, 1},
};
#define PRODUCTS ((int)(sizeof products / sizeof *products))

static const char *const specs[] = {"format=csr", "format=csr,backward=yes", "format=dense,columns=64"};
#define SPECS ((int)(sizeof specs / sizeof *specs))

enum { ROWS = 6, COLUMNS = 8, N = 4, FLOATS = 1000 };

/* One product with its sizes: X is x_rows x x_width, Y is y_rows x y_width. */
struct setting {
    run_fn *run;
    const char *name;
    const prune_packed *packed;
    int64_t x_rows, x_width, y_rows, y_width;
};

static void refuse(const struct setting *s, int32_t status, const char *word, float *y, int64_t ldy, const float *x,
                   int64_t ldx, int64_t n, const prune_epilogue *epilogue)
{
    FAILS(s->run(s->packed, y, ldy, x, ldx, n, epilogue), status, word);
    ck_assert_msg(strstr(prune_error(), s->name) != NULL, "no %s in: %s", s->name, prune_error());
}

static void bad_sizes(const struct setting *s, float *y, const float *x)
{
    const int64_t w = s->x_width, v = s->y_width;
    const struct setting none = {s->run, s->name, NULL, 0, 0, 0, 0};
    refuse(&none, PRUNE_E_ARGUMENT, "packed is NULL", y, v, x, w, N, NULL);
    refuse(s, PRUNE_E_ARGUMENT, "y is NULL", NULL, v, x, w, N, NULL);
    refuse(s, PRUNE_E_ARGUMENT, "x is NULL", y, v, NULL, w, N, NULL);
    refuse(s, PRUNE_E_ARGUMENT, "n is -1", y, v, x, w, -1, NULL);
    refuse(s, PRUNE_E_ARGUMENT, "0 or more", y, v, x, w, INT64_MIN, NULL);
    refuse(s, PRUNE_E_SHAPE, "ldx", y, v, x, w - 1, N, NULL);
    refuse(s, PRUNE_E_SHAPE, "ldx is 0", y, v, x, 0, N, NULL);
    refuse(s, PRUNE_E_SHAPE, "ldx is -", y, v, x, -w, N, NULL);
    refuse(s, PRUNE_E_SHAPE, "ldx is -", y, v, x, INT64_MIN, N, NULL);
    refuse(s, PRUNE_E_SHAPE, "ldy", y, v - 1, x, w, N, NULL);
    refuse(s, PRUNE_E_SHAPE, "ldy is 0", y, 0, x, w, N, NULL);
    refuse(s, PRUNE_E_SHAPE, "ldy is -", y, -v, x, w, N, NULL);
}

static void sizes_that_overflow(const struct setting *s, float *y, const float *x)
{
    static const int64_t large[] = {INT64_MAX, INT64_MAX / 2, INT64_MAX / 4 + 1};
    for (int i = 0; i < 3; i++) {
        refuse(s, PRUNE_E_OVERFLOW, "", y, s->y_width, x, large[i], N, NULL);
        refuse(s, PRUNE_E_OVERFLOW, "", y, large[i], x, s->x_width, N, NULL);
        refuse(s, PRUNE_E_OVERFLOW, "", y, large[i], x, large[i], large[i], NULL);
    }
}

/* In place, by one element at either end, and as columns of one matrix that meet in one. */
static void overlaps(const struct setting *s, float *both)
{
    int64_t w = s->x_width, v = s->y_width, x_span = s->x_rows * w, y_span = s->y_rows * v, ld = w + v;
    refuse(s, PRUNE_E_ARGUMENT, "overlap", both, v, both, w, N, NULL);
    refuse(s, PRUNE_E_ARGUMENT, "overlap", both + x_span - 1, v, both, w, N, NULL);
    refuse(s, PRUNE_E_ARGUMENT, "overlap", both, v, both + y_span - 1, w, N, NULL);
    refuse(s, PRUNE_E_ARGUMENT, "overlap", both + w - 1, ld, both, ld, N, NULL);
    refuse(s, PRUNE_E_ARGUMENT, "overlap", both, ld, both + v - 1, ld, N, NULL);
    refuse(s, PRUNE_E_ARGUMENT, "overlap", both + w, ld, both, ld + 1, N, NULL);
}

static void endings_of_another_shape(const struct setting *s, int64_t rows, float *y, const float *x)
{
    const float numbers[COLUMNS + 1] = {0};
    for (int64_t other = rows - 1; other <= rows + 1; other += 2)
        for (int scaled = 0; scaled < 2; scaled++) {
            prune_epilogue *epilogue;
            char word[40];
            snprintf(word, sizeof word, "%s has %d rows", scaled ? "scale" : "bias", (int)other);
            OK(prune_epilogue_create(&epilogue, NULL, scaled ? numbers : NULL, scaled ? NULL : numbers, other, NULL));
            refuse(s, PRUNE_E_SHAPE, word, y, s->y_width, x, s->x_width, N, epilogue);
            prune_epilogue_free(epilogue);
        }
}

/* What looks like the above and is right. */
static void good_ones(const struct setting *s, float *both)
{
    int64_t w = s->x_width, v = s->y_width, x_span = s->x_rows * w, y_span = s->y_rows * v, ld = w + v;
    memset(both, 0, FLOATS * sizeof *both);
    OK(s->run(s->packed, NULL, s->y_width == N ? 0 : v, NULL, s->x_width == N ? 0 : w, 0, NULL));
    OK(s->run(s->packed, both + x_span, v, both, w, N, NULL));
    OK(s->run(s->packed, both, v, both + y_span, w, N, NULL));
    OK(s->run(s->packed, both + w, ld, both, ld, N, NULL));
    OK(s->run(s->packed, both, ld, both + v, ld, N, NULL));
}

START_TEST(each_product_refuses_what_it_cannot_do)
{
    for (int f = 0; f < SPECS; f++)
        for (int i = 0; i < PRODUCTS; i++) {
            struct problem p;
            prune_packed *packed;
            make(&p, ROWS, COLUMNS, RANDOM, 0.4, 0, prune_cpu_detect(), 1);
            OK(prune_packed_create(&packed, p.tensor, p.mask, specs[f]));
            int64_t from = products[i].transposed ? ROWS : COLUMNS, to = products[i].transposed ? COLUMNS : ROWS;
            const struct setting s = {
                .run = products[i].run,
                .name = products[i].name,
                .packed = packed,
                .x_rows = products[i].batch ? N : from,
                .x_width = products[i].batch ? from : N,
                .y_rows = products[i].batch ? N : to,
                .y_width = products[i].batch ? to : N,
            };
            float x[COLUMNS * N] = {0}, y[COLUMNS * N], *both = malloc(FLOATS * sizeof *both);
            fill_pattern(y, COLUMNS * N);
            fill_pattern(both, FLOATS);
            bad_sizes(&s, y, x);
            sizes_that_overflow(&s, y, x);
            endings_of_another_shape(&s, to, y, x);
            overlaps(&s, both);
            for (int k = 0; k < FLOATS; k++)
                ck_assert_msg(is_pattern(both[k]) && (k >= COLUMNS * N || is_pattern(y[k])), "Y was touched");
            good_ones(&s, both);
            free(both);
            prune_packed_free(packed);
            drop(&p);
        }
}
END_TEST

/* More columns than the object was made for, by far. */
START_TEST(n_beyond_the_hint)
{
    for (int i = 0; i < PRODUCTS; i++) {
        struct problem p;
        prune_packed *packed;
        const int64_t n = 3001, from = products[i].transposed ? ROWS : COLUMNS, to = ROWS + COLUMNS - from;
        make(&p, ROWS, COLUMNS, RANDOM, 0.4, 1, prune_cpu_detect(), 1);
        OK(prune_packed_create(&packed, p.tensor, p.mask, "columns=1"));
        float *x = random_x(from * n), *y = calloc((size_t)(to * n), sizeof *y), *one = calloc(COLUMNS, sizeof *one);
        OK(products[i].run(packed, y, products[i].batch ? to : n, x, products[i].batch ? from : n, n, NULL));
        for (int64_t j = 0; j < n; j += 1000) {
            float column[COLUMNS];
            for (int64_t k = 0; k < from; k++)
                column[k] = x[products[i].batch ? j * from + k : k * n + j];
            OK(products[i].run(packed, one, products[i].batch ? to : 1, column, products[i].batch ? from : 1, 1, NULL));
            for (int64_t r = 0; r < to; r++)
                if (fabs((double)y[products[i].batch ? j * to + r : r * n + j] - (double)one[r]) > 1e-5)
                    ck_abort_msg("%s: column %lld of %lld differs", products[i].name, (long long)j, (long long)n);
        }
        free(x);
        free(y);
        free(one);
        prune_packed_free(packed);
        drop(&p);
    }
}
END_TEST

TEST_MAIN("refused products", each_product_refuses_what_it_cannot_do, n_beyond_the_hint)
