/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <string.h>

#include "base/spec.h"
#include "prune/cost.h"

struct energy {
    const char *operation;
    double picojoule;
};

#define PM_ENERGY(operation, picojoule) {operation, picojoule},
static const struct energy energies[] = {
#include "model/cost/energies.def"
};
#undef PM_ENERGY

int32_t prune_energy_of(const char *operation, double *picojoule)
{
    PR_REQUIRE(operation);
    PR_REQUIRE(picojoule);
    size_t count = sizeof energies / sizeof *energies;
    for (size_t i = 0; i < count; i++)
        if (strcmp(operation, energies[i].operation) == 0) {
            *picojoule = energies[i].picojoule;
            return PRUNE_OK;
        }
    char names[200] = "";
    for (size_t i = 0; i < count; i++) {
        strncat(names, i ? ", " : "", sizeof names - strlen(names) - 1);
        strncat(names, energies[i].operation, sizeof names - strlen(names) - 1);
    }
    return pr_fail(PRUNE_E_ARGUMENT, "\"%.60s\" is no operation with a known energy; there are %s", operation, names);
}

static int32_t check(const char *what, double amount)
{
    char number[PR_MAX_NUMBER];
    if (amount >= 0 && isfinite(amount))
        return PRUNE_OK;
    pr_number_print(number, amount);
    return pr_fail(PRUNE_E_ARGUMENT, "%s is %s; it must be 0 or more and finite", what,
                   isnan(amount) ? "NaN" : (isinf(amount) ? "infinite" : number));
}

int32_t prune_energy_inference(double words, double macs, double activations, double *picojoule)
{
    PR_REQUIRE(picojoule);
    double dram = 0, mac = 0, sram = 0;
    PR_TRY(check("words", words));
    PR_TRY(check("macs", macs));
    PR_TRY(check("activations", activations));
    PR_TRY(prune_energy_of("dram", &dram));
    PR_TRY(prune_energy_of("mac", &mac));
    PR_TRY(prune_energy_of("sram", &sram));
    double sum = words * dram + macs * mac + activations * sram;
    if (!isfinite(sum))
        return pr_fail(PRUNE_E_OVERFLOW, "the energy of so many words, MACs and activations does not fit in a double");
    *picojoule = sum;
    return PRUNE_OK;
}
