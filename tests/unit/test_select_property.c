/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Selection against a sort, in small cases of every kind: shapes, views, dtypes, granularities, criteria, targets,
 * ties.
 */
#include "core/tensor/tensor.h"
#include "testing.h"

#define CASES 120000
#define LONG_CASES 1000000 /* make check-long */
#define MOST 640           /* elements */

/* Check notes the place of every assertion in a file, which is too slow here. */
#define MUST(condition, ...)                                                                                           \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            ck_abort_msg(__VA_ARGS__);                                                                                 \
    } while (0)
#undef OK /* what pruning.h calls, too */
#define OK(call) MUST((call) == PRUNE_OK, "%s: %s", #call, prune_error())
#include "pruning.h"

static uint64_t state;

static int64_t draw(int64_t bound)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (int64_t)((state >> 33) % (uint64_t)bound);
}

/* One case. The reference works on `value`, in row-major order, and never sees the library's boxes. */
struct trial {
    int32_t rank, dtype, target;
    int64_t shape[4], strides[4], count;
    double value[MOST];
    char memory[MOST * 16 * 8]; /* every axis may have gaps */
    int64_t origin;
    char granularity[100], criterion[40];
    int64_t unit_of[MOST], pool_of[MOST], units, pools;
    double amount;
};

static void draw_shape(struct trial *t)
{
    int64_t limit = draw(10) ? 8 : 40;
    do {
        t->rank = (int32_t)draw(4) + 1;
        t->count = 1;
        for (int32_t i = 0; i < t->rank; i++) {
            t->shape[i] = draw(40) ? draw(limit) + 1 : 0;
            t->count *= t->shape[i];
        }
    } while (t->count > MOST);
}

/* Any order of the axes in memory, each forwards or backwards, with or without gaps. */
static void draw_strides(struct trial *t)
{
    int32_t order[4] = {0, 1, 2, 3};
    int64_t step = 1;
    t->origin = 0;
    for (int32_t i = t->rank - 1; i > 0; i--) {
        int32_t j = (int32_t)(draw(3) ? i : draw(i + 1)), other = order[i];
        order[i] = order[j];
        order[j] = other;
    }
    for (int32_t i = t->rank - 1; i >= 0; i--) {
        int32_t axis = order[i];
        if (draw(4) == 0)
            step *= 2;
        t->strides[axis] = step;
        step *= t->shape[axis] > 0 ? t->shape[axis] : 1;
        if (draw(4) == 0 && t->count > 0) {
            t->origin += t->strides[axis] * (t->shape[axis] - 1);
            t->strides[axis] = -t->strides[axis];
        }
    }
}

static double draw_value(int64_t mode)
{
    switch (mode) {
    case 0:
        return (double)(draw(2000001) - 1000000) * 1e-6;
    case 1:
        return (double)(draw(5) - 2); /* many ties */
    case 2:
        return 0.75; /* all equal */
    case 3:
        return draw(2) ? 0.0 : -0.0;
    case 4:
        return (double)(draw(9) - 4) * 0x1p-149; /* denormals of f32 */
    case 5:
        return draw(3) ? (double)(draw(7) - 3) : draw(2) ? INFINITY : -INFINITY;
    case 6:
        return ldexp((double)(draw(1999) - 999), (int)draw(120) - 60); /* all sizes */
    default:
        return (double)(draw(9) - 4) * 0x1p-1074; /* denormals of f64 */
    }
}

static void store(struct trial *t, int64_t offset, double value, double *stored)
{
    if (t->dtype == PRUNE_F64) {
        ((double *)(void *)t->memory)[offset] = *stored = value;
    } else if (t->dtype == PRUNE_F32) {
        ((float *)(void *)t->memory)[offset] = (float)value;
        *stored = (double)(float)value;
    } else {
        uint16_t bits = t->dtype == PRUNE_F16 ? pr_f16_from_double(value) : pr_bf16_from_double(value);
        ((uint16_t *)(void *)t->memory)[offset] = bits;
        *stored = (double)(t->dtype == PRUNE_F16 ? pr_f16_to_float(bits) : pr_bf16_to_float(bits));
    }
}

static void index_of(const struct trial *t, int64_t position, int64_t *index)
{
    for (int32_t i = t->rank - 1; i >= 0; i--) {
        index[i] = position % t->shape[i];
        position /= t->shape[i];
    }
}

static void draw_values(struct trial *t, int sums_signed)
{
    const int32_t dtypes[] = {PRUNE_F32, PRUNE_F16, PRUNE_BF16, PRUNE_F64};
    int64_t mode = draw(8);
    t->dtype = dtypes[draw(4)];
    for (int64_t p = 0; p < t->count; p++) {
        int64_t index[4], offset = t->origin;
        index_of(t, p, index);
        for (int32_t i = 0; i < t->rank; i++)
            offset += index[i] * t->strides[i];
        double value = draw_value(mode);
        store(t, offset, value, &t->value[p]);
        if (sums_signed && t->value[p] == -INFINITY) /* both infinities in one unit have no sum */
            store(t, offset, INFINITY, &t->value[p]);
    }
}

