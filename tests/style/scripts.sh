#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Every script through shellcheck, every manual page through mandoc's lint.
. tests/report.sh
if command -v shellcheck > /dev/null; then
  for file in $(files '*.sh' setup .ci/run tests/run); do
    if shellcheck -x "$file" > "$scratch/log" 2>&1; then ok "shellcheck $file"; else fail "shellcheck $file" "$(grep -m 3 -e '^In ' -e SC "$scratch/log")"; fi
  done
else
  skip "shellcheck" "shellcheck is not installed"
fi
pages=$(files 'man/*.[1-8]')
if [ -z "$pages" ]; then
  skip "manual pages" "there are none yet"
elif command -v mandoc > /dev/null; then
  for file in $pages; do
    # mandoc looks for the pages that are referred to in the system's manual.
    complaints=$(mandoc -Tlint -Wwarning "$file" 2>&1 | grep -v 'referenced manual not found')
    expect_empty "mandoc $file" "$complaints"
  done
else
  skip "mandoc" "mandoc is not installed"
fi
finish
