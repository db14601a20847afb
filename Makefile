# SPDX-License-Identifier: MIT
#
# make              the stub, the library and the command, in build/
# make stubs        the stub for every architecture of dmz/architectures, in build/stubs/
# make update-stubs make stubs, and put them and their table where they are committed
# make update-causes write the pages that are made from errpipe/explain/causes.def
# make tests        build the tests
# make check        build and run them; with ERRPIPE_LONG=1 random tests run five times as many rounds
# make check-system run the unit tests on Debian's arm64 and amd64 kernels, in qemu-system (needs scripts/setup all)
# make faults       fail each system call of library and command, and kill each process at each of them
# make soak         start COUNT=1000000 children, of which many fail or are killed, and see what is left of them
# make fuzz         feed library and command with hostile input, for TIME=60 seconds each target; SEEDS=DIR keeps what was found
# make coverage     which lines and branches the tests reach, in build/coverage
# make prove        the decoder and the stub under Frama-C, the protocol under Spin (needs scripts/setup all)
# make install      into PREFIX, by default /usr/local. Give it all the variables that make had: make remembers none of them, and
#                   install builds again what they change, such as the stub without STUB=committed
# make uninstall    what install has put there; with the variables that it had
# make bench        measure how long it takes to start a program, beside others; update-bench puts that into the documents
# make dist         build/errpipe-VERSION.tar.gz and build/SHA256SUMS, the same bytes from the same source
# make clean        remove build/
#
# STATIC=1          link the command statically, so that it runs in a container without a libc
# STUB=committed    take the stub from dmz/stubs instead of building it, which needs llvm and the kernel's headers
# O=DIR             build in DIR instead of build/
# CLANG=clang-19    builds all stubs; with lld of the same version
# PREFIX, BINDIR, LIBDIR, LIBEXECDIR, INCLUDEDIR, MANDIR, PKGCONFIGDIR, BASHCOMPDIR, ZSHCOMPDIR, DESTDIR: where things
#                   go. Absolute names.
# CC, CFLAGS, CPPFLAGS, LDFLAGS, CROSS_COMPILE, V=1: as everywhere. The flags that the code needs are not
#                   among them, so setting them breaks nothing.
# NOLIBC=DIR        nolibc headers of a kernel tree (tools/include/nolibc) instead of those that scripts/setup
#                   unpacks from Debian's kernel source package
# JANSSON=yes       the command writes JSON; by default where pkg-config finds jansson, but not when cross-compiling: there
#                   give JANSSON_DIR, or PKG_CONFIG too
# JANSSON_DIR=DIR   link jansson statically from DIR, which scripts/unpack-jansson fills for another machine
# UAPI=DIR          kernel headers of all architectures, as scripts/unpack-uapi unpacks them from there

O := build
CROSS_COMPILE :=
ifeq ($(origin CC),default)
CC := $(CROSS_COMPILE)gcc
endif
ifeq ($(origin AR),default)
AR := $(CROSS_COMPILE)ar
endif
STATIC :=
STUB :=
CLANG := clang-19
CFLAGS := -O2 -g
NOLIBC := $(O)/nolibc
UAPI ?= $(O)/uapi
OBJCOPY := $(firstword $(foreach v,llvm-objcopy-19 llvm-objcopy,$(shell command -v $(v))))
PKG_CONFIG := pkg-config
INSTALL := install
VERSION := $(shell sed -n 's/^\#define ERRPIPE_VERSION "\(.*\)"$$/\1/p' errpipe/errpipe.h)

PREFIX := /usr/local
BINDIR := $(PREFIX)/bin
LIBDIR := $(PREFIX)/lib
LIBEXECDIR := $(PREFIX)/libexec
INCLUDEDIR := $(PREFIX)/include
MANDIR := $(PREFIX)/share/man
PKGCONFIGDIR := $(LIBDIR)/pkgconfig
BASHCOMPDIR := $(PREFIX)/share/bash-completion/completions
ZSHCOMPDIR := $(PREFIX)/share/zsh/site-functions

ifneq ($(V),1)
Q := @
ifeq ($(findstring s,$(firstword -$(MAKEFLAGS))),)
say = @printf '  %-7s %s\n' $(1) $(2)
endif
endif

# A goal that builds nothing needs nothing.
ifneq ($(filter-out clean dist uninstall update-causes bench update-bench,$(or $(MAKECMDGOALS),all)),)
MACHINE := $(shell $(CC) -dumpmachine 2>&1)
ifneq ($(.SHELLSTATUS),0)
$(error cannot run the compiler '$(CC)': $(MACHINE). Run scripts/setup, or give CC=)
endif
# Libraries of this machine are not for musl, nor for another machine.
FOREIGN := $(findstring musl,$(CC))$(filter-out $(shell uname -m)-%,$(MACHINE))
endif

define newline


endef

WARNINGS := -Wall -Wextra -Werror
DEPS = -MMD -MP

# The first number of the version. What changes before 1.0 is told by the versions of the symbols.
SONAME := liberrpipe.so.$(firstword $(subst ., ,$(VERSION)))
SHARED := $(O)/liberrpipe.so.$(VERSION)

all: $(O)/dmz $(O)/liberrpipe.a $(O)/stripped/liberrpipe.a $(SHARED) $(O)/errpipe

# --- the stub: no libc, no start-up files, one segment, no section headers -------------------------------

DMZ_CFLAGS := -std=gnu11 $(WARNINGS) -Os -ffreestanding -fno-pic -fno-stack-protector -fomit-frame-pointer \
	-fno-asynchronous-unwind-tables -ffunction-sections -fdata-sections -fcf-protection=none
DMZ_LDFLAGS := -nostdlib -static -Wl,-T,dmz/dmz.lds -Wl,--gc-sections -Wl,--build-id=none -Wl,-z,max-page-size=65536
ifneq ($(filter mips%,$(MACHINE)),)
# No table of addresses to load first; and the entry point has a name of its own there.
DMZ_CFLAGS += -mno-abicalls -G0
DMZ_LDFLAGS += -Wl,-e,__start
endif
ifneq ($(filter powerpc64%,$(MACHINE)),)
# The older ABI's functions are known by their descriptors, which are data. And gcc adds words for debuggers.
DMZ_CFLAGS += -mabi=elfv2 $(if $(findstring clang,$(CC)),,-mtraceback=no)
endif
ifneq ($(findstring musl,$(CC)),)
# musl-gcc looks for headers in musl's folder only, and the kernel's are not there.
KERNEL_CPPFLAGS := -idirafter /usr/include -idirafter /usr/include/$(MACHINE)
endif

ifeq ($(STUB),committed)
# The stub for the processor that the name of the compiler's machine begins with. Debian and others disagree about the rest.
COMMITTED := $(shell awk -v cpu='$(patsubst i%86,i686,$(firstword $(subst -, ,$(MACHINE))))' \
	'/^[a-z]/ && $$2 != "-" && index($$10, cpu "-") == 1 { print "dmz/stubs/" $$2 }' dmz/architectures)
$(O)/dmz: $(COMMITTED) $(O)/obj/committed
	$(call say,DMZ,$@)
	$(Q)$(if $(COMMITTED),,echo "dmz/stubs has no stub for $(MACHINE): build one, without STUB=committed" >&2; exit 1)
	$(Q)$(INSTALL) -m 755 $< $@
else
$(if $(STUB),$(error STUB is committed or nothing, not $(STUB)))
$(O)/dmz: dmz/_dmz.c dmz/record.h dmz/arch-mips64.h dmz/dmz.lds dmz/architectures $(NOLIBC)/nolibc.h $(O)/obj/committed
	$(call say,DMZ,$@)
	$(Q)$(if $(OBJCOPY),,echo "llvm-objcopy is missing: run scripts/setup, or give OBJCOPY= or STUB=committed" >&2; exit 1)
	@mkdir -p $(@D)
	$(Q)$(CC) $(DMZ_CFLAGS) -I$(NOLIBC) $(KERNEL_CPPFLAGS) $(CPPFLAGS) $(DMZ_LDFLAGS) -o $@.tmp $<
	$(Q)$(OBJCOPY) --strip-sections $@.tmp
	$(Q)mv $@.tmp $@
endif

