# pubsubd: rules only; a recipe of more than three lines lives in scripts/.
#
# Every variant builds twice: the program in build/<variant>/, and the library
# that the tests link in its twin build/<variant>-testing/, where -DTESTING
# compiles in the stop points.  `make help` lists the targets; the variables:
#
#	SAN=address,undefined | SAN=thread	sanitizers
#	COV=1		count lines and branches (gcov)
#	TESTING=1	put the stop points into the program too
#	CC=clang  WERROR=1  BUILD=directory  PREFIX=/usr  DESTDIR=  VERSION=
#	ARGS='--workers 2'	options for `make run`
#	V=1		show the whole command lines

VERSION := 0.1.0
BUILD := build
PREFIX := /usr/local
DATADIR = $(PREFIX)/share/pubsubd# the page is in $(DATADIR)/public

# The variant is named after whatever differs from a plain `make`.
comma := ,
empty :=
space := $(empty) $(empty)
VARIANT := $(subst $(space),-,$(strip $(filter-out cc gcc,$(notdir $(CC))) \
	$(subst $(comma), ,$(SAN)) $(if $(COV),cov)))
RELEASE := $(BUILD)/$(or $(VARIANT),release)
T := $(BUILD)/$(if $(VARIANT),$(VARIANT)-)testing
B := $(if $(TESTING),$(T),$(RELEASE))
BIN := $(if $(TESTING)$(VARIANT),$(B),$(BUILD))

OPTIMIZE := $(if $(COV),-O0 --coverage,-O2)
WARN := -Wall -Wextra -Wshadow -Wmissing-prototypes -Wstrict-prototypes \
	-Wpointer-arith -Wcast-qual -Wwrite-strings -Wvla -Wformat=2
SANITIZE := $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all \
	-fno-omit-frame-pointer)
DEFINES := -D_GNU_SOURCE -DPUBSUBD_VERSION=\"$(VERSION)\" \
	-DDATADIR=\"$(DATADIR)\"
$(T)/%: STOPS := -DTESTING

COMPILE = $(CC) -std=c11 -I. $(DEFINES) $(STOPS) $(CPPFLAGS) $(OPTIMIZE) -g \
	-fno-common $(WARN) $(if $(WERROR),-Werror) $(SANITIZE) $(CFLAGS)
LINK = $(CC) $(OPTIMIZE) -g $(SANITIZE) $(CFLAGS) $(LDFLAGS)
LDLIBS := -lev -lwslay -lcrypto -pthread

