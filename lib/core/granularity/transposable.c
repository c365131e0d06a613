/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/granularity/transposable.h"

#include <math.h>
#include <string.h>

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t pr_block_work(int64_t rows, int64_t columns)
{
    /* an order of the elements; counts, distances and ways of the rows and columns */
    return rows * columns + 5 * (rows + columns);
}

int64_t pr_block_count(int64_t rows, int64_t columns, int64_t keep_n)
{
    return least(rows * least(keep_n, columns), columns * least(keep_n, rows));
}

void pr_block_set(struct pr_block *block, const double *scores, int64_t stride_row, int64_t stride_column)
{
    double most = 0;
    int largest, guard = 1;
    /* A path visits each row and column at most once; its sum must fit. */
    while ((INT64_C(1) << guard) < 4 * (block->rows + block->columns))
        guard++;
    for (int64_t r = 0; r < block->rows; r++)
        for (int64_t c = 0; c < block->columns; c++) {
            double size = fabs(scores[r * stride_row + c * stride_column]);
            most = !isinf(size) && size > most ? size : most; /* NaN is not above */
        }
    frexp(most, &largest);
    for (int64_t r = 0; r < block->rows; r++)
        for (int64_t c = 0; c < block->columns; c++) {
            double score = scores[r * stride_row + c * stride_column];
            int64_t i = r * block->columns + c;
            block->infinite[i] = (int8_t)(score != score ? -100 : isinf(score) ? (score > 0 ? 1 : -1) : 0);
            block->worth[i] = block->infinite[i] ? 0 : (int64_t)rint(ldexp(score, 62 - guard - largest));
        }
}

/* Worth of element i above that of j: for the order, not for sums. */
static int above(const struct pr_block *block, int64_t i, int64_t j)
{
    if (block->infinite[i] != block->infinite[j])
        return block->infinite[i] > block->infinite[j];
    if (block->worth[i] != block->worth[j])
        return block->worth[i] > block->worth[j];
    return i > j; /* of equal scores the lower goes first */
}

static void sift(const struct pr_block *block, int64_t *order, int64_t root, int64_t count)
{
    for (;;) {
        int64_t child = 2 * root + 1;
        if (child >= count)
            return;
        if (child + 1 < count && above(block, order[child], order[child + 1]))
            child++;
        if (!above(block, order[root], order[child]))
            return;
        int64_t other = order[root];
        order[root] = order[child];
        order[child] = other;
        root = child;
    }
}

/* Best first: a heap whose root is the least, emptied from the back. */
static void sort(const struct pr_block *block, int64_t *order, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        order[i] = i;
    for (int64_t i = count / 2; i > 0; i--)
        sift(block, order, i - 1, count);
    for (int64_t left = count - 1; left > 0; left--) {
        int64_t least_one = order[0];
        order[0] = order[left];
        order[left] = least_one;
        sift(block, order, 0, left);
    }
}

struct cost {
    int64_t infinite, worth; /* lost, so that less is better */
};

static int less(struct cost a, struct cost b)
{
    return a.infinite != b.infinite ? a.infinite < b.infinite : a.worth < b.worth;
}

/* The lists in `work`: after the order of the elements, how many each row and column keeps, the cost at which a row or
 * column is reached and from where. Rows are nodes 0 to rows - 1, columns follow. */
struct lists {
    int64_t *order, *kept, *infinite, *worth, *from, *queue;
};

static struct lists lists_of(const struct pr_block *block)
{
    int64_t nodes = block->rows + block->columns;
    struct lists l;
    l.order = block->work;
    l.kept = l.order + block->rows * block->columns;
    l.infinite = l.kept + nodes;
    l.worth = l.infinite + nodes;
    l.from = l.worth + nodes;
    l.queue = l.from + nodes;
    return l;
}

/* Tries to reach row r or column c from the other; `forward` keeps the element, else it is given up. */
static int relax(const struct pr_block *block, const struct lists *l, int64_t r, int64_t c, int forward)
{
    int64_t i = r * block->columns + c, column = block->rows + c;
    int64_t start = forward ? r : column, end = forward ? column : r, sign = forward ? -1 : 1;
    struct cost before = {l->infinite[end], l->worth[end]}, now;
    if (block->keep[i] == forward || l->infinite[start] == INT64_MAX)
        return 0;
    now.infinite = l->infinite[start] + sign * block->infinite[i];
    now.worth = l->worth[start] + sign * block->worth[i];
    if (!less(now, before))
        return 0;
    l->infinite[end] = now.infinite;
    l->worth[end] = now.worth;
    l->from[end] = start;
    return 1;
}

/* One more element by the cheapest way from a row with room to a column with room: takes elements on the way there and
 * gives up others on the way back. Bellman and Ford's rounds, as costs may be negative; there is no cycle that gains,
 * because what is kept so far is the best of its number. 0 when there is no way. */
static int augment_best(struct pr_block *block, const struct lists *l)
{
    int64_t rows = block->rows, columns = block->columns, best = -1;
    for (int64_t n = 0; n < rows + columns; n++) {
        int open = n < rows && l->kept[n] < block->keep_n;
        l->infinite[n] = open ? 0 : INT64_MAX;
        l->worth[n] = 0;
        l->from[n] = -1;
    }
    for (int changed = 1; changed;) {
        changed = 0;
        for (int64_t r = 0; r < rows; r++)
            for (int64_t c = 0; c < columns; c++)
                changed |= relax(block, l, r, c, 1);
        for (int64_t r = 0; r < rows; r++)
            for (int64_t c = 0; c < columns; c++)
                changed |= relax(block, l, r, c, 0);
    }
    for (int64_t n = rows; n < rows + columns; n++) {
        struct cost here = {l->infinite[n], l->worth[n]};
        if (l->kept[n] < block->keep_n && l->infinite[n] != INT64_MAX &&
            (best < 0 || less(here, (struct cost){l->infinite[best], l->worth[best]})))
            best = n;
    }
    if (best < 0)
        return 0;
    l->kept[best]++;
    while (l->from[best] >= 0) {
        int64_t before = l->from[best], r = before < rows ? before : best, c = (before < rows ? best : before) - rows;
        block->keep[r * columns + c] = before < rows;
        best = before;
    }
    l->kept[best]++;
    return 1;
}

