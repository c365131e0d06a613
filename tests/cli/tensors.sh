#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# prune score, mask, apply, recover, order and verify on tensors and data in files.
. tests/tool.sh
make_json
w=$scratch/w.npy x=$scratch/x.npy m=$scratch/m.npy o=$scratch/o.npy

npy "$w" '<f4' '(2, 4)' "$(floats 1 2 3 4 4 3 2 1)"
npy "$x" '<f4' '(2, 4)' "$(floats 9 1 1 0 9 1 1 0)"

# NAME MEMBERS: the report of a recovery that went well.
report_is() {
  ended "$1" 0
  for key in schema elements kept error plain_error predicted damping condition dead_columns samples memory; do
    value=$(json "$out" $key) || value=none
    case $value in '' | *[!0-9.e+-]* | -*) fail "$1: $key" "$value" ;; esac
  done
  equal "$1: nothing else is said" "$(json "$out")" "$2"
  equal "$1: half of the weights stay" "$(json "$out" kept)/$(json "$out" elements)" 4/8
  if awk "BEGIN { exit !($(json "$out" error) <= $(json "$out" plain_error) * 1.000001) }"; then
    ok "$1: no more error than without"
  else
    fail "$1: no more error than without" "$(json "$out" error), $(json "$out" plain_error)"
  fi
  case $1 in dsnot*) least=0 ;; *) least=1 ;; esac # swaps solve no system
  if awk "BEGIN { exit !($(json "$out" condition) >= $least) }"; then
    ok "$1: a condition number"
  else
    fail "$1: a condition number" "$(json "$out" condition)"
  fi
}

# score
prune score "$w" -o "$o"
ended "score" 0
says "score counts units" "8 scores from 1 to 4, sum 20"
prune score "$w" --granularity row --criterion l2 --json -o "$scratch/o.safetensors"
ended "score into safetensors" 0
equal "score --json counts" "$(json "$out" units)" 2
prune verify "$scratch/o.safetensors:scores"
ended "a tensor of a safetensors file by its name" 0
prune verify "$scratch/o.safetensors:none"
refused "a tensor that a safetensors file has not got" 2 "none"
npy "$scratch/g.npy" '<f4' '(2, 2, 4)' "$(floats 1 1 1 1 1 1 1 1 3 1 1 1 1 1 1 1)"
prune score "$w" --criterion taylor --gradients "$scratch/g.npy" -o "$o"
ended "score by taylor" 0
says "the mean of squared gradients by squared weights" "from 1 to 16"
prune score "$w" --criterion taylor -o "$o"
refused "taylor without gradients" 2 "--gradients"
prune score "$w" --criterion l1 --inputs "$x" -o "$o"
refused "data that is of no use" 2 "--inputs"
prune score "$w" --criterion taylor --gradients "$x.none" -o "$o"
refused "a file of gradients that is not there" 4 "none"
prune score "$w" --criterion wanda --inputs "$scratch/g.npy" --granularity row -o "$o"
ended "inputs of rank 3 are samples too" 0
npy "$scratch/wide.npy" '<f4' '(1, 3)' "$(floats 1 1 1)"
prune score "$w" --criterion wanda --inputs "$scratch/wide.npy" -o "$o"
refused "inputs of another width" 3 "3"
prune score "$w"
refused "score into nothing" 2 "-o SCORES.npy"

# mask by data: the large input makes the small weight important.
prune mask "$w" --criterion wanda --inputs "$x" --granularity nm --keep-n 2 --group-m 4 -o "$m"
ended "mask by Wanda" 0
equal "Wanda keeps what its input makes large" "$(tail_bytes "$m" 8)" "1 0 1 0 1 1 0 0"
prune mask "$w" --granularity vector --vector 2 --sparsity 0.5 -o "$o"
equal "--granularity vector" "$(tail_bytes "$o" 8)" "0 0 1 1 1 1 0 0"
prune mask "$w" --granularity block --block 2x2 --sparsity 0.5 -o "$o"
equal "--granularity block" "$(tail_bytes "$o" 8)" "0 0 1 1 0 0 1 1"
prune mask "$w" --granularity in-channel --sparsity 0.25 -o "$o"
equal "--granularity in-channel" "$(tail_bytes "$o" 8)" "0 1 1 1 0 1 1 1"
npy "$scratch/k.npy" '<f4' '(2, 2, 1, 2)' "$(floats 1 1 9 9 2 2 3 3)"
prune mask "$scratch/k.npy" --granularity kernel --sparsity 0.5 -o "$o"
equal "--granularity kernel" "$(tail_bytes "$o" 8)" "0 0 1 1 0 0 1 1"
prune mask "$w" --granularity kernel --sparsity 0.5 -o "$o"
refused "kernels of a matrix" 3 "rank"
prune mask "$w" --granularity block --block 2xb --sparsity 0.5 -o "$o"
refused "a block without its second extent" 2 "block"

