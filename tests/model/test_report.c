/* SPDX-License-Identifier: BSD-2-Clause */
#include <locale.h>
#include <math.h>

#include "files.h"
#include "markup.h"
#include "prune/model.h"

#define COUNT_OF(array) ((int32_t)(sizeof(array) / sizeof *(array)))

static prune_report *new_report(const char *title)
{
    prune_report *report = NULL;
    OK(prune_report_create(&report, NULL, title));
    return report;
}

/* The page as text, well-formed; the caller frees. */
static char *page_of(const prune_report *report)
{
    const char *path = scratch("page.html");
    OK(prune_report_write(report, path));
    struct content content = load(path);
    content.bytes[content.length] = '\0';
    char *page = (char *)content.bytes;
    ck_assert_uint_eq(strlen(page), content.length);
    const char *flaw = first_flaw(page);
    ck_assert_msg(flaw == NULL, "not well-formed at: %.120s", flaw);
    return page;
}

/* Writes the page, drops the report, looks for pieces. */
static void expect_pieces(prune_report *report, const char *const *pieces, int count)
{
    char *page = page_of(report);
    for (int i = 0; i < count; i++)
        ck_assert_msg(strstr(page, pieces[i]) != NULL, "no %s in the page", pieces[i]);
    free(page);
    prune_report_free(report);
}
#define EXPECT(report, ...)                                                                                            \
    expect_pieces(report, (const char *const[]){__VA_ARGS__}, COUNT_OF(((const char *const[]){__VA_ARGS__})))

static prune_mask *mask_of(int32_t rank, const int64_t *shape, int modulus)
{
    prune_mask *mask = NULL;
    OK(prune_mask_create(&mask, NULL, rank, shape, 0));
    for (int64_t i = 0; i < prune_mask_count(mask); i++)
        if ((i * i + 3 * i) % modulus == 0)
            OK(prune_mask_set(mask, i, 1));
    return mask;
}

/* A page with one of everything; `other` differs in a title only. */
static prune_report *full_report(const char *title)
{
    static float data[6] = {-1, -0.5f, 0, 0.25f, 0.5f, 1};
    const double xy[] = {50, 89.2, 80, 88.5, 96.6, 87};
    const char *const cells[] = {"", "kept", "file", "dense", "100 %", "1", "pruned", "8 %", "0.1"};
    prune_report *report = new_report(title);
    prune_tensor *tensor = NULL;
    prune_mask *mask = mask_of(2, (int64_t[]){2, 3}, 2);
    OK(prune_tensor_borrow(&tensor, NULL, data, PRUNE_F32, 2, (int64_t[]){2, 3}, NULL));
    OK(prune_report_text(report, "text"));
    OK(prune_report_heading(report, "heading"));
    OK(prune_report_chart(report, "chart", "x", "y"));
    OK(prune_report_line(report, "one", xy, 3));
    OK(prune_report_bars(report, "bars", 2, (const char *const[]){"a", "b"}, (const double[]){1, 0.5}, 0));
    OK(prune_report_histogram(report, "before", tensor, NULL, 7, 0));
    OK(prune_report_histogram(report, "after", tensor, mask, 7, 0.75));
    OK(prune_report_mask(report, "mask", mask));
    OK(prune_report_table(report, "table", 3, 3, cells));
    prune_tensor_free(tensor);
    prune_mask_free(mask);
    return report;
}

START_TEST(a_page_of_everything_is_well_formed_and_needs_nothing_else)
{
    prune_report *report = full_report("all");
    char *page = page_of(report), *again = page_of(report);
    ck_assert_str_eq(page, again);
    ck_assert_int_eq(count_of(page, "<script"), 0);
    ck_assert_int_eq(count_of(page, "http"), 0);
    ck_assert_int_eq(count_of(page, "<link"), 0);
    ck_assert_int_eq(count_of(page, "@import"), 0);
    ck_assert_int_eq(count_of(page, "url("), 0);
    ck_assert_int_eq(count_of(page, "<title>all</title>"), 1);
    ck_assert_int_eq(count_of(page, "role=\"img\""), 4);
    ck_assert_int_eq(count_of(page, "<desc id="), 4);
    ck_assert_int_eq(count_of(page, "prefers-color-scheme:dark"), 1);
    ck_assert_int_eq(count_of(page, "@media print"), 1);
    ck_assert_uint_le(strlen(page), 20000);
    free(again);
    free(page);
    prune_report_free(report);
    EXPECT(new_report(""), "<title></title>", "<h1></h1>");
}
END_TEST

START_TEST(the_checker_of_markup_sees_flaws)
{
#define PAGE(body) "<!DOCTYPE html>\n<html>" body "</html>\n"
    ck_assert_ptr_null(first_flaw(PAGE("<p a=\"1\" b=\"&lt;\">x &amp; y<br /></p>")));
    const char *const flawed[] = {
        PAGE("<p>"),
        PAGE("<p><b></p></b>"),
        PAGE("</p>"),
        PAGE("a & b"),
        PAGE("<p a=1></p>"),
        PAGE("<p a=\"<\"/>"),
        PAGE("<p a=\"1\" a=\"2\"></p>"),
        "<html></html>",
        PAGE("&nbsp;"),
        PAGE("") "<p></p>",
        PAGE("<"),
        PAGE("<p a=\"1></p>"),
    };
    for (int32_t i = 0; i < COUNT_OF(flawed); i++)
        ck_assert_msg(first_flaw(flawed[i]) != NULL, "no flaw in %s", flawed[i]);
}
END_TEST