# A program of any architecture, for tests and demonstrations of what becomes of a foreign one.
$(O)/hello: tests/foreign/hello.c $(NOLIBC)/nolibc.h
	$(call say,HELLO,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(DMZ_CFLAGS) -I$(NOLIBC) $(KERNEL_CPPFLAGS) $(CPPFLAGS) -nostdlib -static -o $@ $<

# make unpacks headers only into its own folder. A folder that the user chose must have them already.
chosen = $(filter-out file,$(origin $(1)))
$(NOLIBC)/nolibc.h:
	$(if $(call chosen,NOLIBC),$(error NOLIBC=$(NOLIBC) has no nolibc.h: it should be tools/include/nolibc of a kernel tree))
	$(call say,NOLIBC,$(NOLIBC))
	$(Q)scripts/unpack-nolibc $(NOLIBC)

# --- the stub for every architecture: a make each, with the compiler of its line in dmz/architectures -------

stubs: $(patsubst %,$(O)/stubs/%/dmz,$(shell awk '/^[a-z]/ { print $$1 }' dmz/architectures))

line_of = $(shell grep '^$(1) ' dmz/architectures)

# Without this machine's own headers, so that the bytes do not depend on them.
$(O)/stubs/%: $(NOLIBC)/nolibc.h $(UAPI)/include/linux/version.h FORCE
	$(Q)$(MAKE) --no-print-directory O=$(O)/stubs/$(*D) NOLIBC=$(NOLIBC) STUB= \
		CC='$(CLANG) --target=$(wordlist 10,99,$(call line_of,$(*D))) -fuse-ld=lld' \
		CPPFLAGS='-nostdlibinc -isystem $(UAPI)/$(word 3,$(call line_of,$(*D))) -isystem $(UAPI)/include' $@

update-stubs: stubs
	$(Q)NOLIBC=$(NOLIBC) UAPI=$(UAPI) CLANG=$(CLANG) scripts/update-stubs $(O)

$(UAPI)/include/linux/version.h:
	$(if $(call chosen,UAPI),$(error UAPI=$(UAPI) has no include/linux/version.h: it should be a folder that scripts/unpack-uapi filled))
	$(call say,UAPI,$(UAPI))
	$(Q)scripts/unpack-uapi $(UAPI)

# --- the library and the command ---------------------------------------------------------------------------

# Both kinds of library use the same objects, because the static one may become part of another shared library. That costs
# 24 bytes of 94,000, and no measurable time.
LIB := $(patsubst errpipe/%.c,$(O)/pic/%.o,$(wildcard errpipe/lib/*.c errpipe/explain/*.c errpipe/explain/*/*.c))
CMD := $(patsubst errpipe/%.c,$(O)/obj/%.o,$(wildcard errpipe/cmd/*.c))

# JSON is jansson's. Without it --report, --json and --bundle say so.
JANSSON_DIR :=
ifneq ($(JANSSON_DIR),)
JANSSON := yes
JANSSON_CPPFLAGS := -I$(JANSSON_DIR)/usr/include
CMD_LIBS := $(wildcard $(JANSSON_DIR)/usr/lib/*/libjansson.a)
ifeq ($(CMD_LIBS),)
$(error JANSSON_DIR=$(JANSSON_DIR) has no usr/lib/*/libjansson.a: run scripts/unpack-jansson)
endif
else
JANSSON := $(if $(FOREIGN),,$(shell $(PKG_CONFIG) --exists jansson 2>/dev/null && echo yes))
ifneq ($(JANSSON),)
JANSSON_CPPFLAGS := $(shell $(PKG_CONFIG) --cflags jansson)
CMD_LIBS := $(shell $(PKG_CONFIG) $(if $(STATIC),--static) --libs jansson)
endif
endif
CMD_JSON := $(filter $(O)/obj/cmd/bundle.o $(O)/obj/cmd/json%,$(CMD))
$(CMD_JSON): $(O)/obj/json
ifneq ($(JANSSON),)
$(CMD_JSON): CPPFLAGS += -DHAVE_JANSSON $(JANSSON_CPPFLAGS)
endif

# On 32-bit machines: files and inodes of any size can be looked at.
LARGE_FILES := -D_FILE_OFFSET_BITS=64

# What makes an error in here harder to use. Not each compiler has each flag for each machine. What the C library checks is
# for code that is optimised, and not under a sanitizer, which looks closer. Who asks for another level of it gets that.
accepted = $(shell $(CC) -Werror $(1) -c -x c -o /dev/null /dev/null 2>/dev/null && echo '$(1)')
ifneq ($(MACHINE),)
HARDENING := -Wformat-security -Wvla $(foreach flag,-fstack-protector-strong -fstack-clash-protection,$(call accepted,$(flag)))
ifneq ($(filter-out -O0,$(filter -O%,$(CFLAGS))),)
ifeq ($(findstring _FORTIFY_SOURCE,$(CPPFLAGS) $(CFLAGS))$(filter -fsanitize=%,$(CFLAGS)),)
HARDENING += -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
endif
endif
endif
# From the top: "dmz/record.h"; from errpipe/: "lib/internal.h".
INCLUDES := -I. -Ierrpipe

HARDENED_LDFLAGS := -Wl,-z,relro -Wl,-z,now

$(O)/obj/%.o: errpipe/%.c
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu99 $(WARNINGS) $(HARDENING) $(LARGE_FILES) $(INCLUDES) $(CPPFLAGS) $(CFLAGS) $(DEPS) -c -o $@ $<

$(O)/pic/%.o: errpipe/%.c
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu99 $(WARNINGS) $(HARDENING) $(LARGE_FILES) $(INCLUDES) $(CPPFLAGS) $(CFLAGS) -fPIC $(DEPS) -c -o $@ $<

# The stub's bytes, for errpipe_stub().
$(O)/pic/lib/stub.o: $(O)/obj/stub_image.h
$(O)/pic/lib/stub.o: INCLUDES += -I$(O)/obj
$(O)/obj/stub_image.h: $(O)/dmz
	@mkdir -p $(@D)
	$(Q)od -An -v -tx1 $< | sed 's/ \(..\)/0x\1, /g' >$@

$(O)/liberrpipe.a: $(LIB)
	$(call say,AR,$@)
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $^

# The installed library. With debug information it would be five times as large.
$(O)/stripped/liberrpipe.a: $(O)/liberrpipe.a
	$(call say,STRIP,$@)
	@mkdir -p $(@D)
	$(Q)$(or $(OBJCOPY),$(CROSS_COMPILE)objcopy) --strip-debug $< $@

# What a child calls between fork and exec must not have to be looked up there: so all is bound when the library is
# loaded, and what it calls of its own is its own. LDFLAGS=-static is for the programs.
SHARED_LDFLAGS := -shared -Wl,-soname,$(SONAME) -Wl,--version-script=errpipe/errpipe.map -Wl,-Bsymbolic-functions \
	-Wl,-z,defs $(HARDENED_LDFLAGS)

$(SHARED): $(LIB) errpipe/errpipe.map
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) -fPIC $(SHARED_LDFLAGS) $(filter-out -static,$(LDFLAGS)) -o $@ $(LIB)

$(O)/errpipe: $(CMD) $(O)/liberrpipe.a $(O)/obj/static
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(HARDENED_LDFLAGS) $(LDFLAGS) $(if $(STATIC),-static) -o $@ $(CMD) $(O)/liberrpipe.a $(CMD_LIBS)

# The variables that the command and the stub depend on. A file is written when one changes, so that make rebuilds those.
$(O)/obj/static: setting = $(STATIC)
$(O)/obj/committed: setting = $(STUB)
$(O)/obj/json: setting = $(JANSSON) $(JANSSON_DIR)
$(O)/obj/static $(O)/obj/committed $(O)/obj/json: FORCE
	@mkdir -p $(@D)
	@echo '$(setting)' | cmp -s - $@ || echo '$(setting)' >$@

# The pages that are made from the table of causes are committed, as people read them there, and to install them takes no
# compiler that makes programs for this machine.
update-causes:
	$(Q)scripts/causes md >docs/causes.md.new && mv docs/causes.md.new docs/causes.md
	$(Q)scripts/causes mdoc >errpipe/man/errpipe-causes.7.new && mv errpipe/man/errpipe-causes.7.new errpipe/man/errpipe-causes.7

# --- installing --------------------------------------------------------------------------------------------

# $(call put,MODE,FILES,FOLDER)
put = $(Q)$(INSTALL) -d "$(DESTDIR)$(3)" && $(INSTALL) -m $(1) $(2) "$(DESTDIR)$(3)"

HEADERS := errpipe/errpipe.h errpipe/errpipe_explain.h
MAN := $(wildcard errpipe/man/*.[1-8])
man_folder = $(MANDIR)/man$(subst .,,$(suffix $(1)))
STUB_DIR = $(LIBEXECDIR)/errpipe

# The stub is for other programs to start, by a name that is not a link: errpipe_stub_file() takes no other, and it
# can be mounted into a container. The link is for people who type it.
install: all
	$(call say,INSTALL,'$(DESTDIR)$(PREFIX)')
	$(call put,755,$(O)/errpipe,$(BINDIR))
	$(call put,755,$(O)/dmz,$(STUB_DIR))
	$(Q)ln -sfr "$(DESTDIR)$(STUB_DIR)/dmz" "$(DESTDIR)$(BINDIR)/dmz"
	$(call put,644,$(O)/stripped/liberrpipe.a $(SHARED),$(LIBDIR))
	$(Q)ln -sf $(notdir $(SHARED)) "$(DESTDIR)$(LIBDIR)/$(SONAME)"
	$(Q)ln -sf $(SONAME) "$(DESTDIR)$(LIBDIR)/liberrpipe.so"
	$(call put,644,$(HEADERS),$(INCLUDEDIR))
	$(Q)$(INSTALL) -d "$(DESTDIR)$(PKGCONFIGDIR)"
	$(Q)sed -e 's,@PREFIX@,$(PREFIX),' -e 's,@VERSION@,$(VERSION),' \
		-e 's,@LIBDIR@,$(LIBDIR:$(PREFIX)/%=$${prefix}/%),' \
		-e 's,@INCLUDEDIR@,$(INCLUDEDIR:$(PREFIX)/%=$${prefix}/%),' errpipe/errpipe.pc.in | \
		$(INSTALL) -m 644 /dev/stdin "$(DESTDIR)$(PKGCONFIGDIR)/errpipe.pc"
	$(foreach page,$(MAN),$(call put,644,$(page),$(call man_folder,$(page)))$(newline))
	$(Q)$(INSTALL) -d "$(DESTDIR)$(BASHCOMPDIR)" && $(INSTALL) -m 644 errpipe/completions/errpipe.bash "$(DESTDIR)$(BASHCOMPDIR)/errpipe"
	$(call put,644,errpipe/completions/_errpipe,$(ZSHCOMPDIR))

INSTALLED = $(addprefix $(BINDIR)/,errpipe dmz) $(STUB_DIR)/dmz $(addprefix $(INCLUDEDIR)/,$(notdir $(HEADERS))) $(PKGCONFIGDIR)/errpipe.pc \
	$(addprefix $(LIBDIR)/,liberrpipe.a liberrpipe.so $(SONAME) $(notdir $(SHARED))) \
	$(foreach page,$(MAN),$(call man_folder,$(page))/$(notdir $(page))) $(BASHCOMPDIR)/errpipe $(ZSHCOMPDIR)/_errpipe

# Folders that are left empty go as well: below DESTDIR all of them; in a living system not those that it has from the
# beginning, such as an empty /usr/local/bin.
FOLDERS = $(STUB_DIR) $(LIBEXECDIR) $(PKGCONFIGDIR) $(sort $(foreach page,$(MAN),$(call man_folder,$(page)))) \
	$(foreach folder,$(BASHCOMPDIR) $(ZSHCOMPDIR),$(folder) $(patsubst %/,%,$(dir $(folder))))
ifneq ($(DESTDIR),)
FOLDERS += $(BINDIR) $(INCLUDEDIR) $(LIBDIR) $(MANDIR)
endif

uninstall:
	$(call say,REMOVE,'$(DESTDIR)$(PREFIX)')
	$(Q)cd "$(DESTDIR)/" && rm -f $(INSTALLED:/%=%)
	$(Q)cd "$(DESTDIR)/" && rmdir $(if $(DESTDIR),-p) $(FOLDERS:/%=%) 2>/dev/null || :

# --- the tests ---------------------------------------------------------------------------------------------

# A program for each tests/check_JOB.c, with Check, or with a stand-in for it where libcheck cannot be linked: with musl,
# and for another machine than this.
ifneq ($(FOREIGN),)
CHECK_CFLAGS := -Itests/standin
CHECK_LIBS :=
else
CHECK_CFLAGS = $(shell $(PKG_CONFIG) --cflags check)
CHECK_LIBS = $(shell $(PKG_CONFIG) --libs check)
endif

CHECKS := $(patsubst tests/%.c,$(O)/tests/%,$(wildcard tests/check_*.c))
CHECK_HELPERS := $(patsubst tests/%.c,$(O)/tests/%.o,$(filter-out tests/check_%.c tests/prog_%.c,$(wildcard tests/*.c)))
CHECK_PROGS := $(patsubst tests/%.c,$(O)/tests/%,$(wildcard tests/prog_*.c))

$(O)/tests/%.o: tests/%.c
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 $(WARNINGS) $(LARGE_FILES) $(INCLUDES) $(CHECK_CFLAGS) $(KERNEL_CPPFLAGS) $(CPPFLAGS) $(CFLAGS) $(DEPS) -c -o $@ $<

$(CHECKS): %: %.o $(CHECK_HELPERS) $(O)/liberrpipe.a
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(CHECK_LIBS) -lpthread

# Programs that tests start.
$(O)/tests/prog_case: $(CHECK_HELPERS) $(O)/liberrpipe.a
$(O)/tests/prog_decode: $(O)/liberrpipe.a
$(CHECK_PROGS): %: %.o
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^

# The errno numbers of the kernel's headers, to compare the list with: the host's, and those that differ.
ERRNO_HEADERS := $(patsubst %,$(O)/tests/errno.%,generic mips sparc alpha parisc powerpc)

$(O)/tests/errno.generic:
	@mkdir -p $(@D)
	$(Q)scripts/errno-macros $(CC) $(KERNEL_CPPFLAGS) >$@

$(O)/tests/errno.%: $(UAPI)/include/linux/version.h
	@mkdir -p $(@D)
	$(Q)scripts/errno-macros $(CC) -nostdinc -isystem $(UAPI)/$* -isystem $(UAPI)/include >$@

# --- faults: tests/faults/main.c says what it does ----------------------------------------------------------------

# It writes into the registers of this one machine. The command is a part of it, by another name.
ifneq ($(filter x86_64%,$(MACHINE)),)
ifeq ($(FOREIGN),)
FAULTS := $(O)/tests/faults $(O)/tests/faults_target $(O)/tests/faults_go
endif
endif

$(O)/tests/faults_%.o: tests/faults/%.c
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 $(WARNINGS) $(LARGE_FILES) $(INCLUDES) $(CPPFLAGS) $(CFLAGS) $(DEPS) -c -o $@ $<

$(O)/tests/faults_command.o: $(O)/obj/cmd/main.o
	$(Q)objcopy --redefine-sym main=errpipe_main $< $@

$(O)/tests/faults: $(patsubst %,$(O)/tests/faults_%.o,main trace scenes allocations command) $(filter-out %/main.o,$(CMD)) $(O)/liberrpipe.a
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(CMD_LIBS)

$(O)/tests/faults_target: $(O)/tests/faults_target.o
	$(Q)$(CC) $(CFLAGS) -static -o $@ $<

$(O)/tests/faults_go: tests/faults/go/main.go $(wildcard dmz/*.go dmz/stubs/*)
	$(call say,GO,$@)
	@mkdir -p $(@D)
	$(Q)GOFLAGS=-mod=mod GOPROXY=off GOCACHE='$(abspath $(O))/go' GOPATH='$(abspath $(O))/go' CGO_ENABLED=0 \
		go build -o $@ ./tests/faults/go

faults: $(FAULTS)
	$(Q)scripts/faults $(O)

# --- load: so many children, by eight threads at once ----------------------------------------------------------

COUNT := 1000000
SOAK := $(O)/tests/soak $(O)/tests/soak_target

$(O)/tests/soak_%.o: tests/soak/%.c
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 $(WARNINGS) $(INCLUDES) $(CPPFLAGS) $(CFLAGS) $(DEPS) -c -o $@ $<

$(O)/tests/soak: $(O)/tests/soak_soak.o $(O)/liberrpipe.a
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lpthread

$(O)/tests/soak_target: $(O)/tests/soak_target.o
	$(Q)$(CC) $(CFLAGS) -static -o $@ $<

soak: $(SOAK)
	$(Q)$(O)/tests/soak $(abspath $(O)/tests/soak_target) $(COUNT)

tests: all $(CHECKS) $(CHECK_PROGS) $(ERRNO_HEADERS)

check: tests $(FAULTS) $(SOAK)
	$(Q)NOLIBC='$(abspath $(NOLIBC))' UAPI='$(abspath $(UAPI))' scripts/run-tests $(O)

# Only what depends on how the library is built.
check-unit: tests
	$(Q)NOLIBC='$(abspath $(NOLIBC))' WRAPPER='$(WRAPPER)' scripts/run-tests $(O) $(CHECKS)

# The library and its tests for another machine, in a folder of that name. lld, as GNU ld knows one machine each.
cross-%: $(NOLIBC)/nolibc.h $(UAPI)/include/linux/version.h
	$(Q)$(MAKE) O=$(O)/$* NOLIBC='$(NOLIBC)' UAPI='$(UAPI)' AR=llvm-ar-19 LDFLAGS=-static \
		CC='$(CLANG) --target=$*-linux-gnu -fuse-ld=lld -Wno-unused-command-line-argument' tests

# On kernels of other machines and versions than this one's, with what scripts/setup all installs.
check-system: $(NOLIBC)/nolibc.h $(UAPI)/include/linux/version.h
	$(Q)NOLIBC='$(abspath $(NOLIBC))' UAPI='$(abspath $(UAPI))' scripts/check-system $(O)

# --- coverage ----------------------------------------------------------------------------------------------

COVERAGE := $(abspath $(O))/coverage
# The counters are a file that all processes of a program share: so those count, too, that are killed or leave by a system call.
COVERAGE_CFLAGS := -O0 -g -fcoverage-mapping -fprofile-instr-generate=$(COVERAGE)/profiles/%m%c -fprofile-update=atomic \
	-mllvm -runtime-counter-relocation -Wno-unused-command-line-argument

$(O)/stub: tests/coverage/stub.c tests/coverage/hosted/nolibc.h dmz/_dmz.c dmz/record.h
	$(Q)$(CC) -std=gnu11 $(WARNINGS) $(CFLAGS) -Itests/coverage/hosted -o $@ $<

coverage: $(NOLIBC)/nolibc.h $(UAPI)/include/linux/version.h
	$(Q)$(MAKE) O=$(COVERAGE) NOLIBC='$(abspath $(NOLIBC))' UAPI='$(abspath $(UAPI))' CC='$(CLANG)' \
		CFLAGS='$(COVERAGE_CFLAGS)' tests $(addprefix $(COVERAGE)/,stub $(patsubst $(O)/%,%,$(FAULTS) $(SOAK)))
	$(Q)NOLIBC='$(abspath $(NOLIBC))' UAPI='$(abspath $(UAPI))' ERRPIPE_SLOW=1 \
		COUNTING_CC='$(CLANG)' COUNTING_CFLAGS='$(COVERAGE_CFLAGS)' scripts/coverage $(COVERAGE)

# --- proofs --------------------------------------------------------------------------------------------------

prove: $(O)/tests/prog_machine
	$(Q)scripts/run-tests $(O) tests/prove/frama_c.sh tests/protocol.sh

# --- hostile input: libFuzzer, with the sanitizers -----------------------------------------------------------

TIME := 60
FUZZ := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/*.c))
FUZZ_CFLAGS := -g -O1 -fno-omit-frame-pointer -fno-sanitize-recover=all -fsanitize=address,undefined
SEEDS := $(O)/fuzz/seeds

# The command, with a main() that does not begin the program; and what tests/fuzz/arguments.c puts in the place of others.
$(O)/obj/errpipe_main.o: errpipe/cmd/main.c
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu99 $(WARNINGS) $(LARGE_FILES) $(INCLUDES) $(CPPFLAGS) $(CFLAGS) $(DEPS) -Dmain=errpipe_main -c -o $@ $<

$(O)/libcommand.a: $(O)/obj/errpipe_main.o $(filter-out %/main.o,$(CMD))
	$(call say,AR,$@)
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $^

wrapped_by = $(shell grep -o '__wrap_[a-z0-9_]*' $(1) | sort -u | sed 's/__wrap_/-Wl,--wrap=/')

$(O)/fuzz_%: tests/fuzz/%.c tests/fuzz/fuzz.h $(O)/libcommand.a $(O)/liberrpipe.a
	$(call say,LD,$@)
	$(Q)$(CC) -std=gnu11 $(WARNINGS) $(INCLUDES) $(CPPFLAGS) $(CFLAGS) -fsanitize=fuzzer $(call wrapped_by,$<) -o $@ $< \
		$(O)/libcommand.a $(O)/liberrpipe.a $(CMD_LIBS)

fuzz: $(NOLIBC)/nolibc.h
	$(Q)$(MAKE) O=$(O)/fuzz NOLIBC='$(NOLIBC)' CC='$(CLANG)' CFLAGS='$(FUZZ_CFLAGS) -fsanitize=fuzzer-no-link' \
		$(FUZZ:%=$(O)/fuzz/fuzz_%)
	$(Q)SEEDS='$(SEEDS)' scripts/fuzz $(O)/fuzz $(TIME) $(FUZZ)

# --- benchmarks: scripts/bench runs what this builds --------------------------------------------------------------

BENCH_CC := $(CC) -std=gnu11 $(WARNINGS) $(INCLUDES) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS)
BENCH_PLAIN := $(addprefix $(O)/bench/,plain-nolibc plain-musl plain-glibc)
RUSTC := $(shell command -v rustc)
# A machine that this is not, as ELF names it: e_machine.
OTHER_MACHINE := $(if $(filter aarch64-%,$(MACHINE)),\076,\267)

# As small as the stub, and by its linker script.
$(addprefix $(O)/bench/,target floor): $(O)/bench/%: tests/bench/%.c dmz/dmz.lds $(NOLIBC)/nolibc.h
	$(call say,BENCH,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(DMZ_CFLAGS) -I$(NOLIBC) $(KERNEL_CPPFLAGS) $(CPPFLAGS) $(DMZ_LDFLAGS) -o $@.tmp $<
	$(Q)$(OBJCOPY) --strip-sections $@.tmp
	$(Q)mv $@.tmp $@

# The target, if this were another machine.
$(O)/bench/foreign: $(O)/bench/target
	$(Q)cp $< $@
	$(Q)printf '$(OTHER_MACHINE)\0' | dd of=$@ bs=1 seek=18 conv=notrunc status=none

# As they come: with each libc's default flags and start-up code.
$(O)/bench/plain-nolibc: tests/bench/plain.c $(NOLIBC)/nolibc.h
	$(call say,BENCH,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -Os -include $(NOLIBC)/nolibc.h -fno-asynchronous-unwind-tables -fno-ident -s -nostdlib -static -o $@ $<
$(O)/bench/plain-glibc: tests/bench/plain.c
	$(call say,BENCH,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -Os -s -static -o $@ $<
$(O)/bench/plain-musl: tests/bench/plain.c
	$(call say,BENCH,$@)
	@mkdir -p $(@D)
	$(Q)musl-gcc -Os -s -static -o $@ $<

$(O)/bench/dmz: $(O)/dmz
	@mkdir -p $(@D)
	$(Q)cp $< $@
$(O)/bench/checker: tests/bench/checker.c
	$(call say,BENCH,$@)
	@mkdir -p $(@D)
	$(Q)$(BENCH_CC) -static -o $@ $<
$(addprefix $(O)/bench/,bench inspect): $(O)/bench/%: tests/bench/%.c tests/bench/helper.h
	$(call say,BENCH,$@)
	@mkdir -p $(@D)
	$(Q)$(BENCH_CC) -o $@ $<
$(O)/bench/c: tests/bench/c.c tests/bench/helper.h $(O)/liberrpipe.a
	$(call say,BENCH,$@)
	@mkdir -p $(@D)
	$(Q)$(BENCH_CC) -o $@ $< $(O)/liberrpipe.a -lpthread
$(O)/bench/go: tests/bench/go/main.go $(wildcard dmz/*.go)
	$(call say,BENCH,$@)
	@mkdir -p $(@D)
	$(Q)go build -buildvcs=false -o $@ $<
$(O)/bench/python: tests/bench/python.py
	@mkdir -p $(@D)
	$(Q)$(INSTALL) -m 755 $< $@
$(O)/bench/rust: tests/bench/rust.rs
	$(call say,BENCH,$@)
	@mkdir -p $(@D)
	$(Q)$(RUSTC) -O -o $@ $<

bench-programs: $(BENCH_PLAIN) $(addprefix $(O)/bench/,target floor foreign dmz checker bench inspect c go python $(if $(RUSTC),rust))

# Ten minutes, with the set-up of a fresh clone.
bench:
	$(Q)scripts/bench

# The last results, into the documents.
update-bench:
	$(Q)scripts/update-bench $(O)/bench

dist:
	$(call say,DIST,$(O)/errpipe-$(VERSION).tar.gz)
	$(Q)scripts/dist $(O) $(VERSION)

clean:
	rm -rf $(O)

-include $(wildcard $(patsubst %.o,%.d,$(LIB) $(CMD)) $(O)/tests/*.d)

FORCE:

.PHONY: all stubs update-stubs update-causes install uninstall dist tests check check-unit check-system faults soak fuzz bench bench-programs update-bench prove coverage clean FORCE
.DELETE_ON_ERROR:
