/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/select/select.h"

enum { INITIAL, STEPS };

static const struct pr_parameter parameters[] = {
    {.name = "initial",
     .type = PR_REAL,
     .standard = "0",
     .least = 0,
     .most = 1,
     .help = "sparsity before the first step, 0 to 1"},
    {.name = "steps",
     .type = PR_TEXT,
     .words = "0123456789.e-:/",
     .help = "STEP:SPARSITY/STEP:SPARSITY, steps ascending, sparsities 0 to 1"},
    {0},
};

/* The next STEP:SPARSITY of *text, which moves past it. 0 when there is none that can be read. */
static int take(const char **text, double *step, double *sparsity)
{
    const char *colon = strchr(*text, ':');
    if (!colon)
        return 0;
    size_t length = strcspn(colon + 1, "/");
    if (!pr_number_parse(*text, (size_t)(colon - *text), step) || !pr_number_parse(colon + 1, length, sparsity))
        return 0;
    *text = colon + 1 + length;
    if (**text == '/')
        return *++*text != '\0';
    return 1;
}

static int32_t check(const struct pr_values *values)
{
    double last = -1, step = 0, sparsity = 0;
    for (const char *text = values->text; *text;) {
        const char *here = text;
        if (!take(&text, &step, &sparsity) || step != floor(step) || step > 9007199254740992.0)
            return pr_fail(PRUNE_E_SPEC,
                           "schedule multi-step: \"%.60s\" is no STEP:SPARSITY, a whole number and one from 0 to 1, "
                           "with / between them",
                           here);
        if (!(sparsity >= 0 && sparsity <= 1))
            return pr_fail(PRUNE_E_SPEC, "schedule multi-step: sparsity %g at step %.0f is outside its range, 0 to 1",
                           sparsity, step);
        if (step <= last)
            return pr_fail(PRUNE_E_SPEC, "schedule multi-step: step %.0f is not after step %.0f; steps must ascend",
                           step, last < 0 ? 0 : last);
        last = step;
    }
    return PRUNE_OK;
}

static double at(const struct pr_values *values, int64_t now)
{
    double result = values->real[INITIAL], step, sparsity;
    for (const char *text = values->text; *text && take(&text, &step, &sparsity);)
        if (now >= (int64_t)step)
            result = sparsity;
    return result;
}

const struct pr_schedule_kind pr_schedule_multi_step = {
    .kind = {.name = "multi-step", .help = "another sparsity from each of several steps on", .parameters = parameters},
    .check = check,
    .at = at,
};
