# SPDX-License-Identifier: BSD-2-Clause
# libprune: `make`, `make check`, `make demo`, `make install`; see `make help`.
# No configure step is needed; `autoconf && ./configure` writes build/settings.mk, which is read here when it is there.

MAKEFLAGS += --no-builtin-rules
.DELETE_ON_ERROR:
.SUFFIXES:

B ?= build
# What configure found. It comes first, so that everything below can be set there.
-include build/settings.mk

CC ?= cc
AR ?= ar
PKG_CONFIG ?= pkg-config
INSTALL ?= install
CFLAGS ?= -O2 -g
prefix ?= /usr/local
exec_prefix ?= $(prefix)
bindir ?= $(exec_prefix)/bin
libdir ?= $(exec_prefix)/lib
includedir ?= $(prefix)/include
datarootdir ?= $(prefix)/share
datadir ?= $(datarootdir)
mandir ?= $(datarootdir)/man
docdir ?= $(datarootdir)/doc/libprune
pkgconfigdir ?= $(libdir)/pkgconfig

version_of = $(shell sed -n 's/^.define PRUNE_VERSION_$(1) //p' include/prune/version.h)
VERSION := $(call version_of,MAJOR).$(call version_of,MINOR).$(call version_of,PATCH)
ABI := 0

include mk/probe.mk
include mk/build.mk
include mk/fuzz.mk
include mk/check.mk
include mk/bench.mk
include mk/install.mk

.DEFAULT_GOAL := all
.PHONY: all help clean distclean demo
all: $(PRODUCTS)
	@$(SAY_WHAT_IS_MISSING)

demo: all
	@[ $(HAVE_MODEL) = yes ] || { echo "make demo needs the prune tool, which was left out"; exit 1; }
	examples/demo.sh $(DEMO_FLAGS)

clean:
	find $(B) -mindepth 1 -maxdepth 1 ! -name settings.mk -exec rm -rf {} + 2>/dev/null || :

distclean:
	rm -rf $(B) build autom4te.cache config.log config.status configure configure~

help:
	@sed -n 's/^## //p' $(MAKEFILE_LIST)

## make             both libraries and the tool, in build/ (without OpenBLAS, jansson, zlib or protobuf-c: libprune alone)
## make check       every test (under five minutes on two cores)
## make check-long  the same tests with every combination of what make check takes samples of
## make check-all   the same, then under gcc and clang with AddressSanitizer and UBSan
## make check-blas  the tests of libprune with OpenBLAS linked and with none (make check has it loaded)
## make fuzz        libFuzzer on every reader of files, FUZZ_SECONDS each (clang)
## make demo        train, prune, retrain, pack and run LeNet-300-100 on Fashion-MNIST; DEMO_FLAGS="--data DIR --seed N"
## make bench       speed against OpenBLAS (on a quiet machine)
## make install     to $(DESTDIR)$(prefix); make uninstall takes it away again
## make dist        build/libprune-VERSION.tar.gz; make distcheck builds, tests and installs what is in it
## make clean       everything that make made; make distclean: configure's files as well
##
## BLAS=load|link|none (OpenBLAS in libprune: when it is first used, linked, never)
## ONLY=WORD (tests with this word in their name), CC=clang, CFLAGS=..., V=1 (show commands), SAN=address,undefined, WERROR=1, B=DIR (build somewhere else)
