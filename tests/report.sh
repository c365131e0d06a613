# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
# What every test script shares: `. tests/report.sh`, then ok, fail, skip or expect_empty, and `finish` as the last line.
# Scripts run from the top folder; B is the build folder, CC the compiler.
: "${B:=build}" "${CC:=cc}"
export LC_ALL=C
failures=0
scratch=$(mktemp -d) && trap 'rm -rf "$scratch"' EXIT

ok() { echo "ok $1"; }
fail() {
  echo "FAIL: $1: $2"
  failures=$((failures + 1))
}
skip() { echo "SKIP: $1: $2"; }

# Passes when the text (the list of offenders) is empty.
expect_empty() {
  if [ -z "$2" ]; then ok "$1"; else fail "$1" "$2"; fi
}

# The project's files that match one of the shell patterns: what git knows or would take, or in an unpacked archive
# everything that was not made here.
files() {
  if [ "$(git rev-parse --show-prefix 2> /dev/null || echo none)" = "" ]; then
    git ls-files --cached --others --exclude-standard
  else
    find . -type f ! -path './build/*' ! -path './.git/*' ! -path './autom4te.cache/*' ! -name 'config*' | sed 's|^\./||'
    echo configure.ac
  fi | sort -u | while IFS= read -r file; do
    [ -f "$file" ] || continue
    for pattern in "$@"; do
      # shellcheck disable=SC2254 # patterns are meant
      case $file in $pattern) echo "$file"; break ;; esac
    done
  done
}

# The functions that a header declares, one a line.
declared_in() {
  awk '/^PRUNE_API/ { declaration = "" ; open = 1 }
       open { declaration = declaration " " $0 }
       open && /;/ { open = 0; if (match(declaration, /prune_[a-z0-9_]+\(/)) print substr(declaration, RSTART, RLENGTH - 1) }' "$@"
}

# The headers of libprune-model; the others are libprune's.
model_headers="compare cost file graph matrix model network pruner report session stream train"
headers_of() {
  for header in include/prune/*.h; do
    name=$(basename "$header" .h)
    case " $model_headers " in *" $name "*) of=model ;; *) of=core ;; esac
    if [ "$of" = "$1" ]; then echo "$header"; fi
  done
}

finish() { [ "$failures" -eq 0 ]; }
