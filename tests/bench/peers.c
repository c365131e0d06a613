/* SPDX-License-Identifier: BSD-2-Clause */
#include "peers.h"

#include <stddef.h>

#define BENCH_PEER(identifier) extern const struct peer peer_##identifier;
#include "peers.def"
#undef BENCH_PEER

const struct peer *const bench_peers[] = {
#define BENCH_PEER(identifier) &peer_##identifier,
#include "peers.def"
    NULL,
};
