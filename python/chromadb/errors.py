"""What can go wrong, one class a kind.

Each class knows the HTTP status of its kind (`code`) and the name it has on the wire (`name`).
Every class is built from one sentence, so that the native engine can raise any of them.
"""

from __future__ import annotations


class ChromaError(Exception):
    """The base of every error that Chroma raises by a class of its own.

    `trace_id` is what the server calls the request that failed, where it says so.
    """

    trace_id: str | None = None

    def code(self) -> int:
        """The HTTP status of this kind of error."""
        return 400

    def message(self) -> str:
        """The sentence that says what went wrong."""
        return ", ".join(str(arg) for arg in self.args)

    @staticmethod
    def name() -> str:
        """The name of this kind of error on the wire."""
        return "ChromaError"


class InvalidDimensionException(ChromaError):
    @staticmethod
    def name() -> str:
        return "InvalidDimension"


class IDAlreadyExistsError(ChromaError):
    def code(self) -> int:
        return 409

    @staticmethod
    def name() -> str:
        return "IDAlreadyExists"


class ChromaAuthError(ChromaError):
    def code(self) -> int:
        return 403

    def message(self) -> str:
        return "Forbidden"

    @staticmethod
    def name() -> str:
        return "AuthError"


class DuplicateIDError(ChromaError):
    @staticmethod
    def name() -> str:
        return "DuplicateID"


class InvalidArgumentError(ChromaError):
    @staticmethod
    def name() -> str:
        return "InvalidArgument"


class InvalidUUIDError(ChromaError):
    @staticmethod
    def name() -> str:
        return "InvalidUUID"


class InvalidHTTPVersion(ChromaError):
    @staticmethod
    def name() -> str:
        return "InvalidHTTPVersion"


class AuthorizationError(ChromaError):
    def code(self) -> int:
        return 401

    @staticmethod
    def name() -> str:
        return "AuthorizationError"


class NotFoundError(ChromaError):
    def code(self) -> int:
        return 404

    @staticmethod
    def name() -> str:
        return "NotFoundError"


class UniqueConstraintError(ChromaError):
    def code(self) -> int:
        return 409

    @staticmethod
    def name() -> str:
        return "UniqueConstraintError"


class BatchSizeExceededError(ChromaError):
    def code(self) -> int:
        return 413

    @staticmethod
    def name() -> str:
        return "BatchSizeExceededError"


class VersionMismatchError(ChromaError):
    def code(self) -> int:
        return 500

    @staticmethod
    def name() -> str:
        return "VersionMismatchError"


class InternalError(ChromaError):
    def code(self) -> int:
        return 500

    @staticmethod
    def name() -> str:
        return "InternalError"


class RateLimitError(ChromaError):
    def code(self) -> int:
        return 429

    @staticmethod
    def name() -> str:
        return "RateLimitError"


class QuotaError(ChromaError):
    @staticmethod
    def name() -> str:
        return "QuotaError"


# The body of an HTTP error names its class by these keys. InvalidArgument is the one whose key is
# not its name().
error_types: dict[str, type[ChromaError]] = {
    cls.name(): cls
    for cls in (
        InvalidDimensionException,
        IDAlreadyExistsError,
        DuplicateIDError,
        ChromaAuthError,
        InvalidUUIDError,
        InvalidHTTPVersion,
        AuthorizationError,
        NotFoundError,
        UniqueConstraintError,
        BatchSizeExceededError,
        VersionMismatchError,
        InternalError,
        RateLimitError,
        QuotaError,
        ChromaError,
    )
} | {"InvalidArgumentError": InvalidArgumentError}
