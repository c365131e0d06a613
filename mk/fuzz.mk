# SPDX-License-Identifier: BSD-2-Clause
# Fuzz targets for every reader of files: tests/fuzz/fuzz_NAME.c. `make check` replays tests/fuzz/corpus/NAME through
# each; `make fuzz` runs libFuzzer on them, FUZZ_SECONDS each, with what reads instrumented. What it finds new stays in
# build/fuzz/corpus.

FUZZ_NAMES := $(patsubst tests/fuzz/fuzz_%.c,%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
FUZZ_REPLAYS := $(FUZZ_NAMES:%=$(B)/tests/fuzz/fuzz_%)
$(FUZZ_REPLAYS): $(B)/tests/fuzz/fuzz_%: $(B)/obj/tests/fuzz/fuzz_%.o $(B)/obj/tests/fuzz/replay.o $(B)/libprune-model.a $(B)/libprune.a
	@mkdir -p $(@D)
	$(call say,LD,$@)$(LINK) $(LDFLAGS) -o $@ $^ $(MODEL_LIBS) $(CORE_LIBS) -lm

FUZZ_CC ?= clang
FUZZ_SECONDS ?= 60
FUZZ_SAN := address,undefined
FUZZ_OBJECTS := $(patsubst %.c,$(B)/fuzz/obj/%.o,$(wildcard lib/model/io/*.c lib/model/io/*/*.c lib/model/graph/*.c lib/model/ops/*.c lib/model/ops/*/*.c lib/model/network/*.c lib/model/network/*/*.c \
                 lib/core/sparse/*.c lib/core/sparse/*/*.c lib/core/kernels/*.c lib/core/kernels/ref/*.c)) $(B)/fuzz/obj/onnx.pb-c.o
FUZZ_PROGRAMS := $(FUZZ_NAMES:%=$(B)/fuzz/fuzz_%)
$(B)/fuzz/obj/%.o: %.c $(B)/flags.stamp
	@mkdir -p $(@D)
	$(call say,FUZZ,$<)$(FUZZ_CC) $(OWN_FLAGS) $(CPPFLAGS) -O1 -g -fsanitize=fuzzer-no-link,$(FUZZ_SAN) -fno-sanitize-recover=undefined $(MODEL_CFLAGS) -I$(B)/gen -c -o $@ $<
$(patsubst $(B)/obj/%,$(B)/fuzz/obj/%,$(USE_GENERATED)): $(GENERATED).h
$(B)/fuzz/obj/onnx.pb-c.o: $(GENERATED).c $(B)/flags.stamp
	@mkdir -p $(@D)
	$(call say,FUZZ,$<)$(FUZZ_CC) -std=c11 -O1 -g -fsanitize=fuzzer-no-link,$(FUZZ_SAN) -fno-sanitize-recover=undefined $(MODEL_CFLAGS) -c -o $@ $<
$(FUZZ_PROGRAMS): $(B)/fuzz/fuzz_%: $(B)/fuzz/obj/tests/fuzz/fuzz_%.o $(FUZZ_OBJECTS) $(B)/libprune-model.a $(B)/libprune.a
	@mkdir -p $(@D)
	$(call say,LD,$@)$(FUZZ_CC) -fsanitize=fuzzer,$(FUZZ_SAN) -pthread $(LDFLAGS) -o $@ $< $(FUZZ_OBJECTS) $(B)/libprune-model.a $(B)/libprune.a $(MODEL_LIBS) $(CORE_LIBS) -lm

.PHONY: fuzz fuzz-programs
fuzz-programs: $(FUZZ_PROGRAMS)
fuzz: fuzz-programs
	@for name in $(FUZZ_NAMES); do \
	  case $$name in *"$(ONLY)"*) ;; *) continue ;; esac; \
	  mkdir -p $(B)/fuzz/corpus/$$name; echo "fuzz $$name, $(FUZZ_SECONDS) s"; \
	  $(B)/fuzz/fuzz_$$name -max_total_time=$(FUZZ_SECONDS) -timeout=20 -rss_limit_mb=2048 -max_len=8192 -print_final_stats=1 \
	    $(B)/fuzz/corpus/$$name tests/fuzz/corpus/$$name > $(B)/fuzz/$$name.log 2>&1 || { tail -n 40 $(B)/fuzz/$$name.log; exit 1; }; \
	  sed -n 's/^stat::number_of_executed_units: */  executions: /p' $(B)/fuzz/$$name.log; done

-include $(wildcard $(FUZZ_OBJECTS:.o=.d) $(FUZZ_NAMES:%=$(B)/obj/tests/fuzz/fuzz_%.d) $(FUZZ_NAMES:%=$(B)/fuzz/obj/tests/fuzz/fuzz_%.d))
