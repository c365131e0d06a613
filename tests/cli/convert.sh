#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# prune convert: every format into every other, and back to the same numbers.
. tests/tool.sh
make_json
w=$scratch/w.npy
npy "$w" '<f4' '(2, 4)' "$(floats 1 0 3 0 0 3 0 1)"

# Through a format and back: the same file as before.
for to in npy npz safetensors mtx scipy; do
  case $to in scipy) file=$scratch/s.npz ;; *) file=$scratch/c.$to ;; esac
  prune convert "$w" "$file" --to $to
  ended "npy to $to" 0
  says "npy to $to says so" "$to from npy, 1 tensor read"
  for back in npy npz safetensors mtx scipy; do
    case $back in scipy) other=$scratch/t.npz ;; *) other=$scratch/d.$back ;; esac
    prune convert "$file" "$other" --to $back --dtype f32
    ended "$to to $back" 0
    prune convert "$other" "$scratch/e.npy" --dtype f32
    ended "$back to npy" 0
    if cmp -s "$w" "$scratch/e.npy"; then ok "$to to $back to npy: the same bytes"; else fail "$to to $back to npy: the same bytes" "they differ"; fi
  done
done

prune convert "$w" "$scratch/p.smtx"
ended "npy to smtx" 0
equal "a pattern in text" "$(tr -s ' \n' '  ' < "$scratch/p.smtx")" "2, 4, 4 0 2 4 0 2 1 3 "
prune convert "$scratch/p.smtx" "$scratch/p.npy" --json
ended "smtx to npy" 0
equal "json: from" "$(json "$out" from)" smtx
equal "a pattern is a mask" "$(tail_bytes "$scratch/p.npy" 8)" "1 0 1 0 0 1 0 1"
prune apply "$w" --mask "$scratch/p.npy" -o "$scratch/o.npy"
ended "a pattern serves as mask" 0

prune convert "$w" "$scratch/c.txt"
refused "a name that says nothing" 2 "--to"
prune convert "$scratch/c.txt" "$w"
refused "a name of the input that says nothing" 2 "--from"
prune convert "$w" "$scratch/c.npy" --to csv
refused "an unknown format" 2 "csv"
prune convert "$w" "$scratch/c.rua"
refused "a format that is only read" 2 "only read"
prune convert "$w"
refused "one file alone" 2 "two files"
prune convert "$w" "$scratch/c.npz" --dtype f99
refused "an unknown dtype" 2 "f99"
prune convert "$w" "$scratch/c.npz" --dtype bf16
refused "a dtype that npz has not" 3 "bf16"
prune convert "$scratch/none.npy" "$scratch/c.npz"
refused "a file that is not there" 4 "none.npy"
npy "$scratch/v.npy" '<f4' '(4,)' "$(floats 1 0 3 0)"
prune convert "$scratch/v.npy" "$scratch/v.mtx"
refused "a vector as a matrix" 3 "rank 1"
prune convert "$scratch/a.safetensors" "$scratch/m.onnx" --architecture elman
refused "an unknown architecture" 2 "elman"
prune convert "$scratch/a.safetensors" "$scratch/m.npz" --architecture llama
refused "a model as an archive" 2 "ONNX"
npy "$scratch/m.npy" '<f4' '(2, 2)' "$(floats 1 2 3 4)"
prune convert "$scratch/m.npy" "$scratch/m.safetensors" --name embedding
ended "a tensor that is no language model" 0
prune convert "$scratch/m.safetensors" "$scratch/m.onnx" --architecture llama
refused "weights of something else" 3 "tok_embeddings.weight"
prune convert "$scratch/m.safetensors" "$scratch/m.onnx" --architecture llama:depth=3
refused "an unknown setting" 2 "depth"
printf '%%%%MatrixMarket matrix coordinate integer general\n2 3 2\n0 1 1\n1 3 4\n' > "$scratch/wrong.mtx"
echo old > "$scratch/keep.npy"
prune convert "$scratch/wrong.mtx" "$scratch/keep.npy"
refused "a matrix with a row 0" 3 "row 0, column 1"
equal "what was there stays" "$(cat "$scratch/keep.npy")" old
finish
