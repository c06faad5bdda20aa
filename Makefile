# SPDX-License-Identifier: MIT
#
# Tidemark: the userspace program, the kernel module, and their tests.
# `make help` lists what can be asked for.

# No rule but those below: the built-in ones are tried for every header.
MAKEFLAGS += -r

VERSION := 0.1.0
B       := build

CC       ?= gcc
CFLAGS   ?= -O2 -g
WARN     := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes \
	    -Wmissing-prototypes -Wvla
LIBS     := libcurl libcrypto jansson expat inih popt liburing devmapper \
	    blkid libcryptsetup libgcrypt
PKG_CFLAGS := $(shell pkg-config --cflags $(LIBS))
PKG_LIBS   := $(shell pkg-config --libs $(LIBS)) -lm
ALL_CFLAGS  = -std=gnu11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 \
	      -DTIDEMARK_VERSION='"$(VERSION)"' -Iuserspace -Ikmod \
	      $(WARN) $(PKG_CFLAGS) $(CFLAGS) -fPIC

LAYERS  := model port engine cli
SRC     := $(sort $(wildcard $(LAYERS:%=userspace/%/*.c))) \
	   $(wildcard kmod/format.c)
OBJ     := $(SRC:%.c=$(B)/%.o)
LIBOBJ  := $(filter-out $(B)/userspace/cli/%,$(OBJ))

# What nbdkit loads to serve a recovery point: the same objects.
PLUGIN     := $(B)/nbdkit-tidemark-plugin.so
PLUGINOBJ  := $(patsubst %.c,$(B)/%.o,$(sort $(wildcard userspace/mount/*.c)))

# The same objects with sanitizers, for the unit tests and for a program that
# system tests can run instead.
SANFLAGS := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all \
	    -fno-omit-frame-pointer
SANOBJ   := $(LIBOBJ:$(B)/%=$(B)/san/%)
ASAN     := $(B)/asan/tidemark
UNIT     := $(patsubst tests/unit/%.c,$(B)/unit/%,\
	      $(sort $(wildcard tests/unit/test_*.c)))

# Programs that tests of port/ call on this machine, under ASan and UBSan.
TOOLS    := $(patsubst tests/system/tools/%.c,$(B)/tests/%,\
	      $(sort $(wildcard tests/system/tools/*.c)))
TOOLOBJ  := $(filter $(B)/san/userspace/model/% $(B)/san/userspace/port/% \
	      $(B)/san/kmod/%,$(SANOBJ))

# One process that backs up again and again: what it holds is what ours does, so
# no sanitizer stands between.
ENDUREOBJ := $(patsubst %.c,$(B)/%.o,$(sort $(wildcard tests/fault/endure/*.c)))
ENDURE    := $(B)/tests/endure

# Programs that run in guests, tests/vm/tools: one each, and what they share.
VMTOOLS  := $(patsubst tests/vm/tools/%.c,$(B)/tests/%,\
	      $(sort $(wildcard tests/vm/tools/*.c)))
VMLIBOBJ := $(patsubst %.c,$(B)/%.o,$(sort $(wildcard tests/vm/tools/lib/*.c)))

# Fuzzers, by libFuzzer under ASan and UBSan. What judges the answers is not
# what leads the fuzzer on.
FUZZCC    := clang -std=gnu11 -D_GNU_SOURCE -Iuserspace -Ikmod $(WARN) -O2 -g \
	     -DTIDEMARK_VERSION='"$(VERSION)"' -DHTTP_BUFFER=16384L \
	     $(PKG_CFLAGS)
FUZZSAN   := -fsanitize=address,undefined -fno-sanitize-recover=all
FUZZED     = kmod/format.c userspace/model/meta.c userspace/model/extent.c \
	     userspace/model/error.c
FUZZJUDGE := $(addprefix tests/fuzz/,fuzz_meta.c mutate.c reference.c)

# The parsers' fuzzers, each with what judges it and what it leads on.
PARSERS         := documents service pages http
FUZZ_MODEL      := $(sort $(wildcard userspace/model/*.c)) kmod/format.c
FUZZ_documents  := fuzz_documents marks mutate_json same texts whole
FUZZED_documents = $(FUZZ_MODEL)
FUZZ_pages      := fuzz_pages page_sets page_status page_table page_vhd texts
FUZZED_pages    := $(FUZZ_MODEL) userspace/port/dmstatus.c
# wire.c stands for the network below libcurl.
FUZZ_http       := fuzz_http wire
FUZZED_http     := $(FUZZ_MODEL) $(addprefix userspace/port/,crypto.c fields.c \
	http.c httpreply.c httptransfer.c obstacle.c reach.c)
# network.c stands for port/http.c and what is below it.
FUZZ_service    := fuzz_service answers network replies texts
FUZZED_service  := $(FUZZ_MODEL) userspace/engine/blame.c \
	$(addprefix userspace/port/,account.c azauth.c blob.c blobcall.c \
	bloberror.c bloblist.c blobprops.c blobsign.c blockblob.c checksum.c \
	clock.c command.c container.c credentials.c crypto.c fields.c file.c \
	imds.c lease.c pageblob.c pageio.c privacy.c program.c refusal.c \
	retry.c secret.c xmlwalk.c)

# Crashes, tests/crash: a disk that may lose its cache, who replays its log, and
# programs for guests.
CRASHTOOLS := $(patsubst tests/crash/guest/tools/%.c,$(B)/tests/%,\
	      $(sort $(wildcard tests/crash/guest/tools/*.c)))
CRASHSRC   := $(sort $(wildcard tests/crash/tools/*.c))
REPLAYOBJ  := $(patsubst %.c,$(B)/%.o,$(filter-out %/volatile.c,$(CRASHSRC)) \
	      kmod/format.c)

# What the program is measured against, on this machine.
BENCHTOOLS := $(patsubst tests/bench/tools/%.c,$(B)/tests/%,\
	      $(sort $(wildcard tests/bench/tools/*.c)))
BENCHOBJ   := $(filter $(B)/userspace/model/% $(B)/userspace/port/%,$(OBJ))

# Where `install` puts things.
DESTDIR    ?=
PREFIX     ?= /usr/local
SBINDIR     = $(DESTDIR)$(PREFIX)/sbin
MANDIR      = $(DESTDIR)$(PREFIX)/share/man
COMPDIR     = $(DESTDIR)$(PREFIX)/share/bash-completion/completions
LIBEXECDIR  = $(DESTDIR)$(PREFIX)/libexec/tidemark
UNITDIR     = $(DESTDIR)/lib/systemd/system
RULESDIR    = $(DESTDIR)/lib/udev/rules.d
MODULE_SRC  = $(DESTDIR)/usr/src/dm-tidemark-$(VERSION)
MODULE_FILES = $(shell find Kbuild dkms.conf kmod -name '*.[ch]' -o \
		-name Kbuild -o -name '*.sh' -o -name dkms.conf)

# The kernel that `modules` builds for.
KVER       ?= $(shell uname -r)
RELEASES   := bullseye bookworm trixie sid
KERNELS    ?= $(RELEASES)

.PHONY: all demo modules unit tools vmtools fuzz programs lab check check-kernels \
	check-debug check-snapshot check-sweep check-faults check-sanitised \
	check-fuzz check-restore bench-track bench-cow bench-ship crashtools \
	check-crash install uninstall clean help
# Objects are kept: they are shared by many programs.
.SECONDARY:

all: $(B)/tidemark $(PLUGIN)	## the program, and nbdkit's plugin

$(B)/tidemark: $(OBJ)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(PKG_LIBS)

$(ASAN): $(OBJ:$(B)/%=$(B)/san/%)
	@mkdir -p $(@D)
	$(CC) $(SANFLAGS) $(LDFLAGS) -o $@ $^ $(PKG_LIBS)

# nbdkit has what its header declares.
# The plugin shows nothing of itself but what nbdkit looks for.
$(OBJ) $(PLUGINOBJ): ALL_CFLAGS += -fvisibility=hidden
$(PLUGINOBJ): PKG_CFLAGS += $(shell pkg-config --cflags nbdkit)
# nodelete: nbdkit unloads it before it ends itself, and a thread of a library's
# would go on in what is no longer there.
$(PLUGIN): $(PLUGINOBJ) $(B)/plugin.a
	$(CC) $(CFLAGS) $(LDFLAGS) -shared -Wl,--as-needed -Wl,-z,nodelete -o $@ \
		$^ $(PKG_LIBS)

# Of the engine only what it needs.
$(B)/plugin.a: $(LIBOBJ)
	rm -f $@
	$(AR) rcs $@ $^

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(B)/san/%.o: CFLAGS = $(SANFLAGS)
$(B)/san/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(UNIT): $(B)/unit/%: tests/unit/%.c $(SANOBJ)
	@mkdir -p $(@D)
	$(CC) $(filter-out -O2,$(ALL_CFLAGS)) $(SANFLAGS) -MMD -MP -o $@ $< \
		$(SANOBJ) $(PKG_LIBS) -lcmocka $(STANDIN)

# A stand-in for the network; it says so.
$(B)/unit/test_replies: STANDIN := -Wl,--wrap=http_perform
$(B)/unit/test_flights: STANDIN := tests/unit/service.c
$(B)/unit/test_httpset: STANDIN := tests/unit/service.c -lssl
$(B)/unit/test_flights $(B)/unit/test_httpset: tests/unit/service.c \
		tests/unit/service.h

$(VMTOOLS): $(B)/tests/%: $(B)/tests/vm/tools/%.o $(VMLIBOBJ) $(B)/kmod/format.o
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -ldevmapper -luring -lpthread

$(TOOLS): $(B)/tests/%: $(B)/san/tests/system/tools/%.o $(TOOLOBJ)
	@mkdir -p $(@D)
	$(CC) $(SANFLAGS) $(LDFLAGS) -o $@ $^ $(PKG_LIBS)

$(ENDURE): $(ENDUREOBJ) $(LIBOBJ)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(PKG_LIBS)

$(B)/fuzz/fuzz_meta: $(FUZZED) $(FUZZJUDGE) $(wildcard tests/fuzz/*.h) \
		kmod/format.h userspace/model/meta.h
	@mkdir -p $(@D)/fuzzed $(@D)/judge
	set -e; for f in $(FUZZED); do $(FUZZCC) $(FUZZSAN) \
		-fsanitize=fuzzer-no-link -fno-sanitize-coverage=trace-cmp -c \
		-o $(@D)/fuzzed/$$(basename $$f .c).o $$f; done
	set -e; for f in $(FUZZJUDGE); do $(FUZZCC) $(FUZZSAN) -c \
		-o $(@D)/judge/$$(basename $$f .c).o $$f; done
	$(FUZZCC) $(FUZZSAN) -fsanitize=fuzzer -o $@ $(@D)/fuzzed/*.o \
		$(@D)/judge/*.o

$(B)/fuzz/led/%.o: %.c
	@mkdir -p $(@D)
	$(FUZZCC) $(FUZZSAN) -fsanitize=fuzzer-no-link -MMD -MP -c -o $@ $<

$(B)/fuzz/judges/%.o: tests/fuzz/%.c
	@mkdir -p $(@D)
	$(FUZZCC) $(FUZZSAN) -MMD -MP -c -o $@ $<

define FUZZER
$(B)/fuzz/fuzz_$(1): $$(FUZZ_$(1):%=$(B)/fuzz/judges/%.o) \
		$$(FUZZED_$(1):%.c=$(B)/fuzz/led/%.o)
	$$(FUZZCC) $$(FUZZSAN) -fsanitize=fuzzer -o $$@ $$^ $$(PKG_LIBS)
endef
$(foreach p,$(PARSERS),$(eval $(call FUZZER,$(p))))

fuzz: $(B)/fuzz/fuzz_meta $(PARSERS:%=$(B)/fuzz/fuzz_%)	## the fuzzers of what reads

$(B)/tests/damage: $(wildcard tests/crash/damage/*.[ch])
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -o $@ $(filter %.c,$^)

$(B)/tests/crash/guest/tools/%.o: ALL_CFLAGS += -Itests/vm/tools

$(CRASHTOOLS): $(B)/tests/%: $(B)/tests/crash/guest/tools/%.o \
		$(VMLIBOBJ)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -ldevmapper -luring -lpthread

$(BENCHTOOLS): $(B)/tests/%: $(B)/tests/bench/tools/%.o $(BENCHOBJ) \
		$(B)/kmod/format.o
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(PKG_LIBS)

$(B)/tests/standin: $(B)/tests/bench/standin.o $(OBJ)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -Wl,--wrap=source_new,--wrap=ship_disk \
		-o $@ $^ $(PKG_LIBS)

$(B)/tests/replay: $(REPLAYOBJ)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^

$(B)/tests/volatile.so: tests/crash/tools/volatile.c tests/crash/tools/log.h
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(shell pkg-config --cflags nbdkit) -fPIC -shared \
		-o $@ $<

$(B)/tests/strike.so: tests/vm/preload/strike.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -fPIC -shared -o $@ $<

tools: $(TOOLS) $(ENDURE) $(B)/tests/standin	## the programs that system tests call

vmtools: $(VMTOOLS) $(B)/tests/damage $(B)/tests/strike.so	## the programs that run in guests

crashtools: $(CRASHTOOLS) $(B)/tests/replay $(B)/tests/volatile.so	## the same for crashes

unit: $(UNIT)	## the unit tests' programs, under ASan and UBSan

modules:	## the module, for the running kernel or KVER=...
	$(MAKE) -C /lib/modules/$(KVER)/build M=$(CURDIR) modules

lab:		## roots, kernels, emulators, proxies that the tests run in (cached)
	set -e; for r in $(RELEASES); do scripts/vm root $$r >/dev/null; done
	scripts/vm kernel debug >/dev/null
	scripts/vm system --image >/dev/null
	scripts/vm bootable >/dev/null
	scripts/vm checkpatch >/dev/null
	TESTS=tests sh -c '. tests/lib/azurite.sh && azurite_install'
	sh -c '. tests/lib/middlebox.sh && middlebox_install'
	sh -c '. tests/lib/libvirt.sh && libvirt_install'

demo:		## backs up and restores live disks, start to end
	@sh scripts/demo

programs: unit tools vmtools crashtools fuzz	## what the tests run

check: all programs	## every test; JOBS at a time
	@tests/run

check-kernels: all vmtools	## the module's tests in full on every kernel; FORM=short
	@set -e; for k in $(RELEASES); do \
		echo "== $$k"; KERNEL=$$k FORM=$${FORM:-full} tests/run tests/vm; \
	done

check-debug: all vmtools	## the same on the kernel with KASAN and lockdep
	@KERNEL=debug FORM=$${FORM:-full} tests/run tests/vm

# At length, races between processors are looked for too.
check-kernels check-debug check-snapshot: export TIDEMARK_PARALLEL = 1

check-snapshot: all vmtools	## snapshots at length; CUTS on each of KERNELS, ROUNDS of trouble
	@set -e; for k in $(KERNELS); do \
		echo "== $$k"; KERNEL=$$k FORM=$${FORM:-full} tests/run \
			tests/vm/t0202-exact.sh; \
	done
	@FORM=$${FORM:-full} tests/run $(filter-out %/t0202-exact.sh,\
		$(sort $(wildcard tests/vm/t02*.sh)))

check-sweep: all	## a client killed at each of its requests; SEED, STRIDE
	@FORM=$${FORM:-full} tests/run tests/fault/t0305-sweep.sh \
		tests/fault/t0310-deletion.sh

check-faults: all $(ENDURE)	## a bad server: ROUNDS, FAULTS, PERCENT, SEED; BACKUPS by one process
	@FORM=$${FORM:-full} tests/run tests/fault/t0306-server.sh \
		tests/fault/t0309-endurance.sh tests/fault/t0311-tokens.sh

check-sanitised: all tools $(ASAN)	## system and fault tests with a program under ASan and UBSan
	@TIDEMARK=$(CURDIR)/$(ASAN) tests/run $(TESTS)
check-sanitised: TESTS ?= tests/system $(filter-out %/t0309-endurance.sh,\
	$(sort $(wildcard tests/fault/t03*.sh)))

check-restore: all tools vmtools	## bringing it back at length: a disk of MIB replaced, killed KILLS times; SEED
	@FORM=$${FORM:-full} TEST_TIMEOUT=$${TEST_TIMEOUT:-86400} tests/run \
		$(wildcard tests/system/t020[5-9]-*.sh tests/system/t021[23]-*.sh \
			tests/system/t022*.sh tests/vm/t051[34]-*.sh \
			tests/vm/t0606-*.sh)

check-fuzz: fuzz	## the fuzzers for RUNS executions each, 10,000,000 by default
	@FORM=$${FORM:-full} TEST_TIMEOUT=$${TEST_TIMEOUT:-86400} tests/run \
		tests/fuzz

bench-track: vmtools	## what tracking costs: build/bench/track.json
	@sh tests/bench/track.sh $(B)/bench

bench-cow: all vmtools	## what a snapshot costs: build/bench/cow.json
	@sh tests/bench/cow.sh $(B)/bench

bench-ship: all $(BENCHTOOLS) $(B)/tests/standin	## how fast a disk is shipped: build/bench/ship.json
	@sh tests/bench/ship.sh $(B)/bench

check-crash: all vmtools crashtools	## crashes at length; the counts: tests/crash/README.md
	@FORM=$${FORM:-full} tests/run tests/crash

install: all	## the program, and the module's source for DKMS
	install -D -m 755 $(B)/tidemark $(SBINDIR)/tidemark
	install -D -m 644 -t $(LIBEXECDIR) $(PLUGIN)
	set -e; for f in $(wildcard userspace/man/*.8 userspace/man/*.5); do \
		install -D -m 644 $$f $(MANDIR)/man$${f##*.}/$${f##*/}; done
	set -e; for f in $(wildcard userspace/systemd/*.service \
		userspace/systemd/*.timer); do \
		install -D -m 644 $$f $(UNITDIR)/$${f##*/}; \
		sed -i 's|@sbindir@|$(PREFIX)/sbin|g' $(UNITDIR)/$${f##*/}; done
	install -D -m 644 -t $(RULESDIR) userspace/systemd/90-tidemark.rules
	set -e; for f in $(wildcard userspace/completion/*); do \
		install -D -m 644 $$f $(COMPDIR)/$${f##*/}; done
	set -e; for f in $(MODULE_FILES); do \
		install -D -m 644 $$f $(MODULE_SRC)/$$f; done
	[ -n "$(DESTDIR)" ] || ! command -v dkms >/dev/null || \
		dkms install dm-tidemark/$(VERSION)

uninstall:	## what `install` has put there
	[ -n "$(DESTDIR)" ] || ! command -v dkms >/dev/null || \
		dkms remove dm-tidemark/$(VERSION) --all
	rm -rf $(MODULE_SRC)
	rm -f $(SBINDIR)/tidemark
	rm -rf $(LIBEXECDIR)
	rm -f $(patsubst userspace/systemd/%,$(UNITDIR)/%,\
		$(wildcard userspace/systemd/*.service \
		userspace/systemd/*.timer))
	rm -f $(RULESDIR)/90-tidemark.rules
	rm -f $(patsubst userspace/completion/%,$(COMPDIR)/%,\
		$(wildcard userspace/completion/*))
	rm -f $(foreach f,$(wildcard userspace/man/*.8 userspace/man/*.5),\
		$(MANDIR)/man$(subst .,,$(suffix $(f)))/$(notdir $(f)))

clean:		## remove what was built
	rm -rf $(B)

help:		## this list
	@sed -n 's/^\([a-z-]*\):.*##[ \t]*\(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) \
		| expand -t 20

-include $(TOOLS:$(B)/tests/%=$(B)/san/tests/system/tools/%.d)
-include $(VMTOOLS:$(B)/tests/%=$(B)/tests/vm/tools/%.d) $(VMLIBOBJ:.o=.d)
-include $(CRASHTOOLS:$(B)/tests/%=$(B)/tests/crash/guest/tools/%.d) \
	$(REPLAYOBJ:.o=.d)
-include $(PLUGINOBJ:.o=.d)
-include $(BENCHTOOLS:$(B)/tests/%=$(B)/tests/bench/tools/%.d) \
	$(B)/tests/bench/standin.d
-include $(OBJ:.o=.d) $(OBJ:$(B)/%.o=$(B)/san/%.d) $(UNIT:=.d) \
	$(ENDUREOBJ:.o=.d)
-include $(foreach p,$(PARSERS),$(FUZZ_$(p):%=$(B)/fuzz/judges/%.d) \
	$(FUZZED_$(p):%.c=$(B)/fuzz/led/%.d))