START_TEST(texts_are_escaped_everywhere)
{
#define WILD "<b class=\"x\">&'"
#define TAME "&lt;b class=&quot;x&quot;&gt;&amp;&#39;"
    prune_report *report = new_report(WILD "0");
    prune_tensor *tensor = NULL;
    prune_mask *mask = NULL;
    OK(prune_tensor_create(&tensor, NULL, PRUNE_F32, 1, (int64_t[]){4}));
    OK(prune_mask_create(&mask, NULL, 1, (int64_t[]){4}, 1));
    OK(prune_report_text(report, WILD "1"));
    OK(prune_report_heading(report, WILD "2"));
    OK(prune_report_table(report, WILD "3", 2, 1, (const char *const[]){WILD "4", WILD "5"}));
    OK(prune_report_chart(report, WILD "6", WILD "7", WILD "8"));
    OK(prune_report_line(report, WILD "9", (const double[]){1, 2}, 1));
    OK(prune_report_histogram(report, WILD "10", tensor, NULL, 3, 0));
    OK(prune_report_mask(report, WILD "11", mask));
    char *page = page_of(report), piece[60];
    ck_assert_int_eq(count_of(page, "<b "), 0);
    for (int i = 0; i < 12; i++) {
        snprintf(piece, sizeof piece, TAME "%d", i);
        ck_assert_msg(strstr(page, piece) != NULL, "text %d is not there, escaped", i);
    }
    free(page);
    prune_report_free(report);
    prune_tensor_free(tensor);
    prune_mask_free(mask);
}
END_TEST

START_TEST(texts_that_are_no_utf8_are_mended)
{
#define BAD "\xef\xbf\xbd"
    const struct {
        const char *text, *expected;
    } cases[] = {
        {"[gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x8c\xb1]", "[gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x8c\xb1]"},
        {"[a\xff"
         "b]",
         "[a" BAD "b]"},                                 /* no byte of UTF-8 */
        {"[\xc0\xaf]", "[" BAD BAD "]"},                 /* longer than needed */
        {"[\xe0\x80\xaf]", "[" BAD BAD BAD "]"},         /* longer than needed */
        {"[\xed\xa0\x80]", "[" BAD BAD BAD "]"},         /* a surrogate */
        {"[\xf4\x90\x80\x80]", "[" BAD BAD BAD BAD "]"}, /* beyond U+10FFFF */
        {"[\xe2\x82", "[" BAD BAD},                      /* cut short */
        {"[\xe2\x82<]", "[" BAD BAD "&lt;]"},            /* cut short by what must be escaped */
        {"[a\x01\x1b\x7f\tb]", "[a" BAD BAD BAD "\tb]"}, /* control characters */
        {"[\xef\xbf\xbf]", "[" BAD "]"},                 /* no character */
    };
    for (int32_t i = 0; i < COUNT_OF(cases); i++) {
        prune_report *report = new_report("");
        OK(prune_report_text(report, cases[i].text));
        EXPECT(report, cases[i].expected);
    }
}
END_TEST

START_TEST(a_number_and_its_percent_sign_are_not_torn_apart)
{
    prune_report *report = new_report("");
    OK(prune_report_text(report, "[ %8 % of a %, 9 %]"));
    EXPECT(report, "[ %8\xc2\xa0% of a %, 9\xc2\xa0%]");
}
END_TEST

START_TEST(tables_have_heads_and_scopes)
{
    const char *const cells[] = {"", "a", "b", "x", "1", "", "y", "3", "4"};
    prune_report *report = new_report("t");
    OK(prune_report_table(report, "three by three", 3, 3, cells));
    OK(prune_report_table(report, "a head alone", 1, 2, cells + 1));
    char *page = page_of(report);
    ck_assert_int_eq(count_of(page, "<caption>"), 2);
    ck_assert_int_eq(count_of(page, "scope=\"col\""), 4);
    ck_assert_int_eq(count_of(page, "scope=\"row\""), 2);
    ck_assert_int_eq(count_of(page, "<td"), 5);
    ck_assert_int_eq(count_of(page, "<tr>"), 4);
    free(page);
    EXPECT(report, "<tr><td></td><th scope=\"col\">a</th><th scope=\"col\">b</th></tr>",
           "<tr><th scope=\"row\">x</th><td>1</td><td></td></tr>");
}
END_TEST

