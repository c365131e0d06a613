/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PM_NETWORK_LINKS_LINKS_H
#define PM_NETWORK_LINKS_LINKS_H

#include "model/network/link.h"

#define PM_LINK(name) extern const struct pm_link pm_link_##name;
#include "model/network/links/links.def"
#undef PM_LINK

/* A loss: the mean over the samples, and the gradient of `logits` (added to d where `accumulate` is not 0; d may be
 * NULL). */
double pm_softmax_cross_entropy(const float *logits, const int64_t *labels, int64_t samples, int64_t classes, float *d,
                                int accumulate);

#endif
