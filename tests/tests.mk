# SPDX-License-Identifier: MIT
# The tests, and everything else that searches for errors. Included by the Makefile.

# Each tests/unit/check_JOB.c becomes a program that uses Check. With musl, and for another machine, libcheck cannot be linked, so
# it uses a stand-in.
ifneq ($(FOREIGN),)
CHECK_CFLAGS := -Itests/support/standin
CHECK_LIBS :=
else
CHECK_CFLAGS = $(shell $(PKG_CONFIG) --cflags check)
CHECK_LIBS = $(shell $(PKG_CONFIG) --libs check)
endif

CHECKS := $(patsubst tests/unit/%.c,$(O)/tests/%,$(wildcard tests/unit/check_*.c))
CHECK_PROGS := $(patsubst tests/programs/%.c,$(O)/tests/%,$(wildcard tests/programs/prog_*.c))
CHECK_HELPERS := $(patsubst %.c,$(O)/%.o,$(wildcard tests/support/*.c))

# The object of each source below tests/ has the same path below O.
TEST_CC = $(CC) -std=gnu11 $(WARNINGS) $(LARGE_FILES) $(INCLUDES) -Itests/support $(KERNEL_CPPFLAGS) $(CPPFLAGS) $(CFLAGS)
$(O)/tests/unit/%.o $(O)/tests/support/%.o: TEST_CC += $(CHECK_CFLAGS)
$(O)/tests/%.o: tests/%.c
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(TEST_CC) $(DEPS) -c -o $@ $<

$(CHECKS): $(O)/tests/%: $(O)/tests/unit/%.o $(CHECK_HELPERS) $(ARCHIVES)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(CHECK_LIBS) -lpthread

# Programs that tests start.
$(O)/tests/prog_case: $(CHECK_HELPERS) $(ARCHIVES)
$(O)/tests/prog_decode $(O)/tests/prog_images: $(O)/liberrpipe.a
$(CHECK_PROGS): $(O)/tests/%: $(O)/tests/programs/%.o
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^

# The command with the shared libraries, which shows that it needs only their public functions.
$(O)/tests/shared/errpipe: $(CMD) $(SHARED)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(foreach library,$(LIBRARIES),ln -sf ../../$(library).so.$(VERSION) $(@D)/$(library).so.$(SOVERSION) &&) :
	$(Q)$(CC) $(CFLAGS) $(filter-out -static,$(LDFLAGS)) -Wl,-rpath,'$$ORIGIN' -o $@ $^ $(CMD_LIBS)

# The errno numbers of the kernel's headers, for the host and each architecture that differs. The list is compared with them.
ERRNO_HEADERS := $(patsubst %,$(O)/tests/errno.%,generic mips sparc alpha parisc powerpc)

$(O)/tests/errno.generic:
	@mkdir -p $(@D)
	$(Q)scripts/build/errno-macros $(CC) $(KERNEL_CPPFLAGS) >$@

$(O)/tests/errno.%: $(UAPI)/include/linux/version.h
	@mkdir -p $(@D)
	$(Q)scripts/build/errno-macros $(CC) -nostdinc -isystem $(UAPI)/$* -isystem $(UAPI)/include >$@

# --- faults: see tests/faults/main.c ------------------------------------------------------------------------------

# This writes to registers, which works only on x86-64. The command is linked in from libcommand.a.
ifneq ($(filter x86_64%,$(MACHINE)),)
ifeq ($(FOREIGN),)
FAULTS := $(O)/tests/inject_faults $(O)/tests/faults_target $(O)/tests/faults_go
endif
endif

$(O)/tests/inject_faults: $(patsubst %,$(O)/tests/faults/%.o,main trace scenes allocations) $(O)/libcommand.a $(ARCHIVES)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(CMD_LIBS)

$(O)/tests/faults_target: $(O)/tests/faults/target.o
	$(Q)$(CC) $(CFLAGS) -static -o $@ $<

$(O)/tests/faults_go: tests/faults/go/main.go $(wildcard dmz/*.go dmz/stubs/*)
	$(call say,GO,$@)
	@mkdir -p $(@D)
	$(Q)GOFLAGS=-mod=mod GOPROXY=off GOCACHE='$(abspath $(O))/go' GOPATH='$(abspath $(O))/go' CGO_ENABLED=0 \
		go build -o $@ ./tests/faults/go

faults: $(FAULTS)
	$(Q)scripts/build/faults $(O)

# --- load: COUNT children, from eight threads at once ----------------------------------------------------------

COUNT := 1000000
SOAK := $(O)/tests/soak_children $(O)/tests/soak_target

$(O)/tests/soak_children: $(O)/tests/soak/soak.o $(O)/liberrpipe.a
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lpthread

$(O)/tests/soak_target: $(O)/tests/soak/target.o
	$(Q)$(CC) $(CFLAGS) -static -o $@ $<

soak: $(SOAK)
	$(Q)$(O)/tests/soak_children $(abspath $(O)/tests/soak_target) $(COUNT)

# --- setups, in their long form ----------------------------------------------------------------------------------

check-setup: tests $(FAULTS) $(SOAK)
	$(Q)scripts/build/check-setup $(O) $(COUNT)

# --- loaders: explain compared with the loaders themselves -------------------------------------------------------

$(O)/tests/compare_loaders: $(patsubst %,$(O)/tests/loaders/%.o,compare load change) $(ARCHIVES)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^

# SYSTEMS selects some of the systems, such as machine or debian.
SYSTEMS :=
check-loaders: $(O)/tests/compare_loaders
	$(Q)CLANG='$(CLANG)' scripts/build/check-loaders $(O) $(SYSTEMS)

tests: all $(CHECKS) $(CHECK_PROGS) $(ERRNO_HEADERS)

# TESTS selects some tests, such as check_read or explain.sh.
TESTS :=
CHOSEN := $(foreach test,$(TESTS),$(or $(filter %/$(test),$(CHECKS)),$(wildcard tests/*/$(test)),$(error no test is named '$(test)')))

