#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The example of libprune(3) compiles without a warning, runs, and prints what the page says it prints.
. tests/report.sh
page=man/libprune.3
sed -n '/^\.Sh EXAMPLES/,/^\.Ed/p' $page | sed '1,/^\.Bd/d; /^\.Ed/d; s/\\e/\\/g' > "$scratch/example.c"
# shellcheck disable=SC2086
if $CC -std=c11 -Wall -Wextra -Werror -Iinclude ${CPPFLAGS-} "$scratch/example.c" -o "$scratch/example" -L"$B" -lprune \
  -Wl,-rpath,"$PWD/$B" > "$scratch/log" 2>&1; then
  ok "the manual's example compiles"
  said=$("$scratch/example" 2>&1)
  if grep -qxF "It prints $said." $page; then ok "the manual's example prints what the page says"; else fail "the manual's example prints what the page says" "it prints: $said"; fi
else
  fail "the manual's example compiles" "$(head -n 5 "$scratch/log")"
fi
# Status numbers on the page are those of the header.
expect_empty "the manual lists every status with its number" "$(
  sed -n 's/^#define \(PRUNE_E_[A-Z]*\) \(-[0-9]*\).*/\1 \2/p' include/prune/status.h | while read -r name number; do
    grep -A 1 "^\.It Dv $name\$" $page | grep -qF "(\\$number)" || echo "$name"
  done | tr '\n' ' ')"
# mandoc takes anything for a type.
expect_empty "the manual's return types are types" "$(sed -n 's/^\.Ft //p' $page | grep -vxE '"?[a-z0-9_]+( [a-z0-9_]+)*( \*)?"?')"
finish
