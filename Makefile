# pinion: build, tests, installation. GNU make 4.3 or later.
#
#   make                build/pinion; needs a C compiler, pkg-config and the libraries in PKGS
#   make check          all tests; needs cmocka, bats and prove
#   make lint           layers, headers, warnings, format, man pages, scripts
#   make asan tsan valgrind     the tests again, under each; WHOLE=1 leaves no file of tests out
#   make fuzz           readers of files and bytes, under clang's libFuzzer; FUZZ_SECONDS=10 each
#   make tidy           clang-tidy's quick checks, a part of lint
#   make analyze        that, gcc's -fanalyzer and clang's analyzer: takes minutes
#   make coverage       how much of the code the tests execute, and what they do not
#   make fault          makes each system call fail, in turn; JOB=joblog CALL=write ERRNO=ENOSPC for
#                       some of them; ERRNO=KILL: kills whoever makes the call
#   make stress         random jobs and faults, against a model; STRESS_SECONDS=300, STRESS_SEED
#   make bench          speed; AXIS=spawn for one axis, QUICK=1 for a first look
#   make install        PREFIX, BINDIR, MANDIR, DATADIR, DESTDIR say where; uninstall takes it away
#   make install-parallel       the same and the link parallel -> pinion
#
# CC, CFLAGS, CPPFLAGS, LDFLAGS and LDLIBS are the user's; what the code needs is added to them.
# BUILD is where everything made goes, so builds with different flags live side by side.

VERSION := 0.1.0
PKGS := hwloc libcjson sqlite3
# These two are loaded when they are needed, see src/pool/hwloc_late.h, src/record/sqlite_late.h.
LINKED_PKGS := $(filter-out hwloc sqlite3,$(PKGS))
# Both are in libc since glibc 2.34.
SYSTEM_LIBS := -ldl -pthread

PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
MANDIR ?= $(PREFIX)/share/man
DATADIR ?= $(PREFIX)/share/pinion
INCLUDEDIR ?= $(PREFIX)/include
PKGCONFIGDIR ?= $(PREFIX)/share/pkgconfig
BASHCOMPDIR ?= $(PREFIX)/share/bash-completion/completions
ZSHCOMPDIR ?= $(PREFIX)/share/zsh/site-functions
FISHCOMPDIR ?= $(PREFIX)/share/fish/vendor_completions.d

BUILD ?= build
CFLAGS ?= -O2 -g
PLUGIN_CFLAGS ?= -O2 -g
PKG_CONFIG ?= pkg-config
INSTALL ?= install

.DELETE_ON_ERROR:
.SUFFIXES:

warnings := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wold-style-definition -Wpointer-arith -Wwrite-strings -Wvla -Wundef -Wformat=2 \
	-Wimplicit-fallthrough -Wswitch-enum

# Asked of pkg-config once, and only by goals that compile.
once = $(if $(filter undefined,$(origin $1)),$(eval $1 := $(shell $2)))$($1)
pkg_cflags = $(call once,pkg_cflags_answer,$(PKG_CONFIG) --cflags $(PKGS))
pkg_libs = $(call once,pkg_libs_answer,$(PKG_CONFIG) --libs $(LINKED_PKGS))
test_cflags = $(call once,test_cflags_answer,$(PKG_CONFIG) --cflags cmocka)
test_libs = $(call once,test_libs_answer,$(PKG_CONFIG) --libs cmocka)

# ANALYZER=yes has gcc look along the paths through the code. What gcc 12 cannot see is left out:
# that a pointer to a member holds the whole, so that `return &self->sink` is no leak; and in units
# that an assertion of cmocka's that fails does not return. Leaks are for clang's analyzer and for
# LeakSanitizer.
analyzer := $(if $(ANALYZER),-fanalyzer -Wno-analyzer-malloc-leak)
unit_analyzer := $(if $(ANALYZER),-Wno-analyzer-null-argument -Wno-analyzer-null-dereference \
	-Wno-analyzer-possible-null-argument -Wno-analyzer-possible-null-dereference)

own_cflags = -std=gnu11 -D_GNU_SOURCE -DPINION_VERSION='"$(VERSION)"' -Isrc $(warnings) \
	$(analyzer) $(pkg_cflags)
compile = $(CC) $(own_cflags) $(CPPFLAGS) $(CFLAGS)
link = $(CC) $(CFLAGS) $(LDFLAGS)

