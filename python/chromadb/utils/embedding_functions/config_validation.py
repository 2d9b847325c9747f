"""What a stored configuration of an embedding function must not ask for.

A configuration comes from the database, and so perhaps from somebody else: from whoever wrote to
the server, or sent the directory. Building a function from it must not run code that it names.
"""

from __future__ import annotations

from typing import Any, Final

# Functions that hand keyword arguments of their configuration to a library that loads models.
_MODEL_LOADERS: Final = frozenset(
    {"bm25", "fastembed_sparse", "huggingface_sparse", "sentence_transformer"}
)

# Arguments that let a model bring code of its own, which the library then runs.
_UNSAFE_ARGUMENTS: Final = frozenset({"trust_remote_code"})


def validate_embedding_function_kwargs_are_safe(kwargs: Any) -> None:
    """Refuses keyword arguments that let a model run code, at any depth. Raises ValueError."""
    waiting = [kwargs]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            unsafe = _UNSAFE_ARGUMENTS.intersection(value)
            if unsafe:
                raise ValueError(
                    f"{min(unsafe)} is not allowed as a kwarg of a stored embedding function: it "
                    "would let the stored configuration run code of its choice. Where you trust "
                    "it, make the function yourself, and pass it when you open the collection."
                )
            waiting.extend(value.values())
        elif isinstance(value, (list, tuple)):
            waiting.extend(value)


def validate_embedding_function_config_is_safe(name: str, config: Any) -> None:
    """Refuses a stored configuration with which building the function could run foreign code."""
    if name in _MODEL_LOADERS and isinstance(config, dict):
        validate_embedding_function_kwargs_are_safe(config.get("kwargs"))
