# SPDX-License-Identifier: Apache-2.0
#
#     make                build/default/retentiond and build/default/retentionctl
#     make demo           shows them at work; installs what is missing first
#     make check          every check and test; installs what is missing first
#     make check-systemd  tests the Debian package on machines booted in containers; takes root
#     make man            build/man/*: the manual pages
#     make deps           installs what is missing, nothing else
#     make install        into prefix=/usr/local; DESTDIR and the GNU names of directories hold
#     make uninstall      takes it away again, but for the configuration
#     make deb            build/deb/retentiond_*.deb; installs what is missing first
#     make sim            histories beside a model of what must be true; SEEDS=2000 CLOCKS=1000000,
#                         or SEED=n to play one again: tests/sim/README.md
#     make sim-mutants    breaks a rule at a time, and sees the simulator notice; minutes
#     make bench          how fast it is; ACCOUNTS=1000000 ROUNDS=3 ONLY=leave-1,get-32
#     make bench-peers    the same beside PostgreSQL and Redis; all three: tests/bench/README.md
#     make bench-scale    with 10 M accounts beside 1 M; SMALL=1000000 LARGE=10000000
#     make crash          images of what power cuts leave; IMAGES=100000 SEED=1 IMAGE=1:2.3
#     make crash-mutants  the same with the store broken on purpose
#     make crash-kill     a kill at every system call of a life
#     make hostile        what others notice of hostile peers; SECONDS=3 ATTACK='never reads'; root
#     make fuzz           build/fuzz/tests/fuzz/fuzz_*; TIME=60 lets each search: tests/fuzz/README.md
#     make format         lays the source out with clang-format 14
#     make clean
#
# Each is a variant of its own, with its own folder under build/:
#     SAN=asan|tsan|cov|fuzz      sanitizers, coverage, fuzzing
#     CC=clang                    another compiler
# WERROR=1 makes warnings errors (so does CI=true); V=1 shows the commands; CFLAGS, CPPFLAGS and
# LDFLAGS are added to ours.

MAKEFLAGS += --no-builtin-rules --no-print-directory
.DELETE_ON_ERROR:

# --- variant ------------------------------------------------------------------------------------

SAN ?=
ifeq ($(origin CC),default)
CC := $(if $(filter fuzz,$(SAN)),clang,gcc)
endif
ifneq ($(filter-out asan tsan cov fuzz,$(SAN)),)
$(error SAN is asan, tsan, cov, fuzz or nothing, not '$(SAN)')
endif

compiler := $(notdir $(lastword $(CC)))
usual    := $(if $(filter fuzz,$(SAN)),clang,gcc cc)
variant  := $(or $(SAN),default)$(addprefix -,$(filter-out $(usual),$(compiler)))
out      := build/$(variant)
machine  := $(shell $(CC) -dumpmachine 2>/dev/null)

sanitize_asan := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
sanitize_tsan := -fsanitize=thread -fno-omit-frame-pointer
sanitize_cov  := --coverage -fprofile-update=atomic
sanitize_fuzz := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all

optimize_asan := -O1
optimize_tsan := -O1
optimize_cov  := -O0
optimize_fuzz := -O1

# A first finding ends the process, and ends it by a signal: Criterion 2.4.1 does not see a leak
# otherwise.
export ASAN_OPTIONS  ?= abort_on_error=1:detect_leaks=1
export UBSAN_OPTIONS ?= halt_on_error=1:print_stacktrace=1
export TSAN_OPTIONS  ?= halt_on_error=1

# --- libraries ----------------------------------------------------------------------------------

# msgpack-c's .pc file is msgpack in Debian 12 and msgpack-c since upstream's version 6.
msgpack := $(shell pkg-config --exists msgpack-c 2>/dev/null && echo msgpack-c || echo msgpack)

packages_daemon := libevent_core lmdb libsystemd libsodium inih $(msgpack)
packages_ctl    := jansson smartcols libsodium $(msgpack)
packages        := $(sort $(packages_daemon) $(packages_ctl))
missing         := $(strip $(foreach p,$(packages),\
                       $(shell pkg-config --exists $p 2>/dev/null || echo $p)))

ifeq ($(missing),)
packages_cppflags := $(shell pkg-config --cflags $(packages))
libs_daemon       := $(shell pkg-config --libs $(packages_daemon))
libs_ctl          := $(shell pkg-config --libs $(packages_ctl))
libs_criterion    := $(shell pkg-config --libs criterion 2>/dev/null)
libs_bench        := $(shell pkg-config --libs lmdb jansson smartcols $(msgpack))
libs_peers        := $(shell pkg-config --libs libpq hiredis 2>/dev/null)
endif

