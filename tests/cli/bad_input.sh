#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Files that prune score, mask, recover, order and verify cannot use: an exit code, a sentence with the numbers, and
# nothing written. What stood under the name of an output stands there still.
. tests/tool.sh
w=$scratch/w.npy o=$scratch/o.npy m=$scratch/m.npy

npy "$w" '<f4' '(2, 4)' "$(floats 1 2 3 4 4 3 2 1)"
npy "$scratch/half.npy" '|b1' '(2, 4)' '\001\000\001\000\000\001\000\001'
npy "$scratch/narrow.npy" '|b1' '(2, 3)' '\001\000\001\000\000\001'
npy "$scratch/two.npy" '|u1' '(2, 4)' '\001\000\001\000\000\001\002\001'
npy "$scratch/x.npy" '<f4' '(4, 4)' "$(floats 1 0 0 0 0 1 1 0 0 2 2 1 1 0 0 1)"
npy "$scratch/none.npy" '<f4' '(0, 4)' ''
npy "$scratch/one.npy" '<f4' '(1, 4)' "$(floats 1 2 3 4)"
npy "$scratch/wide.npy" '<f4' '(2, 5)' "$(floats 1 2 3 4 5 5 4 3 2 1)"
npy "$scratch/nan.npy" '<f4' '(2, 4)' "$(floats 1 2 3 4 1 nan 3 4)"
npy "$scratch/steps.npy" '<f4' '(3, 2, 4)' "$(floats 1 2 3 4 1 2 3 4 1 2 3 4 1 2 3 4 1 2 3 4 1 2 nan 4)"
echo before > "$o"
cp "$o" "$m"

# NAME CODE WORD: refused so, and both outputs are what they were.
keeps() {
  refused "$1" "$2" "$3"
  if [ "$(cat "$o" "$m")" = "$(printf 'before\nbefore')" ]; then ok "$1: nothing written"; else fail "$1: nothing written" "an output has changed"; fi
}

