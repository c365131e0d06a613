/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Powers with the same bits wherever doubles are IEEE numbers: libm's pow() differs between its versions and CPUs.
 */
#ifndef PR_BASE_POWER_H
#define PR_BASE_POWER_H

/* x^p and x^(1/p) for x >= 0 and p > 0, within two units in the last place for p up to 10. */
double pr_power(double x, double p);
double pr_root(double x, double p);

#endif