START_TEST(charts_have_nice_ticks_and_a_legend)
{
    prune_report *report = new_report("c");
    const double a[] = {50, 88.6, 79.8, 84.2, 96.6, 19.4}, b[] = {50, 89.2, 96.6, 86.6};
    OK(prune_report_chart(report, "accuracy", "removed, %", "right, %"));
    OK(prune_report_line(report, "without", a, 3));
    OK(prune_report_line(report, "with", b, 2));
    char *page = page_of(report);
    ck_assert_int_eq(count_of(page, "class=\"stroke\""), 4);     /* two lines and their keys */
    ck_assert_int_eq(count_of(page, "class=\"marker\""), 5 + 2); /* every point and the keys */
    ck_assert_int_eq(count_of(page, "<li>"), 2);
    ck_assert_int_eq(count_of(page, "class=\"line c0\""), 1);
    ck_assert_int_eq(count_of(page, "class=\"line c1\""), 1);
    free(page);
    EXPECT(report, ">0</text>", ">20</text>", ">80</text>", ">100</text>", ">50</text>", ">60</text>",
           "without: from (50, 88.6) to (96.6, 19.4).", "<title>with: 96.6, 86.6</title>", ">removed, %</text>");
}
END_TEST

START_TEST(lines_of_one_name_look_alike)
{
    prune_report *report = new_report("c");
    const double xy[] = {0, 0, 1, 1};
    OK(prune_report_chart(report, "first", "x", "y"));
    OK(prune_report_line(report, "a", xy, 2));
    OK(prune_report_line(report, "b", xy, 2));
    OK(prune_report_chart(report, "second", "x", "y"));
    OK(prune_report_line(report, "b", xy, 2));
    OK(prune_report_line(report, "c", xy, 2));
    char *page = page_of(report);
    ck_assert_int_eq(count_of(page, "class=\"line c0\""), 1);
    ck_assert_int_eq(count_of(page, "class=\"line c1\""), 2);
    ck_assert_int_eq(count_of(page, "class=\"line c2\""), 1);
    free(page);
    prune_report_free(report);
}
END_TEST

/* Whatever finite numbers come, ticks and points are on the paper. */
START_TEST(charts_of_extreme_numbers_stay_on_the_paper)
{
    const double cases[][4] = {
        {0, 0, 0, 0},
        {1, 7, 1, 7},
        {-1e300, -1e300, 1e300, 1e300},
        {1e-300, 5e-324, 2e-300, 1e-310},
        {1e15, 1, 1e15 + 1, 2},
        {0.1, 0.3, 0.7, 0.30000000000000004},
        {-5, -3, 5, 1e9},
        {1e-9, 1e6, 3e-9, 12345678},
    };
    for (int32_t i = 0; i < COUNT_OF(cases); i++) {
        prune_report *report = new_report("c");
        OK(prune_report_chart(report, "c", "x", "y"));
        OK(prune_report_line(report, "l", cases[i], 2));
        char *page = page_of(report);
        int points = 0;
        for (const char *p = strstr(page, "class=\"marker\" d=\"M"); p;
             p = strstr(p + 1, "class=\"marker\" d=\"M"), points++) {
            long x, y;
            ck_assert_int_eq(sscanf(p, "class=\"marker\" d=\"M%ld %ld", &x, &y), 2);
            ck_assert_msg(x >= 0 && x <= 3600 && y >= 0 && y <= 2400, "case %d: %ld %ld", (int)i, x, y);
        }
        ck_assert_int_eq(points, 3);
        int ticks = count_of(page, "<text class=\"middle\"");
        ck_assert_msg(ticks >= 2 && ticks <= 11, "case %d: %d ticks", (int)i, ticks);
        ticks = count_of(page, "<text class=\"end\"");
        ck_assert_msg(ticks >= 2 && ticks <= 8, "case %d: %d ticks", (int)i, ticks);
        free(page);
        prune_report_free(report);
    }
}
END_TEST

START_TEST(ticks_are_written_as_people_write_them)
{
    const struct {
        double low, high;
        const char *tick;
    } cases[] = {
        {0, 0.3, ">0.05</text>"},
        {0, 40000,
         ">40\xe2\x80\xaf"
         "000</text>"},
        {0, 3000, ">3000</text>"},
        {-1, 1,
         ">\xe2\x88\x92"
         "1.0</text>"},
        {0, 6e9, ">6e9</text>"},
        {0, 3e-9, ">1e-9</text>"},
        {0, 1.5e8, ">1.5e8</text>"},
        {86.6, 89.2, ">87.5</text>"},
    };
    for (int32_t i = 0; i < COUNT_OF(cases); i++) {
        prune_report *report = new_report("c");
        OK(prune_report_chart(report, "c", "x", "y"));
        OK(prune_report_line(report, "l", (const double[]){0, cases[i].low, 1, cases[i].high}, 2));
        EXPECT(report, cases[i].tick);
    }
}
END_TEST

START_TEST(a_chart_without_lines_is_a_frame)
{
    prune_report *report = new_report("c");
    OK(prune_report_chart(report, "c", "x", "y"));
    EXPECT(report, "class=\"axis\"", "Line chart of y over x.</desc>");
}
END_TEST

