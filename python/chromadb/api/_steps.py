"""Operations as steps, so that a rule stands once for the synchronous and the asynchronous classes.

An operation is a generator: it checks and computes, yields each call that it needs of the server as
a function of that server, is sent the answer, and returns the result. So it knows neither threads
nor event loops. Who runs it decides on both: `carry_out` makes the calls where it stands, and
servers for event loops have a `_carry_out` of their own. What a call raises is raised at its yield.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeVar

if TYPE_CHECKING:
    from chromadb.api._server_api import ServerAPI

Result = TypeVar("Result")
Call: TypeAlias = "Callable[[ServerAPI], Any]"
Steps: TypeAlias = Generator[Call, Any, Result]


class End(NamedTuple):
    """That an operation is over."""

    result: Any


def next_call(steps: Steps[Any], answer: object, failure: BaseException | None) -> Call | End:
    """Goes on with an operation after its last call: what that returned, at first None, or raised.

    Raises what the operation does.
    """
    try:
        return steps.send(answer) if failure is None else steps.throw(failure)
    except StopIteration as end:
        return End(end.value)


def carry_out(
    steps: Steps[Result], server: ServerAPI, before_call: Callable[[], object] | None = None
) -> Result:
    """Runs an operation to its end on this thread. What `before_call` raises ends it."""
    answer, failure = None, None
    try:
        while True:
            found = next_call(steps, answer, failure)
            if isinstance(found, End):
                result: Result = found.result
                return result
            try:
                if before_call is not None:
                    before_call()
                answer, failure = found(server), None
            except BaseException as error:
                answer, failure = None, error
    finally:
        # An error refers to this frame: without a reference back, it goes when its handler ends.
        failure = None