# Every source but main.c is in the library, which the program and the unit tests link.
lib_sources := $(filter-out src/main.c,$(wildcard src/*.c src/*/*.c))
lib_objects := $(lib_sources:src/%.c=$(BUILD)/obj/%.o) $(BUILD)/obj/report/page_file.o
unit_sources := $(wildcard tests/unit/*.c)
units := $(unit_sources:tests/unit/%.c=$(BUILD)/unit/%)
threaded_units := $(if $(unit_sources),$(patsubst tests/unit/%.c,$(BUILD)/unit/%,\
	$(shell grep -l '<pthread\.h>' $(unit_sources))))
# In these the library's allocations are made to fail, see tests/unit/starve.h.
starved_units := $(if $(unit_sources),$(patsubst tests/unit/%.c,$(BUILD)/unit/%,\
	$(shell grep -l '"starve\.h"' $(unit_sources))))
bench_sources := $(wildcard tests/bench/*.c)
bench_programs := $(bench_sources:tests/bench/%.c=$(BUILD)/bench/%)
fuzz_sources := $(wildcard tests/fuzz/*.c)
fuzz_programs := $(fuzz_sources:tests/fuzz/%.c=$(BUILD)/fuzz/%)
# Examples of plugins, and the library one needs beyond libc; without it that one is left out.
plugin_sources := $(wildcard tests/plugins/*.c)
plugin_sources += $(if $(shell command -v $(CXX)),$(wildcard tests/plugins/*.cpp))
plugin_needs_thumbnail := libjpeg
plugin_is_possible = $(if $(plugin_needs_$1),\
	$(shell $(PKG_CONFIG) --exists $(plugin_needs_$1) 2>/dev/null && echo yes),yes)
plugins := $(foreach name,$(basename $(notdir $(plugin_sources))),\
	$(if $(call plugin_is_possible,$(name)),$(BUILD)/plugins/$(name).so))
man_pages := $(wildcard man/*.[1-9])
schemas := $(wildcard man/*.schema.json) $(BUILD)/pinion-job.schema.json
plugin_header := $(wildcard src/pinion-plugin.h src/*/pinion-plugin.h)
completions := $(BUILD)/completion/pinion $(BUILD)/completion/_pinion \
	$(BUILD)/completion/pinion.fish

.PHONY: all help
all: $(BUILD)/pinion $(completions) $(BUILD)/pinion-job.schema.json

$(BUILD)/pinion: $(BUILD)/obj/main.o $(BUILD)/libpinion.a
	$(link) -o $@ $^ $(pkg_libs) $(SYSTEM_LIBS) $(LDLIBS)

# Made anew each time: ar would keep the members of sources that are gone.
$(BUILD)/libpinion.a: $(lib_objects) $(BUILD)/sources
	@rm -f $@
	$(AR) rcs $@ $(lib_objects)

$(BUILD)/obj/%.o: src/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(compile) -MMD -MP -c -o $@ $<

# The page of pinion report --html: its style and its script put into it, as two arrays.
page_parts := src/report/page.html src/report/page.css src/report/page.js
$(BUILD)/page_file.c: scripts/page-file $(page_parts)
	@mkdir -p $(@D)
	scripts/page-file $(page_parts) >$@
$(BUILD)/obj/report/page_file.o: $(BUILD)/page_file.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(compile) -MMD -MP -c -o $@ $<

starve_flags := $(foreach name,malloc calloc realloc reallocarray strdup strndup realpath getcwd \
	asprintf free buf_grow buf_printf buf_append_str buf_str,-Wl,--wrap=$(name))
$(starved_units): unit_flags = $(starve_flags)
$(BUILD)/unit/%: tests/unit/%.c $(BUILD)/libpinion.a $(BUILD)/flags
	@mkdir -p $(@D)
	$(compile) $(unit_analyzer) $(test_cflags) -pthread -MMD -MP -MF $@.d $(LDFLAGS) $(unit_flags) -o $@ $< \
		$(BUILD)/libpinion.a $(test_libs) $(pkg_libs) $(SYSTEM_LIBS) $(LDLIBS)

# The limit programs are measured against, so they know nothing of pinion.
bench_flags_nothing := -static -nostartfiles
$(BUILD)/bench/%: tests/bench/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(compile) -MMD -MP -MF $@.d $(LDFLAGS) $(bench_flags_$*) -o $@ $<

# With a main of libFuzzer's; see the goal fuzz for the compiler and its flags.
$(BUILD)/fuzz/%: tests/fuzz/%.c $(BUILD)/libpinion.a $(BUILD)/flags
	@mkdir -p $(@D)
	$(compile) -Itests/fuzz -MMD -MP -MF $@.d $(LDFLAGS) -fsanitize=fuzzer -o $@ $< \
		$(BUILD)/libpinion.a $(pkg_libs) $(SYSTEM_LIBS) $(LDLIBS)

