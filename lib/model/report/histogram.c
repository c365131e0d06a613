/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "model/report/report.h"
#include "model/report/scale.h"

#define WIDTH 2000
#define HEIGHT 1500
#define TOP 170
#define BOTTOM 1330
#define RIGHT 1920
#define CHARACTER 62
#define MOST_BINS 1000

struct histogram {
    int32_t bins;
    double limit;
    int64_t counts[MOST_BINS];
    int64_t kept, beyond; /* `beyond` of `kept` lie outside the limit */
};

/* Element `index` in row-major order. */
static float element(const prune_tensor *tensor, int64_t index)
{
    const int64_t *shape = prune_tensor_shape(tensor), *strides = prune_tensor_strides(tensor);
    const float *data = prune_tensor_const_data(tensor);
    int64_t offset = 0;
    for (int32_t axis = prune_tensor_rank(tensor) - 1; axis >= 0; axis--) {
        offset += index % shape[axis] * strides[axis];
        index /= shape[axis];
    }
    return data[offset];
}

/* Two passes over the kept elements: the first finds the largest and what cannot be drawn, the second counts. */
static int32_t find_limit(struct histogram *h, const prune_tensor *tensor, const uint8_t *kept)
{
    double largest = 0;
    for (int64_t i = 0; i < prune_tensor_count(tensor); i++) {
        if (kept && !kept[i])
            continue;
        float value = element(tensor, i);
        if (!isfinite(value))
            return pr_fail(PRUNE_E_VALUE, "element %lld is %s; a histogram needs finite numbers", (long long)i,
                           isnan(value) ? "NaN" : "infinite");
        largest = fmax(largest, fabs((double)value));
        h->kept++;
    }
    if (h->limit == 0)
        h->limit = largest > 0 ? largest : 1;
    return PRUNE_OK;
}

static void count_elements(struct histogram *h, const prune_tensor *tensor, const uint8_t *kept)
{
    for (int64_t i = 0; i < prune_tensor_count(tensor); i++) {
        if (kept && !kept[i])
            continue;
        double value = element(tensor, i);
        if (fabs(value) > h->limit) {
            h->beyond++;
            continue;
        }
        int32_t bin = (int32_t)floor((value / h->limit + 1) / 2 * h->bins);
        h->counts[bin < h->bins ? bin : h->bins - 1]++; /* the limit itself belongs to the last bin */
    }
}

static double bin_edge(const struct histogram *h, int32_t bin)
{
    return (2.0 * bin - h->bins) / h->bins * h->limit;
}

static void put_axes(struct pm_text *text, const struct pm_scale *x, const struct pm_scale *y, int32_t left)
{
    pm_text_put(text, "<path class=\"grid\" d=\"");
    for (int64_t i = y->first; i <= y->last; i++)
        pm_text_format(text, "M%d %dH%d", (int)left, BOTTOM - (int)pm_scale_place(y, pm_scale_tick(y, i), BOTTOM - TOP),
                       RIGHT);
    pm_text_format(text, "\" />\n<path class=\"axis\" d=\"M%d %dH%d", (int)left, BOTTOM, RIGHT);
    for (int64_t i = x->first; i <= x->last; i++)
        pm_text_format(text, "M%d %dv30", (int)left + (int)pm_scale_place(x, pm_scale_tick(x, i), RIGHT - left),
                       BOTTOM);
    pm_text_put(text, "\" />\n<g class=\"ticks\">\n");
    for (int64_t i = y->first; i <= y->last; i++) {
        pm_text_format(text, "<text class=\"end\" x=\"%d\" y=\"%d\" dy=\".35em\">", (int)left - 30,
                       BOTTOM - (int)pm_scale_place(y, pm_scale_tick(y, i), BOTTOM - TOP));
        pm_text_decimal(text, i * y->unit, y->exponent);
        pm_text_put(text, "</text>\n");
    }
    for (int64_t i = x->first; i <= x->last; i++) {
        pm_text_format(text, "<text class=\"middle\" x=\"%d\" y=\"%d\" dy=\"1em\">",
                       (int)left + (int)pm_scale_place(x, pm_scale_tick(x, i), RIGHT - left), BOTTOM + 40);
        pm_text_decimal(text, i * x->unit, x->exponent);
        pm_text_put(text, "</text>\n");
    }
    pm_text_put(text, "</g>\n<text class=\"label\" x=\"20\" y=\"80\">elements</text>\n");
}

static void put_bars(struct pm_text *text, const struct histogram *h, const struct pm_scale *y, int32_t left)
{
    int32_t gap = (RIGHT - left) / h->bins >= 20 ? 4 : 0;
    pm_text_put(text, "<g class=\"bars\">\n");
    for (int32_t bin = 0; bin < h->bins; bin++) {
        int32_t from = left + (int32_t)((int64_t)bin * (RIGHT - left) / h->bins);
        int32_t to = left + (int32_t)((int64_t)(bin + 1) * (RIGHT - left) / h->bins);
        int32_t height = pm_scale_place(y, (double)h->counts[bin], BOTTOM - TOP);
        if (h->counts[bin] == 0)
            continue;
        pm_text_format(text, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"><title>", (int)from,
                       BOTTOM - (int)height, (int)(to - from - gap), (int)height);
        pm_text_number(text, bin_edge(h, bin), 6);
        pm_text_put(text, " to ");
        pm_text_number(text, bin_edge(h, bin + 1), 6);
        pm_text_format(text, ": %lld</title></rect>\n", (long long)h->counts[bin]);
    }
    pm_text_put(text, "</g>\n");
}

