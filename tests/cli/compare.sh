#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# prune compare: whole models side by side.
. tests/tool.sh
make_json
tiny=$PWD/tests/golden/tiny.onnx fixed=$PWD/tests/golden/fixed.onnx
cd "$scratch" || exit 1
npy x.npy '|u1' '(6, 2, 8, 8)' "$(awk 'BEGIN { for (i = 0; i < 768; i++) printf "\\%03o", (i * i * 7 + i * 31) % 251 }')"
npy labels.npy '|u1' '(6,)' '\000\001\002\003\000\001'
npy wrong.npy '|u1' '(6,)' '\000\001\002\003\004\001'
npy few.npy '|u1' '(5,)' '\000\001\002\003\000'

prune compare "$tiny" "$tiny" --inputs x.npy --labels labels.npy --rounds 3 --json
ended "a model and itself" 0
equal "nothing differs" "$(json "$out" outputs 0 largest) $(json "$out" outputs 0 relative)" "0 0"
equal "the same accuracy" "$(json "$out" models 0 correct)" "$(json "$out" models 1 correct)"
equal "parameters and multiply-adds of a sample" "$(json "$out" models 0 parameters) $(json "$out" models 0 macs)" \
  "796 $((64 * 8 * 2 * 9 + 9 * 8 * 8 * 9 + 4 * 8))"
equal "all are kept" "$(json "$out" models 0 macs_kept)" "$(json "$out" models 0 macs)"
equal "bytes" "$(json "$out" models 0 file_bytes)" "$(($(wc -c < "$tiny")))"
if json "$out" models 1 seconds > /dev/null; then ok "times"; else fail "times" "none"; fi

prune model "$tiny" --inputs x.npy --sparsity 0.5 -o half.onnx
prune compare "$tiny" half.onnx --inputs x.npy --batch 4 --no-times --json
ended "a model and half of it, in two parts" 0
equal "half of the multiply-adds" "$(json "$out" models 1 macs_kept)" $(((64 * 8 * 2 * 9 + 9 * 8 * 8 * 9 + 4 * 8) / 2))
equal "half of the weights" "$(json "$out" models 1 nonzero)" $((796 - 72 - 288 - 16))
if [ "$(json "$out" outputs 0 largest)" != 0 ]; then ok "something differs"; else fail "something differs" "nothing"; fi
prune compare "$tiny" half.onnx --inputs x.npy --labels labels.npy --rounds 3
ended "the table" 0
says "it names the model" half.onnx
says "it has the accuracy" "%"
says "it names the output" logits
prune compare "$tiny" half.onnx --inputs x.npy --no-times --within 1e-6
if [ "$code" -eq 1 ] && [ -s "$out" ]; then ok "further apart than asked for"; else fail "further apart than asked for" "exit code $code"; fi
prune compare half.onnx half.onnx --inputs x.npy --no-times --within 0
ended "not further apart than asked for" 0
prune compare half.onnx half.onnx --inputs x.npy --no-times --within -1
refused "further apart than possible" 2 "--within"
# Known by what is in it.
cp half.onnx half.bin
prune compare half.onnx half.bin --inputs x.npy --no-times --json
ended "a model of another name" 0
prune eval half.bin --inputs x.npy --labels labels.npy --json
ended "eval of a model of another name" 0

prune compare "$tiny" half.onnx --inputs x.npy --labels wrong.npy
refused "a label outside the classes" 3 "label 4 of sample 4 is outside the 4 classes"
prune compare "$tiny" half.onnx --inputs x.npy --labels few.npy
refused "too few labels" 3 "5 labels of rank 1; 6 are needed"
prune compare "$tiny" half.onnx
refused "no inputs" 2 'input "image" is missing'
prune compare "$tiny" "$fixed" --inputs x.npy
refused "a model with other outputs" 3 "2"
prune compare "$tiny" --inputs x.npy
refused "one model" 2 "two models"
prune compare "$tiny" none.onnx --inputs x.npy
refused "a model that is not there" 4 none.onnx
finish