# Repairs of a mask, and methods that choose it; all may say which file it was.
for method in obs 'obs --method-method greedy' least-squares sparsegpt obc; do
  for data in 'none 2 0 samples' 'one 3 pivot' 'wide 3 inputs of 5 numbers' 'nan 3 nan.npy: number 5 of the inputs'; do
    file=${data%% *} data=${data#* }
    # shellcheck disable=SC2086 # words are meant
    prune recover "$w" --mask "$scratch/half.npy" --inputs "$scratch/$file.npy" --method $method --damping 0 -o "$o"
    keeps "$method, inputs $file" "${data%% *}" "${data#* }"
  done
done
for method in obs sparsegpt obc 'exact --pool row' 'lasso --granularity in-channel' \
  'thinet --close least-squares --granularity column' 'subset --granularity column'; do
  for data in 'none 2 0 samples' 'one 3 pivot' 'wide 3 inputs of 5 numbers' 'nan 3 nan.npy: number 5 of the inputs'; do
    file=${data%% *} data=${data#* }
    # shellcheck disable=SC2086 # words are meant
    prune recover "$w" --inputs "$scratch/$file.npy" --method $method --damping 0 --sparsity 0.5 --mask-output "$m" -o "$o"
    keeps "$method chooses, inputs $file" "${data%% *}" "${data#* }"
  done
done
prune recover "$scratch/nan.npy" --mask "$scratch/half.npy" --inputs "$scratch/x.npy" -o "$o"
keeps "weights that are NaN" 3 "nan.npy: weights (1, 1): element 5 is NaN"
prune recover "$w" --mask "$scratch/narrow.npy" --inputs "$scratch/x.npy" -o "$o"
keeps "a mask of another size" 3 "the mask has shape [2, 3], the tensor [2, 4]"
prune recover "$w" --mask "$scratch/two.npy" --inputs "$scratch/x.npy" -o "$o"
keeps "a mask with a 2" 3 "element (1, 2) of the mask is 2"

# Scores from data.
for criterion in taylor taylor-gate fisher woodfisher mfac snip movement; do
  prune score "$w" --criterion $criterion --gradients "$scratch/steps.npy" -o "$o"
  keeps "$criterion, a gradient that is NaN" 3 "steps.npy, step 2: number 6 of the gradients, at (1, 2), is NaN"
  prune score "$w" --criterion $criterion --gradients "$scratch/wide.npy" -o "$o"
  keeps "$criterion, gradients of another shape" 3 "[2, 5]"
done
prune score "$w" --criterion obd --curvatures "$scratch/wide.npy" -o "$o"
keeps "curvatures of another shape" 3 "[2, 5]"
for criterion in wanda obs; do
  prune score "$w" --criterion $criterion --inputs "$scratch/none.npy" -o "$o"
  keeps "$criterion without samples" 2 "0 samples"
  prune mask "$w" --criterion $criterion --inputs "$scratch/wide.npy" --sparsity 0.5 -o "$o"
  keeps "$criterion, inputs of another width" 3 "[2, 4]"
done
prune mask "$w" --criterion obs --damping 0 --inputs "$scratch/one.npy" --sparsity 0.5 -o "$o"
keeps "obs of one sample without damping" 3 "pivot"
for data in scale:scales apoz:activations mean-activation:activations; do
  prune score "$w" --criterion "${data%:*}" "--${data#*:}" "$scratch/wide.npy" --granularity row -o "$o"
  refused "${data%:*} of other channels" 3 "5"
done
prune mask "$scratch/nan.npy" --sparsity 0.5 -o "$o"
keeps "a mask of weights that are NaN" 3 "weight 5, at (1, 1), is NaN"

# Patterns that cannot be.
npy "$scratch/k.npy" '<f4' '(1, 2, 1, 2)' "$(floats 1 2 3 4)"
prune mask "$w" --granularity nm --keep-n 0 --group-m 4 -o "$o"
keeps "keep_n of 0" 2 "keep_n=0 is outside its range, 1 to 2147483647"
prune mask "$w" --granularity nm --keep-n 5 --group-m 4 -o "$o"
keeps "keep_n above group_m" 2 "keep_n=5 is above group_m=4"
prune recover "$w" --inputs "$scratch/x.npy" --method sparsegpt --granularity nm --keep-n 0 --group-m 4 -o "$o"
keeps "keep_n of 0 in a recovery" 2 "keep_n=0"
prune order "$w" --keep-n 0 --group-m 4 -o "$o"
keeps "keep_n of 0 in an order" 2 "keep_n=0"
prune order "$scratch/nan.npy" --keep-n 2 --group-m 4 -o "$o"
keeps "an order of weights that are NaN" 3 "element 5 is NaN"
prune mask "$scratch/k.npy" --granularity pattern --masks 111/010 -o "$o"
keeps "patterns of another size than the kernels" 3 "patterns of 3 elements for kernels of 2"
prune mask "$scratch/k.npy" --granularity pattern --masks 11/010 -o "$o"
keeps "patterns of two sizes" 2 "a pattern of 3 elements after one of 2"
for sparsity in 1.5 -0.1 nan half; do
  prune mask "$w" --sparsity $sparsity -o "$o"
  keeps "a sparsity of $sparsity" 2 "\"$sparsity\""
done

# Checks.
prune verify "$w" --mask "$scratch/narrow.npy"
refused "verify with a mask of another size" 3 "the mask has shape [2, 3], the tensor [2, 4]"
for data in 'wide 3 5 input norms' 'nan 3 number 5 of the inputs' 'none 2 0 samples'; do
  file=${data%% *} data=${data#* }
  prune verify "$scratch/half.npy" --before "$w" --inputs "$scratch/$file.npy"
  refused "a bound from inputs $file" "${data%% *}" "${data#* }"
done
prune verify "$w" --granularity nm:keep_n=0,group_m=4
refused "verify keep_n of 0" 2 "keep_n=0"
finish
