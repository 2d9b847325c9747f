"""The functions that servers run over collections; see `Collection.attach_function`."""

from __future__ import annotations

from enum import Enum


class Function(str, Enum):
    """A function by the name that servers know it by."""

    STATISTICS = "statistics"
    RECORD_COUNTER = "record_counter"
    # No server has this one: it is there for tests of what happens then.
    _NONEXISTENT_TEST_ONLY = "nonexistent_function"


STATISTICS_FUNCTION = Function.STATISTICS
RECORD_COUNTER_FUNCTION = Function.RECORD_COUNTER
