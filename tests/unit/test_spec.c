/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Spec strings and numbers as text.
 */
#include <locale.h>
#include <math.h>

#include "base/rng.h"
#include "base/spec.h"
#include "testing.h"

static const struct pr_parameter parameters[] = {
    {"count", PR_WHOLE, NULL, 1, 1e9, NULL, "how many, 1 to 1000000000"},
    {"rate", PR_REAL, "0.5", 0, 1, NULL, "a fraction, 0 to 1"},
    {"mode", PR_WORD, "fast", 0, 0, "fast|exact|slow", "fast, exact or slow"},
    {NULL, PR_WHOLE, NULL, 0, 0, NULL, NULL},
};
static const struct pr_kind plain = {"plain", "no parameters", NULL};
static const struct pr_kind full = {"full", "three parameters", parameters};
static const struct pr_kind *const kinds[] = {&plain, &full};

static int32_t parse(const char *spec, int32_t *kind, struct pr_values *values)
{
    return pr_spec_parse(spec, "thing", kinds, 2, kind, values);
}

START_TEST(values_in_any_order_and_defaults)
{
    int32_t kind = -1;
    struct pr_values values;
    OK(parse("full:rate=0.25,count=7", &kind, &values));
    ck_assert_int_eq(kind, 1);
    ck_assert_int_eq(values.whole[0], 7);
    ck_assert(values.real[0] == 7.0);
    ck_assert(values.real[1] == 0.25);
    ck_assert_int_eq(values.whole[2], 0);
    OK(parse("full:mode=slow,count=1e3", &kind, &values));
    ck_assert_int_eq(values.whole[0], 1000);
    ck_assert(values.real[1] == 0.5);
    ck_assert_int_eq(values.whole[2], 2);
    OK(parse("plain", &kind, &values));
    ck_assert_int_eq(kind, 0);
}
END_TEST

START_TEST(canonical_strings)
{
    static const char *const given[][2] = {
        {"full:count=7", "full:count=7"},
        {"full:rate=5e-1,count=+7", "full:count=7"},
        {"full:mode=exact,rate=.25,count=07", "full:count=7,rate=0.25,mode=exact"},
        {"full:count=1000000000,rate=0.1", "full:count=1000000000,rate=0.1"},
        {"full:count=1,rate=1e-20", "full:count=1,rate=1e-20"},
        {"plain", "plain"},
    };
    for (size_t i = 0; i < sizeof given / sizeof *given; i++) {
        int32_t kind;
        struct pr_values values;
        char text[PR_MAX_SPEC];
        OK(parse(given[i][0], &kind, &values));
        size_t length = pr_spec_print(text, kinds[kind], &values);
        ck_assert_str_eq(text, given[i][1]);
        ck_assert_uint_eq(length, strlen(text));
        OK(parse(text, &kind, &values));
        pr_spec_print(text, kinds[kind], &values);
        ck_assert_str_eq(text, given[i][1]);
    }
}
END_TEST

