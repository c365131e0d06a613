#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Every exit code, and that nothing is lost: full disks, missing files, closed outputs, signals.
. tests/tool.sh
data=$scratch/data
make_data "$data"
cd "$scratch" || exit 1
prune train --arch 16-12-3 --epochs 8 --lr 0.1 --batch 8 --data data -o dense
ended "0: done" 0

prune model dense --sparsity 1 -o pruned
prune eval --same --no-times --data data dense pruned
equal "1: the answer is no" "$code" 1
if grep -q '^prune: pruned does not predict as dense does' "$err" && [ -s "$out" ]; then
  ok "1: says why, after the table"
else
  fail "1: says why, after the table" "$(cat "$err")"
fi

prune train --arch 16-x-3 --data data -o none
refused "2: an architecture that is none" 2 "16-x-3"
prune train --arch 16-12-3 --lr fast --data data -o none
refused "2: a rate that is none" 2 "fast"
prune train --arch 16-12-3 --seed -1 --data data -o none
refused "2: a seed below 0" 2 "seed"

prune train --arch 15-12-3 --epochs 1 --data data -o none
refused "3: images of another size" 3 "15"
prune train --arch 16-12-2 --epochs 1 --data data -o none
refused "3: a label that the network has not" 3 "label"
printf '{"hello": 1}' > garbage
prune inspect garbage
refused "3: not a safetensors file" 3 "garbage"
head -c 200 dense > short
prune eval --data data short
refused "3: a network cut short" 3 "short"
: > empty
prune inspect empty
refused "3: an empty file" 3 "empty"
mkdir wrong && cp data/* wrong && cp data/t10k-labels-idx1-ubyte wrong/train-labels-idx1-ubyte
prune train --arch 16-12-3 --epochs 1 --data wrong -o none
refused "3: counts that do not agree" 3 "60"

prune inspect missing
refused "4: no such network" 4 "missing"
prune eval --data nowhere dense
refused "4: no such data, and how to get some" 4 "dataset-fashion-mnist"
mkdir nothing
prune eval --data nothing dense
refused "4: a folder without data" 4 "nothing"
prune model dense --sparsity 0.5 -o no/such/folder/net
refused "4: no such folder" 4 "no/such/folder"
mkdir folder
prune model dense --sparsity 0.5 -o folder
refused "4: the target is a folder" 4 "folder"
if [ -d folder ] && [ -z "$(ls folder)" ]; then ok "4: the folder is as it was"; else fail "4: the folder is as it was" "$(ls folder)"; fi

# As another user, since nothing is unwritable for root. The tool and its libraries may lie where only root can look.
chmod 755 "$scratch"
mkdir others && cp "$tool" "$(dirname "$tool")"/lib*.so.0 others && chmod -R a+rX others
mkdir closed && cp dense closed/net && chmod 755 closed
as_nobody() { "$tool" "$@" > "$out" 2> "$err" < /dev/null; }
if [ "$(id -u)" -eq 0 ]; then
  if command -v setpriv > /dev/null && setpriv --reuid 65534 --regid 65534 --clear-groups "$scratch/others/prune" version > /dev/null 2>&1; then
    as_nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups "$scratch/others/prune" "$@" > "$out" 2> "$err" < /dev/null; }
  else
    as_nobody() { return 99; }
  fi
else
  chmod 555 closed
fi
code=0
as_nobody model dense --sparsity 0.5 -o closed/net || code=$?
if [ "$code" -eq 99 ]; then
  skip "4: a folder that may not be written" "cannot become another user"
else
  refused "4: a folder that may not be written" 4 "closed/net"
fi
if cmp -s dense closed/net; then ok "4: the file in it is as it was"; else fail "4: the file in it is as it was" "changed"; fi
chmod 755 closed

# The file grows past a limit: SIGXFSZ is ignored, the write fails.
cp dense target
code=0
(ulimit -f 1 && exec "$tool" model dense --sparsity 0.5 -o target > /dev/null 2> "$scratch/limit") < /dev/null || code=$?
cp limit err && : > out
if [ "$(wc -c < dense)" -gt 1024 ]; then
  refused "4: the disk is full" 4 "target"
  if cmp -s dense target; then ok "4: the target is as it was"; else fail "4: the target is as it was" "changed"; fi
fi

if [ -c /dev/full ]; then
  for words in "version" "list" "inspect dense" "train --help" "eval --no-times --data data dense"; do
    code=0
    # shellcheck disable=SC2086
    "$tool" $words > /dev/full 2> "$err" < /dev/null || code=$?
    : > out
    refused "4: full standard output: $words" 4 "standard output"
  done
else
  skip "4: full standard output" "there is no /dev/full"
fi
code=0
"$tool" list >&- 2> "$err" < /dev/null || code=$?
: > out
refused "4: closed standard output" 4 "standard output"
code=0
"$tool" model dense --sparsity 0.5 -o quiet >&- 2> "$err" < /dev/null || code=$?
refused "4: closed standard output, and a file written" 4 "standard output"
prune inspect quiet
ended "4: that file is whole" 0
code=0
"$tool" inspect missing 2>&- > "$out" < /dev/null || code=$?
equal "4: closed standard error" "$code" 4

prune train --arch 16-12-3 --epochs 2 --lr 1e6 --batch 8 --data data -o diverged
refused "6: a training that diverges" 6 "diverged"
if [ -e diverged ]; then fail "6: writes nothing" "diverged is there"; else ok "6: writes nothing"; fi

prune train --arch 16777216-16777216 --data data -o none
sed -i '/WARNING: AddressSanitizer failed to allocate/d' "$err" # not what the tool says
refused "5: a network larger than memory" 5 "memory"

# Interrupted: nothing half written stays.
(trap - INT && exec "$tool" train --arch 16-256-256-3 --epochs 100000 --data data -o interrupted > /dev/null 2>&1 < /dev/null) &
pid=$!
sleep 1
kill -TERM "$pid"
code=0
wait "$pid" || code=$?
equal "interrupted: ends by the signal" "$code" 143
left=$(find . -name '*interrupted*')
expect_empty "interrupted: leaves no file" "$left"
left=$(find . -name '*none*' -o -name '*.tmp*' -o -name '*target?*')
expect_empty "no failure leaves a file" "$left"

# Nothing is set bold where NO_COLOR is set or no terminal listens; progress needs a terminal.
prune eval --no-times --data data dense
if grep -q "$(printf '\033')" "$out" "$err"; then fail "no terminal, no colour" "an escape"; else ok "no terminal, no colour"; fi
if command -v script > /dev/null; then
  TERM=xterm script -qc "$tool eval --no-times --data data dense" /dev/null > on < /dev/null 2>&1
  NO_COLOR=1 TERM=xterm script -qc "$tool eval --no-times --data data dense" /dev/null > off < /dev/null 2>&1
  if grep -q "$(printf '\033')\[1m" on; then ok "bold on a terminal"; else skip "bold on a terminal" "script(1) made none"; fi
  if grep -q "$(printf '\033')\[1m" off; then fail "NO_COLOR" "bold"; else ok "NO_COLOR"; fi
else
  skip "NO_COLOR" "script(1) is not installed"
fi
OPENBLAS_CORETYPE=Haswell "$tool" eval --rounds 1 --data data --batch 1 dense > "$out" 2> "$err" < /dev/null
if grep -q 'OPENBLAS_CORETYPE is set' "$err"; then ok "says that the environment changes times"; else fail "says that the environment changes times" "$(cat "$err")"; fi
finish
