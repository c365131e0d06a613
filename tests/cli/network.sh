#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# From training to packed runs, on images of 4 x 4.
. tests/tool.sh
make_json
data=$scratch/data
make_data "$data"
cd "$scratch" || exit 1
set -- --data "$data"

prune train --arch 16-12-8-3 --epochs 20 --lr 0.1 --batch 8 "$@" -o dense
ended "train" 0
says "train says the accuracy" "test accuracy 100.00 %"
prune train --arch 16-12-8-3 --epochs 20 --lr 0.1 --batch 8 "$@" -o again --json
ended "train --json" 0
equal "train --json has a schema" "$(json "$out" schema)" 1
equal "train --json has the accuracy" "$(json "$out" correct)/$(json "$out" images)" 30/30
if cmp -s dense again; then ok "the same seed, the same bytes"; else fail "the same seed, the same bytes" "they differ"; fi
prune train --arch 16-12-8-3 --epochs 20 --lr 0.1 --batch 8 --seed 2 "$@" -o again
if cmp -s dense again; then fail "another seed, other bytes" "they are equal"; else ok "another seed, other bytes"; fi

prune model dense --layer fc1=0.75 --layer fc2=0.5 -o pruned
ended "model --layer" 0
says "model says what is kept" "fc1.weight 25 %"
prune inspect pruned --json
ended "inspect --json" 0
kept() { json "$out" layers "$1" kept; }
# Layers: flatten, fc1, relu, fc2, relu, fc3 or without flatten: find fc1.
first=0
while [ "$(json "$out" layers "$first" name)" != fc1 ]; do first=$((first + 1)); done
equal "fc1 keeps a quarter" "$(kept "$first")" 48
equal "fc2 keeps half" "$(kept $((first + 2)))" 48
equal "fc3 keeps all" "$(kept $((first + 4)))" 24
prune train --from pruned --epochs 5 --lr 0.05 --batch 8 "$@" -o retrained
ended "train --from" 0
prune inspect retrained --json
equal "retraining keeps the mask" "$(kept "$first") $(kept $((first + 2)))" "48 48"
equal "biases stay" "$(json "$out" parameters_kept)" $((48 + 48 + 24 + 12 + 8 + 3))
equal "MACs of the dense layers" "$(json "$out" macs)" $((192 + 96 + 24))
prune inspect retrained
ended "inspect" 0
says "inspect shows a layer" "linear:in=16,out=12"

# Pruning further: what was pruned stays so and counts, also by chance.
prune model pruned --layer fc1=0.75 --criterion random --seed 5 -o same
ended "model once more" 0
prune pack pruned -o a && prune pack same -o b
if cmp -s a b; then ok "what was pruned goes first"; else fail "what was pruned goes first" "another mask"; fi
prune model pruned --layer fc1=0.875 -o further
prune inspect further --json
equal "to a higher sparsity" "$(kept "$first")" 24
prune model pruned --layer fc1=0.5 -o back
prune inspect back --json
equal "never back" "$(kept "$first")" 48
prune model dense --sparsity 0.5 --granularity element --pool row --json -o half
ended "model --sparsity" 0
equal "model --json counts" "$(json "$out" kept)" 156

prune pack retrained -o csr
ended "pack csr" 0
says "pack says the format" "csr"
prune eval --same --no-times "$@" retrained csr
ended "the packed network predicts the same" 0
says "and says so" "on 30 of 30 images"
prune eval --rounds 2 --batch 10 --json "$@" dense retrained csr
ended "eval --json" 0
equal "eval --json has a schema" "$(json "$out" schema)" 1
equal "eval --json: images" "$(json "$out" images)" 30
equal "eval --json: batches" "$(json "$out" networks 2 times 0 batch)" 1
equal "eval --json: bytes" "$(json "$out" networks 2 file_bytes)" "$(wc -c < csr | tr -d ' ')"
equal "eval --json: format" "$(json "$out" networks 2 format)" csr
equal "eval --json: work done" "$(json "$out" networks 2 macs_done)" 120
# 640 pJ a word: 8 bytes a weight, 4 a row and 4 more for each layer, 23 biases; 4.6 pJ a MAC; 5 pJ an activation.
energy=$(awk 'BEGIN { printf "%.9g", 640 * (2 * 120 + (12 + 1) + (8 + 1) + (3 + 1) + 23) + 4.6 * 120 + 5 * (16 + 12 + 12 + 8 + 8 + 3) }')
equal "eval --json: energy of CSR" "$(json "$out" networks 2 energy_pj)" "$energy"
energy=$(awk 'BEGIN { printf "%.9g", 640 * (312 + 23) + 4.6 * 312 + 5 * 59 }')
equal "eval --json: energy of dense" "$(json "$out" networks 0 energy_pj)" "$energy"
prune eval --rounds 2 --batch 8 "$@" dense csr
ended "eval" 0
says "eval shows the second batch" "batch 8"
says "eval shows the kernel of OpenBLAS" "one thread"
says "eval shows the first as reference" "1.00x"
prune eval --batch 31 "$@" dense
refused "a batch larger than the data" 2 "30 test images"
prune eval --same --no-times "$@" dense again
equal "--same is no for another network or yes for the same predictions" "$((code < 2))" 1

