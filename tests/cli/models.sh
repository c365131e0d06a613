#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Whole models: tests/golden/tiny.onnx, and the trained networks of the test data where they are.
. tests/tool.sh
make_json
data=${PRUNE_TEST_DATA:-../shared/data}
case $data in /*) ;; *) data=$PWD/$data ;; esac
tiny=$PWD/tests/golden/tiny.onnx
several=$PWD/tests/golden/several.onnx unknown=$PWD/tests/golden/unknown.onnx
fixed=$PWD/tests/golden/fixed.onnx fixed_first=$PWD/tests/golden/fixed_first.onnx inputs65=$PWD/tests/golden/inputs65.onnx
cp "$tiny" "$scratch/before.onnx"
cd "$scratch" || exit 1

# 6 images of 2 x 8 x 8 in u8, as channels first and last.
npy x.npy '|u1' '(6, 2, 8, 8)' "$(awk 'BEGIN { for (i = 0; i < 768; i++) printf "\\%03o", (i * i * 7 + i * 31) % 251 }')"
npy last.npy '|u1' '(6, 8, 8, 2)' "$(awk 'BEGIN {
  for (n = 0; n < 6; n++) for (p = 0; p < 64; p++) for (c = 0; c < 2; c++) {
    i = n * 128 + c * 64 + p; printf "\\%03o", (i * i * 7 + i * 31) % 251 } }')"
npy labels.npy '|u1' '(6,)' '\000\001\002\003\000\001'
npy wrong.npy '|u1' '(6,)' '\000\001\002\004\000\001'
set -- --scale 0.00392156862745098 --mean 0.5,0.4 --std 0.25,0.3

prune inspect "$tiny" --json
ended "inspect" 0
equal "inspect counts parameters" "$(json "$out" parameters) $(json "$out" nodes) $(json "$out" opset)" "796 8 13"
prune inspect "$tiny" --inputs x.npy --count 1 --json
equal "inspect counts multiply-adds" "$(json "$out" macs)" $((64 * 8 * 2 * 9 + 9 * 8 * 8 * 9 + 4 * 8))
# The image and what the first convolution makes of it; 780 words from memory, and what the layers read and write.
equal "inspect: bytes of values" "$(json "$out" activation_bytes)" $((4 * (2 * 8 * 8 + 8 * 8 * 8)))
equal "inspect: energy" "$(awk -v energy="$(json "$out" energy_pj)" 'BEGIN {
  wanted = 780 * 640 + 14432 * 4.6 + (128 + 512 + 512 + 72 + 8 + 4) * 5
  near = energy > wanted - 0.1 && energy < wanted + 0.1; print near ? "right" : energy }')" right

prune run "$tiny" --inputs x.npy "$@" -o y.npy
ended "run" 0
prune run "$tiny" --inputs image=last.npy --layout nhwc "$@" --batch 4 -o logits=again.npy
ended "run, channels last, in two parts" 0
if cmp -s y.npy again.npy; then ok "the same outputs"; else fail "the same outputs" "they differ"; fi
prune eval "$tiny" --inputs x.npy --labels labels.npy "$@" --json
ended "eval" 0
equal "eval counts" "$(json "$out" samples) $(json "$out" classes)" "6 4"
prune eval "$tiny" --inputs x.npy --labels wrong.npy "$@"
refused "a label outside the classes" 3 "label 4 of sample 3 is outside the 4 classes"
prune eval "$tiny" --inputs y.npy --labels labels.npy
refused "images of another shape" 3 "2,8,8]"
prune eval "$tiny" --inputs x.npy --labels labels.npy --layout nhwc
refused "images that are not channels last" 3 'x.npy is [6,8,2,8] as n,c,h,w; input "image" of the model is [batch,2,8,8]'
npy gray.npy '|u1' '(6, 64)' "$(awk 'BEGIN { for (i = 0; i < 384; i++) printf "\\%03o", i % 251 }')"
prune eval "$tiny" --inputs gray.npy --labels labels.npy --layout nhwc
refused "images without channels" 2 "gray.npy has rank 2"
prune eval "$tiny" --inputs x.npy --labels labels.npy --count 7
refused "fewer samples than were asked for" 2 "x.npy has 6 samples; 7 from 0 on"
prune eval "$tiny" --inputs x.npy --labels labels.npy --first 4 --json
equal "samples from one on" "$(json "$out" samples)" 2
prune run "$tiny" -o y.npy
refused "an input that is missing" 2 'input "image" is missing'
prune run "$tiny" --inputs other=x.npy -o y.npy
refused "an input that is none" 2 '"other=x.npy" is for no input'
prune run "$tiny" --inputs x.npy --mean 1,2,3 -o y.npy
refused "means for another number of channels" 2 "2 channels"
prune run "$tiny" --inputs x.npy -o none=y.npy
refused "an output that is none" 2 "no such output"

# Axis 0 of z is as long as the first part of two samples, and not as the last of one.
npy three.npy '|u1' '(3, 4)' '\001\002\003\004\005\006\007\010\011\012\013\014'
prune run "$fixed" --inputs three.npy --batch 2 -o y=y3.npy -o z=z3.npy
refused "an output that counts no samples, in the last part" 3 'output "z" has no axis 0 that counts the 1 samples'
if [ -e z3.npy ]; then fail "no output is written" "z3.npy is there"; else ok "no output is written"; fi
# And as long as both parts of two of four samples.
npy four.npy '|u1' '(4, 4)' '\001\002\003\004\005\006\007\010\011\012\013\014\015\016\017\020'
prune run "$fixed" --inputs four.npy --batch 2 -o y=y3.npy -o z=z3.npy
refused "an output that counts no samples, in no part" 3 'output "z" has no axis 0 that counts the 1 samples'
if [ -e z3.npy ]; then fail "no output is written" "z3.npy is there"; else ok "no output is written"; fi
prune run "$fixed" --inputs four.npy --batch 2 -o y=y3.npy
ended "an output that counts them, in equal parts" 0
prune run "$fixed" --inputs four.npy --batch 1 -o z=z3.npy
refused "an output that counts no samples, one at a time" 3 'output "z" has no axis 0'
npy right.npy '|u1' '(4,)' '\000\001\002\003'
prune eval "$fixed_first" --inputs four.npy --labels right.npy --batch 2
refused "eval of an output that counts no samples" 3 'output "z" has no axis 0'
prune run "$fixed" --inputs three.npy --batch 3 -o y=y3.npy -o z=z3.npy
ended "an output that counts no samples, all at once" 0
prune run "$fixed" --inputs three.npy --batch 3 -o all.npz
ended "all outputs into an archive" 0
says "both are named" 'output "z"'
prune convert all.npz y3again.npy --name y
ended "an output out of the archive" 0
if cmp -s y3.npy y3again.npy; then ok "it is the same"; else fail "it is the same" "it differs"; fi
prune run "$fixed" --inputs three.npy --batch 3 -o all/
ended "all outputs into a new folder" 0
if cmp -s y3.npy all/y.npy && cmp -s z3.npy all/z.npy; then ok "a file for each"; else fail "a file for each" "$(ls all)"; fi
prune run "$fixed" --inputs three.npy --batch 3 -o all
refused "a folder with files in it" 4 "a new or an empty folder"
equal "no other folder stays" "$(echo all*)" "all all.npz"
mkdir empty && prune run "$fixed" --inputs three.npy --batch 3 -o empty
ended "all outputs into an empty folder" 0
equal "there they are" "$(echo empty/*)" "empty/y.npy empty/z.npy"
prune run "$fixed" --inputs three.npy --batch 3 -o y=first.npy -o z=none/z.npy
refused "a folder that is not there" 4 "none/z.npy"
if [ -e first.npy ]; then fail "no output is written before" "first.npy is there"; else ok "no output is written before"; fi

# Several inputs, and some that are set.
npy x3.npy '<f4' '(3, 4)' "$(floats 0 1 2 3 4 5 6 7 8 9 0 1)"
npy b3.npy '<f4' '(3, 4)' "$(floats 1 1 1 1 2 2 2 2 0 0 0 0)"
npy b1.npy '<f4' '(1, 4)' "$(floats 1 2 3 4)"
npy shape.npy '<i8' '(2,)' '\002\000\000\000\000\000\000\000\004\000\000\000\000\000\000\000'
npy sum.npy '<f4' '(3, 4)' "$(floats 1 2 3 4 6 7 8 9 8 9 0 1)"
prune run "$several" --inputs x3.npy --inputs b3.npy --set shape=3,4 --batch 3 -o y=s.npy
ended "two inputs in order and one that is set" 0
if cmp -s s.npy sum.npy; then ok "their sum"; else fail "their sum" "$(tail_bytes s.npy 48)"; fi
prune run "$several" --inputs b=b3.npy --inputs x=x3.npy --set shape=3,4 -o y=t.npy
ended "two inputs by name" 0
if cmp -s s.npy t.npy; then ok "the same sum"; else fail "the same sum" "it differs"; fi
prune run "$several" --inputs x=x3.npy --set b=b1.npy --set shape=shape.npy --batch 3 -o out.npz
ended "arrays that are set" 0
prune convert out.npz z.npy --name z
equal "an input that is set in every part" "$(tail_bytes z.npy 32)" \
  "0 0 128 63 0 0 0 64 0 0 64 64 0 0 128 64 0 0 128 63 0 0 0 64 0 0 64 64 0 0 128 64"
prune run "$several" --inputs x=x3.npy --inputs b=b3.npy -o s.npy
refused "one input is missing" 2 'input "shape" is missing'
prune run "$several" --inputs x=x3.npy --inputs b=b3.npy --set shape=3 -o s.npy
refused "too few numbers" 2 '"shape" does not take 1 numbers'
prune run "$several" --inputs x=x3.npy --inputs b=b3.npy --set shape=3,4.5 -o s.npy
refused "a number that is not whole" 3 "4.5"
prune run "$several" --inputs x=x3.npy --inputs b=b3.npy --set shape -o s.npy
refused "a set without a value" 2 "NAME=VALUE"
prune run "$several" --inputs x=x3.npy --inputs x=x3.npy --set shape=3,4 -o s.npy
refused "an input that is given twice" 2 'input "x" is given twice'
prune run "$several" --inputs x3.npy --inputs b1.npy --set shape=3,4 -o s.npy
refused "inputs of two lengths" 2 "b1.npy has 1 samples"
prune inspect "$unknown" --json
ended "inspect of an operator that is unknown" 0
if json "$out" cannot_run | grep -q Mystery; then ok "it says why it cannot run"; else fail "it says why it cannot run" "it does not"; fi
prune run "$unknown" --inputs x3.npy -o s.npy
refused "run of an operator that is unknown" 3 Mystery
prune inspect "$tiny" --json
equal "layers without inputs" "$(json "$out" layers 0 layer) $(json "$out" layers 0 macs) $(json "$out" macs_kept)" \
  "conv1 $((64 * 8 * 2 * 9)) $((64 * 8 * 2 * 9 + 9 * 8 * 8 * 9 + 4 * 8))"
prune inspect "$tiny" --inputs x.npy --measure --json
equal "a sample's multiply-adds" "$(json "$out" layers 0 macs)" $((64 * 8 * 2 * 9))
if json "$out" layers 2 input_density > /dev/null; then ok "how dense inputs are"; else fail "how dense inputs are" "not said"; fi
prune inspect "$tiny" --measure --batch 2
ended "the table of inspect" 0
says "it says the energy" "for one sample"
for command in "run -o y3.npy" "eval --labels labels.npy" inspect "model --sparsity 0.5 -o none.onnx"; do
  # shellcheck disable=SC2086
  prune $command "$inputs65" --inputs three.npy
  refused "65 inputs, ${command%% *}" 3 "65 inputs; at most 64"
done

for method in "--criterion l1" "--criterion wanda" "--recover sparsegpt" "--recover obc" \
  "--criterion l1 --recover least-squares" "--criterion wanda --recover obs"; do
  # shellcheck disable=SC2086
  prune model "$tiny" --inputs x.npy "$@" --sparsity 0.5 $method -o pruned.onnx --json
  ended "model $method" 0
  equal "model $method keeps half" "$(for i in 0 1 2; do json "$out" layers $i kept; done | tr '\n' ' ')" "72 288 16 "
  prune eval pruned.onnx --inputs x.npy --labels labels.npy "$@"
  ended "eval of model $method" 0
done
prune model "$tiny" --inputs x.npy "$@" --granularity nm --keep-n 2 --group-m 4 --recover sparsegpt --bn-recalibrate \
  -o pruned.onnx --form parameters=sparse --json
ended "model 2:4, recalibrated, written sparse" 0
equal "one batch normalisation" "$(json "$out" recalibrated)" 1
prune inspect pruned.onnx --json
ended "inspect of what was written sparse" 0
prune model "$tiny" --inputs x.npy --params 300 --exclude fc -o pruned.onnx --json
ended "model --params" 0
equal "model --params keeps at most 300" "$(($(json "$out" layers 0 kept) + $(json "$out" layers 1 kept)))" 300
equal "fc is left out" "$(json "$out" layers 2 kept)" 32
for bytes in 700 1500 3008; do
  prune model "$tiny" --inputs x.npy --bytes $bytes -o pruned.onnx --json
  ended "model --bytes $bytes" 0
  used=$(($(json "$out" layers 0 bytes) + $(json "$out" layers 1 bytes) + $(json "$out" layers 2 bytes)))
  # One weight more would take 4 bytes or 8.
  if [ $used -le $bytes ] && [ $used -gt $((bytes - 9)) ]; then ok "--bytes $bytes is used"; else fail "--bytes $bytes is used" "$used"; fi
done
equal "what fits stays dense" "$(json "$out" layers 1 kept)" 576
prune model "$tiny" --inputs x.npy --bytes 700 --dry-run --json
ended "model --bytes --dry-run" 0
used=$(($(json "$out" layers 0 bytes) + $(json "$out" layers 1 bytes) + $(json "$out" layers 2 bytes)))
if [ $used -le 700 ]; then ok "the plan says the bytes"; else fail "the plan says the bytes" "$used"; fi
prune model "$tiny" --inputs x.npy --bytes 10 -o pruned.onnx
refused "too few bytes" 3 "a budget of 10 bytes"
prune model "$tiny" --inputs x.npy --bytes 1000 --params 10 -o pruned.onnx
refused "two budgets" 2 "once"
prune model "$tiny" --inputs x.npy --bytes many -o pruned.onnx
refused "bytes that are no number" 2 '"many"'
prune model "$tiny" --inputs x.npy --macs 5000 --dry-run
ended "model --macs --dry-run" 0
says "the plan names the layers" conv2.weight
prune model "$tiny" --inputs x.npy --sparsity 0.5 --include 'conv*' --granularity filter -o pruned.onnx --json
ended "model --granularity filter" 0
equal "half of the filters" "$(json "$out" layers 0 kept) $(json "$out" layers 1 kept)" "72 288"

rm -f none.onnx
prune model "$tiny" --inputs x.npy -o none.onnx
refused "no target" 2 "--sparsity S"
prune model "$tiny" --inputs x.npy --sparsity 1.5 -o none.onnx
refused "a sparsity above 1" 2 "from 0 to 1"
prune model "$tiny" --inputs x.npy --sparsity 0.5 --exclude nothing -o none.onnx
refused "a layer that is none" 2 'no layer is named "nothing"'
prune model "$tiny" --inputs x.npy --params 1 --exclude nothing -o none.onnx
refused "a budget and a wrong name" 2 "nothing"
prune model "$tiny" --inputs x.npy --sparsity 0.5 --criterion taylor -o none.onnx
refused "a criterion of gradients" 3 "gradients"
if [ -e none.onnx ]; then fail "nothing is written" "none.onnx is there"; else ok "nothing is written"; fi
head -c 2000 before.onnx > cut.onnx
prune run cut.onnx --inputs x.npy -o y.npy
if [ "$code" -eq 3 ]; then ok "a truncated model"; else fail "a truncated model" "exit code $code: $(cat "$err")"; fi
if cmp -s "$tiny" before.onnx; then ok "the model is as it was"; else fail "the model is as it was" "it changed"; fi

# NAME MODEL RIGHT OPTION...: how many samples a trained network gets right.
right() {
  name=$1 model=$2 expected=$3
  shift 3
  if [ -e "$data/$model" ]; then
    prune eval "$data/$model" --json "$@"
    equal "$name" "$(json "$out" correct)" "$expected"
  else
    skip "$name" "$data/$model is not there"
  fi
}
for n in 20.180 56.182; do
  right "ResNet-${n%.*} on 200 images" "resnet/resnet${n%.*}.onnx" "${n#*.}" --layout nhwc --scale 0.00392156862745098 \
    --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225 --inputs "$data/cifar10/test200_images.npy" \
    --labels "$data/cifar10/test200_labels.npy"
done
right "DS-CNN on 1000 words" kws/ds_cnn_kws.onnx 913 --inputs "$data/kws/kws01_inputs.npy" \
  --labels "$data/kws/kws01_labels.npy"
finish
