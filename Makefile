# SPDX-License-Identifier: Apache-2.0
# The words people type, in front of meson.  BUILD=dir builds elsewhere.
BUILD ?= build
MESON_FLAGS ?=

.PHONY: all deps demo check install bench clean format texts
all: $(BUILD)/build.ninja
	@ninja -C $(BUILD)

$(BUILD)/build.ninja: | deps
	@meson setup $(BUILD) $(MESON_FLAGS)

# Say what is missing, then install it (Debian and Ubuntu).
deps:
	@tools/deps.sh

demo: all
	@examples/demo/run.sh $(BUILD)

# Side by side with the PyTorch of $PYTHON, into docs/benchmarks/; an hour or more.
# BENCH_FLAGS='--only infer --rounds 1' for less.
bench: all
	@python3 tools/bench/side_by_side.py $(BUILD) $(BENCH_FLAGS)

check: all
	@tools/check.sh $(BUILD)

install: all
	@meson install -C $(BUILD)

# Collect texts for translators: docs/translating.md.
texts: all
	@tools/translations.sh $(BUILD)

format:
	@tools/format.sh --fix

clean:
	@rm -rf $(BUILD)
