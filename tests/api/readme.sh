#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The program in README.md compiles without a warning, runs, and prints what README.md says it prints. The files that it
# links to are there.
. tests/report.sh
# shellcheck disable=SC2016 # backquotes are meant
sed -n '/^```c$/,/^```$/p' README.md | sed '1d;$d' > "$scratch/hello.c"
lines=$(wc -l < "$scratch/hello.c")
if [ "$lines" -gt 0 ] && [ "$lines" -le 26 ]; then ok "README's program is short"; else fail "README's program is short" "$lines lines"; fi
# shellcheck disable=SC2086
if $CC -std=c11 -Wall -Wextra -Werror -Iinclude ${CPPFLAGS-} "$scratch/hello.c" -o "$scratch/hello" -L"$B" -lprune \
  -Wl,-rpath,"$PWD/$B" > "$scratch/log" 2>&1; then
  ok "README's program compiles"
  said=$("$scratch/hello" 2>&1)
  if grep -qF "It prints \`$said\`" README.md; then ok "README's program prints what README says"; else fail "README's program prints what README says" "it prints: $said"; fi
else
  fail "README's program compiles" "$(head -n 5 "$scratch/log")"
fi
for document in $(files '*.md'); do
  grep -o '](\([^)#:]*\))' "$document" | sed 's/^](//; s/)$//' | while read -r target; do
    [ -e "$(dirname "$document")/$target" ] || echo "$document: $target"
  done
done > "$scratch/dead"
expect_empty "links in the documents lead somewhere" "$(tr '\n' ' ' < "$scratch/dead")"
finish
