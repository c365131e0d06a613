/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What reading and writing safetensors share.
 */
#ifndef PM_SAFETENSORS_H
#define PM_SAFETENSORS_H

#include <stdint.h>

#define PM_SAFETENSORS_MOST_HEADER 100000000 /* bytes, the reference reader's limit */

/* The dtype that a file calls `name`; -1 for one of the format's that this version does not read, 0 for none. */
int32_t pm_safetensors_dtype(const char *name);

/* What a file calls `dtype`. */
const char *pm_safetensors_name(int32_t dtype);

/* The dtypes in the order in which a file holds them: largest alignment first. Ended by 0. */
extern const int32_t pm_safetensors_order[];

#endif
