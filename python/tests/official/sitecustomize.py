"""Imported by every process of a run of official's tests when it starts: chooses what is tested.

CHROMA_SUITE_KIND says what that is:

* `official`: official's package on its own engine;
* `bindings`: official's package on our engine;
* `ours`: our package, with official's tests inside and stubs where they import its server.

CHROMA_SUITE_OURS is the folder that has our packages, CHROMA_SUITE_TESTS that of official's tests.
"""

from __future__ import annotations

import os
import sys

KIND = os.environ["CHROMA_SUITE_KIND"]
OURS = os.environ["CHROMA_SUITE_OURS"]

if KIND == "bindings":
    sys.path.append(OURS)
    import chromadb_swift_bindings

    chromadb_swift_bindings.install()
elif KIND == "ours":
    sys.path.insert(0, OURS)
    import stubs

    stubs.install(os.environ["CHROMA_SUITE_TESTS"])