LIB_SRC := $(filter-out broker/main.c,$(wildcard broker/*.c worker/*.c common/*.c))
LOAD_SRC := $(wildcard tests/load/*.c)
SUPPORT_SRC := $(wildcard tests/support/*.c)
UNIT_SRC := $(wildcard tests/unit/test_*.c)
MP_SRC := $(wildcard tests/mp/test_*.c)
UNIT_SUPPORT_SRC := $(SUPPORT_SRC) $(filter-out $(UNIT_SRC),$(wildcard tests/unit/*.c))
MP_SUPPORT_SRC := $(SUPPORT_SRC) $(filter-out $(MP_SRC),$(wildcard tests/mp/*.c))
ALL_SRC := $(wildcard broker/*.c worker/*.c common/*.c tests/*/*.c)

PROGRAM := $(BIN)/pubsubd
LOAD := $(if $(LOAD_SRC),$(BIN)/pubsub-load)
LIBS := $(sort $(B)/libpubsubd.a $(T)/libpubsubd.a)
UNIT := $(UNIT_SRC:tests/%.c=$(T)/%)
MP := $(MP_SRC:tests/%.c=$(T)/%)
STRESS := $(filter $(T)/unit/test_%stress $(T)/mp/test_%stress,$(UNIT) $(MP))
E2E := $(wildcard tests/e2e/*.test.mjs)
BROWSER := $(wildcard tests/browser/*.test.mjs)
NODE_MODULES := tests/node_modules/.package-lock.json

Q := $(if $(V),,@)
export PUBSUBD := $(abspath $(PROGRAM))

.PHONY: all help run test test-unit test-mp test-e2e test-browser test-tsan \
	check check-format check-layers check-headers format lint install clean FORCE
.DELETE_ON_ERROR:
.SUFFIXES:

all: $(PROGRAM) $(LOAD) ## build the server and the load generator (default)

help: ## list the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1	/p' Makefile | expand -t 16

run: $(PROGRAM) ## build and run the server on http://localhost:8000
	$(PROGRAM) run $(ARGS)

test: $(PROGRAM) $(UNIT) $(MP) $(NODE_MODULES) ## run every test
	@scripts/run-tests.sh $(UNIT) $(MP) $(E2E) $(BROWSER)

test-unit: $(UNIT) ## run the tests of single modules
	@scripts/run-tests.sh $(UNIT)

test-mp: $(MP) ## run the tests of several processes on one segment
	@scripts/run-tests.sh $(MP)

test-e2e: $(PROGRAM) $(NODE_MODULES) ## run the tests of the program over sockets
	@scripts/run-tests.sh $(E2E)

test-browser: $(PROGRAM) $(NODE_MODULES) ## run the tests of the web page
	@scripts/run-tests.sh $(BROWSER)

test-tsan: ## run the stress tests under ThreadSanitizer
	@$(MAKE) --no-print-directory SAN=thread test-stress

test-stress: $(STRESS)
	@scripts/run-tests.sh $(STRESS)

check: check-format check-layers check-headers ## check format, layers, headers

check-format:
	scripts/check-format.sh

check-layers:
	scripts/check-layers.sh

check-headers:
	CC='$(CC)' scripts/check-headers.sh

format: ## put the C files into the house style
	scripts/check-format.sh -i

lint: ## look for bugs with cppcheck
	scripts/lint.sh

install: $(PROGRAM) ## install into PREFIX (/usr/local)
	install -D $(PROGRAM) $(DESTDIR)$(PREFIX)/bin/pubsubd
	install -d $(DESTDIR)$(DATADIR)
	cp -R public $(DESTDIR)$(DATADIR)/

clean: ## remove what was built
	rm -rf $(BUILD)

$(PROGRAM): $(B)/broker/main.o $(B)/libpubsubd.a
	@echo '  LINK  $@'
	$(Q)$(LINK) -o $@ $^ $(LDLIBS)

$(BIN)/pubsub-load: $(LOAD_SRC:%.c=$(B)/%.o) $(B)/libpubsubd.a
	@echo '  LINK  $@'
	$(Q)$(LINK) -o $@ $^ $(LDLIBS)

$(UNIT): $(T)/%: $(T)/tests/%.o $(UNIT_SUPPORT_SRC:%.c=$(T)/%.o) $(T)/libpubsubd.a
	@mkdir -p $(@D)
	@echo '  LINK  $@'
	$(Q)$(LINK) -o $@ $^ -lcmocka $(LDLIBS)

$(MP): $(T)/%: $(T)/tests/%.o $(MP_SUPPORT_SRC:%.c=$(T)/%.o) $(T)/libpubsubd.a
	@mkdir -p $(@D)
	@echo '  LINK  $@'
	$(Q)$(LINK) -o $@ $^ -lcmocka $(LDLIBS)

$(LIBS): %/libpubsubd.a: %/sources $(addprefix %/,$(LIB_SRC:.c=.o))
	@echo '  AR    $@'
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $(filter %.o,$^)

$(B)/%.o: %.c $(B)/flags
	@mkdir -p $(@D)
	@echo '  CC    $@'
	$(Q)$(COMPILE) -MMD -MP -c -o $@ $<

$(T)/%.o: %.c $(T)/flags
	@mkdir -p $(@D)
	@echo '  CC    $@'
	$(Q)$(COMPILE) -MMD -MP -c -o $@ $<

# Stamps: touched only when their text changes, so that other flags rebuild
# everything and a source file that went away leaves the library.
STAMP = @mkdir -p $(@D) && echo '$(subst ','\'',$(1))' >$@.new && \
	if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

$(sort $(B)/flags $(T)/flags): FORCE
	$(call STAMP,$(COMPILE) / $(LINK) $(LDLIBS))

$(sort $(B)/sources $(T)/sources): FORCE
	$(call STAMP,$(LIB_SRC))

$(NODE_MODULES): tests/package-lock.json
	cd tests && npm ci

-include $(ALL_SRC:%.c=$(B)/%.d) $(ALL_SRC:%.c=$(T)/%.d)