# Unit tests alone need less than everything.
check: $(if $(or $(filter %.sh,$(TESTS)),$(if $(TESTS),,all)),tests $(FAULTS) $(SOAK),all $(CHOSEN) $(CHECK_PROGS) $(ERRNO_HEADERS))
	$(Q)NOLIBC='$(abspath $(NOLIBC))' UAPI='$(abspath $(UAPI))' scripts/build/run-tests $(O) $(CHOSEN)

# Only the tests that depend on how the library is built.
check-unit: tests
	$(Q)NOLIBC='$(abspath $(NOLIBC))' WRAPPER='$(WRAPPER)' scripts/build/run-tests $(O) $(CHECKS)

# The library and its tests for another machine, in a directory of that name. This uses lld, because each GNU ld knows one machine.
cross-%: $(NOLIBC)/nolibc.h $(UAPI)/include/linux/version.h
	$(Q)$(MAKE) O=$(O)/$* NOLIBC='$(NOLIBC)' UAPI='$(UAPI)' AR=llvm-ar-19 LDFLAGS=-static \
		CC='$(CLANG) --target=$*-linux-gnu -fuse-ld=lld -Wno-unused-command-line-argument' tests

# The unit tests on kernels of other machines and versions, with the packages of scripts/setup all.
check-system: $(NOLIBC)/nolibc.h $(UAPI)/include/linux/version.h
	$(Q)NOLIBC='$(abspath $(NOLIBC))' UAPI='$(abspath $(UAPI))' scripts/build/check-system $(O)

# --- coverage ----------------------------------------------------------------------------------------------

COVERAGE := $(abspath $(O))/coverage
# All processes of a program share a file of counters, so those that are killed or call _exit(2) count as well.
COVERAGE_CFLAGS := -O0 -g -fcoverage-mapping -fprofile-instr-generate=$(COVERAGE)/profiles/%m%c -fprofile-update=atomic \
	-mllvm -runtime-counter-relocation -Wno-unused-command-line-argument

