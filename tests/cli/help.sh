#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Help, version, lists, and command lines that cannot be meant.
. tests/tool.sh
make_json

commands="train model score mask apply recover order verify pack eval run compare inspect report bench convert list"
prune help
ended "help" 0
for name in $commands; do
  says "help lists $name" "  $name "
done
says "help lists the exit codes" "3 bad data"
cp "$out" "$scratch/help"
prune --help
ended "--help" 0
equal "--help is help" "$(cat "$out")" "$(cat "$scratch/help")"

prune list
cp "$out" "$scratch/kinds"
for name in $commands; do
  prune "$name" --help
  ended "$name --help" 0
  says "$name --help shows the usage" "usage: prune $name"
  says "$name --help shows options" "--help"
  cp "$out" "$scratch/help"
  prune help "$name"
  equal "help $name is $name --help" "$(cat "$out")" "$(cat "$scratch/help")"
  if grep -q "^.Cm $name" man/prune.1 && grep -q "^.It Cm $name" man/prune.1; then
    ok "prune.1 describes $name"
  else
    fail "prune.1 describes $name" "no synopsis or no description"
  fi
  sed -n 's/^ .*--\([a-z-]*\).*/\1/p' "$scratch/help" | while read -r option; do
    case $option in output | help | columns) continue ;; esac
    # `prune list` is where parameters of kinds are described.
    if grep -q "^    $(echo "$option" | tr - _) " "$scratch/kinds"; then continue; fi
    grep -qe "Fl -$option" man/prune.1 || echo "$name --$option"
  done > "$scratch/missing"
  expect_empty "prune.1 names the options of $name" "$(cat "$scratch/missing")"
  prune "$name" --no-such-option
  refused "$name --no-such-option" 2 "--no-such-option"
done

prune version
ended "version" 0
says "version says which" "prune $(sed -n 's/^.define PRUNE_VERSION_STRING "\(.*\)"/\1/p' include/prune/version.h)"
prune --version
ended "--version" 0

prune
equal "no command is wrong usage" "$code" 2
if [ -s "$out" ]; then fail "no command says nothing on stdout" "it did"; else ok "no command says nothing on stdout"; fi
prune frobnicate
refused "an unknown command" 2 '"frobnicate"'
prune help frobnicate
refused "help for an unknown command" 2 '"frobnicate"'

prune list
ended "list" 0
for word in criteria granularities recoveries orders regularizers schedules formats sparsegpt stripe-groups wanda l1 lp random nm element cubic csr keep_n; do
  says "list shows $word" "$word"
done
prune list criteria
ended "list criteria" 0
if grep -q granularities "$out"; then fail "list criteria shows only them" "it shows more"; else ok "list criteria shows only them"; fi
prune list flowers
refused "list of an unknown kind" 2 "flowers"
prune list criteria formats
refused "two lists" 2 "formats"
prune list --json
ended "list --json" 0
equal "list --json has a schema" "$(json "$out" schema)" 1
equal "list --json names a parameter" "$(json "$out" granularities 1 parameters 0 name)" keep_n

# What the page on kinds says of each is what the lists say.
prune list
tab=$(printf '\t')
expect_empty "every kind and parameter stands in prune-kinds(7)" "$(
  sed -n "s/^ \{2,4\}\([^ ][^ ]*\)  *\(.*\)\$/\1$tab\2/p" "$out" | sed 's/; must be given$//; s/; default [^;]*$//' |
    while IFS="$tab" read -r name help; do
      grep -A 1 "^\.It Cm $name\( \|\$\)" man/prune-kinds.7 | grep -qxF -e "$help" || echo "$name: $help"
    done)"

# What every parser of options must do.
prune mask a.npy b.npy --sparsity 0.5 -o "$scratch/m.npy"
refused "one file too many" 2 "b.npy"
prune mask --sparsity 0.5 -o "$scratch/m.npy"
refused "no file" 2 "one file of weights"
prune mask a.npy --sparsity 0.5
refused "no output" 2 "-o MASK.npy"
prune mask a.npy --sparsity
refused "an option without its value" 2 "--sparsity needs a value"
prune mask a.npy --json=yes
refused "a flag with a value" 2 "--json takes no value"
prune mask a.npy --threads 0 --sparsity 0.5 -o "$scratch/m.npy"
refused "no thread" 2 "from 1 to 256"
prune mask a.npy --threads 1x --sparsity 0.5 -o "$scratch/m.npy"
refused "a number with a letter" 2 "1x"
prune eval --same one.safetensors
refused "--same with one network" 2 "at least two"
prune train -o "$scratch/n.safetensors"
refused "train from nothing" 2 "--arch"
prune train --arch 4-2 --from x -o "$scratch/n.safetensors"
refused "train from two things" 2 "--arch"
prune train --arch 4-2
refused "train into nothing" 2 "-o NET"
prune run x.safetensors -o y.npy
refused "run on nothing" 2 "--inputs"
finish