static const char *draw_criterion(struct trial *t)
{
    const char *criteria[] = {"l1", "l2", "lp:p=1.5", "lp:p=4", "random:seed=5", "scores"};
    return strcpy(t->criterion, criteria[draw(6)]);
}

/* Which unit and pool each element is in, from the definition of each kind. */
static void draw_granularity(struct trial *t)
{
    int64_t kind = draw(12), m = draw(9) + 1, n = draw(m) + 1, v = draw(3) ? 1 : draw(4) + 1;
    int32_t axis = (int32_t)draw(t->rank), strip = axis == 0 ? 1 : 0;
    if ((t->rank < 2 && (kind == 3 || kind == 4 || kind == 8 || kind > 9)) || (t->rank < 3 && kind == 9))
        kind = 2;
    if (t->rank == 1)
        v = 1;
    const char *names[] = {"element", "element:pool=row", "filter",    "row", "column", "", "", "",
                           "",        "kernel",           "in-channel"};
    int by_row = draw(2) == 0, has_quota = kind == 5 || kind == 6;
    if (kind == 7)
        snprintf(t->granularity, sizeof t->granularity, "vector:vector=%d,axis=%d%s", (int)m, (int)axis,
                 by_row ? ",pool=row" : "");
    else if (kind == 8)
        snprintf(t->granularity, sizeof t->granularity, "block:block=%dx%d%s", (int)v, (int)m,
                 by_row ? ",pool=row" : "");
    else if (kind == 11)
        snprintf(t->granularity, sizeof t->granularity, "bank-balanced:bank=%d", (int)m);
    else if (!has_quota)
        strcpy(t->granularity, names[kind]);
    else
        snprintf(t->granularity, sizeof t->granularity, "nm:keep_n=%d,group_m=%d,axis=%d,unit_rows=%d", (int)n, (int)m,
                 (int)axis, (int)v);
    t->target = has_quota ? PRUNE_QUOTA : (int32_t)draw(kind == 11 ? 2 : 3) + 1;
    t->amount = has_quota ? (double)n : 0; /* the quota, for the reference */
    t->units = t->pools = 0;
    for (int64_t p = 0; p < t->count; p++) {
        int64_t index[4], unit = 0, pool = 0, shape[4];
        int32_t rank = t->rank;
        index_of(t, p, index);
        memcpy(shape, t->shape, sizeof shape);
        if (kind == 8 || kind == 11) { /* of a matrix */
            shape[1] = t->count / shape[0];
            index[1] = p % shape[1];
            rank = 2;
        }
        for (int32_t i = 0; i < rank; i++) {
            int64_t u = 1, g = shape[i]; /* extents of unit and pool */
            if (kind == 2 || kind == 3)
                u = i == 0 ? 1 : shape[i];
            else if (kind == 4 || kind == 10)
                u = i == 1 ? 1 : shape[i];
            else if (kind == 9)
                u = i < 2 ? 1 : shape[i];
            else if (kind == 1)
                g = i == 0 ? 1 : shape[i];
            else if (kind == 7 || kind == 8) {
                u = kind == 7 ? (i == axis ? m : 1) : i == 0 ? v : m;
                g = by_row && i == 0 ? u : shape[i];
                g = (g + u - 1) / u * u;
            } else if (kind == 11) {
                g = i == 0 ? 1 : m;
            } else if (has_quota) {
                g = i == axis ? m : i == strip ? v : 1;
                u = i == strip ? v : 1;
            }
            unit = unit * ((shape[i] + u - 1) / u) + index[i] / u;
            pool = pool * ((shape[i] + g - 1) / g) + index[i] / g;
        }
        t->unit_of[p] = unit;
        t->pool_of[p] = pool;
        t->units = unit + 1 > t->units ? unit + 1 : t->units;
        t->pools = pool + 1 > t->pools ? pool + 1 : t->pools;
    }
}

static void check_scores(const struct trial *t, const double *scores)
{
    static double due[MOST];
    double p = strncmp(t->criterion, "lp:p=", 5) == 0 ? strtod(t->criterion + 5, NULL) : t->criterion[1] - '0';
    int is_norm = t->criterion[0] == 'l', is_random = t->criterion[0] == 'r', elements[MOST];
    memset(due, 0, sizeof due);
    memset(elements, 0, sizeof elements);
    for (int64_t i = 0; i < t->count; i++) {
        double x = is_norm ? fabs(t->value[i]) : t->value[i];
        due[t->unit_of[i]] += p == 1 || !is_norm ? x : pow(x, p);
        elements[t->unit_of[i]]++;
    }
    for (int64_t i = 0; i < t->count; i++)
        if (is_norm && elements[t->unit_of[i]] == 1)
            due[t->unit_of[i]] = fabs(t->value[i]);
        else if (is_norm && p != 1 && elements[t->unit_of[i]] > 0) {
            due[t->unit_of[i]] = pow(due[t->unit_of[i]], 1 / p);
            elements[t->unit_of[i]] = 0; /* once */
        }
    for (int64_t u = 0; u < t->units && !is_random; u++) {
        int exact = p == 1 || !is_norm || elements[u] == 1;
        if (exact || isinf(due[u]))
            MUST(scores[u] == due[u], "%s: %.17g, not %.17g", t->criterion, scores[u], due[u]);
        else if (due[u] > 1e-20 && due[u] < 1e20) /* elsewhere the reference itself is coarse */
            MUST(fabs(scores[u] - due[u]) <= 1e-14 * due[u], "%s: %.17g, not %.17g", t->criterion, scores[u], due[u]);
    }
}

