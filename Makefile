# A short front for CMake and ctest; everything it does can be typed by hand.
PRESET ?= release

.PHONY: build profiled check demo format clean
build:
	@tools/ci/need build
	@cmake --preset $(PRESET)
	@cmake --build --preset $(PRESET)

# The engine built with a profile of its own work: minutes more, once per machine; prepares faster.
profiled:
	@$(MAKE) build PRESET=profiled

# All tests, as .ci/run calls them.
check:
	@./check

demo:
	@./demo

format:
	@tools/ci/format --fix

clean:
	rm -rf build
