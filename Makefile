# SPDX-License-Identifier: MIT
# Build and install. tests/tests.mk has the tests, tests/bench/bench.mk the benchmarks. "make help" prints what follows.
#
## make                the stub, the libraries and the command, in build/
## make install        install into PREFIX (/usr/local). Repeat the variables that make had: install rebuilds what they change
## make uninstall      remove what install put there; with the same variables
## make check          build and run the tests; TESTS='check_read explain.sh' runs only these
## make dist           build/errpipe-VERSION.tar.gz and build/SHA256SUMS, reproducible
## make clean          remove build/
##
## make stubs          the stub for every architecture of dmz/architectures, in build/stubs/
## make update-stubs   the same, then update dmz/stubs and its table
## make update-causes  rewrite the pages that are made from errpipe/explain/causes.def
## make compile_commands.json   for clangd and other editors' tools
##
## Long tests, most of which need scripts/setup all:
## make check-system   the unit tests on Debian's arm64 and amd64 kernels, in qemu-system
## make check-setup    the tests of setups as several users, with faults at each system call, and COUNT=1000000 children
## make check-loaders  compare explain with the dynamic loaders, for all programs of this machine and of four other systems
## make faults         fail each system call of library and command, and kill each process at each of them
## make soak           start COUNT=1000000 children, many of which fail or are killed, and check that nothing is left
## make fuzz           feed library and command hostile input, TIME=60 seconds for each target; SEEDS=DIR keeps new inputs
## make coverage       print the lines and branches that the tests reach
## make prove          check the decoder and the stub with Frama-C, and the protocol with Spin
## make bench          measure the time to start a program, beside others; update-bench puts it into the documents
##
## O=DIR               build in DIR instead of build/
## CC, CFLAGS, CPPFLAGS, LDFLAGS, CROSS_COMPILE, V=1: as usual. The flags that the code needs are kept apart from these
## STATIC=1            link the command statically, for containers without a libc
## STUB=committed      take the stub from dmz/stubs instead of building it, which needs llvm and the kernel's headers
## JANSSON=yes         let the command write JSON. The default is yes if pkg-config finds jansson; a cross build must set it, with
##                     JANSSON_DIR or PKG_CONFIG
## JANSSON_DIR=DIR     link jansson statically from DIR, which scripts/build/unpack-jansson fills for another machine
## CLANG=clang-19      the compiler of all stubs; needs lld of the same version
## NOLIBC=DIR          nolibc headers of a kernel tree (tools/include/nolibc); by default from Debian's kernel source
## UAPI=DIR            kernel headers of all architectures, as scripts/build/unpack-uapi unpacks them
## PREFIX, BINDIR, LIBDIR, LIBEXECDIR, INCLUDEDIR, MANDIR, PKGCONFIGDIR, BASHCOMPDIR, ZSHCOMPDIR, DESTDIR: absolute names
## ERRPIPE_LONG=1      in the environment: random tests run five times as many rounds

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

# Goals that compile nothing do not need a compiler.
ifneq ($(filter-out clean dist uninstall update-causes bench update-bench help,$(or $(MAKECMDGOALS),all)),)
MACHINE := $(shell $(CC) -dumpmachine 2>&1)
ifneq ($(.SHELLSTATUS),0)
$(error cannot run the compiler '$(CC)': $(MACHINE). Run scripts/setup, or give CC=)
endif
# With musl, or for another machine, this machine's libraries cannot be linked.
FOREIGN := $(findstring musl,$(CC))$(filter-out $(shell uname -m)-%,$(MACHINE))
endif

define newline


endef

WARNINGS := -Wall -Wextra -Werror
DEPS = -MMD -MP

LIBRARIES := liberrpipe liberrpipe-explain
# The static libraries, in the order that the linker needs.
ARCHIVES := $(O)/liberrpipe-explain.a $(O)/liberrpipe.a
SHARED := $(LIBRARIES:%=$(O)/%.so.$(VERSION))
# The first number of the version. Before 1.0 the versions of the symbols show incompatible changes.
SOVERSION := $(firstword $(subst ., ,$(VERSION)))

