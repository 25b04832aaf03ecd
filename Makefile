# SPDX-License-Identifier: Apache-2.0
# The words people type, in front of meson.  BUILD=dir builds elsewhere.
BUILD ?= build
MESON_FLAGS ?=

.PHONY: all deps demo check install bench clean format
all: $(BUILD)/build.ninja
	@ninja -C $(BUILD)

$(BUILD)/build.ninja: | deps
	@meson setup $(BUILD) $(MESON_FLAGS)

# Say what is missing, then install it (Debian and Ubuntu).
deps:
	@tools/deps.sh

demo: all
	@examples/demo/run.sh $(BUILD)

check: all
	@tools/check.sh $(BUILD)

install: all
	@meson install -C $(BUILD)

format:
	@tools/format.sh --fix

clean:
	@rm -rf $(BUILD)
