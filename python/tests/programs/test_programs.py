"""Promise: programs that use the public API as its users do pass `mypy --strict`.

They are here, one for each part of the API, and are checked, not run. Official Chroma's own types
refuse some of their lines, such as `where={"kind": {"$ne": "owl"}}`; ours accept all.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mypy", reason="mypy is not installed")

HERE = Path(__file__).parent
PROGRAMS = sorted(path.name for path in HERE.glob("*.py") if path != Path(__file__))


def test_programs_of_users_pass_the_strict_type_checker(tmp_path: Path) -> None:
    assert len(PROGRAMS) >= 5
    paths = os.pathsep.join(path for path in sys.path if path)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "mypy", "--strict", "--no-error-summary"),
            *("--cache-dir", str(tmp_path), *PROGRAMS),
        ],
        cwd=HERE,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": paths},
    )
    assert (done.stdout, done.returncode) == ("", 0)
