# make demo   the main job, from beginning to end, on this machine alone. STAY=1 keeps it running for you to go on;
#             STAY=1 BROWSER=chromium shows its pages in a real browser, with a virtual authenticator
# make test   everything: installs what the tests need, builds, tests
# make packages       .deb, .rpm, archive and installer, into target/packages; a quarter of an hour on two quiet cores
# make packages-test  installs, uses, upgrades and removes them, in a mount namespace of its own; needs root
# make pages          writes anew what is made from the programs: man pages, completions, docs/settings-reference.md and its schemas
# make tables         writes anew the table of sources and clients in docs/clients.md
# make walk           what README says, done in a fresh home from a clone, and recorded; minutes
# make audit          licences, sources and known faults of every crate
# Plain `cargo test` needs nothing installed and runs all that can run without.

CARGO ?= cargo
TEST  := --features tegata-tests/system
# Stories wait more than they compute.
export RUST_TEST_THREADS ?= $(shell echo $$((2 * $$(nproc))))
# A test that hangs ends after a quarter of an hour, and the others are run.
BOUND := --config 'target."cfg(unix)".runner=["timeout", "--kill-after=10", "900"]'

.PHONY: book audit bench build clients demo fmt lint packages packages-test pages pictures screens tables test test-root toolchain walk

demo: toolchain
	$(CARGO) build --quiet -p tegata-daemon -p tegata-cli -p tegata-tests --bins
	@$${CARGO_TARGET_DIR:-target}/debug/demo
ifneq (,$(and $(STAY),$(findstring chrom,$(BROWSER))))
demo: clients
endif

test: toolchain clients build
	$(CARGO) test $(BOUND) --workspace --no-fail-fast $(TEST)
	@if [ "$$(id -u)" = 0 ]; then $(MAKE) --no-print-directory test-root; \
	else echo "not root: the stories with another user are left out; run: sudo make test-root"; fi

# Stories that need root: another user, sockets of others.
test-root: toolchain build
	$(CARGO) test $(BOUND) --workspace --no-fail-fast $(TEST),tegata-tests/root --test 'root_*'

bench: toolchain clients
	tests/bench/run

# Every state of the approval page, and the terminals, for the documentation.
pictures: screens
	TEGATA_PICTURES=$(CURDIR)/docs/pictures $(CARGO) test -p tegata-tests $(TEST) --test page

# The terminals alone: seconds. A test compares them.
screens: toolchain clients build
	TEGATA_PICTURES=$(CURDIR)/docs/pictures $(CARGO) test -p tegata-tests $(TEST) --test terminal_pictures

# From a clone to a served tool by README's own commands, in a fresh home; writes what it saw into docs/recordings and docs/pictures.
# It builds a release: minutes the first time.
walk: toolchain clients
	$(CARGO) test -p tegata-tests $(TEST) --test readme_walk -- --ignored --nocapture

# docs/ as a book, in target/book. Needs mdbook: cargo install --locked mdbook --version 0.5.4
book:
	mdbook build

# The programs that stories run, and the daemon with fail points under a name of its own. With the features of the tests: what both need
# is compiled once.
build:
	$(CARGO) build --workspace --bins $(TEST)
	$(CARGO) build --workspace $(TEST),tegata-daemon/failpoints --bin tegatad-failpoints

clients:
	tests/clients/install

# What is seen of each source with each client; a test compares it.
tables: clients build
	TEGATA_TABLES=1 $(CARGO) test -p tegata-tests $(TEST) --test sources

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
	TEGATA_PAGES=1 $(CARGO) test --quiet -p tegata-daemon --lib settings::reference
	TEGATA_PAGES=1 $(CARGO) test --quiet -p tegata-daemon --lib settings::reference

audit:
	packaging/tools cargo-deny
	packaging/audit
