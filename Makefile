# A short front for CMake and ctest; everything it does can be typed by hand.
PRESET ?= release

.PHONY: build check demo format clean
build:
	@tools/ci/need build
	@cmake --preset $(PRESET)
	@cmake --build --preset $(PRESET)

# All tests, as .ci/run calls them.
check:
	@./check

demo:
	@./demo

format:
	@tools/ci/format --fix

clean:
	rm -rf build
