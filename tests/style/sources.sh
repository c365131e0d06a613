#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# What every source file keeps to: licence line, length, words.
. tests/report.sh
sources=$(files '*.c' '*.h' '*.def' '*.cc' '*.cpp')
scripts=$(files '*.sh' setup .ci/run tests/run '*.mk' Makefile configure.ac)

# Longer than the rule allows, each with its reason. "FILE" or "FILE:FUNCTION".
long_files='
lib/core/sparse/choice/speeds.def a table of measurements
'
long_functions='
'

no_licence() {
  for file in $sources $scripts; do
    head -n 3 "$file" | grep -q 'SPDX-License-Identifier: BSD-2-Clause' || echo "$file"
  done
}
expect_empty "every file names its licence" "$(no_licence)"

# shellcheck disable=SC2086
expect_empty "no line beyond 120 columns, no tab, no space at the end" "$(awk '
  length($0) > 120 { print FILENAME ":" FNR ": " length($0) " columns" }
  /\t/ { print FILENAME ":" FNR ": tab" }
  / $/ { print FILENAME ":" FNR ": space at the end" }' $sources)"

too_long() {
  for file in $sources; do
    lines=$(wc -l < "$file")
    case $file in lib/core/kernels/*) continue ;; esac
    case $file in tests/*) limit=900 ;; *) limit=600 ;; esac
    if [ "$lines" -gt "$limit" ]; then
      case $long_files in *"$file"*) ;; *) echo "$file: $lines lines" ;; esac
    fi
  done
}
expect_empty "no file beyond 600 lines (tests 900)" "$(too_long)"

# clang-format puts a function's braces into column 0. Tests may list cases up to 100 lines.
# shellcheck disable=SC2086
expect_empty "no function beyond 60 lines (kernels apart)" "$(awk -v allowed="$long_functions" '
  FILENAME ~ /^lib\/core\/kernels\// { next }
  FNR == 1 { name = "" }
  /^[A-Za-z].*\(/ && match($0, /[A-Za-z_][A-Za-z_0-9]*\(/) { name = substr($0, RSTART, RLENGTH - 1) }
  /^\{/ { start = FNR }
  /^\}/ && start {
    limit = FILENAME ~ /^tests\// ? 100 : 60
    if (FNR - start - 1 > limit && index(allowed, FILENAME ":" name) == 0)
      print FILENAME ":" name ": " FNR - start - 1 " lines"
    start = 0
  }' $sources)"

# Work left undone is not left in the sources, and nothing speaks of where it was written.
# shellcheck disable=SC2086
expect_empty "no unfinished work in the sources" \
  "$(grep -nHwE 'T[O]DO|F[I]XME|X[X]X|H[A]CK' $sources $scripts)"
documents=$(files '*.md' NEWS '*.[1-8]')
# shellcheck disable=SC2086
expect_empty "no path of the place it was written in" \
  "$(grep -nHE '/w[o]rk/|\.\./shared' $sources $scripts $documents | grep -vE '^(\.ci/run|tests/bench/[^:]*|tests/model/data\.h|tests/cli/models\.sh|tests/results/[^:]*):')"

# A comment of its own, or one comment for a block of declarations: no exported function stands after an empty line
# without one.
# shellcheck disable=SC2046
expect_empty "every exported function is described" "$(awk '
  /^$/ || FNR == 1 { described = 0 }
  /\*\// { described = 1 }
  /^PRUNE_API/ && !described && !/_free\(/ { print FILENAME ":" FNR ": " $0 }' include/prune/*.h)"

expect_empty "the licence is there" "$(grep -q 'BSD 2-Clause' LICENSE || echo LICENSE)"
version=$(sed -n 's/^#define PRUNE_VERSION_STRING "\(.*\)"/\1/p' include/prune/version.h)
if head -n 5 NEWS | grep -qF "$version"; then ok "NEWS begins with this version"; else fail "NEWS begins with this version" "$version is not in its first lines"; fi
finish
