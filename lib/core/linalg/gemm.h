/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The built-in product of matrices, for the element type REAL; the includer names it. Blocks of both factors are copied
 * into the order in which a tile of C eats them; the tile's sums stay in registers.
 */
#define TILE_ROWS 4
#define TILE_COLUMNS 8
#define BLOCK_ROWS 16
#define BLOCK_COLUMNS 32
#define BLOCK_DEPTH 128

struct NAME(product) {
    int transpose_a, transpose_b;
    int64_t m, n, k, lda, ldb, ldc;
    REAL alpha, beta;
    const REAL *a, *b;
    REAL *c;
    int64_t tasks;
};

/* Columns first to first + count of op(B), rows p to p + depth, as panels of TILE_COLUMNS; short ones end in zeros. */
static void NAME(take_b)(const struct NAME(product) * j, int64_t p, int64_t depth, int64_t first, int64_t count,
                         REAL *out)
{
    for (int64_t panel = 0; panel < count; panel += TILE_COLUMNS)
        for (int64_t i = 0; i < depth; i++)
            for (int64_t c = panel; c < panel + TILE_COLUMNS; c++)
                *out++ = c >= count       ? 0
                         : j->transpose_b ? j->b[(first + c) * j->ldb + p + i]
                                          : j->b[(p + i) * j->ldb + first + c];
}

static void NAME(take_a)(const struct NAME(product) * j, int64_t p, int64_t depth, int64_t first, int64_t count,
                         REAL *out)
{
    for (int64_t panel = 0; panel < count; panel += TILE_ROWS)
        for (int64_t i = 0; i < depth; i++)
            for (int64_t r = panel; r < panel + TILE_ROWS; r++)
                *out++ = r >= count       ? 0
                         : j->transpose_a ? j->a[(p + i) * j->lda + first + r]
                                          : j->a[(first + r) * j->lda + p + i];
}

static void NAME(tile)(int64_t depth, const REAL *a, const REAL *b, REAL alpha, REAL *c, int64_t ldc, int64_t rows,
                       int64_t columns)
{
    REAL sums[TILE_ROWS][TILE_COLUMNS] = {{0}};
    for (int64_t i = 0; i < depth; i++, a += TILE_ROWS, b += TILE_COLUMNS)
        for (int r = 0; r < TILE_ROWS; r++)
            for (int v = 0; v < TILE_COLUMNS; v++)
                sums[r][v] += a[r] * b[v];
    for (int64_t r = 0; r < rows; r++)
        for (int64_t v = 0; v < columns; v++)
            c[r * ldc + v] += alpha * sums[r][v];
}

/* One strip of BLOCK_COLUMNS columns after another. */
static void NAME(strips)(void *argument, int32_t task)
{
    const struct NAME(product) *j = argument;
    REAL packed_b[BLOCK_DEPTH * BLOCK_COLUMNS], packed_a[BLOCK_DEPTH * BLOCK_ROWS];
    int64_t strips = pr_ceil_div(j->n, BLOCK_COLUMNS);
    for (int64_t strip = task; strip < strips; strip += j->tasks) {
        int64_t column = strip * BLOCK_COLUMNS;
        int64_t width = j->n - column < BLOCK_COLUMNS ? j->n - column : BLOCK_COLUMNS;
        for (int64_t i = 0; i < j->m && j->beta != 1; i++)
            for (int64_t v = column; v < column + width; v++)
                j->c[i * j->ldc + v] = j->beta == 0 ? 0 : j->beta * j->c[i * j->ldc + v];
        for (int64_t p = 0; p < j->k; p += BLOCK_DEPTH) {
            int64_t depth = j->k - p < BLOCK_DEPTH ? j->k - p : BLOCK_DEPTH;
            NAME(take_b)(j, p, depth, column, width, packed_b);
            for (int64_t row = 0; row < j->m; row += BLOCK_ROWS) {
                int64_t height = j->m - row < BLOCK_ROWS ? j->m - row : BLOCK_ROWS;
                NAME(take_a)(j, p, depth, row, height, packed_a);
                for (int64_t r = 0; r < height; r += TILE_ROWS)
                    for (int64_t v = 0; v < width; v += TILE_COLUMNS)
                        NAME(tile)
                (depth, packed_a + r * depth, packed_b + v * depth, j->alpha, j->c + (row + r) * j->ldc + column + v,
                 j->ldc, height - r < TILE_ROWS ? height - r : TILE_ROWS,
                 width - v < TILE_COLUMNS ? width - v : TILE_COLUMNS);
            }
        }
    }
}

static void NAME(gemm)(prune_context *context, int transpose_a, int transpose_b, int64_t m, int64_t n, int64_t k,
                       REAL alpha, const REAL *a, int64_t lda, const REAL *b, int64_t ldb, REAL beta, REAL *c,
                       int64_t ldc)
{
    struct NAME(product) job = {transpose_a, transpose_b, m, n, k, lda, ldb, ldc, alpha, beta, a, b, c, 1};
    int64_t threads = prune_context_threads(context), strips = pr_ceil_div(n, BLOCK_COLUMNS);
    if (m == 0 || n == 0)
        return;
    /* Below this, waking threads costs more than they bring. */
    if ((double)m * (double)n * (double)k > 1e6)
        job.tasks = strips < threads ? strips : threads;
    if (job.tasks > 1)
        prune_context_parallel(context, (int32_t)job.tasks, NAME(strips), &job);
    else
        NAME(strips)(&job, 0);
}

#undef TILE_ROWS
#undef TILE_COLUMNS
#undef BLOCK_ROWS
#undef BLOCK_COLUMNS
#undef BLOCK_DEPTH
#undef NAME
#undef REAL
