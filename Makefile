# pubsubd: rules only; a recipe of more than three lines lives in scripts/.
#
# Every variant builds twice: the program in build/<variant>/, and the library
# that the tests link in its twin build/<variant>-testing/, where -DTESTING
# compiles in the stop points.  `make help` lists the targets; the variables:
#
#	SAN=address,undefined | SAN=thread	sanitizers
#	COV=1		count the lines that run, with clang (make coverage)
#	TESTING=1	put the stop points into the program too
#	CC=clang  WERROR=1  BUILD=directory  PREFIX=/usr  DESTDIR=  VERSION=
#	ARGS='--workers 2'	options for `make run`
#	V=1		show the whole command lines

VERSION := 0.1.0
BUILD := build
PREFIX := /usr/local
DATADIR = $(abspath $(PREFIX))/share/pubsubd# the page is in $(DATADIR)/public
INSTALLED_PROGRAM = $(DESTDIR)$(abspath $(PREFIX))/bin/pubsubd
INSTALLED_PAGE = $(DESTDIR)$(DATADIR)/public
INSTALLED_MAN = $(DESTDIR)$(abspath $(PREFIX))/share/man
UNITDIR = $(abspath $(PREFIX))/lib/systemd/system
INSTALLED_SYSTEMD = $(DESTDIR)$(UNITDIR)
INSTALLED_CONTRIB = $(DESTDIR)$(DATADIR)/contrib
INSTALLED_USERS = $(DESTDIR)$(abspath $(PREFIX))/lib/sysusers.d/pubsubd.conf
INSTALLED_COMPLETION = $(DESTDIR)$(abspath $(PREFIX))/share/bash-completion/completions/pubsubd

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

OPTIMIZE := -O2
WARN := -Wall -Wextra -Wshadow -Wmissing-prototypes -Wstrict-prototypes \
	-Wpointer-arith -Wcast-qual -Wwrite-strings -Wvla -Wformat=2
SANITIZE := $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all \
	-fno-omit-frame-pointer)
# The counters are a shared mapping of a file (%c), one for all processes of a
# program (%m): what a process did counts however it ends, kill -9 included, and
# across a fork and an exec.
COUNT := $(if $(COV),\
	-fprofile-instr-generate=$(abspath $(BUILD))/coverage/%m%c.profraw)
COUNTERS := $(if $(COV),\
	$(COUNT) -fcoverage-mapping -mllvm -runtime-counter-relocation)
DEFINES := -D_GNU_SOURCE -DPUBSUBD_VERSION=\"$(VERSION)\"
# What sanitizers do in a worker (open files, trace threads) is what
# its sandbox forbids, so such a build has none.
DEFINES += $(if $(SAN),-DNO_SANDBOX)
$(T)/%: STOPS := -DTESTING

COMPILE = $(CC) -std=c11 -I. $(DEFINES) $(STOPS) $(CPPFLAGS) $(OPTIMIZE) -g \
	-fno-common $(WARN) $(if $(WERROR),-Werror) $(SANITIZE) $(COUNTERS) \
	$(CFLAGS)
LINK = $(CC) $(OPTIMIZE) -g $(SANITIZE) $(COUNT) $(CFLAGS) $(LDFLAGS)
LDLIBS := -lev -lwslay -lssl -lcrypto -lseccomp -lz -pthread

LIB_SRC := $(filter-out broker/main.c broker/manual.c broker/bridge/%, $(foreach top,common broker worker, \
	$(wildcard $(top)/*.c $(top)/*/*.c $(top)/*/*/*.c)))
LOAD_SRC := $(wildcard tests/load/*.c) $(filter-out \
	tests/bench/ring_bench.c tests/bench/log_bench.c,$(wildcard tests/bench/*.c))
FLOOR_SRC := $(wildcard tests/floor/*.c)
ECHO_SRC := $(wildcard tests/echo_server/*.c)
SUPPORT_SRC := $(wildcard tests/support/*.c)
UNIT_SRC := $(wildcard tests/unit/test_*.c tests/unit/*/test_*.c)
MP_SRC := $(wildcard tests/mp/test_*.c)
FUZZ_SRC := $(wildcard tests/fuzz/fuzz_*.c)
UNIT_SUPPORT_SRC := $(SUPPORT_SRC) $(wildcard tests/unit/support/*.c)
MP_SUPPORT_SRC := $(SUPPORT_SRC) $(filter-out $(MP_SRC),$(wildcard tests/mp/*.c))
ALL_SRC := broker/main.c broker/manual.c $(wildcard broker/bridge/*.c) $(LIB_SRC) $(wildcard tests/*/*.c tests/unit/*/*.c)

# The page's files, compressed, for clients that take that (worker/http/static.h).
PACKED := $(patsubst %,%.gz,$(filter %.html %.css %.js %.svg,$(wildcard public/*)))

PROGRAM := $(BIN)/pubsubd
# The one program that knows libnats: where that is installed.  A number sign in
# a function's words needs a backslash up to make 4.2, and keeps it from 4.3 on.
HASH := \#
BRIDGE_SRC := $(wildcard broker/bridge/*.c)
HAS_NATS := $(shell echo '$(HASH)include <nats/nats.h>' | $(CC) $(CPPFLAGS) -E -x c - >/dev/null 2>&1 && echo yes)
BRIDGE := $(if $(HAS_NATS),$(BIN)/pubsubd-bridge)
# What it is compared with.
LOG_BENCH := $(if $(HAS_NATS),$(BIN)/log-bench)
# Prints what the manual has from the tables of commands and options.
MANUAL := $(B)/pubsubd-manual
OPTIONS_PAGE := broker/cli/README.md
PAGES := $(patsubst scripts/man/%.in,$(B)/man/%,$(wildcard scripts/man/*.in))
COMPLETION := $(B)/completions/pubsubd
CONTRIB := $(addprefix scripts/contrib/,prometheus-rules.yml grafana-dashboard.json)
UNITS := scripts/pubsubd.service scripts/pubsubd.socket
# What `make install' copies: the same, but for where it is installed.
INSTALLABLE := $(B)/install/pubsubd
LOAD := $(if $(LOAD_SRC),$(BIN)/pubsub-load)
ECHO := $(BIN)/echo-server
FLOOR := $(BIN)/floor
RING_BENCH := $(BIN)/ring-bench
LITMUS := $(addprefix $(B)/model/,litmus no_wake_fence no_sleep_fence unchecked)
OPENAT2 := $(BIN)/openat2.so
# The same program with the stop points in it, and the tool that arms them.
STOPPABLE := $(T)/pubsubd
ARMER := $(T)/stop-at
# The same program with another layout of the shared memory.
OTHER_LAYOUT := $(T)/pubsubd-other-layout
# What stands in for a service manager.
MANAGER := $(T)/manager
# What runs a program without one of its system calls.
REFUSER := $(T)/refuse
# A wall clock that can be set, for a program to be run with.
WALL_CLOCK := $(T)/wall_clock.so
# And the program, and unit tests, in which these calls can be told to fail.
FAULTY := $(T)/pubsubd-faulty
WRAPPED := main malloc calloc realloc reallocarray mmap shm_open posix_fallocate eventfd \
	signalfd pipe2 fork socket fcntl ftruncate accept4 recv send sendmsg write
LIBS := $(sort $(B)/libpubsubd.a $(T)/libpubsubd.a)
NODE_MODULES := tests/node_modules/.package-lock.json
VERDICT := $(T)/fuzz/json_verdict
SUITES := unit mp e2e browser fuzz chaos soak interop
TESTS_unit := $(UNIT_SRC:tests/%.c=$(T)/%)
TESTS_fault := $(foreach test,$(TESTS_unit),$(if $(findstring /test_fault_,$(test)),$(test)))
TESTS_mp := $(MP_SRC:tests/%.c=$(T)/%)
# Mutants are linked anew, without sanitizers and counters.
TESTS_e2e := $(filter-out $(if $(SAN)$(COV),%/mutants.test.mjs),$(wildcard tests/e2e/*.test.mjs))
TESTS_browser := $(wildcard tests/browser/*.test.mjs)
TESTS_chaos := $(wildcard tests/chaos/*.test.mjs)
TESTS_interop := $(wildcard tests/interop/*.test.mjs)
TESTS_soak := $(wildcard tests/soak/*.test.mjs)
TESTS_fuzz := $(FUZZ_SRC:tests/%.c=$(T)/%) $(wildcard tests/fuzz/*.test.mjs)
FUZZERS := $(FUZZ_SRC:tests/fuzz/%.c=$(T)/libfuzzer/%)
# tests/mutants links these anew.
MUTATED := $(if $(SAN)$(COV),,$(addprefix $(T)/unit/common/test_,base64url jwk jwt))
TESTS_BY := $(if $(filter e2e,$(SUITES)),$(BRIDGE) $(PAGES) $(COMPLETION) $(STOPPABLE) $(OTHER_LAYOUT) $(ARMER) $(MANAGER) $(REFUSER) $(WALL_CLOCK) $(FAULTY) $(ECHO) $(MUTATED))
TESTS := $(foreach suite,$(SUITES),$(TESTS_$(suite)))
STRESS := $(filter %stress,$(TESTS_unit) $(TESTS_mp))

Q := $(if $(V),,@)
export PUBSUBD := $(abspath $(PROGRAM))
export MUTANTS_OF := $(abspath $(T))
export JSON_VERDICT := $(abspath $(VERDICT))
export PUBSUBD_STOPPABLE := $(abspath $(STOPPABLE))
export PUBSUBD_OTHER_LAYOUT := $(abspath $(OTHER_LAYOUT))
export STOP_AT := $(abspath $(ARMER))
export SERVICE_MANAGER := $(abspath $(MANAGER))
export REFUSE := $(abspath $(REFUSER))
export WALL_CLOCK_SO := $(abspath $(WALL_CLOCK))
export PUBSUBD_FAULTY := $(abspath $(FAULTY))
export ECHO_SERVER := $(abspath $(ECHO))
export MANUAL_PROGRAM := $(abspath $(MANUAL))
export MANUAL_PAGES := $(abspath $(PAGES))
export COMPLETION_SCRIPT := $(abspath $(COMPLETION))

.PHONY: all no-bridge everything help docs run bench bench-check bench-programs bench-deps profile test test-programs test-unit test-mp test-e2e test-browser test-fuzz test-tsan test-stress chaos cluster-chaos soak \
	coverage deep interop \
	fuzz run-fuzzers \
	model check check-format check-layers check-headers check-steps check-docs format lint installable install uninstall deb clean FORCE
.DELETE_ON_ERROR:
.SUFFIXES:

all: $(PROGRAM) $(if $(BRIDGE),$(BRIDGE),no-bridge) $(LOAD) $(PACKED) $(PAGES) $(COMPLETION) ## build the server and the load generator (default)

everything: all check-docs $(ECHO) $(STOPPABLE) $(OTHER_LAYOUT) $(ARMER) $(MANAGER) $(REFUSER) $(WALL_CLOCK) $(FAULTY) $(TESTS_unit) $(TESTS_mp) $(TESTS_fuzz) ## build these and the tests

no-bridge:
	@echo 'No libnats (libnats-dev): built without pubsubd-bridge, so without --cluster.'

help: ## list the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1	/p' Makefile | expand -t 16

docs: $(MANUAL) $(PAGES) ## print the options into their page, and the man pages
	scripts/manual.sh $(MANUAL) fill $(OPTIONS_PAGE) >$(B)/options.md
	cmp -s $(B)/options.md $(OPTIONS_PAGE) || cp $(B)/options.md $(OPTIONS_PAGE)

run: $(PROGRAM) $(PACKED) ## build and run the server on http://localhost:8000
	$(PROGRAM) run $(ARGS)

test-programs: $(PROGRAM) $(TESTS_BY) $(TESTS) $(NODE_MODULES) ## build all that 'make test' needs

test: test-programs ## run every test (SUITES='unit mp': only those)
	@scripts/run-tests.sh $(TESTS)

test-unit: ## run the tests of single modules
test-mp: ## run the tests of several processes on one segment
test-e2e: ## run the tests of the program over sockets
test-browser: ## run the tests of the web page
test-fuzz: ## feed the parsers the inputs that are kept for them
test-unit test-mp test-e2e test-browser test-fuzz:
	@$(MAKE) --no-print-directory test SUITES=$(@:test-%=%)

test-tsan: ## run the stress tests under ThreadSanitizer
	@$(MAKE) --no-print-directory SAN=thread test-stress

test-stress: $(STRESS)
	@scripts/run-tests.sh $^

chaos: $(PROGRAM) $(NODE_MODULES) ## hurt a server at random and judge it (SECONDS=60 SEED=n)
	@node tests/chaos/chaos.mjs $(if $(SECONDS),--seconds $(SECONDS)) $(if $(SEED),--seed $(SEED))

cluster-chaos: $(PROGRAM) $(BRIDGE) $(NODE_MODULES) ## hurt three hosts and the servers of their log (SECONDS=60 SEED=n)
	@node tests/chaos/cluster.mjs $(if $(SECONDS),--seconds $(SECONDS)) $(if $(SEED),--seed $(SEED))

soak: $(PROGRAM) $(LOAD) $(NODE_MODULES) ## see that nothing grows under a long load (MINUTES=10)
	@node tests/soak/soak.mjs $(if $(MINUTES),--minutes $(MINUTES))

fuzz: ## make up inputs for the parsers, 60 s for each (SECONDS=5)
	@$(MAKE) --no-print-directory CC=clang SAN=fuzzer-no-link,address,undefined run-fuzzers

run-fuzzers: $(FUZZERS)
	@scripts/fuzz.sh $(or $(SECONDS),60) $^

deep: ## search for bugs for long (PARTS='memcheck analyzer tidy mutants chaos upgrade model coverage')
	@scripts/deep.sh $(PARTS)

coverage: ## run the tests and say which lines none reaches: build/coverage/html
	@BUILD=$(BUILD) scripts/coverage.sh

interop: $(PROGRAM) $(PACKED) $(COMPLETION) $(NODE_MODULES) ## run clients, proxies and tools of others with it (ONLY='nginx tools')
	@ONLY='$(ONLY)' KEEP='$(KEEP)' scripts/interop.sh

bench: bench-programs ## measure it beside others: build/bench/report.html (QUICK=1)
	@BUILD=$(abspath $(BIN)) scripts/bench.sh

bench-check: bench-programs $(OPENAT2) ## count what a message and a delivery take
	@BUILD=$(abspath $(BIN)) node tests/bench/check.mjs

bench-programs: $(PROGRAM) $(BRIDGE) $(LOAD) $(FLOOR) $(RING_BENCH) $(LOG_BENCH) $(PACKED)

bench-deps: ## install the servers that bench compares with
	scripts/bench-deps.sh

# With frame pointers, in a directory of its own: perf walks the stack by them.
profile: ## draw where a worker spends its time: build/profile/bench/profile.svg
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/profile \
		CFLAGS='$(CFLAGS) -fno-omit-frame-pointer' all $(BUILD)/profile/openat2.so
	@BUILD=$(BUILD)/profile scripts/profile.sh

model: check-steps $(LITMUS) ## check the models of the protocol, and its fences (DEEP=1: more)
	@CC='$(CC)' scripts/model.sh $(B)/model $(if $(DEEP),deep)

check: check-format check-layers check-headers check-steps check-docs ## check format, layers, headers, steps, pages

check-format:
	scripts/check-format.sh

check-layers:
	scripts/check-layers.sh

check-headers:
	CC='$(CC)' scripts/check-headers.sh

check-steps:
	scripts/check-steps.sh

check-docs: $(MANUAL) $(PAGES)
	@scripts/manual.sh $(MANUAL) check $(OPTIONS_PAGE)
	@scripts/check-pages.sh

format: ## put the C files into the house style
	scripts/check-format.sh -i

lint: ## look for bugs with cppcheck
	scripts/lint.sh

installable: $(INSTALLABLE) $(BRIDGE) $(PACKED) $(PAGES) $(COMPLETION)

install: installable ## install into PREFIX (/usr/local)
	install -D $(INSTALLABLE) $(INSTALLED_PROGRAM)
	$(if $(BRIDGE),install -D $(BRIDGE) $(INSTALLED_PROGRAM)-bridge)
	install -d $(INSTALLED_PAGE)
	cp -R --preserve=timestamps public/. $(INSTALLED_PAGE)
	install -D -m 644 -t $(INSTALLED_MAN)/man1 $(filter %.1,$(PAGES))
	install -D -m 644 -t $(INSTALLED_MAN)/man5 $(filter %.5,$(PAGES))
	install -D -m 644 $(COMPLETION) $(INSTALLED_COMPLETION)
	install -D -m 644 -t $(INSTALLED_SYSTEMD) $(UNITS)
	sed -i 's|/usr/local/bin/|$(abspath $(PREFIX))/bin/|' $(INSTALLED_SYSTEMD)/pubsubd.service
	install -D -m 644 scripts/pubsubd.sysusers $(INSTALLED_USERS)
	install -D -m 644 -t $(INSTALLED_CONTRIB) $(CONTRIB)

uninstall: ## remove what `make install' with the same PREFIX installed
	rm -f $(INSTALLED_PROGRAM) $(INSTALLED_PROGRAM)-bridge $(INSTALLED_COMPLETION) $(INSTALLED_USERS)
	rm -f $(foreach unit,$(notdir $(UNITS)),$(INSTALLED_SYSTEMD)/$(unit))
	rm -f $(foreach page,$(notdir $(PAGES)),$(INSTALLED_MAN)/man$(subst .,,$(suffix $(page)))/$(page))
	rm -f $(foreach file,$(notdir $(CONTRIB)),$(INSTALLED_CONTRIB)/$(file))
	-rmdir $(INSTALLED_CONTRIB)
	scripts/uninstall-tree.sh public $(INSTALLED_PAGE)

deb: ## build a Debian package: build/deb
	@scripts/deb.sh $(BUILD) $(VERSION)

clean: ## remove what was built
	rm -rf $(BUILD) $(PACKED)

public/%.gz: public/%
	$(Q)gzip -9nc $< >$@.new && mv $@.new $@

$(PROGRAM): $(B)/broker/main.o $(B)/libpubsubd.a
	@echo '  LINK  $@'
	$(Q)$(LINK) -o $@ $^ $(LDLIBS)

$(BIN)/pubsubd-bridge: $(BRIDGE_SRC:%.c=$(B)/%.o) $(B)/libpubsubd.a
	@echo '  LINK  $@'
	$(Q)$(LINK) -o $@ $^ -lnats $(LDLIBS)

# Its own object of datadir.c stands in front of that in the library.
$(INSTALLABLE): $(B)/broker/main.o $(B)/install/datadir.o $(B)/libpubsubd.a
	@echo '  LINK  $@'
	$(Q)$(LINK) -o $@ $^ $(LDLIBS)

$(B)/install/datadir.o: broker/host/datadir.c $(B)/flags $(B)/install/datadir
	@echo '  CC    $@'
	$(Q)$(COMPILE) -DDATADIR=\"$(DATADIR)\" -c -o $@ $<

$(MANUAL): $(B)/broker/manual.o $(B)/libpubsubd.a
	@echo '  LINK  $@'
	$(Q)$(LINK) -o $@ $^ $(LDLIBS)

$(COMPLETION): scripts/completion.bash.in scripts/manual.sh $(MANUAL)
	@mkdir -p $(@D)
	$(Q)scripts/manual.sh $(MANUAL) page $< >$@

$(PAGES): $(B)/man/%: scripts/man/%.in scripts/manual.sh $(MANUAL)
	@mkdir -p $(@D)
	$(Q)scripts/manual.sh $(MANUAL) page $< >$@

$(filter-out $(PROGRAM),$(STOPPABLE)): $(T)/broker/main.o $(T)/libpubsubd.a
	@echo '  LINK  $@'
	$(Q)$(LINK) -o $@ $^ $(LDLIBS)

# Its own object of segment.c stands in front of that in the library.
$(OTHER_LAYOUT): $(T)/broker/main.o $(T)/other-layout/segment.o $(T)/libpubsubd.a
	@echo '  LINK  $@'
	$(Q)$(LINK) -o $@ $^ $(LDLIBS)

$(T)/other-layout/segment.o: broker/shared/segment.c $(T)/broker/shared/segment.o
	@mkdir -p $(@D)
	@echo '  CC    $@'
	$(Q)$(COMPILE) -DSEGMENT_OTHER_LAYOUT -c -o $@ $<

$(FAULTY): $(T)/broker/main.o $(T)/tests/fault/fault.o $(T)/libpubsubd.a
	@echo '  LINK  $@'
	$(Q)$(LINK) $(WRAPPED:%=-Wl,--wrap=%) -o $@ $^ $(LDLIBS)

$(REFUSER): $(T)/tests/e2e/refuse.o
	@echo '  LINK  $@'
	$(Q)$(LINK) -o $@ $^ $(LDLIBS)

$(MANAGER): $(T)/tests/e2e/manager.o $(T)/libpubsubd.a
	@echo '  LINK  $@'
	$(Q)$(LINK) -o $@ $^ $(LDLIBS)

$(ARMER): $(T)/tests/e2e/stop_at.o $(T)/libpubsubd.a
	@echo '  LINK  $@'
	$(Q)$(LINK) -o $@ $^ $(LDLIBS)

$(BIN)/pubsub-load: $(LOAD_SRC:%.c=$(B)/%.o) $(B)/libpubsubd.a
	@echo '  LINK  $@'
	$(Q)$(LINK) -o $@ $^ $(LDLIBS)

$(ECHO): $(ECHO_SRC:%.c=$(B)/%.o) $(B)/libpubsubd.a
	@echo '  LINK  $@'
	$(Q)$(LINK) -o $@ $^ $(LDLIBS)

$(FLOOR): $(FLOOR_SRC:%.c=$(B)/%.o) $(B)/libpubsubd.a
	@echo '  LINK  $@'
	$(Q)$(LINK) -o $@ $^ $(LDLIBS)

$(RING_BENCH): $(B)/tests/bench/ring_bench.o $(B)/tests/support/testseg.o \
		$(B)/tests/bench/figures.o $(B)/tests/load/histogram.o $(B)/libpubsubd.a
	@echo '  LINK  $@'
	$(Q)$(LINK) -o $@ $^ $(LDLIBS)

$(BIN)/log-bench: $(B)/tests/bench/log_bench.o $(B)/tests/bench/figures.o \
		$(B)/tests/load/histogram.o $(B)/libpubsubd.a
	@echo '  LINK  $@'
	$(Q)$(LINK) -o $@ $^ -lnats $(LDLIBS)

$(OPENAT2): tests/valgrind/openat2.c $(B)/flags
$(WALL_CLOCK): tests/e2e/wall_clock.c $(T)/flags
$(OPENAT2) $(WALL_CLOCK):
	@echo '  LINK  $@'
	$(Q)$(COMPILE) -shared -fPIC -o $@ $<

# The litmus test as it is, and each time with one thing taken out.
LITMUS_OBJECTS := $(B)/tests/support/testseg.o $(B)/libpubsubd.a

$(B)/model/litmus: $(B)/tests/model/litmus.o
$(B)/model/no_wake_fence: $(B)/tests/model/litmus.o $(B)/model/ring_wake.o
$(B)/model/no_sleep_fence: $(B)/tests/model/litmus.o $(B)/model/wakeup.o
$(B)/model/unchecked: $(B)/model/unchecked.o

$(LITMUS): $(LITMUS_OBJECTS)
	@mkdir -p $(@D)
	@echo '  LINK  $@'
	$(Q)$(LINK) -o $@ $(filter-out %.a,$^) $(filter %.a,$^) $(LDLIBS)

$(B)/model/ring_wake.o: broker/ring/ring_wake.c
$(B)/model/wakeup.o: broker/shared/wakeup.c
$(B)/model/ring_wake.o $(B)/model/wakeup.o: tests/model/no_fence.h $(B)/flags
	@mkdir -p $(@D)
	@echo '  CC    $@'
	$(Q)$(COMPILE) -include tests/model/no_fence.h -c -o $@ $(filter %.c,$^)

$(B)/model/unchecked.o: tests/model/litmus.c $(B)/flags
	@mkdir -p $(@D)
	@echo '  CC    $@'
	$(Q)$(COMPILE) -DUNCHECKED -c -o $@ $<

$(TESTS_unit): $(T)/%: $(T)/tests/%.o $(UNIT_SUPPORT_SRC:%.c=$(T)/%.o) $(T)/libpubsubd.a
	@mkdir -p $(@D)
	@echo '  LINK  $@'
	$(Q)$(LINK) $(WRAP) -o $@ $(filter-out %.a,$^) $(filter %.a,$^) \
		-lcmocka $(LDLIBS)

$(TESTS_fault): $(T)/tests/fault/fault.o
$(TESTS_fault): private WRAP = $(WRAPPED:%=-Wl,--wrap=%)

$(T)/unit/load/test_histogram: $(T)/tests/load/histogram.o
$(T)/unit/worker/test_echo: $(T)/tests/echo_server/echo.o
$(T)/unit/load/test_ledger: $(T)/tests/load/ledger.o
$(T)/unit/bench/test_probe: $(T)/tests/bench/probe.o $(T)/tests/bench/form.o

$(TESTS_mp): $(T)/%: $(T)/tests/%.o $(MP_SUPPORT_SRC:%.c=$(T)/%.o) $(T)/libpubsubd.a
	@mkdir -p $(@D)
	@echo '  LINK  $@'
	$(Q)$(LINK) -o $@ $^ -lcmocka $(LDLIBS)

FUZZ_OBJECTS := $(T)/tests/support/testseg.o $(T)/libpubsubd.a

$(FUZZ_SRC:tests/%.c=$(T)/%): $(T)/%: $(T)/tests/%.o $(T)/tests/fuzz/replay.o $(FUZZ_OBJECTS)
	@mkdir -p $(@D)
	@echo '  LINK  $@'
	$(Q)$(LINK) -o $@ $^ $(LDLIBS)

$(FUZZERS): $(T)/libfuzzer/%: $(T)/tests/fuzz/%.o $(FUZZ_OBJECTS)
	@mkdir -p $(@D)
	@echo '  LINK  $@'
	$(Q)$(LINK) -fsanitize=fuzzer -o $@ $^ $(LDLIBS)

$(VERDICT): $(T)/tests/fuzz/json_verdict.o $(T)/libpubsubd.a
	@mkdir -p $(@D)
	@echo '  LINK  $@'
	$(Q)$(LINK) -o $@ $^ $(LDLIBS)

tests/fuzz/json.test.mjs: $(VERDICT)

# Its assembler code has these in it.
$(B)/worker/admin_files.o $(T)/worker/admin_files.o: $(wildcard worker/pages/*)

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

$(B)/install/datadir: FORCE
	$(call STAMP,$(DATADIR))

$(NODE_MODULES): tests/package-lock.json
	cd tests && npm ci

-include $(ALL_SRC:%.c=$(B)/%.d) $(ALL_SRC:%.c=$(T)/%.d)
