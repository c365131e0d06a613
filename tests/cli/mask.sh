#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# prune mask: options against numbers.
. tests/tool.sh
make_json
w=$scratch/w.npy m=$scratch/m.npy

# NAME EXPECTED OPTION...: the mask's bytes.
gives() {
  name=$1 expected=$2
  shift 2
  rm -f "$m"
  prune mask "$w" "$@" -o "$m"
  if [ "$code" -ne 0 ]; then
    fail "$name" "exit code $code: $(cat "$err")"
  else
    # shellcheck disable=SC2086
    equal "$name" "$(tail_bytes "$m" "$(echo $expected | wc -w)")" "$expected"
  fi
}

npy "$w" '<f4' '(1, 8)' "$(floats 8 3 2 7 2 6 5 4)"
gives "the row of the 2:4 example" "1 0 0 1 0 1 1 0" --granularity nm --keep-n 2 --group-m 4
gives "the same as a spec string" "1 0 0 1 0 1 1 0" --granularity nm:keep_n=2,group_m=4
gives "the same, half and half" "1 0 0 1 0 1 1 0" --granularity nm:keep_n=2 --group-m 4 --criterion l2
gives "1:2" "1 0 0 1 0 1 1 0" --granularity nm --keep-n 1 --group-m 2
gives "half of all, the lower index first" "1 0 0 1 0 1 1 0" --sparsity 0.5
gives "a quarter" "1 1 0 1 0 1 1 1" --sparsity 0.25
gives "nothing goes" "1 1 1 1 1 1 1 1" --sparsity 0
gives "everything goes" "0 0 0 0 0 0 0 0" --sparsity=1
gives "--axis 0: groups of one row" "1 1 1 1 1 1 1 1" --granularity nm --keep-n 2 --group-m 4 --axis 0
if head -c 100 "$m" | grep -q "'|b1'" && head -c 100 "$m" | grep -q '(1, 8)'; then
  ok "a bool array of the same shape"
else
  fail "a bool array of the same shape" "$(head -c 100 "$m" | tr -d '\000')"
fi

npy "$w" '<f4' '(2, 4)' "$(floats 1 9 2 3 8 1 7 1)"
gives "a row" "0 0 0 0 1 1 1 1" --granularity row --sparsity 0.5
gives "a filter" "0 0 0 0 1 1 1 1" --granularity filter --sparsity 0.5
gives "columns" "1 1 0 0 1 1 0 0" --granularity column --sparsity 0.5 --criterion l2
gives "lp counts large elements more" "1 1 1 0 1 1 1 0" --granularity column --sparsity 0.25 --criterion lp --p 4
gives "each row a pool" "0 1 0 1 1 0 1 0" --granularity element --pool row --sparsity 0.5
prune mask "$w" --granularity nm --keep-n 1 --group-m 2 --unit-rows 2 --axis 1 --criterion random --seed 2 -o "$m"
seeded=$(tail_bytes "$m" 8)
equal "two rows share a pattern" "$(tail_bytes "$m" 4)" "${seeded% ? ? ? ?}"
prune mask "$w" --granularity nm --keep-n 1 --group-m 2 --unit-rows 2 --criterion random --seed 2 -o "$m"
equal "the same seed, the same mask" "$(tail_bytes "$m" 8)" "$seeded"

prune mask "$w" --sparsity 0.5 -o "$m"
says "says what is kept" "4 of 8 kept"
prune mask "$w" --sparsity 0.5 --json -o "$m"
ended "--json" 0
equal "--json has a schema" "$(json "$out" schema)" 1
equal "--json counts" "$(json "$out" kept)/$(json "$out" elements)" 4/8
equal "--json gives the spec" "$(json "$out" granularity)" element

rm -f "$m"
prune mask "$w" --granularity nm --keep-n 2 --group-m 4 --sparsity 0.5 -o "$m"
refused "a quota and a sparsity" 2 "quota"
prune mask "$w" -o "$m"
refused "neither quota nor sparsity" 2 "--sparsity"
prune mask "$w" --granularity nm --sparsity 0.5 -o "$m"
refused "nm without its numbers" 2 "keep_n"
prune mask "$w" --granularity nm --keep-n 2 --group-m 0 -o "$m"
refused "group_m 0" 2 "group_m"
prune mask "$w" --granularity nm --keep-n 5 --group-m 4 -o "$m"
refused "keep_n above group_m" 2 "keep_n"
prune mask "$w" --granularity nm --keep-n two --group-m 4 -o "$m"
refused "a number that is none" 2 "two"
prune mask "$w" --keep-n 2 --sparsity 0.5 -o "$m"
refused "an option of another granularity" 2 "--keep-n does not go with --granularity element"
prune mask "$w" --p 2 --sparsity 0.5 -o "$m"
refused "an option of another criterion" 2 "it belongs to lp"
prune mask "$w" --criterion l3 --sparsity 0.5 -o "$m"
refused "an unknown criterion" 2 '"l3"'
prune mask "$w" --granularity atom --sparsity 0.5 -o "$m"
refused "an unknown granularity" 2 '"atom"'
prune mask "$w" --granularity nm:keep_n=2,group_m=4 --keep-n 2 -o "$m"
refused "a parameter twice" 2 "keep_n"
prune mask "$w" --granularity nm --keep-n 2,group_m=8 --group-m 4 -o "$m"
refused "a value that smuggles another" 2 "--keep-n"
prune mask "$w" --criterion lp --p 0 --sparsity 0.5 -o "$m"
refused "p 0" 2 "p"
prune mask "$w" --granularity nm --keep-n 2 --group-m 4 --axis 5 -o "$m"
refused "an axis it has not got" 3 "axis"
for amount in -0.1 1.1 nan half ''; do
  prune mask "$w" --sparsity "$amount" -o "$m"
  refused "--sparsity '$amount'" 2 "0 to 1"
done
npy "$w" '<f4' '(1, 4)' "$(floats 1 nan 2 3)"
prune mask "$w" --sparsity 0.5 -o "$m"
refused "NaN among the weights" 3 "NaN"
npy "$w" '<i4' '(1, 4)' "$(floats 1 0 2 3)"
prune mask "$w" --sparsity 0.5 -o "$m"
refused "whole numbers are no weights" 3 "i32"
npy "$w" '|O' '(1, 4)' "$(floats 1 0 2 3)"
prune mask "$w" --sparsity 0.5 -o "$m"
refused "objects" 3 "w.npy"
npy "$w" '<f4' '(1, 5)' "$(floats 1 0 2 3)"
prune mask "$w" --sparsity 0.5 -o "$m"
refused "a file cut short" 3 "w.npy"
printf 'hello' > "$w"
prune mask "$w" --sparsity 0.5 -o "$m"
refused "not an npy file" 3 "w.npy"
prune mask "$scratch/none.npy" --sparsity 0.5 -o "$m"
refused "no such file" 4 "none.npy"
if [ -e "$m" ]; then fail "nothing was written" "$m is there"; else ok "nothing was written"; fi
finish
