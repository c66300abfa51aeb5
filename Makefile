# simple-container: `make demo` shows it, `make check` tests it, `make install` puts it under PREFIX

PREFIX ?= /usr/local
DESTDIR ?=
SANITIZE ?=
JOBS ?= $(or $(patsubst -j%,%,$(filter -j%,$(MAKEFLAGS))),1)

CFLAGS ?= -O2
WARNINGS = -std=c11 -D_GNU_SOURCE -Wall -Wextra -Wshadow -Werror

ifeq ($(SANITIZE),)
BUILD = build
# the list of the OpenSSF compiler guide, as far as gcc 8 and clang 11 both know it
HARDENING = -fstack-protector-strong -fPIE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
# no symbols (-s): each container keeps a copy of sc-clone in memory, see helpers/seal.h
HARDENED_LINK = -Wl,-z,relro,-z,now,-z,noexecstack -s
# the first that links: a static helper starts in half the time and loads no library a container brought
LINK = -static-pie -static -pie
else
BUILD = build-asan
HARDENING = -fPIE -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined
LINK = -pie
endif

helpers := $(patsubst helpers/%.c,%,$(wildcard helpers/sc-*.c))
headers := $(wildcard helpers/*.h)
pages := $(wildcard man/*.[1-8])
suite := $(sort $(wildcard tests/bats/*.bats))
profile := $(wildcard helpers/seccomp/default.profile)

LIBS_sc-clone = -lcap
LIBS_sc-nsexec = -lcap
LIBS_sc-archive = -lcap
LIBS_sc-ipam = -lsqlite3 -lm -lpthread -ldl
LIBS_sc-seccomp = -lseccomp

all: $(helpers:%=$(BUILD)/%) $(if $(profile),$(BUILD)/seccomp.bpf)

# the flags are part of what a helper is made of
stamp := $(BUILD)/flags
flags := $(CC) $(CFLAGS) $(HARDENING) $(HARDENED_LINK) $(WARNINGS) $(LINK) $(LDFLAGS)
$(stamp): FORCE
	@mkdir -p $(BUILD)
	@echo '$(flags)' | cmp -s - $@ || echo '$(flags)' >$@

define helper
	@echo '  CC  $@'
	@$(CC) $(CFLAGS) $(HARDENING) $(WARNINGS) -c -o $@.o $<
	@for how in $(LINK); do \
		$(CC) $(CFLAGS) $(HARDENING) $(HARDENED_LINK) $$how $(LDFLAGS) -o $@ $@.o $(LIBS_$(@F)) 2>$@.link && exit 0; \
	done; cat $@.link >&2; exit 1
	@rm -f $@.o $@.link
endef

$(BUILD)/sc-seccomp: helpers/seccomp/sc-seccomp.c $(headers) $(wildcard helpers/seccomp/*.h) $(stamp)
	$(helper)

$(BUILD)/sc-%: helpers/sc-%.c $(headers) $(stamp)
	$(helper)

$(BUILD)/seccomp.bpf: $(profile) $(BUILD)/sc-seccomp
	@echo '  BPF $@'
	@$(BUILD)/sc-seccomp $(profile) $@.new
	@mv $@.new $@

deps:
	./deps.sh run build

demo:
	./deps.sh run build
	$(MAKE) all
	labs/demo.sh

# made outside the sandbox, which has no network; where there is none its test is skipped and says so
$(BUILD)/debian.tar: images/debian.sh
	rm -rf $@.root
	images/debian.sh $(CURDIR)/$@.root && tar -C $@.root --numeric-owner -cf $@.new . && mv $@.new $@; \
	status=$$?; rm -rf $@.root $@.new; exit $$status

check:
	./deps.sh run build test
	$(MAKE) all
	@[ -e build/debian.tar ] || timeout 300 $(MAKE) -s build/debian.tar >build/debian.log 2>&1 || \
		echo 'no Debian image could be made (build/debian.log): the test on it will be skipped'
	JOBS=$(JOBS) tests/run $(suite)

check-asan:
	./deps.sh run build test
	$(MAKE) all SANITIZE=1
	JOBS=$(JOBS) SC_HELPERS=$(CURDIR)/build-asan tests/run $(suite)

check-shells:
	./deps.sh run build test
	$(MAKE) all
	failed=; for shell in dash bash ash; do \
		echo "== /bin/sh is $$shell"; \
		JOBS=$(JOBS) SC_TEST_SH=$$shell tests/run $(suite) || failed="$$failed $$shell"; \
	done; [ -z "$$failed" ] || { echo "failed with:$$failed" >&2; exit 1; }

# the files of tests/vm/files on a kernel of a distribution, with control groups of version 2 only
check-vm:
	./deps.sh run build
	./deps.sh vm || echo 'not all there for the machine: its tests will be skipped'
	$(MAKE) all
	JOBS=2 tests/vm/run

lint:
	./deps.sh build lint
	tests/lint/all

bench: all
	./deps.sh run bench
	tests/sandbox tests/bench/run
	tests/bench/ipam
	tests/sandbox tests/bench/network

# the installed tree is the checkout without what only development needs
tree = $(DESTDIR)$(PREFIX)/lib/scadm
mandir = $(DESTDIR)$(PREFIX)/share/man
units = $(DESTDIR)$(PREFIX)/lib/systemd/system
completions = $(DESTDIR)$(PREFIX)/share/bash-completion/completions

install: all
	install -d $(tree)/bin $(tree)/lib $(tree)/images $(tree)/build $(DESTDIR)$(PREFIX)/bin
	install -m 755 $(wildcard bin/*) $(tree)/bin
	install -m 644 lib.sh $(wildcard VERSION) $(tree)
	install -m 755 deps.sh $(tree)
	install -d $(units)
	install -m 644 $(wildcard systemd/*.service) $(units)
	install -m 755 openrc/scadm $(tree)/openrc-scadm
	$(if $(wildcard lib/*.sh),install -m 644 $(wildcard lib/*.sh lib/*.awk lib/*.sql) $(tree)/lib)
	$(if $(wildcard images/*),install -m 755 $(wildcard images/*) $(tree)/images)
	install -m 755 $(helpers:%=$(BUILD)/%) $(tree)/build
	$(if $(profile),install -m 644 $(BUILD)/seccomp.bpf $(tree)/build)
	ln -sfn ../lib/scadm/bin/scadm $(DESTDIR)$(PREFIX)/bin/scadm
	for page in $(pages); do \
		install -d $(mandir)/man$${page##*.} && \
		install -m 644 $$page $(mandir)/man$${page##*.} || exit; \
	done
	$(if $(wildcard completion/scadm.bash),install -d $(completions))
	$(if $(wildcard completion/scadm.bash),install -m 644 completion/scadm.bash $(completions)/scadm)

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/scadm $(completions)/scadm $(patsubst systemd/%,$(units)/%,$(wildcard systemd/*.service))
	for page in $(notdir $(pages)); do rm -f $(mandir)/man$${page##*.}/$$page || exit; done
	rm -rf $(tree)

clean:
	rm -rf build build-asan

FORCE:
.PHONY: all deps demo check check-asan check-shells check-vm lint install uninstall bench clean FORCE
.DELETE_ON_ERROR:
