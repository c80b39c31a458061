# Thin: each target installs what is missing, builds, and runs.
BUILD ?= build
export PROTEOS_BUILD := $(abspath $(BUILD))

.PHONY: all demo check bench clean packages
all: packages
	@[ -f $(BUILD)/build.ninja ] || { echo "Building for the first time..."; meson setup $(BUILD) >/dev/null; }
	@ninja -C $(BUILD) --quiet

demo: all    # KEEP=1 leaves the system running
	@scripts/demo $(if $(KEEP),--keep)

check: all   # REQUIRE=tap makes tests that need a TAP device fail where they would be skipped
	@scripts/check

bench: all
	@bench/run

clean:
	rm -rf build build-clang

packages:
	@scripts/install-packages.sh
