#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# What pruning without training leaves of a language model: prints README's table for stories260K, negative
# log-likelihood in nats a token of 8 short stories. From the top folder, after make; needs the test data
# (PRUNE_TEST_DATA, or ../shared/data). A minute; the same numbers on every run of one machine, to the rounding of its
# BLAS on another.
set -eu
data=${PRUNE_TEST_DATA:-../shared/data}/stories260k
make -s build/tests/results/language_model
build/tests/results/language_model "$data/stories260K.safetensors" "$data/eval_token_ids.txt"
