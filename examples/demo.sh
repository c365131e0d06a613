#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Trains LeNet-300-100 on Fashion-MNIST, prunes it in several ways, retrains, packs, runs and compares.
#
#   examples/demo.sh [--data DIR] [--seed N] [--out DIR]
#
# --data takes any folder with four IDX files; the results go to build/demo unless --out says otherwise. The same seed
# gives the same numbers, times apart, on the same kind of processor.
set -eu
# OpenBLAS reads these when it is loaded: the dense times are those of what it chooses by itself.
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE

root=$(cd "$(dirname "$0")/.." && pwd)
tool=${PRUNE:-$root/build/prune}
data=/usr/share/datasets/fashion-mnist
seed=1
out=$root/build/demo

fail() {
  echo "demo: $1" >&2
  exit "$2"
}

while [ $# -gt 0 ]; do
  case $1 in
  --data | --seed | --out)
    [ $# -ge 2 ] || fail "$1 needs a value" 2
    case $1 in --data) data=$2 ;; --seed) seed=$2 ;; --out) out=$2 ;; esac
    shift 2
    ;;
  --help | -h)
    sed -n '3,8s/^# \{0,1\}//p' "$0"
    exit 0
    ;;
  *) fail "there is no option $1; --data DIR, --seed N and --out DIR are all" 2 ;;
  esac
done

[ -x "$tool" ] || fail "$tool is not there; run make first" 4
[ -d "$data" ] ||
  fail "there is no data set in $data; apt-get install dataset-fashion-mnist, or give a folder of IDX files: --data DIR" 4
data=$(cd "$data" && pwd)
mkdir -p "$out"
cd "$out"
started=$(date +%s)

# The tool as a user would call it. In a background chain it is a child that can be ended with the chain.
in_background='' child='' other=''
prune() {
  if [ -z "$in_background" ]; then
    "$tool" "$@"
  else
    "$tool" "$@" &
    child=$!
    wait "$child"
  fi
}

print_command() {
  printf '$ prune'
  for word in "$@"; do
    case $word in *[!A-Za-z0-9_./=:,+-]*) word="'$word'" ;; esac
    printf ' %s' "$word"
  done
}

# Shows a command line and runs it; `shown_to FILE` also shows where its output goes.
shown() {
  print_command "$@"
  echo
  prune "$@"
}
shown_to() {
  file=$1
  shift
  print_command "$@"
  echo " > $file"
  prune "$@" > "$file"
}

# Runs two chains side by side; the second one's output is shown when both are done.
side_by_side() {
  (
    in_background=yes
    trap 'kill "$child" 2> /dev/null; exit 143' TERM
    "$2"
  ) > second.log 2>&1 < /dev/null &
  other=$!
  "$1"
  status=0
  wait "$other" || status=$?
  other=
  cat second.log
  rm -f second.log
  [ "$status" -eq 0 ] || exit "$status"
}
trap '[ -z "$other" ] || kill "$other" 2> /dev/null || :' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

title() {
  printf '\n%s\n' "$1"
}

# Names end in how much of the weights is kept, in %.
levels='50 20 8 4 2'
set_layers() {
  case $1 in
  50) layers='fc1=0.5 fc2=0.5 fc3=0.5' ;;
  20) layers='fc1=0.8 fc2=0.8 fc3=0.6' ;;
  8) layers='fc1=0.92 fc2=0.91 fc3=0.74' ;; # 12 times fewer: Han et al. 2015
  4) layers='fc1=0.96 fc2=0.95 fc3=0.8' ;;
  2) layers='fc1=0.98 fc2=0.97 fc3=0.85' ;;
  esac
}

# FROM LEVEL TO
prune_to() {
  set_layers "$2"
  from=$1 to=$3
  set -- model "$from.safetensors"
  for layer in $layers; do
    set -- "$@" --layer "$layer"
  done
  shown "$@" -o "$to.safetensors"
}

# FROM EPOCHS TO
retrain() {
  shown train --from "$1.safetensors" --epochs "$2" --lr 0.02 --data "$data" --seed "$seed" -o "$3.safetensors"
}

title '1. Train LeNet-300-100.'
shown train --arch 784-300-100-10 --epochs 10 --lr 0.05 --data "$data" --seed "$seed" -o dense.safetensors

title '2. Prune by magnitude, without retraining; then retrain in three ways, and 2:4 in two.'
for level in $levels; do
  prune_to dense "$level" "pruned-$level"
done
shown_to pruned.json eval --json --no-times --no-agreement --data "$data" pruned-50.safetensors pruned-20.safetensors \
  pruned-8.safetensors pruned-4.safetensors pruned-2.safetensors

stepwise() {
  echo '# One-shot: from the dense network to each level, then 3 epochs.'
  for level in $levels; do
    retrain "pruned-$level" 3 "one-shot-$level"
  done
  echo '# Iterative: from level to level, 3 epochs at each. The first is the one-shot one.'
  before=one-shot-50
  for level in 20 8 4 2; do
    prune_to "$before" "$level" step
    retrain step 3 "iterative-$level"
    before=iterative-$level
  done
  echo '# 2 of every 4 weights, and the same pattern in 4 neighbouring rows.'
  shown model dense.safetensors --granularity nm --keep-n 2 --group-m 4 -o step.safetensors
  retrain step 3 nm
  shown model dense.safetensors --granularity nm --keep-n 2 --group-m 4 --unit-rows 4 -o step.safetensors
  retrain step 3 nm-rows
  rm -f step.safetensors
}
equal_epochs() {
  echo '# One-shot with as many epochs as the iterative network has had at that level.'
  retrain pruned-20 6 equal-20
  retrain pruned-8 9 equal-8
  retrain pruned-4 12 equal-4
  retrain pruned-2 15 equal-2
}
side_by_side stepwise equal_epochs

