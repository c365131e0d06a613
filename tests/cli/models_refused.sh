#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Whole models that are none, that do not fit, or that cannot be written: each has its exit code and a sentence; what was
# read is as it was to the byte and to the time it was changed, and what was to be written is whole or as it was.
. tests/tool.sh
golden=$PWD/tests/golden
chmod 755 "$scratch"
cd "$scratch" || exit 1
cp "$golden/tiny.onnx" model.onnx && chmod 644 model.onnx
npy x.npy '|u1' '(6, 2, 8, 8)' "$(awk 'BEGIN { for (i = 0; i < 768; i++) printf "\\%03o", (i * i * 7 + i * 31) % 251 }')"
npy labels.npy '|u1' '(6,)' '\000\001\002\003\000\001'
npy three.npy '|u1' '(3,)' '\000\001\002'
npy wide.npy '|u1' '(2, 2, 8, 9)' "$(awk 'BEGIN { for (i = 0; i < 288; i++) printf "\\001" }')"
npy flat.npy '|u1' '(2, 4)' '\001\002\003\004\005\006\007\010'
npy whole.npy '<i8' '(1, 2, 8, 8)' "$(awk 'BEGIN { for (i = 0; i < 1024; i++) printf "\\000" }')"
chmod 644 x.npy labels.npy
before=$(stat -c '%i %s %y %a' model.onnx x.npy labels.npy; cat model.onnx x.npy labels.npy | cksum)

# Files that are none, by every command that reads one.
head -c 3000 model.onnx > cut.onnx
printf 'not a model' > text.onnx
: > empty.onnx
mkfifo fifo.onnx
mkdir folder.onnx
for kind in "cut.onnx 3 cut.onnx" "text.onnx 3 byte" "empty.onnx 3 empty" "missing.onnx 4 missing.onnx" "fifo.onnx 4 FIFO" \
  "folder.onnx 4 directory"; do
  # shellcheck disable=SC2086 # three words
  set -- $kind
  prune inspect "$1" --inputs x.npy
  refused "inspect $1" "$2" "$3"
  prune run "$1" --inputs x.npy -o y.npy
  refused "run $1" "$2" "$3"
  prune eval "$1" --inputs x.npy --labels labels.npy
  refused "eval $1" "$2" "$3"
  prune model "$1" --inputs x.npy --sparsity 0.5 -o out.onnx
  refused "model $1" "$2" "$3"
  prune compare model.onnx "$1" --inputs x.npy
  refused "compare $1" "$2" "$3"
done
if [ -e out.onnx ] || [ -e y.npy ]; then fail "nothing is written" "$(ls)"; else ok "nothing is written"; fi

# Inputs and labels that do not fit.
prune run model.onnx --inputs wide.npy -o y.npy
refused "images of another width" 3 'wide.npy is [2,2,8,9]; input "image" of the model is [batch,2,8,8]'
prune run model.onnx --inputs flat.npy -o y.npy
refused "images of another rank" 3 'flat.npy is [2,4]; input "image"'
prune run model.onnx --inputs image=x.npy --inputs image=x.npy -o y.npy
refused "an input given twice" 2 'input "image" is given twice'
prune run model.onnx --set image=whole.npy -o y.npy
refused "whole numbers where the model takes floats" 3 'input "image" is i64[1,2,8,8]; the graph takes f32'
prune eval model.onnx --inputs x.npy --labels three.npy
refused "fewer labels than images" 3 "three.npy has 3 labels"
prune eval model.onnx --inputs x.npy --labels x.npy
refused "labels of rank 4" 3 "x.npy"

# Fewer samples than a method needs.
prune model model.onnx --inputs x.npy --count 1 --criterion obs --damping 0 --sparsity 0.5 -o out.onnx
if [ "$code" -ne 0 ] && grep -q 'layer "conv2.weight" of node "conv2"' "$err" && grep -q 'more samples' "$err"; then
  ok "one sample for the inverse of 72 x 72"
else
  fail "one sample for the inverse of 72 x 72" "exit code $code: $(cat "$err")"
fi
prune model model.onnx --inputs x.npy --count 7 --sparsity 0.5 -o out.onnx
refused "more samples than there are" 2 "x.npy has 6 samples; 7"
if [ -e out.onnx ]; then fail "no model is written" "out.onnx is there"; else ok "no model is written"; fi

# Targets that cannot be written: a new one is not there, an old one is as it was.
set -- model model.onnx --inputs x.npy --sparsity 0.5
prune "$@" -o nowhere/out.onnx
refused "a folder that is not there" 4 "nowhere"
prune "$@" -o folder.onnx
refused "a target that is a folder" 4 "folder.onnx"
cp model.onnx old.onnx
for target in old.onnx new.onnx; do
  code=0
  (ulimit -f 1 && exec "$tool" "$@" -o "$target" > "$out" 2> "$scratch/limit") < /dev/null || code=$?
  cp limit err && : > out
  refused "a file that may not grow so large: $target" 4 "$target"
done
if cmp -s old.onnx model.onnx && [ ! -e new.onnx ]; then ok "the old one stays, no new one"; else fail "the old one stays, no new one" "$(ls)"; fi
if [ "$(id -u)" -eq 0 ] && mkdir disk && mount -t tmpfs -o size=16k tmpfs disk 2> /dev/null; then
  printf old > disk/old.onnx
  head -c 12288 /dev/zero > disk/filling
  for target in old new; do
    prune "$@" -o disk/$target.onnx
    refused "a full disk: $target.onnx" 4 "disk/$target.onnx"
  done
  equal "a full disk: the old one stays, nothing else" "$(cat disk/old.onnx) $(find disk -type f | wc -l)" "old 2"
  umount disk
else
  skip "a full disk" "a small tmpfs cannot be mounted here"
fi
mkdir closed && chmod 555 closed
mkdir others && cp "$tool" "$(dirname "$tool")"/lib*.so.0 others && chmod -R a+rX others
if [ "$(id -u)" -ne 0 ]; then
  prune "$@" -o closed/out.onnx
  refused "a folder that may not be written" 4 "closed/out.onnx"
elif setpriv --reuid 65534 --regid 65534 --clear-groups others/prune version > /dev/null 2>&1; then
  code=0
  setpriv --reuid 65534 --regid 65534 --clear-groups others/prune "$@" -o closed/out.onnx > "$out" 2> "$err" < /dev/null || code=$?
  refused "a folder that may not be written" 4 "closed/out.onnx"
else
  skip "a folder that may not be written" "cannot become another user"
fi
equal "nothing is in that folder" "$(ls closed)" ""
left=$(find . -name '.prune-*' | head -n 3)
expect_empty "no half of a file is left" "$left"

equal "what was read is as it was" "$(stat -c '%i %s %y %a' model.onnx x.npy labels.npy; cat model.onnx x.npy labels.npy | cksum)" "$before"
prune "$@" -o model.onnx
ended "a model may be written over itself" 0
prune inspect model.onnx
ended "and is whole" 0
finish
