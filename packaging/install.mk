# SPDX-License-Identifier: Apache-2.0
#
#     make install        puts everything into its place; DESTDIR, prefix and the GNU names of
#                         directories say where
#     make uninstall      takes it away again, but for the configuration
#
#     make deb            build/deb/retentiond_*.deb; installs what is missing first
#     make check-deb      builds it twice, which must make no difference, and has lintian look at it
#
# Part of the Makefile.

prefix      ?= /usr/local
exec_prefix ?= $(prefix)
bindir      ?= $(exec_prefix)/bin
sbindir     ?= $(exec_prefix)/sbin
datadir     ?= $(prefix)/share
mandir      ?= $(datadir)/man
docdir      ?= $(datadir)/doc/retentiond

# Wherever the programs are, systemd means these by ConfigurationDirectory= and StateDirectory=, and so
# does the daemon, if nobody tells it otherwise.
sysconfdir    ?= /etc
localstatedir ?= /var

# Where systemd looks below /usr and below /usr/local.
systemdsystemunitdir ?= $(prefix)/lib/systemd/system
sysusersdir          ?= $(prefix)/lib/sysusers.d
tmpfilesdir          ?= $(prefix)/lib/tmpfiles.d
catalogdir           ?= $(prefix)/lib/systemd/catalog

bashcompletiondir ?= $(datadir)/bash-completion/completions
zshcompletiondir  ?= $(datadir)/zsh/$(if $(filter /usr,$(prefix)),vendor-completions,site-functions)
fishcompletiondir ?= $(datadir)/fish/vendor_completions.d

INSTALL ?= install

# --- units --------------------------------------------------------------------------------------

units     := $(patsubst systemd/%,%,$(wildcard $(addprefix systemd/*.,service socket timer)))
units_in  := $(patsubst systemd/%.in,%,$(wildcard systemd/*.in))
units_out := $(addprefix $(out)/systemd/,$(units_in))

substitute := s,@bindir@,$(bindir),g;s,@sbindir@,$(sbindir),g;s,@sysconfdir@,$(sysconfdir),g

$(units_out): $(out)/systemd/%: systemd/%.in $(out)/systemd/substitute
	$(call quiet,GEN,$@)sed '$(substitute)' $< >$@

# Other places than last time write them anew.
$(out)/systemd/substitute: always
	@mkdir -p $(@D)
	@printf '%s\n' '$(substitute)' | cmp -s - $@ || printf '%s\n' '$(substitute)' >$@

# --- what goes where ----------------------------------------------------------------------------

# Rows of MODE|FILE|PLACE.
row  = $(1)|$(2)|$(3)
rows = $(foreach f,$(1),$(call row,$(2),$f,$(3)/$(notdir $f)))

installed := \
	$(call row,755,$(RETENTIOND),$(sbindir)/retentiond) \
	$(call row,755,$(RETENTIONCTL),$(bindir)/retentionctl) \
	$(call rows,$(addprefix systemd/,$(units)) $(units_out),644,$(systemdsystemunitdir)) \
	$(call row,644,systemd/retentiond.sysusers.conf,$(sysusersdir)/retentiond.conf) \
	$(call row,644,systemd/retentiond.tmpfiles.conf,$(tmpfilesdir)/retentiond.conf) \
	$(call row,644,systemd/retentiond.catalog,$(catalogdir)/retentiond.catalog) \
	$(call rows,README.md packaging/restore.md,644,$(docdir)) \
	$(call rows,$(wildcard packaging/examples/sqlite-keeper/*),644,$(docdir)/examples/sqlite-keeper)

# What is installed when it is there. "make man" makes the manual.
manuals    := $(patsubst packaging/man/%.scd,build/man/%,$(wildcard packaging/man/*.scd))
manual_row  = $(call row,644,$(1),$(mandir)/man$(subst .,,$(suffix $(1)))/$(notdir $(1)))

optional := \
	$(foreach m,$(manuals),$(call manual_row,$m)) \
	$(call row,644,packaging/completion/retentionctl.bash,$(bashcompletiondir)/retentionctl) \
	$(call row,644,packaging/completion/retentionctl.zsh,$(zshcompletiondir)/_retentionctl) \
	$(call row,644,packaging/completion/retentionctl.fish,$(fishcompletiondir)/retentionctl.fish) \
	$(call rows,$(addprefix packaging/monitoring/,alerts.yml dashboard.json README.md),644,$(docdir)/monitoring)

# The administrator's from then on: what is there already stays as it is.
configuration := \
	$(call row,644,packaging/retentiond.conf,$(sysconfdir)/retentiond/retentiond.conf) \
	$(call row,644,packaging/50-roles.conf,$(sysconfdir)/retentiond/retentiond.conf.d/50-roles.conf)

# What goes with the last file in them.
own_directories := $(addprefix $(docdir)/,examples/sqlite-keeper examples monitoring) $(docdir) \
                   $(sysconfdir)/retentiond/keepers

# for_rows ROWS,COMMANDS: COMMANDS have $$1 the mode, $$2 the file, $$3 its place.
for_rows = for row in $(foreach r,$(1),'$r'); do \
	(set -f; IFS='|'; set -- $$row; unset IFS; set +f; place="$$DESTDIR$$3"; $(2)) || exit; done

.PHONY: install
install: export DESTDIR := $(DESTDIR)
install: all $(units_out)
	@$(call for_rows,$(installed),$(INSTALL) -D -m "$$1" "$$2" "$$place")
	@$(call for_rows,$(optional),[ ! -e "$$2" ] || $(INSTALL) -D -m "$$1" "$$2" "$$place")
	@$(call for_rows,$(configuration),[ -e "$$place" ] || $(INSTALL) -D -m "$$1" "$$2" "$$place")
	@$(INSTALL) -d -m 755 "$$DESTDIR$(sysconfdir)/retentiond/keepers"
	@chmod 755 "$$DESTDIR$(docdir)/examples/sqlite-keeper/sqlite-keeper"
	@[ -n "$$DESTDIR" ] || echo "Installed. README.md, section Install, has the first steps."

.PHONY: uninstall
uninstall: export DESTDIR := $(DESTDIR)
uninstall:
	@$(call for_rows,$(installed) $(optional),rm -f "$$place")
	@for directory in $(own_directories); do rmdir "$$DESTDIR$$directory" 2>/dev/null || true; done
	@echo "The configuration stays in $$DESTDIR$(sysconfdir)/retentiond, and all data in $(localstatedir)."

# --- the Debian package -------------------------------------------------------------------------

.PHONY: deb
deb:
	@packaging/dependencies.sh build deb
	@packaging/make-deb

.PHONY: check-deb
check-deb:
	@packaging/dependencies.sh build deb
	@tests/support/check-deb.sh
