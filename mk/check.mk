# SPDX-License-Identifier: BSD-2-Clause
# Tests. A program of tests is one C file; it is linked with the static libraries, so it may also look inside. tests/api sees
# the shared ones only. A script is one *.sh. tests/run runs them all and adds up what they print.

TEST_CFLAGS = $(if $(filter tests/%,$<),$(CHECK_CFLAGS) -Itests/unit)
CORE_TESTS := $(sort $(wildcard tests/unit/*.c tests/kernels/*.c tests/portable/*.c))
MODEL_TESTS := $(sort $(wildcard tests/model/*.c tests/oom/*.c))
API_TESTS := $(sort $(wildcard tests/api/*.c))
# How the sources look and what the libraries export does not depend on sanitizers.
SCRIPT_TESTS := $(sort $(wildcard tests/cli/*.sh $(if $(SAN),,tests/style/*.sh tests/api/*.sh)))
EXAMPLES := $(sort $(wildcard examples/*.c))

programs = $(patsubst %.c,$(B)/%,$(1))
CORE_PROGRAMS := $(filter-out %/test_linalg,$(call programs,$(CORE_TESTS)))
MODEL_PROGRAMS := $(call programs,$(MODEL_TESTS))
# Of these, the ones that include prune/model.h are linked with both libraries.
NEED_MODEL := $(shell grep -ls 'prune/model\.h' /dev/null $(API_TESTS) $(EXAMPLES))
API_MODEL_PROGRAMS := $(call programs,$(NEED_MODEL))
API_PROGRAMS := $(filter-out $(API_MODEL_PROGRAMS),$(call programs,$(API_TESTS) $(EXAMPLES)))

# tests/oom wraps malloc to make the packages' own allocations fail; that works for what is linked in, so their static
# libraries are taken where there are any.
WRAP_MALLOC := -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
static_of = $(if $(filter /%,$(shell $(CC) -print-file-name=lib$(1).a)),-l:lib$(1).a,-l$(1))
OOM_LIBS = $(patsubst -ljansson,$(call static_of,jansson),$(patsubst -lz,$(call static_of,z),$(patsubst -lprotobuf-c,$(call static_of,protobuf-c),$(MODEL_LIBS))))
$(CORE_PROGRAMS): $(B)/%: $(B)/obj/%.o $(B)/libprune.a
	@mkdir -p $(@D)
	$(call say,LD,$@)$(LINK) $(LDFLAGS) -o $@ $< $(B)/libprune.a $(CORE_LIBS) $(CHECK_LIBS) -lm
$(MODEL_PROGRAMS): $(B)/%: $(B)/obj/%.o $(B)/libprune-model.a $(B)/libprune.a
	@mkdir -p $(@D)
	$(call say,LD,$@)$(LINK) $(LDFLAGS) $(if $(findstring tests/oom/,$@),$(WRAP_MALLOC)) -o $@ $< $(B)/libprune-model.a $(B)/libprune.a $(if $(findstring tests/oom/,$@),$(OOM_LIBS),$(MODEL_LIBS)) $(CHECK_LIBS) -lm
# The dense algebra again, with OpenBLAS loaded, linked and left out, whatever this build does.
LINALG_PROGRAMS := $(patsubst %,$(B)/tests/unit/test_linalg_%,load none $(if $(BLAS_LIBS),link))
$(B)/obj/openblas_%.o: lib/core/linalg/openblas.c $(B)/flags.stamp
	@mkdir -p $(@D)
	$(call say,CC,$< ($*))$(COMPILE) $(BLAS_$*) -c -o $@ $<
$(LINALG_PROGRAMS): $(B)/tests/unit/test_linalg_%: $(B)/obj/tests/unit/test_linalg.o $(B)/obj/openblas_%.o $(B)/libprune.a
	@mkdir -p $(@D)
	$(call say,LD,$@)$(LINK) $(LDFLAGS) -o $@ $^ $(if $(filter link,$*),$(BLAS_LIBS)) -ldl $(CHECK_LIBS) -lm
link_shared = $(LINK) $(LDFLAGS) -o $@ $< -L$(B) '-Wl,-rpath,$$ORIGIN/..:$$ORIGIN/../..' $(1) -lprune $(if $(filter $(B)/tests/%,$@),$(CHECK_LIBS)) -lm
$(API_PROGRAMS): $(B)/%: $(B)/obj/%.o $(B)/libprune.so
	@mkdir -p $(@D)
	$(call say,LD,$@)$(call link_shared)
$(API_MODEL_PROGRAMS): $(B)/%: $(B)/obj/%.o $(B)/libprune-model.so
	@mkdir -p $(@D)
	$(call say,LD,$@)$(call link_shared,-lprune-model)

# Programs that scripts of tests/results/ run.
RESULT_PROGRAMS := $(patsubst %.c,$(B)/%,$(sort $(wildcard tests/results/*.c)))
$(RESULT_PROGRAMS): $(B)/%: $(B)/obj/%.o $(B)/libprune-model.so
	@mkdir -p $(@D)
	$(call say,LD,$@)$(call link_shared,-lprune-model)

TEST_PROGRAMS := $(CORE_PROGRAMS) $(LINALG_PROGRAMS) $(API_PROGRAMS) $(if $(filter yes,$(HAVE_MODEL)),$(MODEL_PROGRAMS) $(API_MODEL_PROGRAMS) $(FUZZ_REPLAYS))

# ONLY=WORD runs what has that word in its name.
.PHONY: check check-long check-programs check-all
check-programs: all $(if $(filter yes,$(HAVE_CHECK)),$(TEST_PROGRAMS),without-check)
.PHONY: without-check
without-check:
	@echo "the tests need Check, which pkg-config does not find (Debian: check libsubunit-dev)"; exit 1
# Seconds that one program may take.
TIMEOUT ?= 300
# As many at a time as make itself may run.
JOBS = $(or $(patsubst -j%,%,$(filter -j%,$(MAKEFLAGS))),1)
check: check-programs
	@B='$(B)' CC='$(CC)' CPPFLAGS='$(CPPFLAGS)' SAN='$(SAN)' MAKE='$(MAKE)' MAKEFLAGS=' -- $(MAKEOVERRIDES)' BLAS='$(BLAS)' \
	  TIMEOUT=$(TIMEOUT) LONG='$(LONG)' tests/run --jobs $(JOBS) $(if $(ONLY),--only $(ONLY)) $(TEST_PROGRAMS) $(SCRIPT_TESTS)

# Every combination, where `make check` takes some of each.
check-long:
	@$(MAKE) --no-print-directory check LONG=1 TIMEOUT=3600

# The tests of kernels, of packed objects and of masks as programs that need neither Check nor shared libraries, for another
# processor: make check-emulated CC=aarch64-linux-gnu-gcc HAVE_MODEL=no B=build/arm64 EMULATOR=qemu-aarch64
EMULATED := $(patsubst %.c,$(B)/emulated/%,$(sort $(wildcard tests/kernels/*.c tests/portable/*.c)))
$(EMULATED): $(B)/emulated/%: %.c $(B)/libprune.a $(wildcard tests/plain/*.h tests/kernels/*.h tests/portable/*.h tests/unit/*.h)
	@mkdir -p $(@D)
	$(call say,LD,$@)$(COMPILE) -Itests/plain -Itests/unit -MF $@.d -static $(LDFLAGS) -o $@ $< $(B)/libprune.a $(CORE_LIBS) -lm
.PHONY: check-emulated
check-emulated: $(EMULATED)
	@B='$(B)' EMULATOR='$(EMULATOR)' TIMEOUT=$(TIMEOUT) tests/run --jobs $(JOBS) $(if $(ONLY),--only $(ONLY)) $(EMULATED)

# The same tests under other compilers and sanitizers, each in a build folder of its own.
check-all: check
	$(MAKE) check B=build/gcc-san CC=gcc SAN=address,undefined WERROR=1
	$(MAKE) check B=build/clang-san CC=clang SAN=address,undefined WERROR=1

# libprune with OpenBLAS linked, and without any; ONLY= narrows it.
.PHONY: check-blas
check-blas:
	$(MAKE) check B=build/link BLAS=link HAVE_MODEL=no WERROR=1
	$(MAKE) check B=build/none BLAS=none HAVE_MODEL=no WERROR=1

-include $(wildcard $(B)/obj/openblas_*.d)
-include $(wildcard $(patsubst %.c,$(B)/obj/%.d,$(CORE_TESTS) $(MODEL_TESTS) $(API_TESTS) $(EXAMPLES)))
