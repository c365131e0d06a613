# SPDX-License-Identifier: BSD-2-Clause
# What this machine has. Each probe is a variable that can be set by hand or by configure.

# Packages of libprune-model; nothing in libprune needs them.
MODEL_PACKAGES := openblas jansson zlib libprotobuf-c
PROTOC_C ?= protoc-c
HAVE_MODEL ?= $(shell $(PKG_CONFIG) --exists $(MODEL_PACKAGES) 2>/dev/null && command -v $(PROTOC_C) >/dev/null && echo yes || echo no)
HAVE_CHECK ?= $(shell $(PKG_CONFIG) --exists check 2>/dev/null && echo yes || echo no)
ifeq ($(HAVE_MODEL),yes)
MODEL_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(MODEL_PACKAGES))
MODEL_LIBS := $(shell $(PKG_CONFIG) --libs $(MODEL_PACKAGES))
endif
ifeq ($(HAVE_CHECK),yes)
CHECK_CFLAGS := $(shell $(PKG_CONFIG) --cflags check)
CHECK_LIBS := $(shell $(PKG_CONFIG) --libs check)
endif

# Dense algebra of libprune: "load" OpenBLAS at the first call that can use it (and do without where it is not there),
# "link" it, or "none": the built-in routines alone.
BLAS ?= load
ifeq ($(filter load link none,$(BLAS)),)
$(error BLAS is "$(BLAS)"; it must be load, link or none)
endif
BLAS_LIBS := $(shell $(PKG_CONFIG) --libs openblas 2>/dev/null)
CORE_LIBS := $(if $(filter link,$(BLAS)),$(BLAS_LIBS)) $(if $(filter load,$(BLAS)),-ldl)

# Instruction sets that the compiler and the assembler know. A probe that fails leaves its kernels out, and `make` says so.
AVX2_FLAGS := -mavx2 -mfma -mf16c
AVX512_FLAGS := $(AVX2_FLAGS) -mbmi2 -mavx512f -mavx512bw -mavx512dq -mavx512vl
HASH := \#
AVX2_PROBE := __m256 f(__m256 a) { return _mm256_fmadd_ps(a, a, a); }
AVX512_PROBE := __m512 f(__m512 a) { return _mm512_maskz_expand_ps(_cvtu32_mask16(5), a); }
probe_isa = $(shell printf '$(HASH)include <immintrin.h>\n%s\n' '$($(1)_PROBE)' | $(CC) $($(1)_FLAGS) -x c - -c -o /dev/null 2>/dev/null && echo yes || echo no)
HAVE_AVX2 ?= $(call probe_isa,AVX2)
HAVE_AVX512 ?= $(call probe_isa,AVX512)
HAVE_NEON ?= $(if $(filter aarch64%,$(shell $(CC) -dumpmachine)),yes,no)
# ?= defers; each probe runs once.
HAVE_NEON := $(HAVE_NEON)
HAVE_AVX2 := $(HAVE_AVX2)
HAVE_AVX512 := $(HAVE_AVX512)
HAVE_MODEL := $(HAVE_MODEL)
HAVE_CHECK := $(HAVE_CHECK)

# Each operation on floats rounds to float. gcc for s390x takes a C standard as leave to work in double.
ROUND_FLOATS := $(if $(filter 1,$(shell echo __FLT_EVAL_METHOD__ | $(CC) -std=c11 -E -P - 2>/dev/null)),-fexcess-precision=fast)

define SAY_WHAT_IS_MISSING
if [ $(HAVE_MODEL) = no ]; then \
  echo "libprune-model and the prune tool were left out: pkg-config does not find all of $(MODEL_PACKAGES), or there is no $(PROTOC_C)"; fi; \
if [ $(HAVE_NEON) = no ] && [ $$(uname -m) = x86_64 ] && [ "$(HAVE_AVX2)$(HAVE_AVX512)" != yesyes ]; then \
  echo "kernels: AVX2 $(HAVE_AVX2), AVX-512 $(HAVE_AVX512) (what $(CC) can build)"; fi
endef
