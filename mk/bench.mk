# SPDX-License-Identifier: BSD-2-Clause
# Benchmarks: each tests/bench/bench_*.c is a program, the other files there and src/machine.c are shared by them. They
# are linked with the static libraries and with the libraries that they are compared with: OpenBLAS, and those of the
# list below that are installed. Their numbers mean something on a quiet machine only.

BENCHES := $(patsubst %.c,$(B)/%,$(sort $(wildcard tests/bench/bench_*.c)))
CXX ?= g++

# A peer is there when a program with its header links. Probed only where a benchmark is built: `make check` runs a short
# one to see that its records are what their schema says.
ifneq ($(filter bench bench-programs check check-programs $(BENCHES),$(MAKECMDGOALS)),)
PEER_FLAGS_ONEDNN := -ldnnl
PEER_PROBE_ONEDNN := $(HASH)include <oneapi/dnnl/dnnl.h>\nint main(void) { return !dnnl_version(); }
PEER_FLAGS_BLIS := $(if $(wildcard /usr/include/*/blis-openmp),-isystem$(firstword $(wildcard /usr/include/*/blis-openmp))) -lblis
PEER_PROBE_BLIS := $(HASH)include <blis.h>\nint main(void) { return !bli_info_get_version_str(); }
PEER_FLAGS_RSB := $(shell $(PKG_CONFIG) --libs librsb 2>/dev/null)
PEER_PROBE_RSB := $(HASH)include <rsb.h>\nint main(void) { return rsb_lib_init(RSB_NULL_INIT_OPTIONS); }
PEER_FLAGS_XSMM := $(shell $(PKG_CONFIG) --libs libxsmm 2>/dev/null) -lblas -lm
PEER_PROBE_XSMM := $(HASH)include <libxsmm.h>\nint main(void) { libxsmm_init(); return 0; }
PEER_FLAGS_GRAPHBLAS := $(if $(wildcard /usr/include/suitesparse),-isystem/usr/include/suitesparse) -lgraphblas
PEER_PROBE_GRAPHBLAS := $(HASH)include <GraphBLAS.h>\nint main(void) { return GrB_init(GrB_NONBLOCKING); }
probe_peer = $(shell printf '$(PEER_PROBE_$(1))\n' | $(CC) -w -x c - $(PEER_FLAGS_$(1)) -lm -o /dev/null 2>/dev/null && echo $(1))
PEERS := $(foreach peer,ONEDNN BLIS RSB XSMM GRAPHBLAS,$(call probe_peer,$(peer)))
HAVE_CXX := $(shell echo 'int main() {}' | $(CXX) -x c++ - -o /dev/null 2>/dev/null && echo yes)
EIGEN_CFLAGS := $(shell $(PKG_CONFIG) --cflags eigen3 2>/dev/null)
ifneq ($(and $(HAVE_CXX),$(EIGEN_CFLAGS)),)
PEERS += EIGEN
EIGEN_KINDS := plain $(if $(filter yes,$(HAVE_AVX2)),avx2) $(if $(filter yes,$(HAVE_AVX512)),avx512)
endif
endif

BENCH_DEFINES = $(PEERS:%=-DBENCH_HAVE_%) $(if $(filter avx2,$(EIGEN_KINDS)),-DBENCH_EIGEN_AVX2) $(if $(filter avx512,$(EIGEN_KINDS)),-DBENCH_EIGEN_AVX512)
BENCH_LIBS = $(foreach peer,$(PEERS),$(filter -l% -L%,$(PEER_FLAGS_$(peer))))
BENCH_SHARED = $(filter-out tests/bench/bench_%.c tests/bench/peer_%.c,$(wildcard tests/bench/*.c)) \
               src/machine.c tests/bench/peer_openblas.c \
               $(if $(filter ONEDNN,$(PEERS)),tests/bench/peer_onednn.c) $(if $(filter BLIS,$(PEERS)),tests/bench/peer_blis.c) \
               $(if $(filter EIGEN,$(PEERS)),tests/bench/peer_eigen.c) $(if $(filter RSB,$(PEERS)),tests/bench/peer_rsb.c) \
               $(if $(filter XSMM,$(PEERS)),tests/bench/peer_xsmm.c) $(if $(filter GRAPHBLAS,$(PEERS)),tests/bench/peer_graphblas.c)
BENCH_OBJECTS = $(BENCH_SHARED:%.c=$(B)/obj/%.o) $(EIGEN_KINDS:%=$(B)/obj/tests/bench/peer_eigen_%.o)
$(B)/obj/tests/bench/%.o: ISA_DEFINES = $(BENCH_DEFINES) $(filter -I% -isystem%,$(foreach peer,$(PEERS),$(PEER_FLAGS_$(peer))))

EIGEN_ISA_avx2 := $(AVX2_FLAGS)
EIGEN_ISA_avx512 := $(AVX512_FLAGS)
$(B)/obj/tests/bench/peer_eigen_%.o: tests/bench/peer_eigen.cpp tests/bench/peer_eigen.h tests/bench/peers.h
	@mkdir -p $(@D)
	$(call say,CXX,$< ($*))$(CXX) -std=c++14 -O3 -DNDEBUG -DEigen=Eigen_$* -DBENCH_EIGEN=eigen_$* -isystem $(EIGEN_CFLAGS:-I%=%) $(EIGEN_ISA_$*) -c -o $@ $<

# What is installed decides what is compiled.
BENCH_NOW = $(BENCH_DEFINES)
$(B)/bench.stamp: FORCE
	@mkdir -p $(B)
	@printf '%s\n' '$(BENCH_NOW)' | cmp -s - $@ || printf '%s\n' '$(BENCH_NOW)' > $@
$(B)/obj/tests/bench/peers.o: $(B)/bench.stamp

$(BENCHES): $(B)/%: $(B)/obj/%.o $(BENCH_OBJECTS) $(B)/libprune-model.a $(B)/libprune.a
	@mkdir -p $(@D)
	$(call say,LD,$@)$(if $(EIGEN_KINDS),$(patsubst $(CC)%,$(CXX)%,$(LINK)),$(LINK)) $(LDFLAGS) -o $@ $< $(BENCH_OBJECTS) $(B)/libprune-model.a $(B)/libprune.a $(MODEL_LIBS) $(BENCH_LIBS) -lm

check-programs: $(if $(SAN),,$(if $(filter yes,$(HAVE_MODEL)),$(B)/tests/bench/bench_products))

.PHONY: bench bench-programs
bench-programs: $(if $(filter yes,$(HAVE_MODEL)),$(BENCHES))
bench: bench-programs
	@[ $(HAVE_MODEL) = yes ] || { echo "make bench compares with OpenBLAS, which pkg-config does not find"; exit 1; }
	@for program in $(foreach bench,$(BENCHES),$(if $(findstring $(ONLY),$(bench)),$(bench))); do \
	  echo "$$program"; case $$program in \
	    */bench_products) $$program --json $(B)/bench.json $(BENCH_FLAGS) ;; \
	    *) $$program $(BENCH_FLAGS) ;; esac || exit 1; done

-include $(wildcard $(BENCHES:$(B)/%=$(B)/obj/%.d) $(BENCH_OBJECTS:%.o=%.d))