/* keep[unit] by sorting the units of each pool. Draws the amount that belongs to the target. */
static void reference(struct trial *t, const double *scores, uint8_t *keep)
{
    static int64_t pool_of_unit[MOST], list[MOST];
    int64_t least = t->count ? INT64_MAX : 0;
    for (int64_t i = 0; i < t->count; i++)
        pool_of_unit[t->unit_of[i]] = t->pool_of[i];
    for (int64_t pool = 0; pool < t->pools; pool++) {
        int64_t n = 0;
        for (int64_t u = 0; u < t->units; u++)
            n += pool_of_unit[u] == pool;
        least = n < least ? n : least;
    }
    double quota = t->amount;
    if (t->target == PRUNE_SPARSITY)
        t->amount = draw(3) ? (double)draw(1001) / 1000 : (double)draw(3) / 2;
    else if (t->target == PRUNE_KEEP)
        t->amount = (double)draw(least + 1);
    else if (t->target == PRUNE_THRESHOLD)
        t->amount = t->units ? scores[draw(t->units)] : 1;
    for (int64_t pool = 0; pool < t->pools; pool++) {
        int64_t n = 0, k = 0;
        for (int64_t u = 0; u < t->units; u++) {
            if (pool_of_unit[u] != pool)
                continue;
            int64_t j = n++;
            for (; j > 0 && scores[list[j - 1]] > scores[u]; j--) /* stable: equal scores stay in order */
                list[j] = list[j - 1];
            list[j] = u;
        }
        if (t->target == PRUNE_SPARSITY) {
            double product = t->amount * (double)n;
            k = (int64_t)product;
            k += product - (double)k >= 0.5;
        } else if (t->target == PRUNE_THRESHOLD) {
            while (k < n && scores[list[k]] < t->amount)
                k++;
        } else {
            double stay = t->target == PRUNE_QUOTA ? quota : t->amount;
            k = (double)n > stay ? n - (int64_t)stay : 0;
        }
        for (int64_t j = 0; j < n; j++)
            keep[list[j]] = j >= k;
    }
    if (t->target == PRUNE_QUOTA)
        t->amount = 0;
}

static void run_trial(struct trial *t)
{
    static uint8_t keep[MOST], bytes[MOST];
    prune_tensor *weights;
    char *data = t->memory + t->origin * prune_dtype_size(t->dtype);
    OK(prune_tensor_borrow(&weights, NULL, data, t->dtype, t->rank, t->shape, t->strides));
    prune_scores *scores = score(weights, t->criterion, t->granularity);
    const prune_tensor *values = prune_scores_values(scores);
    const double *numbers = prune_tensor_const_data(values);
    prune_mask *mask;
    MUST(prune_tensor_count(values) == t->units, "%lld scores", (long long)prune_tensor_count(values));
    check_scores(t, numbers);
    reference(t, numbers, keep);
    OK(prune_mask_select(&mask, scores, t->target, t->amount));
    OK(prune_mask_to_bytes(mask, bytes, t->count));
    for (int64_t i = 0; i < t->count; i++)
        MUST(bytes[i] == keep[t->unit_of[i]], "element %lld is %d", (long long)i, bytes[i]);
    expect_check(t->granularity, mask, 1, -1);
    if (t->criterion[0] != 's') { /* what was pruned scores 0, the least of a norm: pruning again changes nothing */
        OK(prune_mask_apply(mask, weights));
        prune_mask *again = prune(weights, t->criterion, t->granularity, t->target, t->amount);
        expect_same(mask, again);
        prune_mask_free(again);
    }
    prune_mask_free(mask);
    prune_scores_free(scores);
    prune_tensor_free(weights);
}

START_TEST(selection_equals_a_sort)
{
    static struct trial t;
    int64_t cases = getenv("LONG") && *getenv("LONG") ? LONG_CASES : CASES;
    for (int64_t i = 0; i < cases / 4; i++) {
        state = (uint64_t)(i * 4 + _i) * 0x9e3779b97f4a7c15u;
        draw(2);
        draw_shape(&t);
        draw_strides(&t);
        draw_granularity(&t);
        draw_criterion(&t);
        draw_values(&t, t.criterion[0] == 's');
        run_trial(&t);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("select_property");
    TCase *test_case = tcase_create("selection_equals_a_sort");
    tcase_set_timeout(test_case, getenv("LONG") && *getenv("LONG") ? 3600 : 120);
    tcase_add_loop_test(test_case, selection_equals_a_sort, 0, 4);
    suite_add_tcase(suite, test_case);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