# What makes calls of pinion fail, and what tests run as tasks, whatever it was built with.
tool_flags = -std=gnu11 -D_GNU_SOURCE -O2 -g $(warnings)
$(BUILD)/fault/fail.so: tests/fault/fail.c tests/fault/fail.h $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(tool_flags) -shared -fPIC -o $@ $< -ldl

$(BUILD)/fault/try: tests/fault/try.c tests/fault/fail.h $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(tool_flags) -o $@ $<

# As anyone would build them, with nothing but the header.
plugin_flags = -Isrc -Wall -Wextra -pedantic -shared -fPIC \
	$(if $(plugin_needs_$(*F)),$(shell $(PKG_CONFIG) --cflags $(plugin_needs_$(*F))))
plugin_libs = $(if $(plugin_needs_$(*F)),$(shell $(PKG_CONFIG) --libs $(plugin_needs_$(*F))))

$(BUILD)/plugins/%.so: tests/plugins/%.c $(plugin_header) $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) -std=gnu11 $(plugin_flags) $(CPPFLAGS) $(PLUGIN_CFLAGS) -o $@ $< $(plugin_libs)

$(BUILD)/plugins/%.so: tests/plugins/%.cpp $(plugin_header) $(BUILD)/flags
	@mkdir -p $(@D)
	$(CXX) -std=c++11 $(plugin_flags) $(CPPFLAGS) $(PLUGIN_CFLAGS) -o $@ $< $(plugin_libs)

# These two change only when their text does, and what hangs on them is then made again.
define write_if_changed
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$1)' | cmp -s - $@ || \
		printf '%s\n' '$(subst ','\'',$1)' >$@
endef
$(BUILD)/flags: FORCE
	$(call write_if_changed,$(compile) $(LDFLAGS) $(LDLIBS))
$(BUILD)/sources: FORCE
	$(call write_if_changed,$(lib_sources))
.PHONY: FORCE
FORCE:

-include $(lib_objects:.o=.d) $(BUILD)/obj/main.d $(units:=.d) $(bench_programs:=.d) \
	$(fuzz_programs:=.d)

# Tests. tests/run gives prove one test file's TAP; PINION_BUILD tells it what is tested.

# Tests wait more than they work.
JOBS ?= $(shell expr $$(nproc) + 2)
PROVE_FLAGS ?=
prove = PINION_BUILD='$(abspath $(BUILD))' tests/run-all -j $(JOBS) $(PROVE_FLAGS)

.PHONY: units plugins fault-tools check check-units check-cli fault fault-short
units: $(units)
plugins: $(plugins)
fault-tools: $(BUILD)/fault/fail.so $(BUILD)/fault/try