void pr_block_exact(struct pr_block *block)
{
    struct lists l = lists_of(block);
    memset(block->keep, 0, (size_t)(block->rows * block->columns));
    memset(l.kept, 0, (size_t)(block->rows + block->columns) * sizeof *l.kept);
    while (augment_best(block, &l))
        ;
}

/* One more element by the best exchange: of a row r and a column c that both have room, and an element in row a and
 * column b, which makes way for (r, b) and (a, c). 0 when there is none. */
static int exchange(struct pr_block *block, const struct lists *l)
{
    int64_t columns = block->columns, best[3] = {-1, -1, -1};
    struct cost lowest = {INT64_MAX, 0};
    for (int64_t r = 0; r < block->rows; r++)
        for (int64_t c = 0; l->kept[r] < block->keep_n && c < columns; c++)
            for (int64_t i = 0; l->kept[block->rows + c] < block->keep_n && i < block->rows * columns; i++) {
                int64_t in = r * columns + i % columns, also = i / columns * columns + c;
                if (!block->keep[i] || block->keep[in] || block->keep[also])
                    continue;
                struct cost cost = {block->infinite[i] - block->infinite[in] - block->infinite[also],
                                    block->worth[i] - block->worth[in] - block->worth[also]};
                if (!less(cost, lowest))
                    continue;
                lowest = cost;
                best[0] = i, best[1] = in, best[2] = also;
            }
    if (best[0] < 0)
        return 0;
    block->keep[best[0]] = 0;
    block->keep[best[1]] = block->keep[best[2]] = 1;
    l->kept[best[1] / columns]++;
    l->kept[block->rows + best[2] % columns]++;
    return 1;
}

/* One more element by the shortest way, whatever it costs. */
static int augment_any(struct pr_block *block, const struct lists *l)
{
    int64_t rows = block->rows, columns = block->columns, head = 0, tail = 0;
    for (int64_t n = 0; n < rows + columns; n++) {
        l->from[n] = -2; /* not reached */
        if (n < rows && l->kept[n] < block->keep_n) {
            l->from[n] = -1;
            l->queue[tail++] = n;
        }
    }
    while (head < tail) {
        int64_t n = l->queue[head++];
        if (n >= rows && l->kept[n] < block->keep_n) {
            l->kept[n]++;
            while (l->from[n] >= 0) {
                int64_t before = l->from[n], r = before < rows ? before : n, c = (before < rows ? n : before) - rows;
                block->keep[r * columns + c] = before < rows;
                n = before;
            }
            l->kept[n]++;
            return 1;
        }
        for (int64_t m = n < rows ? rows : 0; m < (n < rows ? rows + columns : rows); m++) {
            int64_t i = n < rows ? n * columns + m - rows : m * columns + n - rows;
            if (l->from[m] == -2 && block->keep[i] == (n >= rows)) {
                l->from[m] = n;
                l->queue[tail++] = m;
            }
        }
    }
    return 0;
}

void pr_block_greedy(struct pr_block *block, int fill)
{
    struct lists l = lists_of(block);
    int64_t count = block->rows * block->columns;
    memset(block->keep, 0, (size_t)count);
    memset(l.kept, 0, (size_t)(block->rows + block->columns) * sizeof *l.kept);
    sort(block, l.order, count);
    for (int64_t n = 0; n < count; n++) {
        int64_t i = l.order[n], *row = &l.kept[i / block->columns], *column = &l.kept[block->rows + i % block->columns];
        if (*row == block->keep_n || *column == block->keep_n)
            continue;
        block->keep[i] = 1;
        ++*row;
        ++*column;
    }
    while (fill && (exchange(block, &l) || augment_any(block, &l)))
        ;
}

int64_t pr_block_masks(int64_t rows, int64_t columns, int64_t keep_n, uint16_t masks[PR_MAX_BLOCK_MASKS])
{
    int64_t count = 0, due = pr_block_count(rows, columns, keep_n);
    for (uint32_t bits = 0; bits < 1u << (rows * columns); bits++) {
        int fits = __builtin_popcount(bits) == due;
        uint32_t row = (1u << columns) - 1, column = 0;
        for (int64_t r = 0; r < rows; r++)
            column |= 1u << (r * columns);
        for (int64_t r = 0; fits && r < rows; r++)
            fits = __builtin_popcount(bits & row << (r * columns)) <= keep_n;
        for (int64_t c = 0; fits && c < columns; c++)
            fits = __builtin_popcount(bits & column << c) <= keep_n;
        if (fits)
            masks[count++] = (uint16_t)bits;
    }
    return count;
}

void pr_block_exhaustive(struct pr_block *block, const uint16_t *masks, int64_t count)
{
    uint32_t best = 0;
    struct cost lowest = {INT64_MAX, 0};
    for (int64_t m = 0; m < count; m++) {
        struct cost cost = {0, 0};
        for (uint32_t left = masks[m]; left; left &= left - 1) {
            int i = __builtin_ctz(left);
            cost.infinite -= block->infinite[i];
            cost.worth -= block->worth[i];
        }
        if (less(cost, lowest)) {
            lowest = cost;
            best = masks[m];
        }
    }
    for (int64_t i = 0; i < block->rows * block->columns; i++)
        block->keep[i] = best >> i & 1;
}
