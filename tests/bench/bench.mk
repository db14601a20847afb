# SPDX-License-Identifier: MIT
# The benchmarks: scripts/bench runs these programs. Included by the Makefile.

BENCH_CC := $(CC) -std=gnu11 $(WARNINGS) $(INCLUDES) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS)
BENCH_PLAIN := $(addprefix $(O)/bench/,plain-nolibc plain-musl plain-glibc)
RUSTC := $(shell command -v rustc)
# The e_machine of an architecture that this machine cannot run.
OTHER_MACHINE := $(if $(filter aarch64-%,$(MACHINE)),\076,\267)

# These are as small as the stub and use its linker script.
$(addprefix $(O)/bench/,target floor): $(O)/bench/%: tests/bench/%.c dmz/dmz.lds $(NOLIBC)/nolibc.h
	$(call say,BENCH,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(DMZ_CFLAGS) -I$(NOLIBC) $(KERNEL_CPPFLAGS) $(CPPFLAGS) $(DMZ_LDFLAGS) -o $@.tmp $<
	$(Q)$(OBJCOPY) --strip-sections $@.tmp
	$(Q)mv $@.tmp $@

# The target, marked as a program for another architecture.
$(O)/bench/foreign: $(O)/bench/target
	$(Q)cp $< $@
	$(Q)printf '$(OTHER_MACHINE)\0' | dd of=$@ bs=1 seek=18 conv=notrunc status=none

# Plain stubs, with the default flags and start-up code of each libc.
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
# The program of the documentation.
$(O)/bench/container: docs/embedding.md $(O)/liberrpipe.a
	$(call say,BENCH,$@)
	@mkdir -p $(@D)
	$(Q)sed -n '/^\/\* container\.c /,/^```$$/{/^```$$/d;p}' $< >$@.c
	$(Q)$(BENCH_CC) -Wno-error -o $@ $@.c $(O)/liberrpipe.a
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

bench-programs: $(BENCH_PLAIN) $(addprefix $(O)/bench/,target floor foreign dmz checker bench inspect c container go python $(if $(RUSTC),rust))

# In a fresh clone this takes ten minutes, with the set-up.
bench:
	$(Q)scripts/bench

# Copy the last results to the documents.
update-bench:
	$(Q)scripts/build/update-bench $(O)/bench
