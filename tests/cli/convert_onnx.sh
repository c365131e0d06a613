#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# prune convert with ONNX models: sparse initializers, external data, weights out and in.
. tests/tool.sh
make_json
tiny=$PWD/tests/golden/tiny.onnx
cd "$scratch" || exit 1
npy x.npy '|u1' '(6, 2, 8, 8)' "$(awk 'BEGIN { for (i = 0; i < 768; i++) printf "\\%03o", (i * i * 7 + i * 31) % 251 }')"
same() {
  prune compare "$2" "$3" --inputs x.npy --no-times --external --json
  equal "$1" "$code $(json "$out" outputs 0 largest) $(json "$out" models 1 nonzero)" "0 0 $(json "$out" models 0 nonzero)"
}

prune convert "$tiny" again.onnx
ended "a model as it is" 0
if cmp -s "$tiny" again.onnx; then ok "it is the same file"; else fail "it is the same file" "it differs"; fi

prune model "$tiny" --inputs x.npy --sparsity 0.9 -o pruned.onnx
prune convert pruned.onnx sparse.onnx --parameters sparse
ended "dense to sparse" 0
says "it says so" "onnx from onnx"
if [ "$(wc -c < sparse.onnx)" -lt "$(wc -c < pruned.onnx)" ]; then ok "it is smaller"; else fail "it is smaller" "it is not"; fi
same "sparse is the same model" pruned.onnx sparse.onnx
prune convert sparse.onnx dense.onnx --parameters dense
ended "sparse to dense" 0
same "dense is the same model" pruned.onnx dense.onnx
equal "as large as before" "$(($(wc -c < dense.onnx)))" "$(($(wc -c < pruned.onnx)))"
prune pack pruned.onnx --format csr -o packed
prune convert packed unpacked.onnx
ended "packed to ONNX" 0
same "unpacked is the same model" pruned.onnx unpacked.onnx

mkdir ext
prune convert "$tiny" ext/large.onnx --external-data
ended "large initializers into another file" 0
equal "beside the model" "$(echo ext/*)" "ext/large.onnx ext/large.onnx.data"
equal "one is large enough" "$(($(wc -c < ext/large.onnx.data)))" 2304
prune run ext/large.onnx --inputs x.npy -o y.npy
refused "external data that was not asked for" 3 "--external"
same "it is the same model" "$tiny" ext/large.onnx
prune convert ext/large.onnx whole.onnx --external
ended "external data back in" 0
if cmp -s "$tiny" whole.onnx; then ok "the same numbers in one file"; else same "the same numbers in one file" "$tiny" whole.onnx; fi
rm ext/large.onnx.data
prune convert ext/large.onnx whole.onnx --external
refused "external data that is gone" 4 large.onnx.data

for form in safetensors npz; do
  prune convert pruned.onnx "w.$form"
  ended "weights to $form" 0
  says "all of them" "9 tensors read"
  prune convert "w.$form" "back.$form.onnx" --model "$tiny"
  ended "weights from $form back" 0
  same "$form: the pruned model again" pruned.onnx "back.$form.onnx"
done
prune convert "$tiny" w.npy --name fc.bias
ended "one weight" 0
cp w.safetensors w.bin
prune convert w.bin v.npz --to npz
ended "a file known by what is in it" 0
cp pruned.onnx p.bin
prune convert p.bin -o v.safetensors
ended "a model known by what is in it" 0
prune convert p.bin none.safetensors -o v.safetensors
refused "two files to write" 2 "one file, IN"
prune convert "$tiny" frozen.onnx --freeze-shape batch=2
ended "a frozen extent" 0
prune inspect frozen.onnx --json
equal "it is written" "$(json "$out" inputs 0 shape)" "[2,2,8,8]"

net=${PRUNE_TEST_DATA:-none}/squeezenet-deep-compression/compressed_SqueezeNet.net
if [ -e "$net" ]; then
  prune convert "$net" squeezenet.onnx
  ended "SqueezeNet out of Deep Compression's file" 0
  prune inspect squeezenet.onnx --json
  # The halves of fire4 and the whole that they are put into.
  equal "its bytes of values at once" "$(json "$out" activation_bytes)" $((2 * 4 * 256 * 55 * 55))
  equal "it has its parameters and multiply-adds" "$(json "$out" parameters) $(json "$out" macs)" "1248424 861339936"
  equal "and kept ones" "$(json "$out" macs_kept)" 443223545
else
  skip "SqueezeNet out of Deep Compression's file" "PRUNE_TEST_DATA=DIR says where data are"
fi

rm -f none.onnx
prune convert w.safetensors none.onnx
refused "weights alone are no model" 2 "--model MODEL.onnx"
prune convert pruned.onnx none.onnx --model "$tiny"
refused "a model for a model" 2 "is a model"
prune convert pruned.onnx none.onnx --dtype f16
refused "another dtype of a model" 2 "--dtype"
prune convert w.safetensors none.onnx --model pruned.onnx --dtype f16
refused "weights of another dtype" 3 "f16"
npy other.npy '<f4' '(2,)' "$(floats 1 2)"
prune convert other.npy none.onnx --name nobody --model "$tiny"
refused "a weight that the model has not" 3 '"nobody" is no parameter'
prune convert other.npy none.onnx --name fc.bias --model "$tiny"
refused "a weight of another shape" 3 fc.bias
prune convert pruned.onnx none.onnx --parameters thin
refused "parameters in no form" 2 thin
head -c 300 "$tiny" > cut.onnx
prune convert cut.onnx none.onnx
refused "a truncated model" 3 cut.onnx
if [ -e none.onnx ]; then fail "nothing is written" "none.onnx is there"; else ok "nothing is written"; fi
finish
