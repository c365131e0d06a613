/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "tool.h"

static const char *const registries[] = {"criteria",  "granularities", "recoveries",   "allocations", "conformances",
                                         "schedules", "orders",        "regularizers", "formats"};
#define REGISTRIES ((int)(sizeof registries / sizeof *registries))

static json_t *parameters_json(const char *registry, int32_t kind)
{
    json_t *list = json_array();
    for (int32_t i = 0; i < prune_kind_parameter_count(registry, kind); i++) {
        const char *standard = prune_kind_parameter_default(registry, kind, i);
        json_array_append_new(list,
                              json_pack("{s:s, s:s?, s:s}", "name", prune_kind_parameter_name(registry, kind, i),
                                        "default", standard, "help", prune_kind_parameter_help(registry, kind, i)));
    }
    return list;
}

static json_t *registry_json(const char *registry)
{
    json_t *list = json_array();
    for (int32_t i = 0; i < prune_kind_count(registry); i++)
        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:o}", "name", prune_kind_name(registry, i), "help",
                                        prune_kind_help(registry, i), "parameters", parameters_json(registry, i)));
    return list;
}

static void registry_text(const char *registry)
{
    printf("%s\n", registry);
    for (int32_t i = 0; i < prune_kind_count(registry); i++) {
        printf("  %-18s%s\n", prune_kind_name(registry, i), prune_kind_help(registry, i));
        for (int32_t j = 0; j < prune_kind_parameter_count(registry, i); j++) {
            const char *standard = prune_kind_parameter_default(registry, i, j);
            printf("    %-20s%s", prune_kind_parameter_name(registry, i, j), prune_kind_parameter_help(registry, i, j));
            printf(standard ? "; default %s\n" : "; must be given\n", standard);
        }
    }
}

static int list(const char *only, int json)
{
    json_t *fields = json_object();
    int found = 0;
    for (int i = 0; i < REGISTRIES; i++) {
        if (only && strcmp(only, registries[i]) != 0)
            continue;
        if (json)
            json_object_set_new(fields, registries[i], registry_json(registries[i]));
        else
            registry_text(registries[i]);
        found = 1;
    }
    if (found && json)
        return print_json(fields, "list");
    json_decref(fields);
    if (!found)
        return complain(USAGE, "there is no list \"%s\"; `prune list` shows them all", only);
    return DONE;
}

static int run(const struct command *self, int argc, char **argv)
{
    struct options options = {.count = 0};
    int json = 0;
    options_add(&options, (struct option[]){
                              {OPTION_FLAG, "json", 0, &json, NULL, "print one JSON document instead of text", 0, 0},
                              {OPTION_END, NULL, 0, NULL, NULL, NULL, 0, 0},
                          });
    int code = options_parse(&options, self, argc, argv);
    if (!code && !options.help) {
        code = options_operands(&options, self, 0, 1, "one list");
        if (!code)
            code = list(options.operands.count ? options.operands.items[0] : NULL, json);
    }
    options_free(&options);
    return code;
}

const struct command cmd_list = {
    "list",
    "show what there is to choose from",
    "[criteria|granularities|recoveries|allocations|conformances|schedules|orders|regularizers|formats] [--json]",
    "Shows the kinds of each list with their parameters and defaults. A kind is written NAME or\n"
    "NAME:key=value,key=value; the commands also take each parameter as an option (group_m is --group-m).",
    run,
};
