/* SPDX-License-Identifier: BSD-2-Clause
 *
 * PNG of one ink on nothing: what is not inked is transparent, so the page shows through in any colour scheme.
 */
#ifndef PM_REPORT_PICTURE_H
#define PM_REPORT_PICTURE_H

#include "model/report/text.h"

/* Appends "data:image/png;base64,...". `ink` has width x height values from 0 (none) to 255 (full); with `bits` 1 all
 * of them are 0 or 255. */
void pm_picture(struct pm_text *text, const uint8_t *ink, int32_t width, int32_t height, int32_t bits);

#endif
