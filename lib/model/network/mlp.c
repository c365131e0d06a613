/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Multi-layer perceptrons from a line such as "784-300-100-10".
 */
#include <stdio.h>
#include <string.h>

#include "model/network/network.h"

#define MAX_LAYERS 64

/* *count widths; digits separated by "-". */
static int32_t parse_widths(const char *text, int64_t widths[MAX_LAYERS], int32_t *count)
{
    int32_t n = 0;
    for (const char *p = text;; p++) {
        int64_t width = 0;
        const char *start = p;
        for (; *p >= '0' && *p <= '9' && width <= PM_MAX_EXTENT; p++)
            width = width * 10 + (*p - '0');
        if (p == start || (*p && *p != '-' && width <= PM_MAX_EXTENT))
            return pr_fail(PRUNE_E_SPEC,
                           "widths \"%.100s\": a whole number should stand at byte %lld; write them as "
                           "784-300-100-10",
                           text, (long long)(p - text));
        if (width < 1 || width > PM_MAX_EXTENT)
            return pr_fail(PRUNE_E_SPEC, "widths \"%.100s\": width %d is outside 1 to %d", text, (int)n + 1,
                           PM_MAX_EXTENT);
        if (n == MAX_LAYERS)
            return pr_fail(PRUNE_E_SPEC, "widths \"%.100s\": there are more than %d", text, MAX_LAYERS);
        widths[n++] = width;
        if (!*p)
            break;
    }
    if (n < 2)
        return pr_fail(PRUNE_E_SPEC, "widths \"%.100s\": there is %d; at least 2 are needed, as in 784-10", text,
                       (int)n);
    *count = n;
    return PRUNE_OK;
}

static int32_t build(prune_network *network, const int64_t *widths, int32_t count)
{
    char value[32] = "flat";
    PR_TRY(prune_network_add_input(network, "input", 1, widths));
    PR_TRY(prune_network_add_node(network, "flatten", "flatten", "input", value));
    for (int32_t i = 1; i < count; i++) {
        char node[32], op[80], made[32] = "logits";
        snprintf(node, sizeof node, "fc%d", (int)i);
        snprintf(op, sizeof op, "linear:in=%lld,out=%lld", (long long)widths[i - 1], (long long)widths[i]);
        if (i < count - 1)
            snprintf(made, sizeof made, "fc%d.sum", (int)i);
        PR_TRY(prune_network_add_node(network, node, op, value, made));
        if (i == count - 1)
            break;
        snprintf(node, sizeof node, "relu%d", (int)i);
        snprintf(value, sizeof value, "fc%d.out", (int)i);
        PR_TRY(prune_network_add_node(network, node, "relu", made, value));
    }
    return prune_network_add_output(network, "logits");
}

int32_t prune_network_create_mlp(prune_network **out, prune_context *context, const char *widths)
{
    int64_t numbers[MAX_LAYERS];
    int32_t count = 0;
    prune_network *network;
    PR_REQUIRE(out);
    PR_REQUIRE(widths);
    PR_TRY(parse_widths(widths, numbers, &count));
    PR_TRY(prune_network_create(&network, context));
    int32_t status = build(network, numbers, count);
    if (status) {
        prune_network_free(network);
        return status;
    }
    *out = network;
    return PRUNE_OK;
}
