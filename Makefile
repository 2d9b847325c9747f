# The commands of this repository. Each installs what it needs and is missing.

.PHONY: demo

# The whole job on real input: 10,000 glosses of WordNet embedded, stored, searched, killed with
# SIGKILL and proved to be there. DEMO_COUNT=1000 stores fewer.
demo:
	scripts/install-debian-packages gcc libc6-dev python3-dev python3-venv \
	  libsqlite3-dev libpcre2-dev wordnet-base
	scripts/make-demo-venv build/demo-venv
	CHROMA_MODEL_DIR=$(CURDIR)/build/models \
	  build/demo-venv/bin/python examples/demo/demo.py build/demo
