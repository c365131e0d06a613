# SPDX-License-Identifier: BSD-2-Clause
# Objects, libraries, tool. A source file is found by its folder; nothing is listed by hand but what is special.

WARNINGS := -Wall -Wextra -Wpedantic -Wconversion -Wstrict-prototypes -Wmissing-prototypes $(if $(WERROR),-Werror)
SAN_FLAGS := $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer)
# -ffp-contract=off: a fused multiply-add is written by name or not at all, so that results do not depend on the compiler.
OWN_FLAGS = -std=c11 -D_POSIX_C_SOURCE=200809L -fPIC -fvisibility=hidden -ffp-contract=off $(ROUND_FLOATS) -pthread $(WARNINGS) $(SAN_FLAGS) \
            '-ffile-prefix-map=$(CURDIR)=.' -Iinclude -Ilib -MMD -MP
COMPILE = $(CC) $(OWN_FLAGS) $(CPPFLAGS) $(CFLAGS)
LINK = $(CC) $(SAN_FLAGS) $(CFLAGS) -pthread
Q := $(if $(V),,@)
QUIET := $(findstring s,$(firstword -$(MAKEFLAGS)))
say = $(if $(V),,@$(if $(QUIET),,printf '  %-8s %s\n' '$(1)' '$(2)';))

