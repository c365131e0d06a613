# SPDX-License-Identifier: BSD-2-Clause
# Benchmarks: one program a file, linked with the static libraries and with OpenBLAS, which they are compared with. Never
# part of `make check`: their numbers mean something on a quiet machine only.

BENCHES := $(patsubst %.c,$(B)/%,$(sort $(wildcard tests/bench/*.c)))

$(BENCHES): $(B)/%: $(B)/obj/%.o $(B)/libprune-model.a $(B)/libprune.a
	@mkdir -p $(@D)
	$(call say,LD,$@)$(LINK) $(LDFLAGS) -o $@ $< $(B)/libprune-model.a $(B)/libprune.a $(MODEL_LIBS) -lm

.PHONY: bench
bench: $(if $(filter yes,$(HAVE_MODEL)),$(BENCHES))
	@[ $(HAVE_MODEL) = yes ] || { echo "make bench compares with OpenBLAS, which pkg-config does not find"; exit 1; }
	@for program in $(foreach bench,$(BENCHES),$(if $(findstring $(ONLY),$(bench)),$(bench))); do \
	  echo "$$program"; OPENBLAS_NUM_THREADS=1 $$program || exit 1; done

-include $(wildcard $(BENCHES:$(B)/%=$(B)/obj/%.d))