# apply
prune apply "$w" --mask "$m" -o "$o"
ended "apply" 0
says "apply counts" "4 of 8 kept"
equal "what is pruned is +0.0" "$(tail_bytes "$o" 8)" "0 0 0 0 0 0 0 0"
prune apply "$w" --mask "$x" -o "$o"
refused "floats are no mask" 3 "f32"
prune apply "$w" --mask "$scratch/k.npy" -o "$o"
refused "a mask of another kind" 3 "k.npy"
prune apply "$w" -o "$o"
refused "apply nothing" 2 "--mask"

# recover: outputs that depend on the first input and the sum of the others.
npy "$x" '<f4' '(4, 4)' "$(floats 1 0 0 0 0 1 1 0 0 2 2 1 1 0 0 1)"
prune recover "$w" --mask "$m" --inputs "$x" --json -o "$scratch/w2.npy"
ended "recover by obs" 0
error=$(json "$out" error) plain=$(json "$out" plain_error)
if awk "BEGIN { exit !($error < $plain) }"; then ok "the repaired layer errs less"; else fail "the repaired layer errs less" "$error, $plain"; fi
equal "samples are counted" "$(json "$out" samples)" 4
prune verify "$scratch/w2.npy" --mask "$m" --granularity nm:keep_n=2,group_m=4
ended "what was recovered has the mask" 0
says "no pruned weight is not 0" "not +0.0: 0"
for method in sparsegpt obc; do
  prune recover "$w" --inputs "$x" --method $method --pool row --sparsity 0.5 --mask-output "$o" -o "$scratch/w3.npy"
  ended "recover by $method" 0
  says "$method keeps half" "4 of 8 kept"
  prune verify "$scratch/w3.npy" --mask "$o"
  ended "$method wrote its mask" 0
done
prune recover "$w" --inputs "$x" --method sparsegpt --granularity nm --keep-n 2 --group-m 4 -o "$scratch/w3.npy"
ended "recover by sparsegpt, N:M" 0
prune verify "$scratch/w3.npy" --granularity nm:keep_n=2,group_m=4
ended "sparsegpt keeps N:M" 0
prune recover "$w" --inputs "$x" --method sparsegpt --method-block 2 --method-mask wanda --sparsity 0.5 --json -o "$scratch/w3.npy"
ended "parameters whose names are taken have the method's option in front" 0
equal "they reach the method" "$(json "$out" method)" "sparsegpt:mask=wanda,block=2"
prune recover "$w" --inputs "$x" --mask "$m" --method-method greedy --json -o "$scratch/w3.npy"
equal "also the method's method" "$(json "$out" method)" "obs:method=greedy"
prune recover "$w" --inputs "$x" --mask "$m" --method-block 2 -o "$scratch/w3.npy"
refused "a parameter of another method" 2 "sparsegpt"
# Every report has the same members: whole numbers of elements, and what a repair can be asked.
for method in obs least-squares sparsegpt obc; do
  prune recover "$w" --mask "$m" --inputs "$x" --method $method --json -o "$scratch/w3.npy"
  report_is "$method repairs" 14
done
for method in 'obs --sparsity 0.5' 'sparsegpt --sparsity 0.5' 'obc --sparsity 0.5' 'dsnot --sparsity 0.5' \
  'exact --granularity nm --keep-n 2 --group-m 4' 'lasso --granularity in-channel --sparsity 0.5' \
  'thinet --granularity in-channel --sparsity 0.5' 'subset --granularity column --damping 0.01 --sparsity 0.5'; do
  # shellcheck disable=SC2086 # words are meant
  prune recover "$w" --inputs "$x" --method $method --json -o "$scratch/w3.npy"
  report_is "${method%% *} chooses" 14
done
for method in obs least-squares sparsegpt obc; do
  prune recover "$w" --mask "$m" --inputs "$x" --method $method --memory 4096 --json -o "$scratch/w3.npy"
  report_is "$method with little memory" 14