check: all units plugins
	+$(prove) $(units) $(wildcard tests/cli/*.bats)
check-units: units plugins
	+$(prove) $(units)
check-cli: all plugins
	+$(prove) $(wildcard tests/cli/*.bats)

# Every call that can fail, in each of several jobs: takes long. The short form makes some of them.
fault: all plugins fault-tools
	PINION_BUILD='$(abspath $(BUILD))' tests/fault/run long '$(JOB)' '$(CALL)' '$(ERRNO)'
fault-short: all plugins fault-tools
	PINION_BUILD='$(abspath $(BUILD))' tests/fault/run short '$(JOB)' '$(CALL)' '$(ERRNO)'

sanitize_address := -fsanitize=address,undefined -fno-sanitize-recover=undefined
asan_flags = BUILD=$(BUILD)/asan LDFLAGS='$(sanitize_address)' \
	CFLAGS='-O1 -g -fno-omit-frame-pointer $(sanitize_address)'
tsan_flags = BUILD=$(BUILD)/tsan LDFLAGS=-fsanitize=thread \
	CFLAGS='-O1 -g -fno-omit-frame-pointer -fsanitize=thread -Wno-tsan'

.PHONY: asan tsan check-threaded valgrind valgrind-units
asan:
	+PINION_TEST_MODE=asan $(MAKE) $(asan_flags) check

# Processes share memory here, not threads; tsan applies to the units that start threads. It knows
# no fences, which is worth a warning only where threads need them.
tsan:
	+PINION_TEST_MODE=tsan $(MAKE) $(tsan_flags) check-threaded
check-threaded: $(threaded_units)
	$(if $(threaded_units),+$(prove) $(threaded_units),@echo 'No unit starts threads.')

valgrind: all units plugins
	+PINION_TEST_MODE=valgrind $(MAKE) check
valgrind-units: units plugins
	+PINION_TEST_MODE=valgrind $(MAKE) check-units

# An empty buf is no bytes at NULL, and clang sees a fault in NULL + 0.
sanitize_fuzz := $(sanitize_address) -fno-sanitize=pointer-overflow
fuzz_flags = BUILD=$(BUILD)/fuzzed CC=clang LDFLAGS='$(sanitize_fuzz)' \
	CFLAGS='-O1 -g -Werror -fno-omit-frame-pointer -fsanitize=fuzzer-no-link $(sanitize_fuzz)'

.PHONY: fuzz fuzz-programs
fuzz:
	+$(MAKE) $(fuzz_flags) fuzz-programs
	JOBS=$(JOBS) tests/fuzz/run $(fuzz_programs:$(BUILD)/%=$(BUILD)/fuzzed/%)
fuzz-programs: $(fuzz_programs)

# Not only what ends by exit: _exit, raise and the calls by which pinion itself becomes another program
# are wrapped. That by which tasks do is left as it is, or each command would first write down what
# pinion has executed so far.
coverage_flags = BUILD=$(BUILD)/coverage CC=gcc \
	CFLAGS='-O0 -g --coverage -fprofile-update=atomic -fno-builtin' \
	LDFLAGS='--coverage -Wl,--wrap=_exit,--wrap=raise,--wrap=execv,--wrap=execvpe,--wrap=malloc' \
	LDLIBS='$(abspath $(BUILD))/coverage/exit.o'

.PHONY: coverage coverage-report coverage-missing
# Takes half an hour, so it is no part of scripts/check. The failures of tests are for check to tell.
# The second looks again at what the last run has left; the third prints what the list lacks.
coverage:
	@mkdir -p $(BUILD)/coverage
	find $(BUILD)/coverage -name '*.gcda' -delete
	gcc -O2 -c -o $(BUILD)/coverage/exit.o tests/coverage/exit.c
	+-STARVE_MORE=1 PINION_TEST_MODE=coverage $(MAKE) $(coverage_flags) check
	+-FAULT_TRIES=2000 $(MAKE) $(coverage_flags) fault-short
	tests/coverage/report $(BUILD)/coverage
coverage-report:
	tests/coverage/report $(BUILD)/coverage
coverage-missing:
	tests/coverage/report $(BUILD)/coverage missing

# Long, and random: not a part of check. stress-asan is the same with the build of asan.
$(BUILD)/stress/task: tests/stress/task.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(tool_flags) -o $@ $<

.PHONY: stress stress-asan
stress: all $(BUILD)/plugins/faults.so $(BUILD)/stress/task
	PINION_BUILD='$(abspath $(BUILD))' tests/stress/run
stress-asan:
	+PINION_TEST_MODE=asan $(MAKE) $(asan_flags) stress

# clang-tidy, one process for each source; what has passed is not looked at again until it or a
# header changes. .clang-tidy says what is looked for. Clang's analyzer takes ten times as long; it
# is not for the units, where it would have to know what cmocka does not say (see unit_analyzer).
tidy_sources := src/main.c $(lib_sources) $(unit_sources) $(bench_sources) $(fuzz_sources) \
	$(wildcard tests/fault/*.c tests/stress/*.c)
tidy_sources += $(wildcard $(plugins:$(BUILD)/plugins/%.so=tests/plugins/%.c))
tidy_needs := .clang-tidy tests/.clang-tidy $(wildcard src/*.h src/*/*.h tests/*/*.h)
analyzer_checks := -*,clang-analyzer-*,-clang-analyzer-optin.performance.Padding
# The first two would have no strcpy and no memcpy at all, the third no calloc of 0.
analyzer_checks := $(analyzer_checks),-clang-analyzer-security.insecureAPI.strcpy
analyzer_checks := \
	$(analyzer_checks),-clang-analyzer-security.insecureAPI.DeprecatedOrUnsafeBufferHandling
analyzer_checks := $(analyzer_checks),-clang-analyzer-optin.portability.UnixAPI

define tidy_source
	@mkdir -p $(@D)
	@clang-tidy --quiet $1 $< -- $(own_cflags) $(test_cflags) -Itests/fuzz >$@.log 2>&1 || \
		{ sed '/ warnings* generated/d' $@.log; exit 1; }
	@mv $@.log $@
endef
$(BUILD)/tidy/%: %.c $(tidy_needs)
	$(call tidy_source)
$(BUILD)/analyzed/%: %.c $(tidy_needs)
	$(call tidy_source,--checks='$(analyzer_checks)')

.PHONY: tidy analyze
tidy: $(tidy_sources:%.c=$(BUILD)/tidy/%)
analyze: tidy $(patsubst %.c,$(BUILD)/analyzed/%,$(filter-out $(unit_sources),$(tidy_sources)))
	+$(MAKE) BUILD=$(BUILD)/analyzer CC=gcc ANALYZER=yes CFLAGS='-O2 -g -Werror' \
		PLUGIN_CFLAGS='-O2 -g -Werror' all units plugins bench-programs

.PHONY: lint bench bench-programs print-cflags
lint:
	+scripts/lint

bench-programs: $(bench_programs)
bench: all bench-programs $(filter %/crc32.so %/thumbnail.so,$(plugins))
	PINION_BUILD='$(abspath $(BUILD))' tests/bench/run

# What scripts/lint compiles single headers with.
print-cflags:
	@echo $(own_cflags)

# Installation.

define install_completion
	$(INSTALL) -d '$(DESTDIR)$2'
	$(INSTALL) -m 644 $(BUILD)/completion/$1 '$(DESTDIR)$2/$1'
endef

$(BUILD)/completion/pinion: shell := bash
$(BUILD)/completion/_pinion: shell := zsh
$(BUILD)/completion/pinion.fish: shell := fish
$(completions): $(BUILD)/pinion
	@mkdir -p $(@D)
	$< completion $(shell) >$@

$(BUILD)/pinion-job.schema.json: $(BUILD)/pinion
	$< run --schema >$@

$(BUILD)/pinion.pc: src/pinion.pc.in FORCE
	@mkdir -p $(@D)
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@INCLUDEDIR@|$(INCLUDEDIR)|' \
		-e 's|@VERSION@|$(VERSION)|' $< >$@

.PHONY: install install-plugin install-parallel uninstall
install: all $(if $(plugin_header),install-plugin)
	$(INSTALL) -d '$(DESTDIR)$(BINDIR)'
	$(INSTALL) -m 755 $(BUILD)/pinion '$(DESTDIR)$(BINDIR)/pinion'
	$(foreach page,$(man_pages),\
		$(INSTALL) -D -m 644 $(page) \
		'$(DESTDIR)$(MANDIR)/man$(subst .,,$(suffix $(page)))/$(notdir $(page))' &&) :
	$(foreach schema,$(schemas),\
		$(INSTALL) -D -m 644 $(schema) '$(DESTDIR)$(DATADIR)/$(notdir $(schema))' &&) :
	$(call install_completion,pinion,$(BASHCOMPDIR))
	$(call install_completion,_pinion,$(ZSHCOMPDIR))
	$(call install_completion,pinion.fish,$(FISHCOMPDIR))

install-plugin: $(BUILD)/pinion.pc
	$(INSTALL) -D -m 644 $(plugin_header) '$(DESTDIR)$(INCLUDEDIR)/pinion-plugin.h'
	$(INSTALL) -D -m 644 $(BUILD)/pinion.pc '$(DESTDIR)$(PKGCONFIGDIR)/pinion.pc'

# By itself, and asked for: in front of GNU parallel's own name it would take its place.
install-parallel: install
	ln -sf pinion '$(DESTDIR)$(BINDIR)/parallel'

# The name parallel is removed only where it is our link.
uninstall:
	if [ "$$(readlink '$(DESTDIR)$(BINDIR)/parallel')" = pinion ]; then \
		rm -f '$(DESTDIR)$(BINDIR)/parallel'; fi
	rm -f '$(DESTDIR)$(BINDIR)/pinion' \
		'$(DESTDIR)$(BASHCOMPDIR)/pinion' '$(DESTDIR)$(ZSHCOMPDIR)/_pinion' \
		'$(DESTDIR)$(FISHCOMPDIR)/pinion.fish' \
		'$(DESTDIR)$(INCLUDEDIR)/pinion-plugin.h' \
		'$(DESTDIR)$(PKGCONFIGDIR)/pinion.pc' \
		$(foreach schema,$(schemas),'$(DESTDIR)$(DATADIR)/$(notdir $(schema))') \
		$(foreach page,$(man_pages),\
		'$(DESTDIR)$(MANDIR)/man$(subst .,,$(suffix $(page)))/$(notdir $(page))')

# The comment this file begins with.
help:
	@sed -n '/^#/!q; s/^# \{0,1\}//p' $(firstword $(MAKEFILE_LIST))

.PHONY: clean
clean:
	rm -rf '$(BUILD)'
