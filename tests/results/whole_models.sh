#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# What pruning without retraining leaves of trained networks: `tests/results/whole_models.sh [NETWORK...]` prints the rows
# of README's table, for resnet20, resnet56 and ds_cnn or those that are named. From the top folder, after make; needs
# the test data (PRUNE_TEST_DATA, or ../shared/data). Minutes for each network; the same numbers on every run of one
# machine, to the rounding of its BLAS on another.
set -eu
prune=${PRUNE:-build/prune}
data=${PRUNE_TEST_DATA:-../shared/data}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

images="--layout nhwc --scale 0.00392156862745098 --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225"
accuracy() { sed -n 's/.*accuracy \([0-9.]*\) %.*/\1/p'; }

# MODEL OPTIONS-OF-BOTH INPUTS LABELS CALIBRATION EVALUATION LAYERS
network() {
  model=$1 options=$2 inputs=$3 labels=$4 calibration=$5 evaluation=$6 layers=$7
  # shellcheck disable=SC2086
  evaluate() { "$prune" eval "$1" --inputs "$inputs" --labels "$labels" $options $evaluation 2> /dev/null | accuracy; }
  echo "| $(basename "$model" .onnx) | dense | $(evaluate "$model") | |"
  for sparsity in "50 %:--sparsity 0.5" "70 %:--sparsity 0.7" "2:4:--granularity nm --keep-n 2 --group-m 4" \
    "2:4 of channels:--granularity nm --keep-n 2 --group-m 4 --columns channels-last"; do
    for method in "magnitude:--criterion l1" "Wanda:--criterion wanda" "SparseGPT:--recover sparsegpt" "OBC:--recover obc"; do
      for again in "" --bn-recalibrate; do
        # shellcheck disable=SC2086
        "$prune" model "$model" --inputs "$inputs" $options $calibration $layers --${sparsity#*:--} ${method#*:} $again \
          -o "$scratch/pruned$again.onnx" > /dev/null 2>&1
      done
      echo "| $(basename "$model" .onnx) | ${method%%:*}, ${sparsity%:--*} | $(evaluate "$scratch/pruned.onnx") |" \
        "$(evaluate "$scratch/pruned--bn-recalibrate.onnx") |"
    done
  done
}

# MODEL INPUTS CALIBRATION CHOICE: SparseGPT at 50 % with the block of columns whose network agrees most often with the
# dense one on the samples of CHOICE, which are neither calibrated on nor measured; no label is looked at.
chosen_block() {
  model=$1 inputs=$2 calibration=$3 choice=$4
  # shellcheck disable=SC2086
  "$prune" run "$model" --inputs "$inputs" $images -o "$scratch/dense.npy" > /dev/null 2>&1
  # Its classes as labels: npy's header takes 128 bytes.
  classes=$(od -An -v -tfF -w40 -j128 "$scratch/dense.npy" |
    awk '{ best = 1; for (i = 2; i <= NF; i++) if ($i > $best) best = i; printf "\\0%o", best - 1 }')
  { printf '\223NUMPY\001\000v\000%-117s\n' "{'descr': '|u1', 'fortran_order': False, 'shape': (10000,), }"; printf '%b' "$classes"; } \
    > "$scratch/dense_labels.npy"
  most=0
  for block in 128 64 32 16 8; do
    # shellcheck disable=SC2086
    "$prune" model "$model" --inputs "$inputs" $images $calibration --sparsity 0.5 --recover "sparsegpt:block=$block" \
      -o "$scratch/block.onnx" > /dev/null 2>&1
    # shellcheck disable=SC2086
    agreement=$("$prune" eval "$scratch/block.onnx" --inputs "$inputs" --labels "$scratch/dense_labels.npy" $images $choice \
      2> /dev/null | accuracy)
    if awk -v a="$agreement" -v b="$most" 'BEGIN { exit !(a > b) }'; then
      most=$agreement chosen=$block
    fi
  done
  # shellcheck disable=SC2086
  "$prune" model "$model" --inputs "$inputs" $images $calibration --sparsity 0.5 --recover "sparsegpt:block=$chosen" \
    -o "$scratch/block.onnx" > /dev/null 2>&1
  # shellcheck disable=SC2086
  measured=$("$prune" eval "$scratch/block.onnx" --inputs "$inputs" --labels "$data/cifar10/test10k_jpeg_labels.npy" $images \
    --count 5000 2> /dev/null | accuracy)
  echo "| $(basename "$model" .onnx) | SparseGPT, 50 %, block=$chosen (agrees in $most %) | $measured | |"
}

echo "| network | method | accuracy, % | with batch norm recalibrated, % |"
echo "|---|---|---|---|"
set -f # a * is for prune
[ $# -gt 0 ] || set -- resnet20 resnet56 ds_cnn
for name in "$@"; do
  case $name in
    resnet*) network "$data/resnet/$name.onnx" "$images" "$data/cifar10/test10k_jpeg_images.npy" \
      "$data/cifar10/test10k_jpeg_labels.npy" "--first 5000 --count 512" "--count 5000" ""
      chosen_block "$data/resnet/$name.onnx" "$data/cifar10/test10k_jpeg_images.npy" "--first 5000 --count 512" \
        "--first 6000 --count 4000" ;;
    ds_cnn) network "$data/kws/ds_cnn_kws.onnx" "" "$data/kws/kws01_inputs.npy" "$data/kws/kws01_labels.npy" \
      "--count 200" "--first 200" "--include pw*" ;;
    *) echo "no network \"$name\"" >&2; exit 2 ;;
  esac
done
