#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# prune pack on whole models, what runs packed ones, and --freeze-shape.
. tests/tool.sh
make_json
data=${PRUNE_TEST_DATA:-$PWD/none}
tiny=$PWD/tests/golden/tiny.onnx
cd "$scratch" || exit 1
npy x.npy '|u1' '(6, 2, 8, 8)' "$(awk 'BEGIN { for (i = 0; i < 768; i++) printf "\\%03o", (i * i * 7 + i * 31) % 251 }')"
npy labels.npy '|u1' '(6,)' '\000\001\002\003\000\001'
prune model "$tiny" --inputs x.npy --sparsity 0.9 -o pruned.onnx
ended "a pruned model" 0

prune pack pruned.onnx --batch 6 --format csr -o packed --json
ended "pack" 0
equal "all of it is packed" "$(json "$out" packed) $(json "$out" pruned)" "3 3"
equal "pack says the bytes" "$(json "$out" file_bytes)" "$(($(wc -c < packed)))"
prune pack pruned.onnx --inputs x.npy -o packed.auto
ended "pack for inputs" 0
says "it says how many are packed" "of 3 pruned weights packed"
for file in packed packed.auto; do
  prune compare pruned.onnx $file --inputs x.npy --labels labels.npy --no-times --json
  ended "compare with $file" 0
  equal "$file: the same weights" "$(json "$out" models 0 nonzero) $(json "$out" models 0 macs_kept)" \
    "$(json "$out" models 1 nonzero) $(json "$out" models 1 macs_kept)"
  if awk -v d="$(json "$out" outputs 0 relative)" 'BEGIN { exit !(d < 1e-5) }'; then ok "$file: the same outputs"; else
    fail "$file: the same outputs" "they differ by $(json "$out" outputs 0 relative)"; fi
done
prune run packed --inputs x.npy -o y.npy
ended "run of a packed model" 0
prune eval packed --inputs x.npy --labels labels.npy --json
ended "eval of a packed model" 0
equal "its samples" "$(json "$out" samples)" 6
prune inspect packed --json
ended "inspect of a packed model" 0
equal "its parameters" "$(json "$out" parameters)" 796
prune model packed --inputs x.npy --sparsity 0.95 -o more.onnx
ended "a packed model is pruned further" 0

rm -f none
prune pack pruned.onnx --format best -o none
refused "a format that is none" 2 best
prune pack pruned.onnx
refused "no output" 2 "-o PACKED"
head -c 2000 packed > cut.packed
prune run cut.packed --inputs x.npy -o none
refused "a truncated packed model" 3 cut.packed
prune eval cut.packed --inputs x.npy --labels labels.npy
refused "samples for a truncated packed model" 3 truncated
prune inspect --inputs x.npy packed --freeze-shape none=3
refused "an extent that is none" 2 '"batch"'
# One bit of the last blob.
size=$(($(wc -c < packed)))
{ head -c $((size - 40)) packed; tail -c 40 packed | head -c 1 | tr '\000-\377' '\001-\377\000'; tail -c 39 packed; } > flipped
prune run flipped --inputs x.npy -o none
refused "a packed model with a wrong byte" 3 flipped
if [ -e none ]; then fail "nothing is written" "none is there"; else ok "nothing is written"; fi

prune inspect "$tiny"
ended "inspect names extents" 0
says "the batch" "[batch,2,8,8]"
prune inspect "$tiny" --freeze-shape batch=4 --json
ended "inspect with a frozen extent" 0
equal "what runs for four" "$(json "$out" macs)" $((4 * (64 * 8 * 2 * 9 + 9 * 8 * 8 * 9 + 4 * 8)))
equal "the shape" "$(json "$out" inputs 0 shape)" "[4,2,8,8]"
prune run "$tiny" --inputs x.npy -o y.npy
prune run "$tiny" --inputs x.npy --freeze-shape batch=3 -o three.npy
ended "run in parts of the frozen extent" 0
if cmp -s y.npy three.npy; then ok "the same outputs"; else fail "the same outputs" "they differ"; fi
prune run "$tiny" --inputs x.npy --freeze-shape batch=4 -o y.npy
refused "samples that are no multiple of the frozen extent" 3 '"image" is [4,2,8,8]: 6 samples are no multiple of 4'
for word in batch batch= =3 batch=-1 batch=x; do
  prune eval "$tiny" --inputs x.npy --labels labels.npy --freeze-shape "$word"
  refused "--freeze-shape $word" 2 "NAME=N"
done
prune model "$tiny" --inputs x.npy --freeze-shape batch=6 --sparsity 0.5 -o six.onnx
ended "a model is written with the extent" 0
prune inspect six.onnx --json
equal "it is six" "$(json "$out" inputs 0 shape)" "[6,2,8,8]"

if [ -e "$data/kws/ds_cnn_kws.onnx" ]; then
  prune model "$data/kws/ds_cnn_kws.onnx" --inputs "$data/kws/kws01_inputs.npy" --count 50 --granularity nm --keep-n 2 \
    --group-m 4 --recover sparsegpt -o kws.onnx
  prune pack kws.onnx --batch 64 -o kws.packed
  ended "DS-CNN packed" 0
  prune compare kws.onnx kws.packed --inputs "$data/kws/kws01_inputs.npy" --count 128 --no-times --json
  if awk -v d="$(json "$out" outputs 0 relative)" 'BEGIN { exit !(d < 1e-5) }'; then ok "DS-CNN packed: the same outputs"; else
    fail "DS-CNN packed: the same outputs" "they differ by $(json "$out" outputs 0 relative)"; fi
else
  skip "DS-CNN packed" "PRUNE_TEST_DATA=DIR says where data are"
fi
finish