# --- flags --------------------------------------------------------------------------------------

warnings := -Wall -Wextra -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Wpointer-arith -Wvla \
            -Wformat=2 -Wimplicit-fallthrough -Wundef -Wwrite-strings
ifneq ($(filter true 1,$(CI) $(WERROR)),)
warnings += -Werror
endif

hardening := -fPIE -fstack-protector-strong -fstack-clash-protection
ifneq ($(filter x86_64-% i686-%,$(machine)),)
hardening += -fcf-protection
endif
ifneq ($(filter aarch64-%,$(machine)),)
hardening += -mbranch-protection=standard
endif
fortify := $(if $(SAN),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)

CFLAGS ?= $(or $(optimize_$(SAN)),-O2) -g

cppflags := -D_GNU_SOURCE -I. $(packages_cppflags) $(fortify) $(CPPFLAGS)
cflags   := -std=gnu17 $(warnings) $(hardening) $(CFLAGS) $(sanitize_$(SAN))
ldflags  := -pie -Wl,-z,relro,-z,now $(LDFLAGS) $(CFLAGS) $(sanitize_$(SAN))

quiet = $(if $(V),,@printf '  %-5s %s\n' '$(1)' '$(2)';)

# --- what is built of what ----------------------------------------------------------------------

objects = $(patsubst %.c,$(out)/%.o,$(wildcard $(1)))

