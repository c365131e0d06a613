#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# prune model on safetensors files without a graph: larger than the memory it may have, in one file and in several.
. tests/tool.sh
make_json

# FILE TENSORS ROWS COLUMNS: F32 tensors w.0000, w.0001, ... whose data are one hole, but for a value in the first.
sparse_file() {
  awk -v count="$2" -v rows="$3" -v columns="$4" 'BEGIN {
    bytes = rows * columns * 4
    text = "{"
    for (i = 0; i < count; i++)
      text = text sprintf("%s\"w.%04d\":{\"dtype\":\"F32\",\"shape\":[%d,%d],\"data_offsets\":[%.0f,%.0f]}",
                          i ? "," : "", i, rows, columns, i * bytes, (i + 1) * bytes)
    text = text "}"
    while (length(text) % 8) text = text " "
    printf "%s", text }' > "$scratch/head"
  length=$(wc -c < "$scratch/head")
  # shellcheck disable=SC2059
  { printf "$(printf '\\%03o\\%03o\\%03o\\000\\000\\000\\000\\000' $((length % 256)) $((length / 256 % 256)) $((length / 65536)))"
    cat "$scratch/head"
    # shellcheck disable=SC2059
    printf "$(floats 3)"; } > "$1"
  truncate -s $((8 + length + $2 * $3 * $4 * 4)) "$1"
}

# NAME TENSORS ROWS COLUMNS LIMIT: half of every tensor goes, with LIMIT KiB of address space.
prunes_within() {
  sparse_file "$scratch/in.safetensors" "$2" "$3" "$4"
  (
    # shellcheck disable=SC3045 # where there is no such limit the test has failed
    ulimit -v "$5" || exit 9
    OPENBLAS_NUM_THREADS=1 exec "$tool" model "$scratch/in.safetensors" --sparsity 0.5 --json -o "$scratch/out.safetensors"
  ) > "$out" 2> "$err" < /dev/null
  code=$?
  equal "$1" "$code" 0 # progress may be on stderr
  equal "$1: tensors" "$(json "$out" layers)" "$2"
  equal "$1: half is kept" "$(json "$out" kept)" $(($2 * $3 * $4 / 2))
  equal "$1: as long as before" "$(wc -c < "$scratch/out.safetensors")" "$(wc -c < "$scratch/in.safetensors")"
  # Only +0 and the one value were there; it is the most important of its tensor.
  equal "$1: the first value stays" "$(head -c $((8 + length + 8)) "$scratch/out.safetensors" | tail_of 8)" \
    "0 0 64 64 0 0 0 0"
  rm -f "$scratch/in.safetensors" "$scratch/out.safetensors"
}
tail_of() { tail -c "$1" | od -An -v -tu1 | tr -s ' \n' '  ' | sed 's/^ //; s/ $//'; }

case ${SAN-} in
  *address*) skip "a file larger than memory" "AddressSanitizer takes terabytes of address space" ;;
  *)
    prunes_within "256 MiB with 64 MiB" 256 512 512 65536
    if [ -n "${LONG-}" ]; then prunes_within "4 GiB with 512 MiB" 512 2048 1024 524288; fi
    ;;
esac

# A file of 2 weights and a bias.
w=$scratch/w.safetensors
text='{"__metadata__":{"format":"pt"},"a.weight":{"dtype":"F32","shape":[1,4],"data_offsets":[0,16]},"b":{"dtype":"F32","shape":[2,2],"data_offsets":[16,32]},"bias":{"dtype":"F32","shape":[2],"data_offsets":[32,40]}}'
# shellcheck disable=SC2059
{ printf "\\$(printf %03o ${#text})\\000\\000\\000\\000\\000\\000\\000%s" "$text"; printf "$(floats 1 2 3 4 8 7 6 5 1 1)"; } > "$w"
prune model "$w" --sparsity 0.5 -o "$scratch/o.safetensors"
ended "weights without a graph" 0
says "what is kept is counted" "4 of 8 weights kept, in 2 of 3 tensors"
prune convert "$scratch/o.safetensors" "$scratch/o.npy" --name a.weight
equal "the smaller half goes" "$(tail_bytes "$scratch/o.npy" 16)" "0 0 0 0 0 0 0 0 0 0 64 64 0 0 128 64"
prune convert "$scratch/o.safetensors" "$scratch/o.npy" --name bias
equal "a bias stays" "$(tail_bytes "$scratch/o.npy" 8)" "0 0 128 63 0 0 128 63"
prune model "$w" --layer a=0.75 --json -o "$scratch/o.safetensors"
ended "one weight by its layer's name" 0
equal "the others stay" "$(json "$out" weights)/$(json "$out" kept)" 4/1
prune model "$w" --granularity nm --keep-n 1 --group-m 2 -o "$w"
ended "a file in place" 0
says "a quota in a file" "4 of 8 weights kept"
prune model "$w" --layer c=0.5 -o "$scratch/o.safetensors"
refused "a layer that is not there" 2 '"c"'
prune model "$w" --layer bias=0.5 -o "$scratch/o.safetensors"
refused "a layer of one dimension" 2 "2 dimensions"
prune model "$scratch/none.safetensors" --sparsity 0.5 -o "$scratch/o.safetensors"
refused "a file that is not there" 4 "none.safetensors"
printf '{"weight_map": {"a.weight": "w.safetensors", "b": "w.safetensors", "bias": "w.safetensors"}}' > "$scratch/w.index.json"
prune model "$scratch/w.index.json" --sparsity 0.75 -o "$scratch/o.safetensors"
ended "an index of files" 0
says "an index of files is pruned into one" "2 of 8 weights kept"
printf '{"weight_map": {"a.weight": "w.safetensors"}}' > "$scratch/w.index.json"
prune model "$scratch/w.index.json" --sparsity 0.75 -o "$scratch/o.safetensors"
refused "an index that leaves a tensor out" 3 "not in the index"
head -c 100 "$w" > "$scratch/cut.safetensors"
echo old > "$scratch/keep.safetensors"
prune model "$scratch/cut.safetensors" --sparsity 0.5 -o "$scratch/keep.safetensors"
refused "a file that is cut" 3 "truncated"
equal "what was there stays" "$(cat "$scratch/keep.safetensors")" old
# shellcheck disable=SC2059
{ printf "\\$(printf %03o ${#text})\\000\\000\\000\\000\\000\\000\\000%s" "$text"; printf "$(floats nan 2 3 4 8 7 6 5 1 1)"; } > "$scratch/nan.safetensors"
prune model "$scratch/nan.safetensors" --sparsity 0.5 -o "$scratch/keep.safetensors"
refused "a NaN" 3 "a.weight"
equal "what was there stays after a NaN" "$(cat "$scratch/keep.safetensors")" old
finish