/* The numbers in the bars' titles, and their heights. */
static int64_t sum_of_bars(const char *page, int64_t *heights, int64_t *tallest)
{
    int64_t sum = 0;
    *heights = *tallest = 0;
    for (const char *p = strstr(page, "<rect "); p; p = strstr(p + 1, "<rect ")) {
        const char *title = strstr(p, "<title>"), *colon = title ? strchr(title, ':') : NULL;
        long long count, height;
        ck_assert_ptr_nonnull(colon);
        ck_assert_int_eq(sscanf(colon, ": %lld<", &count), 1);
        ck_assert_int_eq(sscanf(strstr(p, "height="), "height=\"%lld\"", &height), 1);
        sum += count;
        *heights += height;
        *tallest = height > *tallest ? height : *tallest;
    }
    return sum;
}

START_TEST(bars_are_as_long_as_their_values)
{
    static const char *const names[] = {"conv1", "a <name> that is far too long to stand in front of a bar",
                                        "\xc3\xa9"};
    prune_report *report = new_report("bars");
    OK(prune_report_bars(report, "density", 3, names, (const double[]){25, 100, 0}, 100));
    char *page = page_of(report);
    int width[3] = {-1, -1, -1}, i = 0;
    for (const char *at = page; (at = strstr(at, "<rect x=")) && i < 3; at++, i++)
        width[i] = atoi(strstr(at, "width=\"") + 7);
    ck_assert_int_eq(i, 3);
    ck_assert_int_eq(width[2], 0);
    ck_assert_int_le(abs(4 * width[0] - width[1]), 4);
    ck_assert_int_gt(width[1], 500);
    ck_assert_int_eq(count_of(page, ">conv1</text>"), 1);
    ck_assert_int_eq(count_of(page, "a &lt;name&gt; that is far too long to stand in front of a bar: 100</title>"), 1);
    ck_assert_int_eq(count_of(page, ">\xE2\x80\xA6"
                                    "o stand in front of a bar</text>"),
                     1);
    ck_assert_int_eq(count_of(page, ">25</text>"), 1);
    free(page);
    prune_report_free(report);
}
END_TEST

START_TEST(bars_of_a_histogram_sum_to_what_is_kept)
{
    const int64_t shape[2] = {40, 25};
    static float data[1000];
    prune_tensor *tensor = NULL, *turned = NULL;
    prune_mask *mask = mask_of(2, shape, 5);
    int64_t heights, tallest, kept = prune_mask_kept(mask), beyond = 0;
    for (int i = 0; i < 1000; i++)
        data[i] = (float)sin(i * 0.7) * 0.5f;
    OK(prune_tensor_borrow(&tensor, NULL, data, PRUNE_F32, 2, shape, NULL));
    ck_assert(kept > 100 && kept < 900);
    for (int64_t i = 0; i < 1000; i++) {
        int32_t bit = 0;
        OK(prune_mask_get(mask, i, &bit));
        beyond += bit && fabs((double)data[i]) > 0.25;
    }
    for (int step = 0; step < 4; step++) {
        const int64_t expected[] = {1000, kept, kept - beyond, kept};
        const prune_mask *masks[] = {NULL, mask, mask, mask};
        const int32_t bins[] = {21, 20, 1, 1000};
        prune_report *report = new_report("h");
        OK(prune_report_histogram(report, "h", tensor, masks[step], bins[step], step == 2 ? 0.25 : 0));
        char *page = page_of(report);
        ck_assert_int_eq(sum_of_bars(page, &heights, &tallest), expected[step]);
        /* Rounded one by one, all heights stand in one proportion to their counts. */
        ck_assert(heights > 0 && tallest <= 1160 && tallest > 580);
        free(page);
        prune_report_free(report);
    }
    /* A view with its axes exchanged holds the same elements. */
    prune_report *report = new_report("h"), *same = new_report("h");
    OK(prune_tensor_permute(&turned, tensor, (const int32_t[]){1, 0}));
    OK(prune_report_histogram(report, "h", tensor, NULL, 21, 0));
    OK(prune_report_histogram(same, "h", turned, NULL, 21, 0));
    char *page = page_of(report), *turned_page = page_of(same);
    ck_assert_str_eq(page, turned_page);
    free(page);
    free(turned_page);
    prune_report_free(report);
    prune_report_free(same);
    prune_tensor_free(turned);
    prune_tensor_free(tensor);
    prune_mask_free(mask);
}
END_TEST

START_TEST(the_edges_of_a_histogram_are_counted)
{
    static float data[] = {-1, 1, 0, -0.5f, 0.5f};
    prune_tensor *tensor = NULL;
    prune_report *report = new_report("h");
    OK(prune_tensor_borrow(&tensor, NULL, data, PRUNE_F32, 1, (int64_t[]){5}, NULL));
    OK(prune_report_histogram(report, "h", tensor, NULL, 4, 0));
    OK(prune_report_histogram(report, "half", tensor, NULL, 2, 0.5));
    char *page = page_of(report);
    ck_assert_int_eq(count_of(page, "<div class=\"row\">"), 1);
    free(page);
    prune_tensor_free(tensor);
    EXPECT(report, "-1 to -0.5: 1<", "-0.5 to 0: 1<", "0 to 0.5: 1<", "0.5 to 1: 2<", "-0.5 to 0: 1<", "0 to 0.5: 2<",
           "5 elements, 2 beyond the axis");
}
END_TEST

