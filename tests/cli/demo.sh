#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The demo from one end to the other, on sixty images of 28 x 28, and what `prune report` makes of its records.
. tests/tool.sh
make_json
data=$scratch/data
make_data "$data" 28
export PRUNE="$tool"

demo() {
  code=0
  examples/demo.sh "$@" > "$out" 2> "$err" < /dev/null || code=$?
}

demo --data "$data" --out "$scratch/one"
ended "the demo" 0
for step in 1 2 3 4 5; do
  if grep -q "^$step\. " "$out"; then ok "step $step"; else fail "step $step" "not there"; fi
done
says "shows what it runs" '$ prune train --arch 784-300-100-10'
says "pruned by layer" "--layer fc1=0.92 --layer fc2=0.91 --layer fc3=0.74"
if tail -n 1 "$out" | grep -q '^With 8.3 % of the parameters .*accuracy'; then
  ok "ends with what was saved and what was lost"
else
  fail "ends with what was saved and what was lost" "$(tail -n 1 "$out")"
fi
equal "fifteen packed networks predict as their masked ones" "$(grep -c ' predicts as ' "$out")" 15
says "the table has 2:4 shared by rows" "2:4, shared by 4 rows"
records=$scratch/one/demo.json
equal "records have a schema" "$(json "$records" schema)" 1
equal "records hold every variant" "$(json "$records" variants)" 21
equal "a page" "$(head -c 15 "$scratch/one/report.html" | tr '[:lower:]' '[:upper:]')" '<!DOCTYPE HTML>'

# The same numbers, times apart, for the same seed; others for another.
demo --data "$data" --out "$scratch/two" --seed 1
for file in dense one-shot-8 iterative-2 equal-4.packed nm-rows.packed; do
  if cmp -s "$scratch/one/$file.safetensors" "$scratch/two/$file.safetensors"; then
    ok "the same seed, the same $file"
  else
    fail "the same seed, the same $file" "they differ"
  fi
done
rm -rf "$scratch/two"

prune report "$records"
ended "report" 0
says "report shows a variant" "iterative, 8 %"
prune report "$records" --json
ended "report --json" 0
equal "report --json has a schema" "$(json "$out" schema)" 1
equal "report --json has a row for each variant" "$(json "$out" rows)" 21
prune report "$records" -o "$scratch/page.html"
ended "report -o" 0
if cmp -s "$scratch/page.html" "$scratch/one/report.html"; then ok "the same page"; else fail "the same page" "another"; fi

# Records that are none.
bad=$scratch/one/bad.json
while IFS='|' read -r name text exit_code word; do
  printf '%s' "$text" > "$bad"
  prune report "$bad" -o "$scratch/none.html"
  refused "$name" "$exit_code" "$word"
done << 'END'
not JSON|{"schema": 1,|3|is not JSON
twice the same key|{"schema": 1, "schema": 1}|3|is not JSON
another schema|{"schema": 2}|3|schema
no variants|{"schema": 1}|3|variants
a variant without a file|{"schema": 1, "title": "t", "variants": [{"name": "a"}]}|3|file
a variant not measured|{"schema": 1, "title": "t", "variants": [{"name": "a", "file": "b"}]}|3|measurement
no title|{"schema": 1, "variants": []}|3|title
a text that is none|{"schema": 1, "title": "t", "texts": [1], "variants": []}|3|text
a curve of unknown variants|{"schema": 1, "title": "t", "variants": [], "charts": [{"caption": "c", "curves": [{"name": "n", "variants": ["v"]}]}]}|3|no variant v
a picture of no file|{"schema": 1, "title": "t", "variants": [], "masks": [{"caption": "c", "file": "no", "parameter": "p"}]}|4|no
a mask of a network without|{"schema": 1, "title": "t", "variants": [], "masks": [{"caption": "c", "file": "dense.safetensors", "parameter": "fc1.weight"}]}|3|mask
a closing pair of nobody|{"schema": 1, "title": "t", "variants": [], "closing": {"reference": "a", "variant": "b"}}|3|no variant a
END
prune report "$scratch/none.json"
refused "no records" 4 "none.json"
if [ -e "$scratch/none.html" ]; then fail "nothing was written" "none.html is there"; else ok "nothing was written"; fi

# A failure of a chain is a failure of the demo, and bad arguments are said.
demo --frob
equal "demo --frob" "$code" 2
demo --data
equal "demo --data without a folder" "$code" 2
demo --data "$scratch/nowhere"
equal "demo without data" "$code" 4
if grep -q dataset-fashion-mnist "$err"; then ok "says how to get some"; else fail "says how to get some" "$(cat "$err")"; fi
cat > "$scratch/broken" << END
#!/bin/sh
case "\$*" in *equal-8*) echo "prune: broken" >&2; exit 3 ;; esac
exec "$tool" "\$@"
END
chmod +x "$scratch/broken"
PRUNE=$scratch/broken
demo --data "$data" --out "$scratch/two"
equal "a failure in the background fails the demo" "$code" 3
if grep -q "prune: broken" "$out"; then ok "and is shown"; else fail "and is shown" "not in the output"; fi
finish
