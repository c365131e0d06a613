# SPDX-License-Identifier: BSD-2-Clause
# install, uninstall, dist, distcheck. GNU's directories and DESTDIR.

MODEL_HEADERS := $(patsubst %,include/prune/%.h,compare cost file graph matrix model network pruner report session stream train)
CORE_HEADERS := $(filter-out $(MODEL_HEADERS),$(wildcard include/prune/*.h))
INSTALLED_HEADERS = $(CORE_HEADERS) $(if $(filter yes,$(HAVE_MODEL)),$(MODEL_HEADERS))
INSTALLED_LIBRARIES = prune $(if $(filter yes,$(HAVE_MODEL)),prune-model)
INSTALLED_EXAMPLES = $(sort $(wildcard examples/*.c examples/*.h examples/*.sh))
MAN_PAGES := $(sort $(wildcard man/*.[1-8]))
EXPORTED = $(shell sed -n 's/^ *\(prune_[a-z0-9_]*\);/\1/p' lib/libprune.map lib/libprune-model.map)
INSTALL_PROGRAM ?= $(INSTALL) -m 755
INSTALL_DATA ?= $(INSTALL) -m 644
STRIP ?= strip
to = $(DESTDIR)$(1)

# The tool once more, without the path into build/.
$(B)/install/prune: $(TOOL_OBJECTS) $(B)/libprune-model.so
	@mkdir -p $(@D)
	$(call say,LD,$@)$(call link_tool)
INSTALLED_TOOL := $(if $(filter $(B)/prune,$(PRODUCTS)),$(B)/install/prune)

.PHONY: install install-strip uninstall dist distcheck
install: all $(INSTALLED_TOOL)
	$(INSTALL) -d $(call to,$(libdir)) $(call to,$(pkgconfigdir)) $(call to,$(includedir)/prune) $(call to,$(docdir)/examples)
	$(INSTALL_DATA) $(INSTALLED_HEADERS) $(call to,$(includedir)/prune)
	for name in $(INSTALLED_LIBRARIES); do \
	  $(INSTALL_PROGRAM) $(STRIP_FLAG) $(B)/lib$$name.so.$(ABI) $(call to,$(libdir)) && \
	  ln -sf lib$$name.so.$(ABI) $(call to,$(libdir))/lib$$name.so && \
	  $(INSTALL_DATA) $(B)/lib$$name.a $(call to,$(libdir)) && \
	  $(INSTALL_DATA) $(B)/lib$$name.pc $(call to,$(pkgconfigdir)) || exit 1; done
	$(if $(INSTALLED_TOOL),$(INSTALL) -d $(call to,$(bindir)) && $(INSTALL_PROGRAM) $(STRIP_FLAG) $(INSTALLED_TOOL) $(call to,$(bindir))/prune)
	$(INSTALL_DATA) $(wildcard README.md NEWS LICENSE) $(call to,$(docdir))
	$(if $(INSTALLED_EXAMPLES),$(INSTALL_DATA) $(INSTALLED_EXAMPLES) $(call to,$(docdir)/examples))
	$(if $(MAN_PAGES),$(Q)$(install_manual))
	$(if $(DESTDIR),,$(Q)$(after_install))
install-strip:
	$(MAKE) install STRIP_FLAG='-s --strip-program=$(STRIP)'

# Each page, and for each exported function a link to the page that describes it.
define install_manual
for page in $(MAN_PAGES); do \
  folder=$(call to,$(mandir))/man$${page##*.}; $(INSTALL) -d $$folder && $(INSTALL_DATA) $$page $$folder || exit 1; done; \
for name in $(EXPORTED); do \
  page=$$(grep -lE "^\.F[no] $$name( |\$$)" man/*.3 2>/dev/null | head -n 1); \
  if [ -n "$$page" ] && [ ! -f man/$$name.3 ]; then \
    echo ".so man3/$${page##*/}" > $(call to,$(mandir))/man3/$$name.3 || exit 1; fi; done
endef

# The loader's cache, where we may; and a word where it does not look into libdir.
define after_install
if [ "$$(id -u)" -eq 0 ]; then ldconfig 2>/dev/null || :; fi; \
if [ -x $(bindir)/prune ] && ! $(bindir)/prune --version > /dev/null 2>&1; then \
  echo "note: the loader does not look into $(libdir); set LD_LIBRARY_PATH=$(libdir), or add it to /etc/ld.so.conf.d and run ldconfig"; fi
endef

uninstall:
	rm -f $(addprefix $(call to,$(includedir))/prune/,$(notdir $(CORE_HEADERS) $(MODEL_HEADERS)))
	for name in prune prune-model; do \
	  rm -f $(call to,$(libdir))/lib$$name.so.$(ABI) $(call to,$(libdir))/lib$$name.so $(call to,$(libdir))/lib$$name.a \
	    $(call to,$(pkgconfigdir))/lib$$name.pc; done
	rm -f $(call to,$(bindir))/prune
	rm -f $(addprefix $(call to,$(docdir))/,README.md NEWS LICENSE) $(addprefix $(call to,$(docdir))/,$(INSTALLED_EXAMPLES))
	rm -f $(foreach page,$(MAN_PAGES),$(call to,$(mandir))/man$(patsubst .%,%,$(suffix $(page)))/$(notdir $(page)))
	rm -f $(patsubst %,$(call to,$(mandir))/man3/%.3,$(EXPORTED))
	for folder in $(call to,$(includedir))/prune $(call to,$(docdir))/examples $(call to,$(docdir)); do \
	  rmdir $$folder 2>/dev/null || :; done

# From git what is committed; from an unpacked archive everything that was not made here.
DIST := libprune-$(VERSION)
dist:
	@mkdir -p $(B)
	$(Q)if [ "$$(git rev-parse --show-prefix 2>/dev/null || echo none)" = "" ]; then \
	  [ -z "$$(git status --porcelain)" ] || echo "note: what is not committed is left out" >&2; \
	  git archive --format=tar --prefix=$(DIST)/ HEAD; \
	else \
	  tar -c --sort=name --owner=0 --group=0 --numeric-owner --exclude=./build --exclude=./autom4te.cache --exclude=./configure \
	    --exclude=./configure~ --exclude='./config.*[gs]' --transform='s|^\.|$(DIST)|' .; \
	fi > $(B)/$(DIST).tar && gzip -nf9 $(B)/$(DIST).tar && echo $(B)/$(DIST).tar.gz

# What is in the archive configures, builds, passes its tests, installs, and leaves nothing behind.
DISTCHECK_TESTS ?= test_cost
distcheck: dist
	rm -rf $(B)/distcheck && mkdir -p $(B)/distcheck
	gzip -dc $(B)/$(DIST).tar.gz | tar -x -C $(B)/distcheck
	cd $(B)/distcheck/$(DIST) && find . -type f | sort > ../before && \
	  autoconf && ./configure --prefix=/opt/libprune > ../configure.log && \
	  $(MAKE) B=build DESTDIR= && $(MAKE) B=build check ONLY=$(DISTCHECK_TESTS) && \
	  $(MAKE) B=build DESTDIR="$$PWD/../root" install > ../install.log && test -f ../root/opt/libprune/lib/libprune.so.$(ABI) && \
	  $(MAKE) B=build DESTDIR="$$PWD/../root" uninstall > ../uninstall.log && find ../root ! -type d > ../left && \
	  { [ ! -s ../left ] || { echo "left after uninstall:"; cat ../left; exit 1; }; } && \
	  $(MAKE) B=build distclean > ../distclean.log && find . -type f | sort | diff ../before - && \
	  $(MAKE) B=build dist > ../dist.log && gzip -dc build/$(DIST).tar.gz | tar -t | grep -v '/$$' | sed 's|^$(DIST)|.|' | sort | diff ../before -
	rm -rf $(B)/distcheck
	@echo "$(DIST).tar.gz is good"
