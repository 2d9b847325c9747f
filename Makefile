# The commands of this repository. Each installs what it needs and is missing.

PREFIX ?= /usr/local
RELEASE = .build/release

.PHONY: demo test test-long node install format benchmark benchmark-index benchmark-filters

# The whole job on real input: 10,000 glosses of WordNet embedded, stored, searched, killed with
# SIGKILL and proved to be there. DEMO_COUNT=1000 stores fewer.
demo:
	scripts/install-debian-packages gcc libc6-dev python3-dev python3-venv \
	  libsqlite3-dev libzstd-dev wordnet-base
	swift build --configuration release --product chroma
	scripts/make-demo-venv build/demo-venv
	CHROMA_MODEL_DIR=$(CURDIR)/build/models \
	  build/demo-venv/bin/python examples/demo/demo.py build/demo

# Every test, at the numbers of every change. TESTS="swift python" runs some suites.
test: test-packages
	scripts/test $(TESTS)

# The same programs with larger numbers, and official Chroma as a live oracle.
test-long: test-packages
	CHROMA_TEST_LONG=1 scripts/test $(TESTS)

.PHONY: test-packages
test-packages:
	scripts/install-debian-packages gcc g++ libc6-dev python3-dev python3-venv pkg-config \
	  clang-format libsqlite3-dev libzstd-dev wordnet-base
	command -v node >/dev/null || scripts/install-debian-packages nodejs
	[ -f /usr/include/node/node_api.h ] || scripts/install-debian-packages libnode-dev

# libchroma, its header and its pkg-config file under PREFIX.
install:
	swift build --configuration release --product chroma --jobs 2
	scripts/install-libchroma $(RELEASE) $(DESTDIR)$(PREFIX) $(PREFIX)

# The Node addon, built in place.
node:
	swift build --configuration release --product chroma --jobs 2
	bindings/node/build.sh $(RELEASE)

# Ours beside official Chroma, call by call: see Benchmarks/compare.py.
BENCHMARK_COUNT ?= 50000
BENCHMARK_PYTHON = build/demo-venv/bin/python

.PHONY: benchmark-data
benchmark-data:
	scripts/install-debian-packages gcc g++ libc6-dev python3-dev python3-venv \
	  libsqlite3-dev libzstd-dev wordnet-base
	swift build --configuration release --product chroma
	scripts/make-demo-venv build/demo-venv
	$(BENCHMARK_PYTHON) Benchmarks/prepare.py --count $(BENCHMARK_COUNT)

benchmark: benchmark-data
	$(BENCHMARK_PYTHON) Benchmarks/compare.py --count $(BENCHMARK_COUNT)

# The vector index alone beside other libraries: see Benchmarks/index.py.
benchmark-index: benchmark-data
	swift build --configuration release --product measure-index
	$(BENCHMARK_PYTHON) Benchmarks/index.py --count $(BENCHMARK_COUNT)

# Filters and texts beside six other databases: see Benchmarks/filters.py.
benchmark-filters: benchmark-data
	$(BENCHMARK_PYTHON) Benchmarks/filters.py --count $(BENCHMARK_COUNT)

format:
	swift format --in-place --recursive Sources Tests Package.swift
	git ls-files -z '*.c' '*.h' '*.cpp' | xargs -0 clang-format -i
