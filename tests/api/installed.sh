#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# An installation in a folder of its own, used as a stranger would: through pkg-config, shared and static, from C and
# C++, by the tool; then taken away again.
. tests/report.sh
: "${MAKE:=make}" "${PKG_CONFIG:=pkg-config}"
root=$scratch/root
prefix=/opt/libprune
# MAKEFLAGS has the variables that `make check` was given, so that nothing is compiled anew.
run_make() { $MAKE -s B="$B" CC="$CC" prefix="$prefix" DESTDIR="$root" "$@" > "$scratch/make.log" 2>&1; }

if ! run_make install; then
  fail "make install" "$(tail -n 5 "$scratch/make.log")"
  finish
  exit
fi
ok "make install"
lib=$root$prefix/lib
expect_empty "the .pc files name nothing of this machine" "$(grep -n -e "$PWD" -e "$scratch" "$lib"/pkgconfig/*.pc)"
# shellcheck disable=SC2016 # the .pc file's own dollar
expect_empty "the .pc files are relative to their prefix" \
  "$(grep -hE '^(exec_prefix|libdir|includedir)=' "$lib"/pkgconfig/*.pc | grep -vE '=\$\{(exec_)?prefix\}')"

export PKG_CONFIG_PATH="$lib/pkgconfig" LD_LIBRARY_PATH="$lib"
config() { $PKG_CONFIG --define-variable=prefix="$root$prefix" "$@"; }
cat > "$scratch/core.c" << 'END'
#include <prune/prune.h>
#include <stdio.h>
int main(void)
{
    int64_t shape[2] = {2, 2};
    prune_mask *mask = NULL;
    int32_t bad = prune_mask_create(&mask, NULL, 2, shape, 1);
    printf("%s %lld\n", prune_version(), (long long)prune_mask_kept(mask));
    prune_mask_free(mask);
    return bad != 0;
}
END
cat > "$scratch/model.c" << 'END'
#include <prune/model.h>
#include <stdio.h>
int main(void)
{
    prune_network *network = NULL;
    int32_t bad = prune_network_create_mlp(&network, NULL, "4-3-2") || prune_network_initialize(network, 1);
    printf("%s %d\n", prune_version(), (int)prune_network_parameter_count(network));
    prune_network_free(network);
    return bad != 0;
}
END

# NAME EXPECTED COMMAND...: the command makes $scratch/program, which prints what is expected.
builds() {
  name=$1 expected=$2
  shift 2
  if ! "$@" -o "$scratch/program" > "$scratch/log" 2>&1; then
    fail "$name" "$(head -n 5 "$scratch/log")"
  elif [ "$("$scratch/program" 2>&1)" = "$expected" ]; then
    ok "$name"
  else
    fail "$name" "prints $("$scratch/program" 2>&1) instead of $expected"
  fi
}
version=$(sed -n 's/^#define PRUNE_VERSION_STRING "\(.*\)"/\1/p' include/prune/version.h)
strict="-Wall -Wextra -Wpedantic -Werror"
# shellcheck disable=SC2046,SC2086 # words are meant
{
  builds "C99, shared" "$version 4" $CC -std=c99 $strict "$scratch/core.c" $(config --cflags --libs libprune)
  builds "C99, static and nothing but static" "$version 4" $CC -std=c99 $strict -static "$scratch/core.c" $(config --cflags --static --libs libprune)
  if command -v g++ > /dev/null; then
    builds "C++11, shared" "$version 4" g++ -std=c++11 $strict -x c++ "$scratch/core.c" $(config --cflags --libs libprune)
  else
    skip "C++11, shared" "g++ is not installed"
  fi
  if [ -f "$lib/pkgconfig/libprune-model.pc" ]; then
    builds "libprune-model, shared" "$version 4" $CC -std=c99 $strict "$scratch/model.c" $(config --cflags --libs libprune-model)
    # Debian's static OpenBLAS wants Fortran's library, which few have; so only the two libraries are linked statically.
    builds "libprune-model, the two libraries static" "$version 4" $CC -std=c99 $strict "$scratch/model.c" \
      $(config --cflags libprune-model) "$lib/libprune-model.a" "$lib/libprune.a" $(config --libs openblas jansson zlib libprotobuf-c) -lm -pthread
  else
    skip "libprune-model" "it was not built here"
  fi
}
# shellcheck disable=SC2046
expect_empty "a program that only wants kernels links no BLAS, parser or zlib" \
  "$(config --static --libs libprune | grep -oE 'blas|jansson|lz|protobuf')"

if [ -x "$root$prefix/bin/prune" ]; then
  if readelf -d "$root$prefix/bin/prune" 2> /dev/null | grep -qE 'RPATH|RUNPATH'; then fail "the installed tool has no run path" "readelf -d shows one"; else ok "the installed tool has no run path"; fi
  if "$root$prefix/bin/prune" --version > "$scratch/log" 2>&1 && grep -qF "$version" "$scratch/log"; then ok "the installed tool runs"; else fail "the installed tool runs" "$(head -n 3 "$scratch/log")"; fi
fi
if [ -f man/libprune.3 ]; then
  expect_empty "every exported function has a page or a link" "$(
    sed -n 's/^ *\(prune_[a-z0-9_]*\);.*/\1/p' lib/*.map | while read -r name; do
      [ -f "$root$prefix/share/man/man3/$name.3" ] || echo "$name"
    done | tr '\n' ' ')"
fi

if run_make uninstall; then
  expect_empty "make uninstall leaves no file" "$(find "$root" ! -type d)"
else
  fail "make uninstall" "$(tail -n 5 "$scratch/make.log")"
fi
finish