START_TEST(histograms_of_nothing_and_of_zeros)
{
    prune_tensor *none = NULL, *zeros = NULL;
    prune_report *report = new_report("h");
    OK(prune_tensor_create(&none, NULL, PRUNE_F32, 2, (int64_t[]){0, 3}));
    OK(prune_tensor_create(&zeros, NULL, PRUNE_F32, 0, NULL));
    OK(prune_report_histogram(report, "none", none, NULL, 5, 0));
    OK(prune_report_text(report, "between"));
    OK(prune_report_histogram(report, "zeros", zeros, NULL, 5, 0));
    char *page = page_of(report);
    ck_assert_int_eq(count_of(page, "<div class=\"row\">"), 2);
    ck_assert_int_eq(count_of(page, "<rect "), 1);
    free(page);
    prune_tensor_free(none);
    prune_tensor_free(zeros);
    EXPECT(report, "0 elements", "1 element<", "-0.2 to 0.2: 1<");
}
END_TEST

START_TEST(a_picture_has_as_many_dark_cells_as_the_mask_keeps)
{
    const int64_t shapes[][3] = {{300, 784, 1}, {1, 1, 1}, {7, 9, 1}, {5, 3, 4}, {1024, 16, 1}};
    for (int32_t i = 0; i < COUNT_OF(shapes); i++) {
        prune_mask *mask = mask_of(3, shapes[i], 13);
        prune_report *report = new_report("m");
        OK(prune_report_mask(report, "m", mask));
        char *page = page_of(report);
        uint32_t width, height;
        int bits;
        uint8_t *samples = picture_of(page, &width, &height, &bits);
        ck_assert_int_eq(bits, 1);
        ck_assert_uint_eq(height, (uint32_t)shapes[i][0]);
        ck_assert_uint_eq(width, (uint32_t)(shapes[i][1] * shapes[i][2]));
        for (int64_t j = 0; j < prune_mask_count(mask); j++) {
            int32_t kept = -1;
            OK(prune_mask_get(mask, j, &kept));
            ck_assert_int_eq(samples[j], kept);
        }
        ck_assert_int_eq(count_of(page, "class=\"pixels\""), i != 0 && i != 4);
        ck_assert_uint_lt(strlen(page), 60000);
        free(samples);
        free(page);
        prune_report_free(report);
        prune_mask_free(mask);
    }
}
END_TEST

START_TEST(large_masks_show_densities_in_a_bounded_picture)
{
    /* Tiles of 3 x 2, the last row of tiles one element high. */
    const int64_t shape[2] = {2050, 3100};
    prune_mask *mask = NULL;
    prune_report *report = new_report("m");
    uint32_t width, height;
    int bits;
    OK(prune_mask_create(&mask, NULL, 2, shape, 0));
    OK(prune_mask_set(mask, 0, 1));
    OK(prune_mask_set(mask, 3100, 1));
    OK(prune_mask_set(mask, 2049 * 3100, 1));
    OK(prune_mask_set(mask, 2050 * 3100 - 1, 1));
    OK(prune_report_mask(report, "m", mask));
    char *page = page_of(report);
    uint8_t *samples = picture_of(page, &width, &height, &bits);
    ck_assert_int_eq(bits, 8);
    ck_assert_uint_eq(width, 775);  /* 4 columns */
    ck_assert_uint_eq(height, 684); /* 3 rows */
    ck_assert_uint_eq(samples[0], (255 * 2 + 6) / 12);
    ck_assert_uint_eq(samples[683 * 775], (255 + 2) / 4); /* of the last strip one row is left */
    ck_assert_uint_eq(samples[684 * 775 - 1], (255 + 2) / 4);
    ck_assert_uint_eq(samples[1], 0);
    ck_assert_uint_lt(strlen(page), 100000);
    free(samples);
    free(page);
    prune_mask_free(mask);
    EXPECT(report, "density of 3 × 4 elements");
}
END_TEST

START_TEST(a_random_mask_of_300_x_784_stays_small)
{
    const int64_t shape[2] = {300, 784};
    uint32_t state = 1;
    prune_mask *mask = NULL;
    prune_report *report = new_report("m");
    OK(prune_mask_create(&mask, NULL, 2, shape, 0));
    for (int64_t i = 0; i < prune_mask_count(mask); i++, state = state * 1664525u + 1013904223u)
        if (state >> 31)
            OK(prune_mask_set(mask, i, 1));
    OK(prune_report_mask(report, "m", mask));
    char *page = page_of(report);
    ck_assert_uint_lt(strlen(page), 50000); /* half are kept, the worst there is: one bit an element, in base64 */
    free(page);
    prune_mask_free(mask);
    prune_report_free(report);
}
END_TEST