static void put_histogram(struct pm_text *text, const struct histogram *h, const char *caption, int32_t number)
{
    int64_t most = 0;
    for (int32_t bin = 0; bin < h->bins; bin++)
        most = h->counts[bin] > most ? h->counts[bin] : most;
    struct pm_scale y = pm_scale_make(0, most ? (double)most : 1, 5, 1), x;
    int32_t left = 60 + CHARACTER * pm_scale_width(&y);
    for (int32_t steps = 6; steps > 1; steps--) {
        x = pm_scale_make(-h->limit, h->limit, steps, 0);
        if ((x.last - x.first) * (pm_scale_width(&x) + 2) * CHARACTER < RIGHT - left)
            break;
    }
    pm_text_put(text, "<figure class=\"histogram\">\n<figcaption>");
    pm_text_escaped(text, caption);
    pm_text_put(text, "</figcaption>\n");
    pm_svg_begin(text, caption, number, WIDTH, HEIGHT);
    pm_text_format(text, "Histogram of %lld elements in %d bins from ", (long long)h->kept, (int)h->bins);
    pm_text_number(text, -h->limit, 6);
    pm_text_put(text, " to ");
    pm_text_number(text, h->limit, 6);
    pm_text_format(text, "; the fullest holds %lld, %lld lie beyond.</desc>\n", (long long)most, (long long)h->beyond);
    put_axes(text, &x, &y, left);
    put_bars(text, h, &y, left);
    pm_text_put(text, "</svg>\n<p class=\"note\">");
    pm_text_count(text, h->kept);
    pm_text_put(text, h->kept == 1 ? " element" : " elements");
    if (h->beyond) {
        pm_text_put(text, ", ");
        pm_text_count(text, h->beyond);
        pm_text_put(text, " beyond the axis");
    }
    pm_text_put(text, "</p>\n</figure>\n");
}

/* One byte an element, or NULL without a mask. */
static int32_t kept_bytes(const prune_report *report, const prune_tensor *tensor, const prune_mask *mask, uint8_t **out)
{
    int64_t count = prune_tensor_count(tensor);
    uint8_t *bytes;
    int32_t rank = prune_tensor_rank(tensor);
    if (!mask)
        return PRUNE_OK;
    if (prune_mask_rank(mask) != rank ||
        (rank && memcmp(prune_mask_shape(mask), prune_tensor_shape(tensor), (size_t)rank * sizeof(int64_t)) != 0))
        return pr_fail(PRUNE_E_SHAPE,
                       "the mask of rank %d with %lld elements has not the shape of the tensor of rank %d "
                       "with %lld",
                       (int)prune_mask_rank(mask), (long long)prune_mask_count(mask), (int)rank, (long long)count);
    PR_TRY(pr_alloc(report->context, count, 1, &bytes));
    int32_t status = prune_mask_to_bytes(mask, bytes, count);
    if (status)
        pr_release(report->context, bytes);
    else
        *out = bytes;
    return status;
}

static int32_t add_histogram(prune_report *report, const char *caption, const prune_tensor *tensor, const uint8_t *kept,
                             struct histogram *h)
{
    struct pm_block *block;
    PR_TRY(find_limit(h, tensor, kept));
    count_elements(h, tensor, kept);
    PR_TRY(pm_block_create(report, &block));
    block->side_by_side = 1;
    put_histogram(&block->html, h, caption, report->count);
    return pm_block_finish(report, block);
}

int32_t prune_report_histogram(prune_report *report, const char *caption, const prune_tensor *tensor,
                               const prune_mask *mask, int32_t bins, double limit)
{
    PR_REQUIRE(report);
    PR_REQUIRE(caption);
    PR_REQUIRE(tensor);
    uint8_t *kept = NULL;
    struct histogram *h;
    if (prune_tensor_dtype(tensor) != PRUNE_F32)
        return pr_fail(PRUNE_E_DTYPE, "a histogram of %s; it takes f32", prune_dtype_name(prune_tensor_dtype(tensor)));
    if (bins < 1 || bins > MOST_BINS)
        return pr_fail(PRUNE_E_ARGUMENT, "bins is %d; it must be from 1 to %d", (int)bins, MOST_BINS);
    if (!(limit >= 0 && limit <= PM_MAX_DRAWN))
        return pr_fail(PRUNE_E_ARGUMENT, "limit is %s; it must be 0, for the largest magnitude, or up to 1e300",
                       isnan(limit) ? "NaN"
                       : limit < 0  ? "negative"
                                    : "too large");
    PR_TRY(kept_bytes(report, tensor, mask, &kept));
    int32_t status = pr_alloc_zero(report->context, 1, sizeof *h, &h);
    if (!status) {
        h->bins = bins;
        h->limit = limit;
        status = add_histogram(report, caption, tensor, kept, h);
        pr_release(report->context, h);
    }
    if (kept)
        pr_release(report->context, kept);
    return status;
}