# lib/base is compiled into both libraries, except the files that hold the state of libprune itself.
BASE_OF_CORE := lib/base/context.c lib/base/cpu.c lib/base/error.c lib/base/parallel.c
BASE_OF_BOTH := $(filter-out $(BASE_OF_CORE),$(sort $(wildcard lib/base/*.c)))
ISA_OUT := $(if $(filter yes,$(HAVE_AVX2)),,%_avx2.c) $(if $(filter yes,$(HAVE_AVX512)),,%_avx512.c) $(if $(filter yes,$(HAVE_NEON)),,%_neon.c)
CORE_SOURCES := $(filter-out $(ISA_OUT),$(sort $(wildcard lib/base/*.c lib/core/*.c lib/core/*/*.c lib/core/*/*/*.c)))
MODEL_SOURCES := $(BASE_OF_BOTH) $(sort $(wildcard lib/model/*.c lib/model/*/*.c lib/model/*/*/*.c))
# What protoc-c makes of the messages of ONNX.
GENERATED := $(B)/gen/onnx.pb-c
TOOL_SOURCES := $(sort $(wildcard src/*.c))

objects = $(patsubst %.c,$(B)/obj/%.o,$(1))
CORE_OBJECTS := $(call objects,$(CORE_SOURCES))
MODEL_OBJECTS := $(patsubst $(B)/obj/lib/base/%.o,$(B)/obj/model-base/%.o,$(call objects,$(MODEL_SOURCES))) $(GENERATED).o
TOOL_OBJECTS := $(call objects,$(TOOL_SOURCES))

CORE_PRODUCTS := $(B)/libprune.a $(B)/libprune.so $(B)/libprune.pc
MODEL_PRODUCTS := $(B)/libprune-model.a $(B)/libprune-model.so $(B)/libprune-model.pc $(if $(TOOL_SOURCES),$(B)/prune)
PRODUCTS := $(CORE_PRODUCTS) $(if $(filter yes,$(HAVE_MODEL)),$(MODEL_PRODUCTS))

# Objects depend on the flags they were made with, .pc files on the folders they name.
FLAGS_NOW := $(COMPILE) $(MODEL_CFLAGS) $(HAVE_AVX2) $(HAVE_AVX512) $(HAVE_NEON)
PATHS_NOW := $(prefix) $(exec_prefix) $(libdir) $(includedir)
$(B)/flags.stamp: STAMP = $(FLAGS_NOW)
$(B)/paths.stamp: STAMP = $(PATHS_NOW)
$(B)/blas.stamp: STAMP = $(BLAS) $(CORE_LIBS)
$(B)/flags.stamp $(B)/paths.stamp $(B)/blas.stamp: FORCE
	@mkdir -p $(B)
	@printf '%s\n' '$(subst ','\'',$(STAMP))' | cmp -s - $@ || printf '%s\n' '$(subst ','\'',$(STAMP))' > $@
.PHONY: FORCE
FORCE:

BLAS_load := -DPR_BLAS_LOAD
BLAS_link := -DPR_BLAS_LINK
BLAS_none := -DPR_BLAS_NONE
$(B)/obj/lib/core/linalg/openblas.o: $(B)/blas.stamp
$(B)/obj/lib/core/linalg/openblas.o: ISA_DEFINES := $(BLAS_$(BLAS))

$(B)/obj/%_avx2.o: ISA_FLAGS := $(AVX2_FLAGS)
$(B)/obj/%_avx512.o: ISA_FLAGS := $(AVX512_FLAGS)
# Compilers take many minutes over these files when they check every unrolled access for undefined behaviour:
# AddressSanitizer alone watches them, by calls. The scalar kernels have the same contracts and are checked for both.
ifneq ($(SAN),)
CHECKS_AS_CALLS := $(if $(findstring clang,$(CC)),-mllvm -asan-instrumentation-with-call-threshold=0,--param asan-instrumentation-with-call-threshold=0)
$(B)/obj/lib/core/kernels/x86/%.o: ISA_DEFINES += -O1 -g0 -fno-sanitize=undefined $(CHECKS_AS_CALLS)
endif
$(B)/obj/lib/core/kernels/%.o: ISA_DEFINES := $(if $(filter yes,$(HAVE_AVX2)),-DPR_HAVE_AVX2) $(if $(filter yes,$(HAVE_AVX512)),-DPR_HAVE_AVX512) $(if $(filter yes,$(HAVE_NEON)),-DPR_HAVE_NEON)

$(B)/obj/%.o: %.c $(B)/flags.stamp
	@mkdir -p $(@D)
	$(call say,CC,$<)$(COMPILE) $(ISA_FLAGS) $(ISA_DEFINES) $(MODEL_CFLAGS) $(TEST_CFLAGS) -c -o $@ $<
$(B)/obj/model-base/%.o: lib/base/%.c $(B)/flags.stamp
	@mkdir -p $(@D)
	$(call say,CC,$<)$(COMPILE) -c -o $@ $<

# Generated code is compiled without our warnings, and without assertions, which would print and abort.
$(B)/gen/%.pb-c.c: lib/model/io/onnx/%.proto
	@mkdir -p $(@D)
	$(call say,PROTOC,$<)$(PROTOC_C) --proto_path=$(<D) --c_out=$(@D) $(<F)
$(B)/gen/%.pb-c.h: $(B)/gen/%.pb-c.c ;
$(GENERATED).o: $(GENERATED).c $(B)/flags.stamp
	$(call say,CC,$<)$(COMPILE) -w -DNDEBUG -c -o $@ $<
USE_GENERATED := $(patsubst %.c,$(B)/obj/%.o,$(wildcard lib/model/io/onnx/*.c tests/model/test_onnx*.c))
$(USE_GENERATED): ISA_DEFINES := -I$(B)/gen
$(USE_GENERATED): $(GENERATED).h

$(B)/libprune.a: $(CORE_OBJECTS)
	$(call say,AR,$@)rm -f $@ && $(AR) rcsD $@ $^
$(B)/libprune-model.a: $(filter-out $(B)/obj/model-base/%,$(MODEL_OBJECTS))
	$(call say,AR,$@)rm -f $@ && $(AR) rcsD $@ $^

# The map is the list of exported symbols; tests/style compares it with the headers.
$(B)/libprune.so.$(ABI): $(CORE_OBJECTS) lib/libprune.map
	$(call say,LD,$@)$(LINK) -shared -Wl,-soname,$(@F) -Wl,--version-script=lib/libprune.map $(if $(SAN),,-Wl,-z,defs) $(LDFLAGS) -o $@ $(CORE_OBJECTS) $(CORE_LIBS) -lm
$(B)/libprune-model.so.$(ABI): $(MODEL_OBJECTS) lib/libprune-model.map $(B)/libprune.so
	$(call say,LD,$@)$(LINK) -shared -Wl,-soname,$(@F) -Wl,--version-script=lib/libprune-model.map $(if $(SAN),,-Wl,-z,defs) $(LDFLAGS) -o $@ $(MODEL_OBJECTS) -L$(B) -lprune $(MODEL_LIBS) -lm
$(B)/libprune.so $(B)/libprune-model.so: %: %.$(ABI)
	$(Q)ln -sf $(<F) $@

# The tool lies in build/ and finds the libraries beside it; `make install` links it anew, without that path.
BESIDE := -Wl,-rpath,'$$ORIGIN'
link_tool = $(LINK) $(LDFLAGS) $(1) -o $@ $(TOOL_OBJECTS) -L$(B) -lprune-model -lprune $(shell $(PKG_CONFIG) --libs jansson) -lm
$(B)/prune: $(TOOL_OBJECTS) $(B)/libprune-model.so
	$(call say,LD,$@)$(call link_tool,$(BESIDE))

$(B)/%.pc: %.pc.in include/prune/version.h $(B)/paths.stamp $(B)/blas.stamp
	$(Q)sed -e 's|@prefix@|$(prefix)|; s|@exec_prefix@|$(patsubst $(prefix)%,$${prefix}%,$(exec_prefix))|' \
	  -e 's|@libdir@|$(patsubst $(exec_prefix)%,$${exec_prefix}%,$(libdir))|; s|@includedir@|$(patsubst $(prefix)%,$${prefix}%,$(includedir))|' \
	  -e 's|@VERSION@|$(VERSION)|; s|@CORE_LIBS@|$(strip $(CORE_LIBS))|' $< > $@

-include $(wildcard $(patsubst %.o,%.d,$(CORE_OBJECTS) $(MODEL_OBJECTS) $(TOOL_OBJECTS)))