START_TEST(calls_in_the_wrong_order_are_refused)
{
    const double xy[] = {0, 0, 1, 1};
    prune_report *report = new_report("r");
    FAILS(prune_report_line(report, "early", xy, 2), PRUNE_E_ARGUMENT, "early");
    OK(prune_report_chart(report, "c", "x", "y"));
    OK(prune_report_line(report, "a", xy, 2));
    OK(prune_report_text(report, "t"));
    FAILS(prune_report_line(report, "late", xy, 2), PRUNE_E_ARGUMENT, "chart");
    char *page = page_of(report);
    ck_assert_int_eq(count_of(page, "<li>"), 1);
    free(page);
    prune_report_free(report);
}
END_TEST

START_TEST(bad_input_is_refused_and_leaves_the_page_alone)
{
    static float data[4] = {1, NAN, INFINITY, 2};
    const char *const cells[] = {"a", "b", "c", NULL};
    const double good[4] = {0},
                 bad[][4] = {{0, 0, NAN, 1}, {0, 0, 1, INFINITY}, {-INFINITY, 0, 0, 0}, {0, 0, 0, 2e300}};
    prune_report *report = full_report("r");
    OK(prune_report_chart(report, "c", "x", "y"));
    char *before = page_of(report);
    prune_tensor *tensor = NULL, *halves = NULL;
    prune_mask *mask = NULL, *other = NULL, *empty = NULL;
    OK(prune_tensor_borrow(&tensor, NULL, data, PRUNE_F32, 1, (int64_t[]){4}, NULL));
    OK(prune_tensor_create(&halves, NULL, PRUNE_F16, 1, (int64_t[]){4}));
    OK(prune_mask_from_bytes(&mask, NULL, 1, (int64_t[]){4}, (const uint8_t[]){1, 0, 1, 1}, 4));
    OK(prune_mask_create(&other, NULL, 2, (int64_t[]){2, 2}, 1));
    OK(prune_mask_create(&empty, NULL, 2, (int64_t[]){0, 2}, 1));

    FAILS(prune_report_bars(report, "b", 4, cells, good, 0), PRUNE_E_ARGUMENT, "bar 3 has no name");
    FAILS(prune_report_bars(report, "b", 0, cells, good, 0), PRUNE_E_ARGUMENT, "0 bars");
    FAILS(prune_report_bars(report, "b", 2, cells, good, -1), PRUNE_E_ARGUMENT, "most is negative");
    FAILS(prune_report_bars(report, "b", 3, cells, bad[0], 0), PRUNE_E_VALUE, "bar 2 is NaN");
    FAILS(prune_report_bars(report, "b", 1, cells, bad[2], 0), PRUNE_E_VALUE, "bar 0 is negative");
    FAILS(prune_report_bars(report, "b", 2, NULL, good, 0), PRUNE_E_ARGUMENT, "names");
    FAILS(prune_report_line(report, "l", bad[0], 2), PRUNE_E_VALUE, "x of point 1 is NaN");
    FAILS(prune_report_line(report, "l", bad[1], 2), PRUNE_E_VALUE, "y of point 1 is infinite");
    FAILS(prune_report_line(report, "l", bad[2], 2), PRUNE_E_VALUE, "x of point 0 is infinite");
    FAILS(prune_report_line(report, "l", bad[3], 2), PRUNE_E_VALUE, "1e300");
    FAILS(prune_report_line(report, "l", good, 0), PRUNE_E_ARGUMENT, "0 points");
    FAILS(prune_report_line(report, "l", good, -1), PRUNE_E_ARGUMENT, "-1 points");
    FAILS(prune_report_line(report, "l", NULL, 1), PRUNE_E_ARGUMENT, "xy");
    FAILS(prune_report_line(report, NULL, good, 1), PRUNE_E_ARGUMENT, "name");
    FAILS(prune_report_histogram(report, "h", tensor, NULL, 5, 0), PRUNE_E_VALUE, "element 1 is NaN");
    FAILS(prune_report_histogram(report, "h", tensor, mask, 5, 0), PRUNE_E_VALUE, "element 2 is infinite");
    FAILS(prune_report_histogram(report, "h", tensor, other, 5, 0), PRUNE_E_SHAPE, "rank 2");
    FAILS(prune_report_histogram(report, "h", halves, NULL, 5, 0), PRUNE_E_DTYPE, "f16");
    FAILS(prune_report_histogram(report, "h", tensor, NULL, 0, 0), PRUNE_E_ARGUMENT, "bins is 0");
    FAILS(prune_report_histogram(report, "h", tensor, NULL, 1001, 0), PRUNE_E_ARGUMENT, "1000");
    FAILS(prune_report_histogram(report, "h", tensor, NULL, 5, NAN), PRUNE_E_ARGUMENT, "NaN");
    FAILS(prune_report_histogram(report, "h", tensor, NULL, 5, -1), PRUNE_E_ARGUMENT, "negative");
    FAILS(prune_report_histogram(report, "h", tensor, NULL, 5, INFINITY), PRUNE_E_ARGUMENT, "too large");
    FAILS(prune_report_histogram(report, "h", NULL, NULL, 5, 0), PRUNE_E_ARGUMENT, "tensor");
    FAILS(prune_report_histogram(report, NULL, tensor, NULL, 5, 0), PRUNE_E_ARGUMENT, "caption");
    FAILS(prune_report_mask(report, "m", empty), PRUNE_E_SHAPE, "no elements");
    FAILS(prune_report_mask(report, "m", NULL), PRUNE_E_ARGUMENT, "mask");
    FAILS(prune_report_mask(report, NULL, mask), PRUNE_E_ARGUMENT, "caption");
    FAILS(prune_report_table(report, "t", 2, 2, cells), PRUNE_E_ARGUMENT, "row 1, column 1");
    FAILS(prune_report_table(report, "t", 0, 2, cells), PRUNE_E_ARGUMENT, "0 rows");
    FAILS(prune_report_table(report, "t", 1, -2, cells), PRUNE_E_ARGUMENT, "-2 columns");
    FAILS(prune_report_table(report, "t", 1, 1, NULL), PRUNE_E_ARGUMENT, "cells");
    FAILS(prune_report_table(report, NULL, 1, 1, cells), PRUNE_E_ARGUMENT, "caption");
    FAILS(prune_report_text(report, NULL), PRUNE_E_ARGUMENT, "paragraph");
    FAILS(prune_report_heading(report, NULL), PRUNE_E_ARGUMENT, "heading");
    FAILS(prune_report_chart(report, "c", NULL, "y"), PRUNE_E_ARGUMENT, "x_label");
    FAILS(prune_report_text(NULL, "t"), PRUNE_E_ARGUMENT, "report");
    FAILS(prune_report_write(NULL, "t"), PRUNE_E_ARGUMENT, "report");
    FAILS(prune_report_write(report, NULL), PRUNE_E_ARGUMENT, "path");

    prune_report *out = UNTOUCHED;
    FAILS(prune_report_create(&out, NULL, NULL), PRUNE_E_ARGUMENT, "title");
    FAILS(prune_report_create(NULL, NULL, "t"), PRUNE_E_ARGUMENT, "out");
    ck_assert_ptr_eq(out, UNTOUCHED);
    prune_report_free(NULL);

    char *after = page_of(report);
    ck_assert_str_eq(before, after);
    free(before);
    free(after);
    prune_report_free(report);
    prune_tensor_free(tensor);
    prune_tensor_free(halves);
    prune_mask_free(mask);
    prune_mask_free(other);
    prune_mask_free(empty);
}
END_TEST