title '3. Pack the retrained networks, load them back, and run all test images through them.'
packed='one-shot-50 one-shot-20 one-shot-8 one-shot-4 one-shot-2 iterative-20 iterative-8 iterative-4 iterative-2
  equal-20 equal-8 equal-4 equal-2 nm nm-rows'
pack_and_compare() {
  for name in "$@"; do
    case $name in nm*) format='nm' ;; *) format=csr ;; esac
    shown pack "$name.safetensors" --format $format -o "$name.packed.safetensors"
    shown eval --same --no-times --data "$data" "$name.safetensors" "$name.packed.safetensors"
  done
}
compare_first() {
  pack_and_compare one-shot-50 one-shot-20 one-shot-8 one-shot-4 one-shot-2 nm nm-rows
}
compare_second() {
  pack_and_compare iterative-20 iterative-8 iterative-4 iterative-2 equal-20 equal-8 equal-4 equal-2
}
side_by_side compare_first compare_second

title '4. What it costs and what it gains. Nothing else runs meanwhile.'
set -- dense.safetensors
for name in $packed; do
  set -- "$@" "$name.packed.safetensors"
done
shown_to packed.json eval --json --no-agreement --rounds 31 --data "$data" "$@"

# The records: which file is which variant, and what to draw.
comma=
variant() { # NAME FILE [more]
  printf '%s\n  {"name": "%s", "file": "%s.safetensors"%s}' "$comma" "$1" "$2" "${3:-}"
  comma=,
}
variants() { # PREFIX "WORD " SUFFIX [more]
  for level in $levels; do
    case $1-$level in
    iterative-50 | equal-50) continue ;; # the same network as one-shot, 50 %
    esac
    variant "$2, $level %" "$1-$level$3" "${4:-}"
  done
}
curve() { # NAME and variants
  printf '%s\n    {"name": "%s", "variants": [' "$comma" "$1"
  shift
  comma=
  for word in "$@"; do
    printf '%s"%s"' "$comma" "$word"
    comma=', '
  done
  printf ']}'
  comma=,
}
retrained_curves() {
  comma=
  curve 'one-shot, 3 epochs' 'one-shot, 50 %' 'one-shot, 20 %' 'one-shot, 8 %' 'one-shot, 4 %' 'one-shot, 2 %'
  curve 'iterative, 3 epochs a step' 'one-shot, 50 %' 'iterative, 20 %' 'iterative, 8 %' 'iterative, 4 %' \
    'iterative, 2 %'
  curve 'one-shot, as many epochs' 'one-shot, 50 %' 'equal epochs, 20 %' 'equal epochs, 8 %' 'equal epochs, 4 %' \
    'equal epochs, 2 %'
}
picture() { # CAPTION FILE [more]
  printf '{"caption": "%s", "file": "%s.safetensors", "parameter": "fc1.weight"%s}' "$1" "$2" "${3:-}"
}
records() {
  printf '{"schema": 1, "title": "LeNet-300-100 on Fashion-MNIST, pruned", "seed": %s,\n' "$seed"
  printf ' "texts": ["%s"],\n "variants": [' \
    'A network of 266,610 parameters was trained, pruned by magnitude (biases stay), retrained, and packed. Names give the weights that were kept, in percent; 8 % is one parameter in twelve (Han et al. 2015).'
  variant dense dense
  variants pruned 'not retrained' '' ', "accuracy_only": true'
  variants one-shot 'one-shot' .packed
  variants iterative 'iterative' .packed
  variants equal 'equal epochs' .packed
  variant '2:4' nm.packed
  variant '2:4, shared by 4 rows' nm-rows.packed
  printf '],\n "charts": [\n  {"caption": "%s", "curves": [' 'Accuracy over sparsity'
  retrained_curves
  curve 'not retrained' 'not retrained, 50 %' 'not retrained, 20 %' 'not retrained, 8 %' 'not retrained, 4 %' \
    'not retrained, 2 %'
  printf ']},\n  {"caption": "%s", "curves": [' 'The same, retrained networks only'
  retrained_curves
  printf ']}],\n "histograms": [\n  '
  picture 'fc1 before pruning' dense ', "limit": 0.25'
  printf ',\n  '
  picture 'fc1 pruned to 8 %' pruned-8 ', "limit": 0.25'
  printf ',\n  '
  picture 'fc1 after retraining' one-shot-8 ', "limit": 0.25'
  printf '],\n "masks": ['
  picture 'What is kept of fc1, iterative, 8 %: a row for each of the 300 outputs, a column for each pixel' iterative-8
  printf '],\n "closing": {"reference": "dense", "variant": "iterative, 8 %%"},\n "evals": [\n'
  cat pruned.json
  echo ,
  cat packed.json
  echo ']}'
}
records > demo.json
shown report demo.json | sed '$d'

title '5. The page.'
shown report demo.json -o report.html > page.log
sed -e '$d' page.log
echo "$out/report.html, after $(($(date +%s) - started)) s"
echo
sed -n '$p' page.log
rm -f page.log
