#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# clang-format leaves every C file as it is. Other versions set some lines otherwise, so 14 it is.
. tests/report.sh
formatter=
for name in clang-format-14 clang-format; do
  if "$name" --version 2> /dev/null | grep -q 'version 14\.'; then formatter=$name; break; fi
done
if [ -z "$formatter" ]; then
  skip "clang-format" "clang-format 14 is not installed"
else
  for file in $(files '*.c' '*.h'); do
    if "$formatter" --dry-run -Werror "$file" 2> "$scratch/log"; then ok "clang-format $file"; else fail "clang-format $file" "$(head -n 1 "$scratch/log")"; fi
  done
fi
finish
