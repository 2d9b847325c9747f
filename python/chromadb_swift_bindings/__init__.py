"""The native engine: the extension `_chroma`, and libchroma beside it.

Nothing here imports `chromadb`, except for the classes of its errors, when the first one is raised.
"""
