# SPDX-License-Identifier: MIT
#
# Tidemark: the userspace program, the kernel module, and their tests.
# `make help` lists what can be asked for.

VERSION := 0.1.0
B       := build

CC       ?= gcc
CFLAGS   ?= -O2 -g
WARN     := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes \
	    -Wmissing-prototypes -Wvla
LIBS     := libcurl libcrypto jansson expat inih popt liburing devmapper \
	    blkid
PKG_CFLAGS := $(shell pkg-config --cflags $(LIBS))
PKG_LIBS   := $(shell pkg-config --libs $(LIBS))
ALL_CFLAGS  = -std=gnu11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 \
	      -DTIDEMARK_VERSION='"$(VERSION)"' -Iuserspace -Ikmod \
	      $(WARN) $(PKG_CFLAGS) $(CFLAGS)

LAYERS  := model port engine cli
SRC     := $(sort $(wildcard $(LAYERS:%=userspace/%/*.c))) \
	   $(wildcard kmod/format.c)
OBJ     := $(SRC:%.c=$(B)/%.o)
LIBOBJ  := $(filter-out $(B)/userspace/cli/main.o,$(OBJ))

# The same objects with sanitizers, for the unit tests.
SANFLAGS := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all \
	    -fno-omit-frame-pointer
SANOBJ   := $(LIBOBJ:$(B)/%=$(B)/san/%)
UNIT     := $(patsubst tests/unit/%.c,$(B)/unit/%,\
	      $(sort $(wildcard tests/unit/test_*.c)))

# Programs that run in guests, tests/vm/tools: one each, and what they share.
VMTOOLS  := $(patsubst tests/vm/tools/%.c,$(B)/tests/%,\
	      $(sort $(wildcard tests/vm/tools/*.c)))
VMLIBOBJ := $(patsubst %.c,$(B)/%.o,$(sort $(wildcard tests/vm/tools/lib/*.c)))

.PHONY: all unit vmtools clean help
all: $(B)/tidemark	## the program

$(B)/tidemark: $(OBJ)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(PKG_LIBS)

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(B)/san/%.o: CFLAGS = $(SANFLAGS)
$(B)/san/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(B)/unit/%: tests/unit/%.c $(SANOBJ)
	@mkdir -p $(@D)
	$(CC) $(filter-out -O2,$(ALL_CFLAGS)) $(SANFLAGS) -MMD -MP -o $@ $< \
		$(SANOBJ) $(PKG_LIBS) -lcmocka

$(B)/tests/%: $(B)/tests/vm/tools/%.o $(VMLIBOBJ)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -ldevmapper -luring -lpthread

vmtools: $(VMTOOLS)	## the programs that run in guests

unit: $(UNIT)	## the unit tests' programs, under ASan and UBSan

clean:		## remove what was built
	rm -rf $(B)

help:		## this list
	@sed -n 's/^\([a-z-]*\):.*##[ \t]*\(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) \
		| expand -t 20

-include $(VMTOOLS:$(B)/tests/%=$(B)/tests/vm/tools/%.d) $(VMLIBOBJ:.o=.d)
-include $(OBJ:.o=.d) $(SANOBJ:.o=.d) $(UNIT:=.d)
