#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# prune bench: small and short runs, of whose numbers only that they are there is looked at.
. tests/tool.sh
make_json
export XDG_CACHE_HOME="$scratch/cache" # the user's own table is none of these tests' business

prune bench --m 40 --k 64 --n 3 --sparsity 0.5 --sparsity 0.9 --milliseconds 20
ended "a small layer" 0
says "the table has a head" "x dense"
says "a row for each sparsity" "csr"
prune bench --m 40 --k 64 --keep-n 2 --group-m 4 --unit-rows 4 --milliseconds 20
says "N:M shared by rows" "nm:keep_n=2,group_m=4"
prune bench --m 33 --k 70 --milliseconds 20 -o "$scratch/page.html"
ended "a sweep with a page" 0
if grep -q "<svg" "$scratch/page.html" && grep -q "roofline" "$scratch/page.html"; then
  ok "the page has a chart with the roofline"
else
  fail "the page has a chart with the roofline" "$(head -c 200 "$scratch/page.html")"
fi
prune bench --m 33 --k 70 --milliseconds 20 -o "$scratch/chart.svg"
ended "a sweep with a chart" 0
if head -n 1 "$scratch/chart.svg" | grep -q "^<svg xmlns" && grep -q "roofline" "$scratch/chart.svg"; then
  ok "the chart alone has the roofline"
else
  fail "the chart alone has the roofline" "$(head -c 200 "$scratch/chart.svg")"
fi

prune bench --m 40 --k 64 --sparsity 0.9 --milliseconds 20 --json
ended "--json" 0
equal "and a machine" "$(json "$out" machine l1_bytes | tr -d 0-9)" ""
equal "--json has a schema" "$(json "$out" schema)" 1
equal "the first record is OpenBLAS" "$(json "$out" records 0 contender)" openblas
equal "then libprune's dense" "$(json "$out" records 1 format)" dense
equal "then sparse" "$(json "$out" records 2 format)" csr
equal "m" "$(json "$out" records 2 m)" 40

printf '3, 4, 5\n0 2 2 5\n0 3 1 2 3\n' > "$scratch/p.smtx"
prune bench --pattern "$scratch/p.smtx" --milliseconds 20 --json
equal "the sparsity of an smtx file" "$(json "$out" records 0 sparsity | cut -c 1-6)" 0.5833
npy "$scratch/w.npy" '<f4' '(2, 4)' "$(floats 1 0 2 0 0 0 0 1)"
prune bench --weights "$scratch/w.npy" --milliseconds 20 --json
equal "the sparsity of an npy file" "$(json "$out" records 0 sparsity | cut -c 1-5)" 0.625

prune bench --k 64
refused "no size" 2 "--m and --k"
prune bench --m 4 --k 4 --sparsity 1.5
refused "a sparsity above 1" 2 "1.5"
prune bench --m 4 --k 4 --sparsity half
refused "a sparsity in words" 2 "half"
prune bench --m 4 --k 4 --keep-n 4 --group-m 2
refused "keep-n above group-m" 2 "group-m"
prune bench --m 4 --k 4 --format scsr
refused "a format that is none" 2 "scsr"
prune bench --pattern "$scratch/none.smtx"
refused "a file that is not there" 4 "none.smtx"
printf '3, 4, 5\n0 2 1 5\n0 3 1 2 3\n' > "$scratch/bad.smtx"
prune bench --pattern "$scratch/bad.smtx"
refused "row pointers that go down" 3 "bad.smtx"
printf '3, 4, 5\n0 2 2 5\n0 3 1 2 4\n' > "$scratch/bad.smtx"
prune bench --pattern "$scratch/bad.smtx"
refused "a column past the end" 3 "column"

mkdir -p "$scratch/cache/prune"
echo "prune-speeds 1
speed csr rows avx512 l2 1 0.1 0.001 1
speed csr rows avx2 l2 1 0.1 0.001 1" > "$scratch/cache/prune/speeds"
prune bench --m 40 --k 64 --sparsity 0.5 --milliseconds 20
says "the table in the cache folder decides" "csr, rows"
echo "prune-speeds 9" > "$scratch/cache/prune/speeds"
prune bench --m 40 --k 64 --sparsity 0.5 --milliseconds 20
if [ "$code" -eq 0 ] && grep -q "speeds is not used" "$err"; then
  ok "a table that cannot be used is warned of and stops nothing"
else
  fail "a table that cannot be used is warned of and stops nothing" "exit code $code: $(cat "$err")"
fi
