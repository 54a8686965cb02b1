# make demo   the main job, from beginning to end, on this machine alone. STAY=1 keeps it running for you to go on;
#             STAY=1 BROWSER=chromium shows its pages in a real browser, with a virtual authenticator
# make test   everything: installs what the tests need, builds, tests
# make packages       .deb, .rpm, archive and installer, into target/packages; a quarter of an hour on two quiet cores
# make packages-test  installs, uses, upgrades and removes them, in a mount namespace of its own; needs root
# make pages          writes the man pages and completions anew from the command line's own description
# make audit          licences, sources and known faults of every crate
# Plain `cargo test` needs nothing installed and runs all that can run without.

CARGO ?= cargo
TEST  := --features tegata-tests/system

.PHONY: book audit bench build clients demo fmt lint packages packages-test pages pictures test test-root toolchain

demo: toolchain
	$(CARGO) build --quiet -p tegata-daemon -p tegata-cli -p tegata-tests --bins
	@$${CARGO_TARGET_DIR:-target}/debug/demo
ifneq (,$(and $(STAY),$(findstring chrom,$(BROWSER))))
demo: clients
endif

test: toolchain clients build
	$(CARGO) test --workspace --no-fail-fast $(TEST)
	@if [ "$$(id -u)" = 0 ]; then $(MAKE) --no-print-directory test-root; \
	else echo "not root: the stories with another user are left out; run: sudo make test-root"; fi

# Stories that need root: another user, sockets of others.
test-root: toolchain build
	$(CARGO) test -p tegata-tests --no-fail-fast --features tegata-tests/system,tegata-tests/root --test 'root_*'

bench: toolchain clients
	tests/bench/run

# Every state of the approval page, for the documentation.
pictures: toolchain clients
	TEGATA_PICTURES=$(CURDIR)/docs/pictures $(CARGO) test -p tegata-tests $(TEST) --test page

# docs/ as a book, in target/book. Needs mdbook: cargo install mdbook
book:
	mdbook build

# The programs that stories run, and the daemon with fail points under a name of its own.
build:
	$(CARGO) build --workspace --bins
	$(CARGO) build -p tegata-daemon --features failpoints --bin tegatad-failpoints

clients:
	tests/clients/install

lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets $(TEST),tegata-tests/root,tegata-tests/packages -- -D warnings

fmt:
	$(CARGO) fmt --all

toolchain:
	@tests/toolchain

packages: toolchain
	packaging/make-packages

# Not in `make test`: it builds releases.
packages-test: toolchain clients build
	packaging/debian-packages
	packaging/make-packages
	packaging/previous
	$(CARGO) test -p tegata-tests --no-fail-fast --features tegata-tests/system,tegata-tests/packages --test 'package_*'

pages:
	TEGATA_PAGES=1 $(CARGO) test --quiet -p tegata-cli --bin tegata commands::pages

audit:
	packaging/tools cargo-deny
	packaging/audit