all: $(O)/dmz $(ARCHIVES) $(LIBRARIES:%=$(O)/stripped/%.a) $(SHARED) $(O)/errpipe

# --- the stub: no libc, no start-up files, one segment, no section headers -------------------------------

DMZ_CFLAGS := -std=gnu11 $(WARNINGS) -Os -ffreestanding -fno-pic -fno-stack-protector -fomit-frame-pointer \
	-fno-asynchronous-unwind-tables -ffunction-sections -fdata-sections -fcf-protection=none
DMZ_LDFLAGS := -nostdlib -static -Wl,-T,dmz/dmz.lds -Wl,--gc-sections -Wl,--build-id=none -Wl,-z,max-page-size=65536
ifneq ($(filter mips%,$(MACHINE)),)
# This avoids a table of addresses that would have to be loaded first. mips has its own name for the entry point.
DMZ_CFLAGS += -mno-abicalls -G0
DMZ_LDFLAGS += -Wl,-e,__start
endif
ifneq ($(filter powerpc64%,$(MACHINE)),)
# In the older ABI the address of a function is that of its descriptor, which is data. gcc also adds words for debuggers.
DMZ_CFLAGS += -mabi=elfv2 $(if $(findstring clang,$(CC)),,-mtraceback=no)
endif
ifneq ($(findstring musl,$(CC)),)
# musl-gcc searches only musl's directory for headers, which lacks those of the kernel.
KERNEL_CPPFLAGS := -idirafter /usr/include -idirafter /usr/include/$(MACHINE)
endif

ifeq ($(STUB),committed)
# The processor is the first part of the compiler's machine name. Debian and others disagree about the rest.
COMMITTED := $(shell awk -v cpu='$(patsubst i%86,i686,$(firstword $(subst -, ,$(MACHINE))))' \
	'/^[a-z]/ && $$2 != "-" && index($$10, cpu "-") == 1 { print "dmz/stubs/" $$2 }' dmz/architectures)
$(O)/dmz: $(COMMITTED) $(O)/obj/committed
	$(call say,DMZ,$@)
	$(Q)$(if $(COMMITTED),,echo "dmz/stubs has no stub for $(MACHINE): build one, without STUB=committed" >&2; exit 1)
	$(Q)$(INSTALL) -m 755 $< $@
