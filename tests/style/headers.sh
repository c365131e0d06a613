#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Each public header alone, as C99 and as C++11, with every compiler that is here.
. tests/report.sh

# COMPILER FLAGS...: all public headers.
try() {
  compiler=$1
  if ! command -v "$compiler" > /dev/null; then
    skip "headers under $compiler" "$compiler is not installed"
    return
  fi
  for header in include/prune/*.h; do
    # Twice, so that the guard is tried as well.
    printf '#include "%s"\n#include "%s"\n' "${header#include/}" "${header#include/}" > "$scratch/one"
    if "$@" -Iinclude -pedantic-errors -Wall -Wextra -Werror -fsyntax-only "$scratch/one" 2> "$scratch/log"; then
      ok "$compiler $2 $header"
    else
      fail "$compiler $header" "$(head -n 3 "$scratch/log")"
    fi
  done
}
try gcc -std=c99 -Wstrict-prototypes -x c
try clang -std=c99 -Wstrict-prototypes -x c
try g++ -std=c++11 -x c++
try clang++ -std=c++11 -x c++
finish
