/* SPDX-License-Identifier: BSD-2-Clause */
#include "testing.h"

static const char *const registries[] = {"criteria",   "granularities", "allocations", "conformances", "schedules",
                                         "recoveries", "regularizers",  "formats",     "orders"};
enum { REGISTRIES = sizeof registries / sizeof *registries };

static int32_t find(const char *registry, const char *name)
{
    for (int32_t i = 0; i < prune_kind_count(registry); i++)
        if (strcmp(prune_kind_name(registry, i), name) == 0)
            return i;
    ck_abort_msg("no %s among %s", name, registry);
    return -1;
}

/* One string a registry, in the order of `registries`; the order of names is free. */
START_TEST(what_there_is)
{
    static const char criteria[] =
        "l1 l2 lp linf lamp fpgm obs woodfisher mfac random scores "
        "taylor taylor-gate taylor-activation obd fisher snip movement wanda apoz mean-activation scale";
    const char *expected[REGISTRIES] = {
        criteria,
        "element nm nm-transposable vector block kernel pattern filter in-channel row column balanced bank-balanced",
        "global uniform uniform-plus er erk",
        "lab torch tfmot sparsegpt wanda coremltools network-slimming lottery-ticket",
        "one-shot linear cubic exponential cosine multi-step",
        "obs sparsegpt obc dsnot exact least-squares lasso thinet subset",
        "l1 l2 smooth-l1 group",
        "csr nm bsr dense csc bitmap coo codebook",
        "stripe-groups channel-swap exact",
    };
    for (int r = 0; r < REGISTRIES; r++) {
        char names[400], *rest = names;
        int32_t count = 0;
        snprintf(names, sizeof names, "%s", expected[r]);
        for (char *name; (name = strtok_r(rest, " ", &rest)); count++)
            find(registries[r], name);
        ck_assert_int_eq(prune_kind_count(registries[r]), count);
    }
}
END_TEST

/* Every kind and parameter has a name that a spec string can carry and one line of help. */
START_TEST(every_name_can_be_written_and_every_help_read)
{
    const char *letters = "abcdefghijklmnopqrstuvwxyz0123456789_-";
    for (int r = 0; r < REGISTRIES; r++)
        for (int32_t i = 0; i < prune_kind_count(registries[r]); i++) {
            const char *name = prune_kind_name(registries[r], i), *help = prune_kind_help(registries[r], i);
            ck_assert(name && *name && name[strspn(name, letters)] == '\0');
            ck_assert(help && *help && !strchr(help, '\n'));
            ck_assert_int_eq(find(registries[r], name), i);
            int32_t parameters = prune_kind_parameter_count(registries[r], i);
            ck_assert_int_ge(parameters, 0);
            for (int32_t p = 0; p < parameters; p++) {
                const char *key = prune_kind_parameter_name(registries[r], i, p);
                const char *text = prune_kind_parameter_help(registries[r], i, p);
                ck_assert(key && *key && key[strspn(key, letters)] == '\0');
                ck_assert(text && *text && !strchr(text, '\n'));
            }
        }
}
END_TEST

/* The defaults that the walk shows are what the parser takes: giving them all is the same as giving none. */
START_TEST(defaults_are_what_is_shown)
{
    for (int32_t i = 0; i < prune_kind_count("granularities"); i++) {
        char bare[200], full[400];
        prune_granularity *a, *b;
        int nb = snprintf(bare, sizeof bare, "%s", prune_kind_name("granularities", i)), nf = 0;
        int given = 0;
        nf += snprintf(full, sizeof full, "%s", bare);
        for (int32_t p = 0; p < prune_kind_parameter_count("granularities", i); p++) {
            const char *key = prune_kind_parameter_name("granularities", i, p);
            const char *standard = prune_kind_parameter_default("granularities", i, p);
            const char *value = standard ? standard : strcmp(key, "block") == 0 ? "1x1" : "1";
            nf += snprintf(full + nf, sizeof full - (size_t)nf, "%c%s=%s", p ? ',' : ':', key, value);
            if (!standard)
                nb += snprintf(bare + nb, sizeof bare - (size_t)nb, "%c%s=%s", given++ ? ',' : ':', key, value);
        }
        OK(prune_granularity_create(&a, NULL, bare));
        OK(prune_granularity_create(&b, NULL, full));
        ck_assert_str_eq(prune_granularity_spec(a), bare);
        ck_assert_str_eq(prune_granularity_spec(b), bare);
        prune_granularity_free(a);
        prune_granularity_free(b);
    }
}
END_TEST

START_TEST(parameters_of_nm)
{
    int32_t nm = find("granularities", "nm");
    ck_assert_int_eq(prune_kind_parameter_count("granularities", nm), 4);
    ck_assert_str_eq(prune_kind_parameter_name("granularities", nm, 0), "keep_n");
    ck_assert_ptr_null(prune_kind_parameter_default("granularities", nm, 0));
    ck_assert_str_eq(prune_kind_parameter_name("granularities", nm, 2), "axis");
    ck_assert_str_eq(prune_kind_parameter_default("granularities", nm, 2), "1");
    ck_assert_int_eq(prune_kind_parameter_count("granularities", find("granularities", "filter")), 0);
}
END_TEST

START_TEST(outside_the_lists)
{
    ck_assert_int_eq(prune_kind_count("criterion"), -1);
    ck_assert_int_eq(prune_kind_count(""), -1);
    ck_assert_int_eq(prune_kind_count(NULL), -1);
    ck_assert_ptr_null(prune_kind_name(NULL, 0));
    ck_assert_ptr_null(prune_kind_name("criterion", 0));
    ck_assert_int_eq(prune_kind_parameter_count(NULL, 0), -1);
    ck_assert_ptr_null(prune_kind_parameter_help(NULL, 0, 0));
    for (int r = 0; r < REGISTRIES; r++) {
        const int32_t outside[] = {-1, INT32_MIN, INT32_MAX, prune_kind_count(registries[r])};
        for (int i = 0; i < 4; i++) {
            ck_assert_ptr_null(prune_kind_name(registries[r], outside[i]));
            ck_assert_ptr_null(prune_kind_help(registries[r], outside[i]));
            ck_assert_int_eq(prune_kind_parameter_count(registries[r], outside[i]), -1);
            ck_assert_ptr_null(prune_kind_parameter_name(registries[r], outside[i], 0));
        }
        for (int32_t i = 0; i < prune_kind_count(registries[r]); i++) {
            const int32_t beyond[] = {-1, INT32_MIN, INT32_MAX, prune_kind_parameter_count(registries[r], i)};
            for (int p = 0; p < 4; p++) {
                ck_assert_ptr_null(prune_kind_parameter_name(registries[r], i, beyond[p]));
                ck_assert_ptr_null(prune_kind_parameter_default(registries[r], i, beyond[p]));
                ck_assert_ptr_null(prune_kind_parameter_help(registries[r], i, beyond[p]));
            }
        }
    }
}
END_TEST

TEST_MAIN("kinds", what_there_is, every_name_can_be_written_and_every_help_read, defaults_are_what_is_shown,
          parameters_of_nm, outside_the_lists)