START_TEST(bad_specs_say_what_was_wrong)
{
    static const struct {
        const char *spec, *word;
        int32_t status;
    } bad[] = {
        {NULL, "NULL", PRUNE_E_ARGUMENT},
        {"", "there are plain, full", PRUNE_E_SPEC},
        {"other", "\"other\" is no thing", PRUNE_E_SPEC},
        {"Full:count=1", "\"Full\"", PRUNE_E_SPEC},
        {" full:count=1", "\" full\"", PRUNE_E_SPEC},
        {"ful:count=1", "\"ful\"", PRUNE_E_SPEC},
        {"full", "\"count\" must be given", PRUNE_E_SPEC},
        {"full:", "a key should follow the colon", PRUNE_E_SPEC},
        {"plain:", "a key should follow the colon", PRUNE_E_SPEC},
        {"plain:count=1", "unknown key \"count\"", PRUNE_E_SPEC},
        {"full:count=1,", "a key should follow the last comma", PRUNE_E_SPEC},
        {"full:count=1,,rate=1", "unknown key \"\"", PRUNE_E_SPEC},
        {"full:count=1,size=2", "unknown key \"size\"; it takes count, rate, mode", PRUNE_E_SPEC},
        {"full:count", "\"count\" has no value", PRUNE_E_SPEC},
        {"full:count=", "\"count\" has no value", PRUNE_E_SPEC},
        {"full:count=1,count=1", "given twice", PRUNE_E_SPEC},
        {"full:count=1.5", "no whole number", PRUNE_E_SPEC},
        {"full:count=0", "outside its range", PRUNE_E_SPEC},
        {"full:count=-1", "outside its range", PRUNE_E_SPEC},
        {"full:count=1e10", "outside its range", PRUNE_E_SPEC},
        {"full:count=1 ", "\"1 \"", PRUNE_E_SPEC},
        {"full:count= 1", "\" 1\"", PRUNE_E_SPEC},
        {"full:count=0x10", "\"0x10\"", PRUNE_E_SPEC},
        {"full:count=1,rate=1,5", "unknown key \"5\"", PRUNE_E_SPEC},
        {"full:count=1,rate=nan", "\"nan\" is no number", PRUNE_E_SPEC},
        {"full:count=1,rate=inf", "\"inf\" is no number", PRUNE_E_SPEC},
        {"full:count=1,rate=1e999", "\"1e999\" is no number", PRUNE_E_SPEC},
        {"full:count=1,rate=1.8e308", "\"1.8e308\" is no number", PRUNE_E_SPEC},
        {"full:count=1,rate=1e", "\"1e\"", PRUNE_E_SPEC},
        {"full:count=1,rate=--1", "\"--1\"", PRUNE_E_SPEC},
        {"full:count=1,rate=.", "\".\"", PRUNE_E_SPEC},
        {"full:count=1,rate=1.2.3", "\"1.2.3\"", PRUNE_E_SPEC},
        {"full:count=1,mode=quick", "it takes fast|exact|slow", PRUNE_E_SPEC},
        {"full:count=1,mode=fas", "it takes fast|exact|slow", PRUNE_E_SPEC},
        {"full:count=1,mode=fast|exact", "it takes fast|exact|slow", PRUNE_E_SPEC},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int32_t kind = 77;
        struct pr_values values, before;
        memset(&values, 0x5a, sizeof values);
        before = values;
        FAILS(parse(bad[i].spec, &kind, &values), bad[i].status, bad[i].word);
        ck_assert_int_eq(kind, 77);
        ck_assert_mem_eq(&values, &before, sizeof values);
    }
}
END_TEST

START_TEST(a_long_spec_is_cut_in_the_sentence)
{
    static char spec[100000];
    int32_t kind = 77;
    struct pr_values values;
    memset(spec, 'x', sizeof spec - 1);
    FAILS(parse(spec, &kind, &values), PRUNE_E_SPEC, "xxx");
    ck_assert_uint_lt(strlen(prune_error()), 512);
    memcpy(spec, "full:count=", 11);
    FAILS(parse(spec, &kind, &values), PRUNE_E_SPEC, "count");
    memset(spec + 11, '9', sizeof spec - 12);
    FAILS(parse(spec, &kind, &values), PRUNE_E_SPEC, "count");
}
END_TEST

/* The C library's answer in the C locale, in which tests run. */
static void same_as_strtod(const char *text)
{
    double value = -77, expected = strtod(text, NULL);
    ck_assert_msg(pr_number_parse(text, strlen(text), &value), "%s was refused", text);
    ck_assert_msg(value == expected && signbit(value) == signbit(expected), "%s: %.17g instead of %.17g", text, value,
                  expected);
}

