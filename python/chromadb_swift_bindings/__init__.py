"""The native engine: the extension `_chroma`, libchroma beside it, and a door for official Chroma.

Nothing here imports `chromadb`, except for the classes of its errors, when the first one is raised.
So the engine serves whichever package of that name is installed: ours, which calls `_chroma`, and
official's, which imports `chromadb_rust_bindings` and gets `rust_bindings` under that name after:

    import chromadb_swift_bindings
    chromadb_swift_bindings.install()
    import chromadb
"""

import sys

_OFFICIAL_NAME = "chromadb_rust_bindings"


def install() -> None:
    """Makes the official `chromadb` package run on this engine, in this process.

    To be called before that package is imported; a second call does nothing. Raises ImportError
    where the package already has its own engine.
    """
    from chromadb_swift_bindings import rust_bindings

    present = sys.modules.setdefault(_OFFICIAL_NAME, rust_bindings)
    if present is not rust_bindings:
        raise ImportError(
            f"chromadb has already been imported, with its own engine ({_OFFICIAL_NAME} from "
            f"{present.__file__}). Call chromadb_swift_bindings.install() before the first import "
            "of chromadb."
        )