else
$(if $(STUB),$(error STUB is committed or nothing, not $(STUB)))
$(O)/dmz: dmz/_dmz.c dmz/record.h $(wildcard dmz/*.def) dmz/arch-mips64.h dmz/dmz.lds dmz/architectures $(NOLIBC)/nolibc.h $(O)/obj/committed
	$(call say,DMZ,$@)
	$(Q)$(if $(OBJCOPY),,echo "llvm-objcopy is missing: run scripts/setup, or give OBJCOPY= or STUB=committed" >&2; exit 1)
	@mkdir -p $(@D)
	$(Q)$(CC) $(DMZ_CFLAGS) -I$(NOLIBC) $(KERNEL_CPPFLAGS) $(CPPFLAGS) $(DMZ_LDFLAGS) -o $@.tmp $<
	$(Q)$(OBJCOPY) --strip-sections $@.tmp
	$(Q)mv $@.tmp $@
endif

# A program for any architecture. Tests and demonstrations use it as a foreign program.
$(O)/hello: tests/foreign/hello.c $(NOLIBC)/nolibc.h
	$(call say,HELLO,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(DMZ_CFLAGS) -I$(NOLIBC) $(KERNEL_CPPFLAGS) $(CPPFLAGS) -nostdlib -static -o $@ $<

# Writes the images of setups, from the library's sources (tests/programs/prog_images.c). The empty headers are those that
# tests/freestanding/libc.h replaces. The list of system calls is that of asm/unistd.h. Each object has the start of a program.
IMAGES := tests/freestanding/stub.c errpipe/lib/setup.c errpipe/lib/image.c errpipe/common/decimal.c tests/programs/prog_images.c
EMPTY := elf.h fcntl.h sched.h unistd.h errno.h signal.h string.h $(addprefix sys/,ioctl.h mman.h prctl.h resource.h select.h types.h)
$(O)/images: $(IMAGES) tests/freestanding/libc.h errpipe/errpipe.h errpipe/lib/image.h $(O)/obj/stub_image.h $(NOLIBC)/nolibc.h
	$(call say,IMAGES,$@)
	@mkdir -p $(O)/headers/sys && cd $(O)/headers && touch $(EMPTY)
	$(Q)echo '#include <asm/unistd.h>' | $(CC) $(CPPFLAGS) -E -dM -x c - 2>/dev/null | \
		sed -n 's/^#define __NR_\([a-z0-9_]*\) .*/#define SYS_\1 __NR_\1/p' >$(O)/headers/sys/syscall.h
	$(Q)$(CC) $(DMZ_CFLAGS) -I$(O)/headers -I$(NOLIBC) $(CPPFLAGS) $(INCLUDES) -I$(O)/obj -include tests/freestanding/libc.h \
		-nostdlib -static -Wl,-z,muldefs -o $@ $(IMAGES)

# make unpacks headers only into its own directory. A directory chosen by the user must already have them.
chosen = $(filter-out file,$(origin $(1)))
$(NOLIBC)/nolibc.h:
	$(if $(call chosen,NOLIBC),$(error NOLIBC=$(NOLIBC) has no nolibc.h: it should be tools/include/nolibc of a kernel tree))
	$(call say,NOLIBC,$(NOLIBC))
	$(Q)scripts/build/unpack-nolibc $(NOLIBC)

# --- the stub for every architecture: one make each, with the compiler of its line in dmz/architectures -----

stubs: $(patsubst %,$(O)/stubs/%/dmz,$(shell awk '/^[a-z]/ { print $$1 }' dmz/architectures))

line_of = $(shell grep '^$(1) ' dmz/architectures)

# This leaves out the machine's own headers, so that the bytes do not depend on them.
$(O)/stubs/%: $(NOLIBC)/nolibc.h $(UAPI)/include/linux/version.h FORCE
	$(Q)$(MAKE) --no-print-directory O=$(O)/stubs/$(*D) NOLIBC=$(NOLIBC) STUB= \
		CC='$(CLANG) --target=$(wordlist 10,99,$(call line_of,$(*D))) -fuse-ld=lld' \
		CPPFLAGS='-nostdlibinc -isystem $(UAPI)/$(word 3,$(call line_of,$(*D))) -isystem $(UAPI)/include' $@

update-stubs: stubs
	$(Q)NOLIBC=$(NOLIBC) UAPI=$(UAPI) CLANG=$(CLANG) scripts/build/update-stubs $(O)

$(UAPI)/include/linux/version.h:
	$(if $(call chosen,UAPI),$(error UAPI=$(UAPI) has no include/linux/version.h: it should be a directory that scripts/build/unpack-uapi filled))
	$(call say,UAPI,$(UAPI))
	$(Q)scripts/build/unpack-uapi $(UAPI)

# --- the libraries and the command -------------------------------------------------------------------------

# Static and shared libraries use the same objects, because a static one may become part of another shared library. That
# costs 24 bytes of 94,000, and no measurable time.
LIB := $(patsubst errpipe/%.c,$(O)/pic/%.o,$(wildcard errpipe/common/*.c errpipe/lib/*.c))
EXPLAIN := $(patsubst errpipe/%.c,$(O)/pic/%.o,$(wildcard errpipe/common/*.c errpipe/explain/*.c errpipe/explain/*/*.c))
CMD := $(patsubst errpipe/%.c,$(O)/obj/%.o,$(wildcard errpipe/cmd/*.c))

# jansson reads and writes JSON. Without it, --report, --json and --bundle report that it is missing.
JANSSON_DIR :=
ifneq ($(JANSSON_DIR),)
JANSSON := yes
JANSSON_CPPFLAGS := -I$(JANSSON_DIR)/usr/include
CMD_LIBS := $(wildcard $(JANSSON_DIR)/usr/lib/*/libjansson.a)
ifeq ($(CMD_LIBS),)
$(error JANSSON_DIR=$(JANSSON_DIR) has no usr/lib/*/libjansson.a: run scripts/build/unpack-jansson)
endif
else
JANSSON := $(if $(FOREIGN),,$(shell $(PKG_CONFIG) --exists jansson 2>/dev/null && echo yes))
ifneq ($(JANSSON),)
JANSSON_CPPFLAGS := $(shell $(PKG_CONFIG) --cflags jansson)
CMD_LIBS := $(shell $(PKG_CONFIG) $(if $(STATIC),--static) --libs jansson)
endif
endif
CMD_JSON := $(filter $(O)/obj/cmd/bundle.o $(O)/obj/cmd/json% $(O)/obj/cmd/oci%,$(CMD))
$(CMD_JSON): $(O)/obj/json
ifneq ($(JANSSON),)
$(CMD_JSON): CPPFLAGS += -DHAVE_JANSSON $(JANSSON_CPPFLAGS)
endif

# libseccomp compiles the seccomp profiles of --process and --seccomp. Without it, those report that it is missing.
SECCOMP := $(if $(FOREIGN),,$(shell $(PKG_CONFIG) --exists libseccomp 2>/dev/null && echo yes))
ifneq ($(SECCOMP),)
CMD_LIBS += $(shell $(PKG_CONFIG) $(if $(STATIC),--static) --libs libseccomp)
$(O)/obj/cmd/oci_seccomp.o: CPPFLAGS += -DHAVE_SECCOMP $(shell $(PKG_CONFIG) --cflags libseccomp)
endif

# For 32-bit machines: allow files and inode numbers of any size.
LARGE_FILES := -D_FILE_OFFSET_BITS=64

# Flags that make bugs harder to exploit. Not every compiler has every flag for every machine. _FORTIFY_SOURCE needs optimised
# code, and is left out under a sanitizer, which checks more. A level that the user chose stays.
accepted = $(shell $(CC) -Werror $(1) -c -x c -o /dev/null /dev/null 2>/dev/null && echo '$(1)')
ifneq ($(MACHINE),)
HARDENING := -Wformat-security -Wvla $(foreach flag,-fstack-protector-strong -fstack-clash-protection,$(call accepted,$(flag)))
ifneq ($(filter-out -O0,$(filter -O%,$(CFLAGS))),)
ifeq ($(findstring _FORTIFY_SOURCE,$(CPPFLAGS) $(CFLAGS))$(filter -fsanitize=%,$(CFLAGS)),)
HARDENING += -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
endif
endif
endif
# Includes are relative to the top ("dmz/record.h") or to errpipe/ ("lib/internal.h").
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

# errpipe_stub() contains the stub's bytes.
$(O)/pic/lib/stub.o: $(O)/obj/stub_image.h
$(O)/pic/lib/stub.o: INCLUDES += -I$(O)/obj
$(O)/obj/stub_image.h: $(O)/dmz
	@mkdir -p $(@D)
	$(Q)od -An -v -tx1 $< | sed 's/ \(..\)/0x\1, /g' >$@

$(O)/liberrpipe.a: $(LIB)
$(O)/liberrpipe-explain.a: $(EXPLAIN)
$(ARCHIVES):
	$(call say,AR,$@)
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $^

# The archives to install. With debug information they would be five times as large. Each has one object, so that
# its private names can become local: they cannot clash with those of a program.
$(O)/stripped/%.a: $(O)/%.a
	$(call say,STRIP,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -nostdlib -r -o $(@:.a=.o) -Wl,--whole-archive $< -Wl,--no-whole-archive
	$(Q)$(or $(OBJCOPY),$(CROSS_COMPILE)objcopy) --strip-debug --localize-hidden $(@:.a=.o)
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $(@:.a=.o)

# Symbol lookup between fork and exec is unsafe: bind everything at load time, and bind internal calls inside the library.
SHARED_LDFLAGS = -shared -Wl,-soname,$(@F:%.$(VERSION)=%.$(SOVERSION)) -Wl,--version-script=$(filter %.map,$^) \
	-Wl,-Bsymbolic-functions -Wl,-z,defs $(HARDENED_LDFLAGS)

$(O)/liberrpipe.so.$(VERSION): $(LIB) errpipe/errpipe.map
$(O)/liberrpipe-explain.so.$(VERSION): $(EXPLAIN) $(O)/liberrpipe.so.$(VERSION) errpipe/errpipe_explain.map
# LDFLAGS=-static is for the programs.
$(SHARED):
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) -fPIC $(SHARED_LDFLAGS) $(filter-out -static,$(LDFLAGS)) -o $@ $(filter-out %.map,$^)

$(O)/errpipe: $(CMD) $(ARCHIVES) $(O)/obj/static
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(HARDENED_LDFLAGS) $(LDFLAGS) $(if $(STATIC),-static) -o $@ $(CMD) $(ARCHIVES) $(CMD_LIBS)

# Each file holds variables that the command or the stub depends on. It is written when they change, so that make rebuilds.
$(O)/obj/static: setting = $(STATIC)
$(O)/obj/committed: setting = $(STUB)
$(O)/obj/json: setting = $(JANSSON) $(JANSSON_DIR) $(SECCOMP)
$(O)/obj/static $(O)/obj/committed $(O)/obj/json: FORCE
	@mkdir -p $(@D)
	@echo '$(setting)' | cmp -s - $@ || echo '$(setting)' >$@

# The generated pages about causes are committed, because people read them in the repository, and because generating them needs a
# native compiler, which a cross build may lack.
update-causes:
	$(Q)scripts/build/causes md >docs/causes.md.new && mv docs/causes.md.new docs/causes.md
	$(Q)scripts/build/causes mdoc >errpipe/man/errpipe-causes.7.new && mv errpipe/man/errpipe-causes.7.new errpipe/man/errpipe-causes.7

# --- installing --------------------------------------------------------------------------------------------

# $(call put,MODE,FILES,DIRECTORY)
put = $(Q)$(INSTALL) -d "$(DESTDIR)$(3)" && $(INSTALL) -m $(1) $(2) "$(DESTDIR)$(3)"

HEADERS := errpipe/errpipe.h errpipe/errpipe_explain.h
MAN := $(wildcard errpipe/man/*.[1-8])
man_directory = $(MANDIR)/man$(subst .,,$(suffix $(1)))
STUB_DIR = $(LIBEXECDIR)/errpipe

# $(call put_library,NAME): the archive, the shared library with its links, and the file for pkg-config.
define put_library
$(call put,644,$(O)/stripped/$(1).a $(O)/$(1).so.$(VERSION),$(LIBDIR))
$(Q)ln -sf $(1).so.$(VERSION) "$(DESTDIR)$(LIBDIR)/$(1).so.$(SOVERSION)"
$(Q)ln -sf $(1).so.$(SOVERSION) "$(DESTDIR)$(LIBDIR)/$(1).so"
$(Q)sed -e 's,@PREFIX@,$(PREFIX),' -e 's,@VERSION@,$(VERSION),' \
	-e 's,@LIBDIR@,$(LIBDIR:$(PREFIX)/%=$${prefix}/%),' \
	-e 's,@INCLUDEDIR@,$(INCLUDEDIR:$(PREFIX)/%=$${prefix}/%),' errpipe/$(1:lib%=%).pc.in | \
	$(INSTALL) -m 644 /dev/stdin "$(DESTDIR)$(PKGCONFIGDIR)/$(1:lib%=%).pc"
endef
installed_library = $(LIBDIR)/$(1).a $(LIBDIR)/$(1).so $(LIBDIR)/$(1).so.$(SOVERSION) $(LIBDIR)/$(1).so.$(VERSION) \
	$(PKGCONFIGDIR)/$(1:lib%=%).pc

# Other programs start the stub by a name that is not a link: errpipe_stub_file() takes no link, and a file can be mounted
# into a container. The link is for people who type the name.
install: all
	$(call say,INSTALL,'$(DESTDIR)$(PREFIX)')
	$(call put,755,$(O)/errpipe,$(BINDIR))
	$(call put,755,$(O)/dmz,$(STUB_DIR))
	$(Q)ln -sfr "$(DESTDIR)$(STUB_DIR)/dmz" "$(DESTDIR)$(BINDIR)/dmz"
	$(call put,644,$(HEADERS),$(INCLUDEDIR))
	$(Q)$(INSTALL) -d "$(DESTDIR)$(PKGCONFIGDIR)"
	$(foreach library,$(LIBRARIES),$(call put_library,$(library))$(newline))
	$(foreach page,$(MAN),$(call put,644,$(page),$(call man_directory,$(page)))$(newline))
	$(Q)$(INSTALL) -d "$(DESTDIR)$(BASHCOMPDIR)" && $(INSTALL) -m 644 errpipe/completions/errpipe.bash "$(DESTDIR)$(BASHCOMPDIR)/errpipe"
	$(call put,644,errpipe/completions/_errpipe,$(ZSHCOMPDIR))

INSTALLED = $(addprefix $(BINDIR)/,errpipe dmz) $(STUB_DIR)/dmz $(addprefix $(INCLUDEDIR)/,$(notdir $(HEADERS))) \
	$(foreach library,$(LIBRARIES),$(call installed_library,$(library))) \
	$(foreach page,$(MAN),$(call man_directory,$(page))/$(notdir $(page))) $(BASHCOMPDIR)/errpipe $(ZSHCOMPDIR)/_errpipe

# Empty directories are removed as well: all of them below DESTDIR. In a live system, directories that exist from the start stay,
# such as an empty /usr/local/bin.
DIRECTORIES = $(STUB_DIR) $(LIBEXECDIR) $(PKGCONFIGDIR) $(sort $(foreach page,$(MAN),$(call man_directory,$(page)))) \
	$(foreach directory,$(BASHCOMPDIR) $(ZSHCOMPDIR),$(directory) $(patsubst %/,%,$(dir $(directory))))
ifneq ($(DESTDIR),)
DIRECTORIES += $(BINDIR) $(INCLUDEDIR) $(LIBDIR) $(MANDIR)
endif

uninstall:
	$(call say,REMOVE,'$(DESTDIR)$(PREFIX)')
	$(Q)cd "$(DESTDIR)/" && rm -f $(INSTALLED:/%=%)
	$(Q)cd "$(DESTDIR)/" && rmdir $(if $(DESTDIR),-p) $(DIRECTORIES:/%=%) 2>/dev/null || :

include tests/tests.mk tests/bench/bench.mk

dist:
	$(call say,DIST,$(O)/errpipe-$(VERSION).tar.gz)
	$(Q)scripts/dist $(O) $(VERSION)

clean:
	rm -rf $(O)

help:
	@sed -n 's/^## \{0,1\}//p' Makefile

# This lists the compiler commands that make would run. Needs jq.
compile_commands.json: FORCE
	$(Q)$(MAKE) -nBs -o $(UAPI)/include/linux/version.h -o $(NOLIBC)/nolibc.h tests | grep ' -c -o ' | \
		jq -Rn '[inputs | { directory: "$(CURDIR)", command: ., file: (split(" ") | last) }]' >$@

-include $(wildcard $(patsubst %.o,%.d,$(LIB) $(EXPLAIN) $(CMD)))

FORCE:

.PHONY: all stubs update-stubs update-causes install uninstall dist tests check check-unit check-system check-setup check-loaders faults soak fuzz bench bench-programs update-bench prove coverage clean help FORCE
.DELETE_ON_ERROR:
