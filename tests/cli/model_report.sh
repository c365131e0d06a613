#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# prune report on a whole model.
. tests/tool.sh
make_json
tiny=$PWD/tests/golden/tiny.onnx
cd "$scratch" || exit 1
npy x.npy '|u1' '(12, 2, 8, 8)' "$(awk 'BEGIN { for (i = 0; i < 1536; i++) printf "\\%03o", (i * i * 7 + i * 31) % 251 }')"
npy labels.npy '|u1' '(12,)' '\000\001\002\003\000\001\000\001\002\003\000\001'
npy wrong.npy '|u1' '(12,)' '\000\001\002\003\000\001\000\001\002\003\000\007'

prune report "$tiny" -o page.html
ended "a page of a model" 0
for word in '<!DOCTYPE html>' conv1.weight fc.weight 'opset 13' '796 parameters' Density '</html>'; do
  if grep -qF "$word" page.html; then ok "it has $word"; else fail "it has $word" "it does not"; fi
done
equal "a bar for each layer" "$(grep -c '<g class="bars"><rect' page.html)" 3
equal "a histogram for each layer" "$(grep -c '<figure class="histogram">' page.html)" 3
if grep -q 'Accuracy over' page.html; then fail "no curve without samples" "there is one"; else ok "no curve without samples"; fi
equal "it needs nothing else" "$(grep -c 'http\|<script\|<link\|url(' page.html)" 0

prune report "$tiny" --inputs x.npy --labels labels.npy --recover sparsegpt --sparsities 0.5,0.75 -o page.html --json
ended "a page with curves" 0
equal "the criterion alone and the repair" "$(json "$out" curves 0 name) $(json "$out" curves 1 name)" "l1 sparsegpt"
equal "dense and two points" "$(json "$out" curves 1 points)" 3
equal "where they are" "$(json "$out" curves 0 points 1 sparsity) $(json "$out" curves 0 points 2 sparsity)" "0.5 0.75"
equal "both start at the same accuracy" "$(json "$out" curves 0 points 0 correct)" "$(json "$out" curves 1 points 0 correct)"
equal "half of the samples calibrate" "$(json "$out" calibrated)" 6
if grep -qF 'Accuracy over sparsity' page.html; then ok "the page has the chart"; else fail "the page has the chart" "it does not"; fi
prune report "$tiny" --inputs x.npy --labels labels.npy --granularity nm --keep-n 2 --group-m 4 -o page.html --json
ended "a page with a quota" 0
equal "nothing calibrates where nothing needs data" "$(json "$out" calibrated)" 0
equal "dense and the quota" "$(json "$out" curves 0 points)" 2

rm -f none.html
prune report "$tiny" --inputs x.npy -o none.html
refused "samples without labels" 2 "both --inputs and --labels"
prune report "$tiny"
refused "no page" 2 "-o PAGE.html"
prune report "$tiny" --inputs x.npy --labels wrong.npy -o none.html
refused "a label outside the classes" 3 "label 7 of sample 11 is outside the 4 classes"
prune report "$tiny" --inputs x.npy --labels labels.npy --sparsities 0.5,2 -o none.html
refused "a sparsity above 1" 2 "--sparsities has 2"
prune report "$tiny" --inputs x.npy --labels labels.npy --calibrate 12 -o none.html
refused "nothing left to measure" 2 "12 of 12 samples calibrate"
prune report "$tiny" --inputs x.npy --labels labels.npy --recover magic -o none.html
refused "a repair that is none" 2 magic
if [ -e none.html ]; then fail "nothing is written" "none.html is there"; else ok "nothing is written"; fi
finish