START_TEST(numbers_are_read_as_the_c_library_reads_them)
{
    static const char *const texts[] = {"0",
                                        "-0",
                                        "1",
                                        "0.1",
                                        "0.7",
                                        "1e-4",
                                        ".5",
                                        "5.",
                                        "1e22",
                                        "1e23",
                                        "9.6e5",
                                        "1e-30",
                                        "0.3333333333333333",
                                        "1e308",
                                        "1.5e300",
                                        "1e-300",
                                        "1E+5",
                                        "123e-00",
                                        "00000000000000000000001",
                                        "0.000000000000000000000001",
                                        "9007199254740993",
                                        "4.9e-324",
                                        "2.4703282292062328e-324",
                                        "2.4703282292062327e-324",
                                        "2.2250738585072011e-308",
                                        "1.7976931348623157e308",
                                        "1.7976931348623158e308",
                                        "1e-400",
                                        "8.5e-1"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        same_as_strtod(texts[i]);
    struct pr_rng rng;
    pr_rng_seed(&rng, 5);
    for (int i = 0; i < 20000; i++) { /* denormals and the largest among them */
        char text[64];
        snprintf(text, sizeof text, "%llue%d", (unsigned long long)pr_rng_below(&rng, 1000000000000000000u),
                 (int)pr_rng_below(&rng, 630) - 340);
        same_as_strtod(text);
    }
    for (int i = 0; i < 200000; i++) {
        char text[64];
        uint64_t digits = pr_rng_below(&rng, i % 2 ? 1000000 : 100000000000000000u);
        snprintf(text, sizeof text, "%llue%d", (unsigned long long)digits, (int)pr_rng_below(&rng, 50) - 30);
        same_as_strtod(text);
    }
}
END_TEST

START_TEST(numbers_are_printed_so_that_they_read_back)
{
    static const struct {
        double value;
        const char *text;
    } known[] = {{0.1, "0.1"},    {0.5, "0.5"},  {1e-4, "0.0001"},
                 {1e-5, "1e-05"}, {100, "100"},  {1.0 / 3, "0.3333333333333333"},
                 {-2.5, "-2.5"},  {0.92, "0.92"}};
    char text[PR_MAX_NUMBER];
    double back;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        size_t length = pr_number_print(text, known[i].value);
        ck_assert_str_eq(text, known[i].text);
        ck_assert_uint_eq(length, strlen(text));
    }
    struct pr_rng rng;
    pr_rng_seed(&rng, 6);
    for (int i = 0; i < 50000; i++) {
        double value = ldexp(pr_rng_uniform(&rng) - 0.5, (int)pr_rng_below(&rng, 2000) - 1000);
        size_t length = pr_number_print(text, value);
        ck_assert_msg(pr_number_parse(text, length, &back) && back == value, "%.17g -> %s -> %.17g", value, text, back);
    }
}
END_TEST

START_TEST(what_is_no_number_has_a_name)
{
    char text[PR_MAX_NUMBER];
    ck_assert_uint_eq(pr_number_print(text, (double)NAN), 3);
    ck_assert_str_eq(text, "nan");
    pr_number_print(text, (double)INFINITY);
    ck_assert_str_eq(text, "inf");
    pr_number_print(text, (double)-INFINITY);
    ck_assert_str_eq(text, "-inf");
}
END_TEST

/* Makes a German locale in a folder of its own when the system has none. */
static int set_german(char *folder)
{
    char command[200];
    if (setlocale(LC_ALL, "de_DE.UTF-8"))
        return 1;
    if (!mkdtemp(folder))
        return 0;
    snprintf(command, sizeof command, "localedef -i de_DE -f UTF-8 %s/de_DE.UTF-8 >/dev/null 2>&1", folder);
    int status = system(command);
    setenv("LOCPATH", folder, 1);
    return status == 0 && setlocale(LC_ALL, "de_DE.UTF-8");
}

START_TEST(numbers_do_not_care_for_a_decimal_comma)
{
    char folder[] = "/tmp/prune-locale-XXXXXX", text[PR_MAX_NUMBER], command[80];
    if (set_german(folder)) {
        struct pr_rng rng;
        pr_rng_seed(&rng, 7);
        snprintf(text, sizeof text, "%g", 1.5);
        ck_assert_str_eq(text, "1,5");
        for (int i = 0; i < 5000; i++) {
            double value = ldexp(pr_rng_uniform(&rng) - 0.5, (int)pr_rng_below(&rng, 2000) - 1000), back;
            size_t length = pr_number_print(text, value);
            ck_assert_msg(!strchr(text, ',') && pr_number_parse(text, length, &back) && back == value, "%s", text);
        }
        int32_t kind;
        struct pr_values values;
        char canonical[PR_MAX_SPEC];
        OK(parse("full:count=1,rate=0.25", &kind, &values));
        pr_spec_print(canonical, kinds[kind], &values);
        ck_assert_str_eq(canonical, "full:count=1,rate=0.25");
        FAILS(parse("full:count=1,rate=0,25", &kind, &values), PRUNE_E_SPEC, "unknown key \"25\"");
        setlocale(LC_ALL, "C");
    } else {
        skip("numbers_do_not_care_for_a_decimal_comma", "there is no German locale, and localedef cannot make one");
    }
    snprintf(command, sizeof command, "rm -rf %s", folder);
    ck_assert(strstr(folder, "XXXXXX") || system(command) == 0);
    unsetenv("LOCPATH");
}
END_TEST

TEST_MAIN("spec", values_in_any_order_and_defaults, canonical_strings, bad_specs_say_what_was_wrong,
          a_long_spec_is_cut_in_the_sentence, numbers_are_read_as_the_c_library_reads_them,
          numbers_are_printed_so_that_they_read_back, what_is_no_number_has_a_name,
          numbers_do_not_care_for_a_decimal_comma)