done
# safetensors in, safetensors out
prune mask "$w" --criterion wanda --inputs "$x" --granularity nm --keep-n 2 --group-m 4 -o "$scratch/m.safetensors"
prune recover "$w" --mask "$scratch/m.safetensors:mask" --inputs "$x" -o "$scratch/w3.safetensors"
ended "a mask out of a safetensors file" 0
prune verify "$scratch/m.safetensors" --granularity nm:keep_n=2,group_m=4 --json
ended "verify a mask in safetensors" 0
equal "it is a mask" "$(json "$out" holds_a)" mask
hash=$(json "$out" hash)
prune verify "$scratch/w3.safetensors:weight" --mask "$scratch/m.safetensors" --before "$w" --inputs "$x" --json
ended "verify weights in safetensors" 0
equal "they are weights" "$(json "$out" holds_a)" weights
equal "with the hash of their mask" "$(json "$out" hash)" "$hash"
prune verify "$w" --mask "$scratch/m.safetensors" --granularity row --json
equal "weights that were not pruned, exit code 1" "$code" 1
says "and the violation in JSON" '"violation"'
rm -f "$scratch/w4.npy"
prune recover "$w" --mask "$m" -o "$scratch/w4.npy"
refused "recover without data" 2 "--inputs"
prune recover "$w" --inputs "$x" --method sparsegpt -o "$scratch/w4.npy"
refused "recover without a target" 2 "--sparsity"
prune recover "$w" --mask "$m" --inputs "$x" --sparsity 0.5 -o "$scratch/w4.npy"
refused "a mask and a sparsity" 2 "--sparsity"
prune recover "$w" --mask "$m" --inputs "$x" --method magic -o "$scratch/w4.npy"
refused "an unknown method" 2 '"magic"'
prune recover "$w" --mask "$m" --inputs "$x" --damping -1 -o "$scratch/w4.npy"
refused "damping below 0" 2 "damping"
prune recover "$w" --mask "$m" --inputs "$scratch/wide.npy" -o "$scratch/w4.npy"
refused "inputs that do not fit" 3 "3"
npy "$scratch/nan.npy" '<f4' '(1, 4)' "$(floats 1 nan 1 1)"
prune recover "$w" --mask "$m" --inputs "$scratch/nan.npy" -o "$scratch/w4.npy"
refused "NaN among the inputs" 3 "NaN"
if [ -e "$scratch/w4.npy" ]; then fail "nothing was written" "w4.npy is there"; else ok "nothing was written"; fi

# order: the row of 19 and 30.
npy "$scratch/row.npy" '<f4' '(1, 8)' "$(floats 9 8 7 6 1 1 1 1)"
for kind in stripe-groups channel-swap exact; do
  prune order "$scratch/row.npy" --keep-n 2 --group-m 4 --order $kind --json -o "$o"
  ended "order by $kind" 0
  equal "$kind keeps 30 instead of 19" "$(json "$out" retained 0 plain)/$(json "$out" retained 0 ordered)" 19/30
done
prune order "$scratch/row.npy" --keep-n 2 --group-m 4 -o "$o" --rounds 1 --state "$scratch/s.npy"
ended "one round of search" 0
prune order "$scratch/row.npy" --keep-n 2 --group-m 4 -o "$o" --resume "$scratch/s.npy"
ended "a search goes on" 0
says "2, 4 and 8 rows that share are shown" "unit_rows=8"
prune apply "$scratch/row.npy" --order "$o" -o "$scratch/row2.npy"
ended "apply an order" 0
prune apply "$scratch/row.npy" --order "$scratch/s.npy" -o "$scratch/row2.npy"
refused "a state is no order" 3 "channels"
prune apply "$scratch/row.npy" --order "$o" --axis 0 -o "$scratch/row2.npy"
refused "an order for another axis" 3 "8 channels"
prune order "$scratch/row.npy" -o "$o"
refused "order without N and M" 2 "keep_n"
prune order "$scratch/row.npy" --granularity row -o "$o"
refused "order for rows" 3 "nm"
prune order "$scratch/row.npy" --keep-n 2 --group-m 4 --window 10 -o "$o"
refused "a window that does not fit" 2 "window=10"

# verify
prune verify "$m" --granularity nm:keep_n=2,group_m=4
ended "verify a mask that holds" 0
says "verify counts" "4 of 8 kept, density 0.5"
says "verify names a pattern" "nm:keep_n=2,group_m=4"
hash=$(sed -n '1s/.*hash //p' "$out")
prune verify "$m" --json
equal "the hash is the same in JSON" "$(json "$out" hash)" "$hash"
equal "density along each axis" "$(json "$out" density_by_axis 1 0)/$(json "$out" density_by_axis 1 3)" 1/0
prune verify "$m" --granularity nm:keep_n=1,group_m=4
equal "a pattern that is broken is exit code 1" "$code" 1
says "the first violation's position" "nm:keep_n=1,group_m=4 is broken at (0, 2), element 2"
prune verify "$w" --mask "$m"
equal "weights that a mask prunes and that are there" "$code" 1
says "the first of them" "+0.0 is broken at (0, 1), element 1"
npy "$scratch/n.npy" '<f4' '(4,)' "$(floats 1 1 1 1)"
prune verify "$m" --before "$w" --norms "$scratch/n.npy"
ended "a bound from norms" 0
says "the bound is the root of 6^2 + 3^2" "at most 6.708"
prune verify "$scratch/w2.npy" --before "$w" --inputs "$x"
ended "a bound from inputs" 0
prune verify "$m" --before "$w"
refused "a bound without inputs" 2 "--inputs"
prune verify "$m" --mask "$m"
refused "a mask with a mask" 2 "mask itself"
prune verify "$m" --granularity cube
refused "an unknown pattern" 2 '"cube"'
prune verify "$m" --before "$w" --norms "$scratch/wide.npy"
refused "norms that do not fit" 3 "3"
printf 'hello' > "$scratch/bad.npy"
prune verify "$scratch/bad.npy"
refused "verify of no npy file" 3 "bad.npy"
prune list recoveries
ended "list recoveries" 0
says "one line each" "obs "
prune list orders
says "orders are listed" "stripe-groups"
finish
