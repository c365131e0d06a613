#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# What the libraries export, need and call. The headers, the map and the shared library name the same functions.
. tests/report.sh
if ! command -v nm > /dev/null || ! command -v readelf > /dev/null; then
  skip "symbols" "binutils are not installed"
  exit 0
fi

in_map() { sed -n 's/^ *\(prune_[a-z0-9_]*\);.*/\1/p' "$1" | sort; }
exported() { nm -D --defined-only --format=posix "$1" | awk '$2 != "A" { sub(/@.*/, "", $1); print $1 }' | sort; }
needed() { readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'; }
# "only in ONE: name ..." for each side that has something of its own.
difference() {
  comm -23 "$scratch/$1" "$scratch/$2" | tr '\n' ' ' | sed "s/^\(.\)/only in $1: \1/"
  comm -13 "$scratch/$1" "$scratch/$2" | tr '\n' ' ' | sed "s/^\(.\)/only in $2: \1/"
}

# Global names of a static library: a program that links it must not meet names that could be its own.
foreign_names() { nm -g --defined-only --format=posix "$1" | awk '$2 ~ /[A-Z]/ && $1 !~ /:$/ && $1 !~ /^(prune|pr|pm)_/ { print $1 }' | sort -u | tr '\n' ' '; }

# What a library must not call: it would end, print, change or read the process's own state, or depend on the locale.
banned='abort|exit|_exit|_Exit|quick_exit|atexit|__assert_fail|printf|vprintf|puts|putchar|perror|stdout|stderr|stdin|setlocale
|uselocale|qsort|bsearch|strtod|strtof|strtold|atof|atoi|atol|scanf|sscanf|fscanf|__isoc99_sscanf|__isoc99_fscanf|sprintf
|vsprintf|strcpy|strcat|gets|rand|srand|random|srandom|drand48|signal|sigaction|raise|kill|system|popen|getenv|secure_getenv
|putenv|setenv|strtok|localtime|gmtime|asctime|ctime|tmpnam|mktemp|longjmp|_longjmp|fesetround|feenableexcept|fesetenv
|openblas_set_num_threads|goto_set_num_threads'
banned=$(echo "$banned" | tr -d '\n')
# Called on purpose. LIBRARY:NAME and why:
#   prune-model:openblas_set_num_threads   the one documented function that asks for it, prune_blas_set_threads
allowed=' prune-model:openblas_set_num_threads '
calls_banned() {
  nm -u --format=posix "$B/lib$1.a" | awk '{ print $1 }' | grep -xE "($banned)|__($banned)_chk" | sort -u |
    while read -r name; do case $allowed in *" $1:$name "*) ;; *) echo "$name" ;; esac; done | tr '\n' ' '
}

# What dlopen found, written once by pthread_once, is the one exception (pr_openblas_loaded).
# Variables that can change, in .data or .bss; what is constant but for relocation lies in .data.rel.ro, the sentence of
# each thread in .tbss.
variables() { objdump -t "$B/lib$1.a" 2> /dev/null | awk '$3 == "O" && $4 ~ /^\.(data|bss)(\.|$)/ && $4 !~ /^\.data\.rel\.ro/ { print $NF } $2 == "O" && $3 ~ /^\.(data|bss)(\.|$)/ && $3 !~ /^\.data\.rel\.ro/ { print $NF }' | sort -u | tr '\n' ' '; }

# libc.so.6, libm.so.6, and the sanitizers' or compiler's own.
check_library() {
  library=$1 of=$2
  shift 2
  if [ ! -f "$B/lib$library.so.0" ]; then
    skip "lib$library" "it was not built here"
    return
  fi
  # shellcheck disable=SC2046
  declared_in $(headers_of "$of") | sort > "$scratch/headers"
  in_map "lib/lib$library.map" > "$scratch/map"
  exported "$B/lib$library.so.0" > "$scratch/library"
  expect_empty "lib$library: headers and map name the same functions" "$(difference headers map)"
  expect_empty "lib$library: map and library name the same functions" "$(difference map library)"
  if [ -s "$scratch/library" ]; then ok "lib$library exports something"; else fail "lib$library exports something" "nm -D shows nothing"; fi
  expect_empty "lib$library.a: every global name begins with prune_, pr_ or pm_" "$(foreign_names "$B/lib$library.a")"
  expect_empty "lib$library: calls nothing that ends, prints or changes the process" "$(calls_banned "$library")"
  expect_empty "lib$library: no variable that can change" "$(variables "$library" | sed 's/\<pr_openblas_loaded //')"
  expect_empty "lib$library: needs only what it should" "$(needed "$B/lib$library.so.0" | grep -vxE "$*" | tr '\n' ' ')"
  if readelf -d "$B/lib$library.so.0" | grep -q "SONAME.*\[lib$library.so.0\]"; then ok "lib$library: soname"; else fail "lib$library: soname" "not lib$library.so.0"; fi
  # Nothing asks for an executable stack, text relocations or a path of this machine.
  expect_empty "lib$library: no text relocation, no run path" "$(readelf -d "$B/lib$library.so.0" | grep -E 'TEXTREL|RPATH|RUNPATH')"
}
core_needs='c|m|pthread'
if [ "${BLAS:-load}" = link ]; then core_needs="$core_needs|openblas|blas"; fi
check_library prune core "lib($core_needs)"'\.so\.[0-9]+|ld-linux.*'
check_library prune-model model 'lib(c|m|pthread|prune|openblas|blas|cblas|jansson|z|protobuf-c)\.so\.[0-9]+|ld-linux.*'

# Every exported function is described in a manual page.
if [ -f man/libprune.3 ]; then
  for function in $(in_map lib/libprune.map) $(in_map lib/libprune-model.map); do
    grep -qE "^\.(F[no]|Nm) $function( |\$)" man/*.3 || echo "$function"
  done > "$scratch/undescribed"
  expect_empty "every exported function is named in a manual page" "$(tr '\n' ' ' < "$scratch/undescribed")"
else
  skip "functions in the manual" "man/libprune.3 is not there yet"
fi
finish