prune model dense --granularity nm --keep-n 2 --group-m 4 -o nm
ended "model 2:4" 0
prune pack nm --format nm -o nm.packed
ended "pack finds 2:4" 0
says "pack names the pattern" "nm:keep_n=2,group_m=4"
prune eval --same --no-times "$@" nm nm.packed
ended "2:4 predicts the same" 0
prune model dense --granularity nm --keep-n 2 --group-m 4 --unit-rows 4 -o nm4
prune pack nm4 --format nm -o nm4.packed
says "pack finds the shared rows" "unit_rows=4"
prune pack nm4 --format nm --keep-n 2 --group-m 4 -o nm4.packed
ended "pack with the pattern given" 0
prune model dense --granularity nm --keep-n 1 --group-m 4 -o nm1
prune pack nm1 --format nm -o nm1.packed
says "pack finds 1:4" "nm:keep_n=1,group_m=4"
prune pack dense --format nm -o none
refused "no pattern to find" 3 "N:M"
prune pack pruned --format nm --keep-n 1 --group-m 4 -o none
refused "a pattern that is not there" 3 "weight"
prune pack pruned --keep-n 1 --group-m 4 -o none
refused "nm's options with csr" 2 "--keep-n"
prune pack csr -o none
refused "packed already" 3 "packed already"
prune model csr --sparsity 0.5 -o none
refused "a packed network cannot be pruned" 3 "packed already"
prune train --from csr "$@" -o none
refused "a packed network cannot be trained" 3 "packed"
prune pack retrained --format dense -o packed.dense
ended "pack dense" 0
if [ -e none ]; then fail "nothing was written" "none is there"; else ok "nothing was written"; fi

npy x.npy '<f4' '(2, 16)' "$(floats 1 0 0 1 1 0 0 1 1 0 0 1 1 0 0 1 0 1 0 0 0 1 0 0 0 1 0 0 0 1 0 0)"
prune run retrained --inputs x.npy -o y.npy
ended "run" 0
says "run says what" "2 samples of 3 numbers"
prune run csr --inputs x.npy --batch 1 -o y.packed.npy --json
ended "run a packed network" 0
equal "run --json has a schema" "$(json "$out" schema)" 1
equal "run writes 24 bytes of numbers" "$(wc -c < y.packed.npy | tr -d ' ')" 152
prune run csr --inputs x.npy --threads 2 -o y.two.npy
if cmp -s y.packed.npy y.two.npy; then ok "the same bits for two threads"; else ok "the batch may change bits"; fi
npy x.npy '<f4' '(2, 15)' "$(floats 1 0 0 1 1 0 0 1 1 0 0 1 1 0 0 0 1 0 0 0 1 0 0 0 1 0 0 0 1 0)"
prune run retrained --inputs x.npy -o y2.npy
refused "inputs of another width" 3 "16 numbers"
prune run retrained --inputs x.npy --value left -o y2.npy
refused "an output that is not there" 2 "left"

prune model dense --layer fc9=0.5 -o none
refused "a layer that is not there" 2 "fc9"
prune model dense --layer fc1 -o none
refused "a layer without a sparsity" 2 "NAME=S"
prune model dense --layer fc1=2 -o none
refused "a layer with too much" 2 "0 to 1"
prune model dense --layer fc1=0.5 --layer fc1=0.6 -o none
refused "a layer twice" 2 "twice"
prune model dense --layer fc1=0.5 --sparsity 0.5 -o none
refused "--layer and --sparsity" 2 "--sparsity"
prune model dense --layer fc1=0.5 --granularity nm --keep-n 2 --group-m 4 -o none
refused "--layer and a quota" 2 "quota"
prune model dense -o none
refused "no target" 2 "--sparsity"
finish