common_objects  := $(call objects,common/*.c)
daemon_objects  := $(call objects,daemon/*.c daemon/*/*.c)
ctl_objects     := $(call objects,ctl/*.c)
man_objects     := $(call objects,packaging/man/*.c)
support_objects := $(call objects,tests/support/*.c)
unit_objects    := $(call objects,tests/unit/test_*.c)
fuzz_objects    := $(call objects,tests/fuzz/fuzz_*.c)
sim_objects     := $(call objects,tests/sim/*.c)
fuzz_shared     := $(filter-out $(fuzz_objects) %/replay.o,$(call objects,tests/fuzz/*.c))
fuzz_replay     := $(out)/tests/fuzz/replay.o
crash_objects   := $(call objects,tests/crash/*.c)
peer_objects    := $(call objects,tests/bench/postgres*.c tests/bench/redis*.c)
bench_objects   := $(filter-out $(peer_objects) %/main.o %/main_peers.o,\
                       $(call objects,tests/bench/*.c))
bench_mains     := $(call objects,tests/bench/main*.c)

# Everything but the two main functions: what tests link against.
tested_objects  := $(common_objects) $(filter-out %/main.o,$(daemon_objects) $(ctl_objects)) \
                   $(support_objects) $(filter %/spread.o %/sample.o,$(bench_objects))

every_object := $(sort $(common_objects) $(daemon_objects) $(ctl_objects) $(man_objects) \
                       $(support_objects) $(unit_objects) $(fuzz_objects) $(fuzz_shared) \
                       $(fuzz_replay) $(sim_objects) $(crash_objects) $(bench_objects) \
                       $(peer_objects) $(bench_mains))
formatted    := $(wildcard $(addsuffix /*.[ch],common daemon daemon/* ctl packaging/man tests/*))

man_pages := $(patsubst packaging/man/%.scd,build/man/%,$(wildcard packaging/man/*.scd))

RETENTIOND    := $(out)/retentiond
RETENTIONCTL  := $(out)/retentionctl
unit_tests    := $(out)/unit-tests
weave         := $(out)/weave
fuzz_programs := $(fuzz_objects:.o=)
sim           := $(out)/sim
crash         := $(out)/crash
bench         := $(out)/bench
bench_peers   := $(out)/bench-peers

.PHONY: all
all: $(RETENTIOND) $(RETENTIONCTL)

$(RETENTIOND): $(daemon_objects) $(common_objects)
$(RETENTIOND): libs := $(libs_daemon)

$(RETENTIONCTL): $(ctl_objects) $(common_objects)
$(RETENTIONCTL): libs := $(libs_ctl)

$(weave): $(man_objects) $(filter-out %/main.o,$(ctl_objects)) $(common_objects)
$(weave): libs := $(libs_ctl)

$(unit_tests): $(unit_objects) $(tested_objects)
$(unit_tests): libs := $(libs_daemon) $(libs_ctl) $(libs_criterion)

$(sim): $(sim_objects) $(tested_objects)
$(sim): libs := $(libs_daemon) $(libs_ctl)

# What searches is libFuzzer; elsewhere what has been found is tried again.
$(fuzz_programs): %: %.o $(fuzz_shared) $(tested_objects) $(if $(filter fuzz,$(SAN)),,$(fuzz_replay))
$(fuzz_programs): libs := -Wl,--wrap=store_check $(if $(filter fuzz,$(SAN)),-fsanitize=fuzzer) $(libs_daemon) $(libs_ctl)

# LMDB's calls go through its functions, which therefore must be seen by libraries.
$(crash): $(crash_objects) $(tested_objects)
$(crash): libs := -rdynamic $(libs_daemon) $(libs_ctl)

$(bench): $(out)/tests/bench/main.o $(bench_objects) $(common_objects)
$(bench): libs := $(libs_bench)

$(peer_objects): cppflags += $(shell pkg-config --cflags libpq 2>/dev/null)
$(bench_peers): $(out)/tests/bench/main_peers.o $(bench_objects) $(peer_objects) $(common_objects)
$(bench_peers): libs := $(libs_bench) $(libs_peers)

$(RETENTIOND) $(RETENTIONCTL) $(weave) $(unit_tests) $(fuzz_programs) $(sim) $(crash) $(bench) $(bench_peers): $(out)/flags
	$(call quiet,LD,$@)$(CC) $(ldflags) -o $@ $(filter %.o,$^) $(libs)

$(out)/%.o: %.c $(out)/flags | $(if $(missing),libraries-are-missing)
	@mkdir -p $(@D)
	$(call quiet,CC,$<)$(CC) $(cppflags) $(cflags) -MMD -MP -c -o $@ $<

-include $(every_object:.o=.d)

# Other flags than last time build everything anew.
$(out)/flags: always
	@mkdir -p $(@D)
	@printf '%s\n' '$(CC) $(cppflags) $(cflags) $(ldflags)' | cmp -s - $@ || \
		printf '%s\n' '$(CC) $(cppflags) $(cflags) $(ldflags)' >$@

.PHONY: always
always:

.PHONY: libraries-are-missing
libraries-are-missing:
	@echo "pkg-config does not find: $(missing). 'make deps' installs what is missing." >&2
	@false

# --- manual -------------------------------------------------------------------------------------

# A page is its source with the tables of daemon and client woven in: see packaging/man/weave.c.
.PHONY: man
man: $(man_pages)

build/man/%: packaging/man/%.scd $(weave) packaging/man/tidy.awk | $(if $(shell command -v scdoc),,scdoc-is-missing)
	@mkdir -p $(@D)
	$(call quiet,MAN,$@)$(weave) <$< >$@.scd && scdoc <$@.scd >$@.roff && \
		awk -f packaging/man/tidy.awk $@.roff >$@ && rm $@.scd $@.roff

.PHONY: scdoc-is-missing
scdoc-is-missing:
	@echo "The manual pages are made with scdoc(1). 'make deps' installs it." >&2
	@false

# --- demo, check, fuzz ---------------------------------------------------------------------------

# What is written above has been read before the libraries were there: once they are, make begins
# anew. A -j given to make holds for the second one too; else it uses every processor.
clang_set := $(if $(findstring clang,$(CC)),clang)
again = +$(MAKE) $(if $(filter -j% --jobserver%,$(MAKEFLAGS)),,-j$(shell nproc))

.PHONY: fuzz
TIME ?=
ifeq ($(SAN),fuzz)
fuzz: $(fuzz_programs)
	$(if $(TIME),@tests/fuzz/run $(TIME) $(fuzz_programs))
else
fuzz:
	@packaging/dependencies.sh build clang
	@$(again) SAN=fuzz TIME=$(TIME) fuzz
endif

.PHONY: deps
deps:
	@packaging/dependencies.sh build man demo check $(clang_set)

# Each installs what the build needs, and what it needs besides; its work is its run-*.
needs_demo        := demo
needs_check       := man check
needs_crash-kill  := check
needs_hostile     := check
needs_bench-peers := bench

installing := demo check sim sim-mutants crash crash-mutants crash-kill hostile bench bench-peers \
              bench-scale
.PHONY: $(installing) $(installing:%=run-%)
$(installing):
	@packaging/dependencies.sh build $(needs_$@) $(clang_set)
	@$(again) run-$@

# The unit tests, which a package is built with, are part of `make check`.
.PHONY: check-systemd
check-systemd:
	@packaging/dependencies.sh build deb systemd
	@DEB_BUILD_OPTIONS='nocheck parallel=$(shell nproc)' packaging/make-deb >/dev/null
	@tests/booted/run

run-demo: all
	@RETENTIOND=$(abspath $(RETENTIOND)) RETENTIONCTL=$(abspath $(RETENTIONCTL)) packaging/demo/demo

# A fuzzer that searches does not end, and keeps what it finds where it was told to look.
run-check: all man $(unit_tests) $(bench) $(fuzz_programs) $(if $(SAN),,$(sim) $(crash))
	$(if $(filter fuzz,$(SAN)),$(error make check tries the corpora with fuzzers that do not search: without SAN=fuzz))
	@BUILD=$(out) SIM=$(if $(SAN),,$(abspath $(sim))) CRASH=$(if $(SAN),,$(abspath $(crash))) CC='$(CC)' CPPFLAGS='$(cppflags)' CFLAGS='$(cflags)' BENCH=$(abspath $(bench)) \
		RETENTIOND=$(abspath $(RETENTIOND)) RETENTIONCTL=$(abspath $(RETENTIONCTL)) tests/run

# What the simulator plays; SEED plays one history again, and tells the shortest part that fails;
# CLOCK plays one of the clock alone.
SEEDS  ?= 2000
CLOCKS ?= 1000000
STEPS  ?= 1000
SEED   ?=
CLOCK  ?=
JOBS   ?= $(shell nproc)
sim_options := --steps=$(STEPS) --jobs=$(JOBS) \
               $(or $(if $(SEED),--seed=$(SEED)),$(if $(CLOCK),--clock=$(CLOCK)),\
                    --seeds=$(SEEDS) --clocks=$(CLOCKS) --random)

run-sim: $(sim)
	@$(sim) $(sim_options)
run-sim-mutants: $(sim)
	@BUILD=$(out) CC='$(CC)' CPPFLAGS='$(cppflags)' CFLAGS='$(cflags)' LINK='$(CC) $(ldflags)' \
		LIBS='$(libs_daemon) $(libs_ctl)' OBJECTS='$(sim_objects) $(tested_objects)' \
		JOBS=$(JOBS) tests/sim/mutants

# What images of power cuts are judged; IMAGE is one of them again.
IMAGES ?= 100000
IMAGE  ?=

run-crash: $(crash)
	@$(crash) --jobs=$(JOBS) $(if $(IMAGE),--image=$(IMAGE),--images=$(IMAGES) --seed=$(or $(SEED),1))
run-crash-mutants: $(crash)
	@BUILD=$(out) CC='$(CC)' CPPFLAGS='$(cppflags)' CFLAGS='$(cflags)' LINK='$(CC) $(ldflags)' \
		LIBS='-rdynamic $(libs_daemon) $(libs_ctl)' \
		OBJECTS='$(crash_objects) $(tested_objects)' tests/crash/mutants
run-crash-kill: all
	@KILLS=all RETENTIOND=$(abspath $(RETENTIOND)) RETENTIONCTL=$(abspath $(RETENTIONCTL)) \
		PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 -m pytest -q -s -p no:cacheprovider \
		tests/system/test_killed_anywhere.py

ACCOUNTS ?= 1000000
ROUNDS   ?= 3
ONLY     ?=
SMALL    ?= 1000000
LARGE    ?= 10000000
bench_common  := --rounds=$(ROUNDS) $(if $(ONLY),--only=$(ONLY))
bench_options := --accounts=$(ACCOUNTS) $(bench_common)

run-bench: $(RETENTIOND) $(bench)
	@RETENTIOND=$(abspath $(RETENTIOND)) $(bench) $(bench_options)
run-bench-scale: $(RETENTIOND) $(bench)
	@RETENTIOND=$(abspath $(RETENTIOND)) $(bench) --accounts=$(SMALL) --scale=$(LARGE) $(bench_common)
run-bench-peers: $(RETENTIOND) $(bench_peers)
	@RETENTIOND=$(abspath $(RETENTIOND)) $(bench_peers) $(bench_options)

run-hostile: all
	@RETENTIOND=$(abspath $(RETENTIOND)) /usr/bin/python3 tests/bench/hostile \
		$(if $(SECONDS),--seconds=$(SECONDS)) $(if $(ATTACK),--attack='$(ATTACK)')

.PHONY: format check-format
format:
	clang-format-14 -i $(formatted)
check-format:
	@clang-format-14 --dry-run -Werror $(formatted)

include packaging/install.mk

.PHONY: clean
clean:
	rm -rf build
