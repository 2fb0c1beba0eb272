# Two commands do everything: `make dev` runs the whole system, `make test` proves it.
# What a machine lacks is installed by e2e/setup, with a line saying what and why.
SHELL := /bin/bash
TARGET_DIR = $(or $(CARGO_TARGET_DIR),$(shell sed -n 's/^target-dir = "\(.*\)"/\1/p' .cargo/config.toml 2>/dev/null))
# Always the whole workspace: a part of it would be built with other features, and so twice.
CARGO_BUILD = cargo build --locked --workspace

.PHONY: help build dev test check bench vectors contracts-snapshot setup setup-tools clean

help:            ## this list
	@grep -hE '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## */  make \1\t/' | expand -t 26

build: setup     ## builds the program as ./tributary
	$(CARGO_BUILD) --bin tributary
	@ln -f "$(TARGET_DIR)/debug/tributary" tributary 2>/dev/null || cp -f "$(TARGET_DIR)/debug/tributary" tributary

dev: build       ## embedded L1, contracts, sequencer, poster, proposer in one process
	./tributary dev

test: build setup-tools check ## every test: Rust, Solidity, real clients
	e2e/setup/test

check: setup-tools ## formatting, lints, licences, static analysis
	e2e/setup/check

bench: build setup-tools ## load on us and on anvil in one run; writes bench.json
	$(CARGO_BUILD) --bin bench
	"$(TARGET_DIR)/debug/bench" --tributary ./tributary --anvil contracts/node_modules/.bin/anvil --out bench.json

vectors: setup-tools ## writes e2e/vectors anew from the Solidity side
	contracts/tools/vectors

contracts-snapshot: setup-tools ## writes ABI and bytecode snapshots anew
	contracts/tools/snapshot

setup:
	@e2e/setup/rust

setup-tools: setup
	@e2e/setup/tools

clean:           ## removes the built program and the caches of this project
	rm -rf tributary "$(TARGET_DIR)"
