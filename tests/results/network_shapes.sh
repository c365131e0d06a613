#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Parameters and multiply-adds of well-known networks before and after pruning: `tests/results/network_shapes.sh` prints
# the table. From the top folder, after make check-programs; with the test data (PRUNE_TEST_DATA, or ../shared/data) also
# the row of SqueezeNet as Deep Compression released it, from the file. Exact, so the same everywhere.
set -eu
build=${BUILD:-build}
net=${PRUNE_TEST_DATA:-../shared/data}/squeezenet-deep-compression/compressed_SqueezeNet.net
"$build/examples/10_network_shapes"
[ -e "$net" ] || exit 0
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
"$build/prune" convert "$net" "$scratch/squeezenet.onnx" > /dev/null
"$build/prune" inspect "$scratch/squeezenet.onnx" --batch 1 --json > "$scratch/inspect.json"
number() { sed -n "s/^ \"$1\": \([0-9]*\).*/\1/p" "$scratch/inspect.json"; }
# Its biases, 3,976, are not pruned.
awk -v weights=$(($(number parameters) - 3976)) -v left=$(($(number nonzero) - 3976)) -v macs="$(number macs)" \
  -v kept="$(number macs_kept)" -v bytes="$(number activation_bytes)" 'BEGIN {
  printf "| SqueezeNet, Deep-Compressed | %d | %d | %.2f | %d | %.4f | | %d |\n", weights, left, weights / left, macs,
    macs / kept, bytes }'