START_TEST(a_chart_stands_alone)
{
    static const double xy[] = {0, 1, 50, 2, 90, 9};
    char path[300], text[20000] = "";
    snprintf(path, sizeof path, "%s", scratch("chart.svg"));
    prune_report *report = new_report("page");
    OK(prune_report_text(report, "between"));
    OK(prune_report_chart(report, "first", "x", "y"));
    OK(prune_report_chart(report, "second & last", "x", "y"));
    OK(prune_report_line(report, "a < b", xy, 3));
    FAILS(prune_report_write_chart(report, 2, path), PRUNE_E_ARGUMENT, "the report has 2");
    FAILS(prune_report_write_chart(report, -1, path), PRUNE_E_ARGUMENT, "chart -1");
    FAILS(prune_report_write_chart(NULL, 0, path), PRUNE_E_ARGUMENT, "report");
    FAILS(prune_report_write_chart(report, 0, NULL), PRUNE_E_ARGUMENT, "path");
    OK(prune_report_write_chart(report, 1, path));
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    size_t length = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    ck_assert_int_eq(strncmp(text, "<svg xmlns=\"http://www.w3.org/2000/svg\"", 39), 0);
    ck_assert_int_eq(strcmp(text + length - 7, "</svg>\n"), 0);
    ck_assert_ptr_nonnull(strstr(text, "second &amp; last"));
    ck_assert_ptr_nonnull(strstr(text, "class=\"name\""));
    ck_assert_ptr_nonnull(strstr(text, "a &lt; b</text>"));
    ck_assert_ptr_nonnull(strstr(text, "prefers-color-scheme:dark"));
    ck_assert_ptr_null(strstr(text, "first"));
    prune_report_free(report);
}
END_TEST

START_TEST(the_file_is_the_old_one_or_the_new_one)
{
    char folder[256], path[300];
    snprintf(folder, sizeof folder, "%s", scratch("pages"));
    ck_assert_int_eq(mkdir(folder, 0700), 0);
    snprintf(path, sizeof path, "%s/report.html", folder);
    save(path, "old", 3);
    prune_report *report = new_report("new");
    FAILS(prune_report_write(report, folder), PRUNE_E_IO, "directory");
    FAILS(prune_report_write_chart(report, 0, path), PRUNE_E_ARGUMENT, "chart 0");
    FAILS(prune_report_write(report, scratch("no such folder/report.html")), PRUNE_E_NOTFOUND, "no such folder");
    ck_assert(holds(path, "old", 3));
    OK(prune_report_write(report, path));
    ck_assert(!holds(path, "old", 3));
    ck_assert_int_eq(entries_of(folder), 1);
    prune_report_free(report);
}
END_TEST