$(O)/stub: tests/coverage/stub.c tests/coverage/hosted/nolibc.h dmz/_dmz.c dmz/record.h $(wildcard dmz/*.def)
	$(Q)$(CC) -std=gnu11 $(WARNINGS) $(CFLAGS) -Itests/coverage/hosted -o $@ $<

coverage: $(NOLIBC)/nolibc.h $(UAPI)/include/linux/version.h
	$(Q)$(MAKE) O=$(COVERAGE) NOLIBC='$(abspath $(NOLIBC))' UAPI='$(abspath $(UAPI))' CC='$(CLANG)' \
		CFLAGS='$(COVERAGE_CFLAGS)' tests $(addprefix $(COVERAGE)/,stub $(patsubst $(O)/%,%,$(FAULTS) $(SOAK)))
	$(Q)NOLIBC='$(abspath $(NOLIBC))' UAPI='$(abspath $(UAPI))' ERRPIPE_SLOW=1 \
		COUNTING_CC='$(CLANG)' COUNTING_CFLAGS='$(COVERAGE_CFLAGS)' scripts/build/coverage $(COVERAGE)

# --- proofs --------------------------------------------------------------------------------------------------

prove: $(O)/tests/prog_machine
	$(Q)scripts/build/run-tests $(O) tests/prove/frama_c.sh tests/shell/protocol.sh

# --- hostile input: libFuzzer, with the sanitizers -----------------------------------------------------------

TIME := 60
FUZZ := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/*.c))
FUZZ_CFLAGS := -g -O1 -fno-omit-frame-pointer -fno-sanitize-recover=all -fsanitize=address,undefined
SEEDS := $(O)/fuzz/seeds

# The command with its main() renamed, because libFuzzer and the fault injector have their own. tests/fuzz/arguments.c replaces some functions.
$(O)/obj/errpipe_main.o: errpipe/cmd/main.c
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu99 $(WARNINGS) $(LARGE_FILES) $(INCLUDES) $(CPPFLAGS) $(CFLAGS) $(DEPS) -Dmain=errpipe_main -c -o $@ $<

$(O)/libcommand.a: $(O)/obj/errpipe_main.o $(filter-out %/main.o,$(CMD))
	$(call say,AR,$@)
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $^

wrapped_by = $(shell grep -o '__wrap_[a-z0-9_]*' $(1) | sort -u | sed 's/__wrap_/-Wl,--wrap=/')

$(O)/fuzz_%: tests/fuzz/%.c tests/fuzz/fuzz.h $(O)/libcommand.a $(ARCHIVES)
	$(call say,LD,$@)
	$(Q)$(CC) -std=gnu11 $(WARNINGS) $(INCLUDES) $(CPPFLAGS) $(CFLAGS) -fsanitize=fuzzer $(call wrapped_by,$<) -o $@ $< \
		$(O)/libcommand.a $(ARCHIVES) $(CMD_LIBS)

# It compiles the stub, on a model of the kernel.
$(O)/fuzz_image: private INCLUDES += -iquote tests/prove/model
$(O)/fuzz_image: dmz/_dmz.c dmz/action.h dmz/record.h tests/prove/model/nolibc.h

fuzz: $(NOLIBC)/nolibc.h
	$(Q)$(MAKE) O=$(O)/fuzz NOLIBC='$(NOLIBC)' CC='$(CLANG)' CFLAGS='$(FUZZ_CFLAGS) -fsanitize=fuzzer-no-link' \
		$(FUZZ:%=$(O)/fuzz/fuzz_%)
	$(Q)SEEDS='$(SEEDS)' scripts/build/fuzz $(O)/fuzz $(TIME) $(FUZZ)

-include $(wildcard $(O)/tests/*/*.d)