/* Makes a German locale in the scratch folder when the system has none. */
static int set_german(void)
{
    char command[1200];
    if (setlocale(LC_ALL, "de_DE.UTF-8"))
        return 1;
    snprintf(command, sizeof command, "localedef -i de_DE -f UTF-8 %s >/dev/null 2>&1", scratch("de_DE.UTF-8"));
    int status = system(command);
    setenv("LOCPATH", scratch_folder, 1);
    return status == 0 && setlocale(LC_ALL, "de_DE.UTF-8");
}

START_TEST(numbers_do_not_follow_the_locale)
{
    prune_report *report = full_report("all");
    char *page = page_of(report), comma[8];
    if (set_german()) {
        prune_report *other = full_report("all");
        snprintf(comma, sizeof comma, "%g", 1.5);
        ck_assert_str_eq(comma, "1,5");
        char *again = page_of(other);
        ck_assert_str_eq(page, again);
        free(again);
        prune_report_free(other);
        setlocale(LC_ALL, "C");
    } else {
        skip("a report in a locale with a decimal comma", "there is no German locale, and localedef cannot make one");
    }
    unsetenv("LOCPATH");
    free(page);
    prune_report_free(report);
}
END_TEST

struct stingy {
    int allowed, live;
};

static void *stingy_alloc(void *user, uint64_t size, uint64_t align)
{
    struct stingy *stingy = user;
    void *memory = NULL;
    if (stingy->allowed-- <= 0 || posix_memalign(&memory, align, size))
        return NULL;
    stingy->live++;
    return memory;
}

static void stingy_release(void *user, void *pointer, uint64_t size)
{
    (void)size;
    ((struct stingy *)user)->live--;
    free(pointer);
}

static int32_t make_all(prune_report **report, prune_context *context, const prune_tensor *tensor,
                        const prune_mask *mask, const char *path)
{
    const double xy[] = {0, 0, 1, 1};
    const char *const cells[] = {"a", "b"};
    int32_t status = prune_report_create(report, context, "t");
    if (!status)
        status = prune_report_text(*report, "t");
    if (!status)
        status = prune_report_chart(*report, "c", "x", "y");
    if (!status)
        status = prune_report_line(*report, "l", xy, 2);
    if (!status)
        status = prune_report_histogram(*report, "h", tensor, mask, 5, 0);
    if (!status)
        status = prune_report_mask(*report, "m", mask);
    if (!status)
        status = prune_report_table(*report, "t", 2, 1, cells);
    return status ? status : prune_report_write(*report, path);
}

START_TEST(every_failed_allocation_is_survived)
{
    int failures = 0;
    char path[300];
    prune_tensor *tensor = NULL;
    prune_mask *mask = mask_of(2, (int64_t[]){6, 7}, 2);
    OK(prune_tensor_create(&tensor, NULL, PRUNE_F32, 2, (int64_t[]){6, 7}));
    snprintf(path, sizeof path, "%s", scratch("oom.html"));
    save(path, "old", 3);
    for (int allowed = 0;; allowed++) {
        struct stingy stingy = {allowed, 0};
        prune_context *context = NULL;
        prune_report *report = NULL;
        OK(prune_context_create(&context));
        OK(prune_context_set_allocator(context, stingy_alloc, stingy_release, &stingy));
        int32_t status = make_all(&report, context, tensor, mask, path);
        if (status)
            ck_assert(holds(path, "old", 3));
        prune_report_free(report);
        prune_context_free(context);
        ck_assert_int_eq(stingy.live, 0);
        if (!status)
            break;
        ck_assert_int_eq(status, PRUNE_E_NOMEM);
        failures++;
    }
    ck_assert_int_ge(failures, 20);
    prune_tensor_free(tensor);
    prune_mask_free(mask);
}
END_TEST

TEST_MAIN("report", a_page_of_everything_is_well_formed_and_needs_nothing_else, the_checker_of_markup_sees_flaws,
          texts_are_escaped_everywhere, texts_that_are_no_utf8_are_mended,
          a_number_and_its_percent_sign_are_not_torn_apart, tables_have_heads_and_scopes,
          charts_have_nice_ticks_and_a_legend, lines_of_one_name_look_alike,
          charts_of_extreme_numbers_stay_on_the_paper, ticks_are_written_as_people_write_them,
          a_chart_without_lines_is_a_frame, bars_are_as_long_as_their_values, bars_of_a_histogram_sum_to_what_is_kept,
          the_edges_of_a_histogram_are_counted, histograms_of_nothing_and_of_zeros,
          a_picture_has_as_many_dark_cells_as_the_mask_keeps, large_masks_show_densities_in_a_bounded_picture,
          a_random_mask_of_300_x_784_stays_small, calls_in_the_wrong_order_are_refused,
          bad_input_is_refused_and_leaves_the_page_alone, a_chart_stands_alone, the_file_is_the_old_one_or_the_new_one,
          numbers_do_not_follow_the_locale, every_failed_allocation_is_survived)
