"""The kill loop: writers are killed with SIGKILL, over and over; what they acknowledged must stay.

    python -m rigs.kill_loop --kills 300 --seed 1        from python/tests
    python -m rigs.kill_loop --kills 300 --seed 1 --size large
    python -m rigs.kill_loop --python PYTHON --writers 1 --kills 40 --seed 1

PYTHON may be the interpreter of an environment with official Chroma; there the loop fails after
some tens of kills, which shows that it can fail.

A round starts one to four writers on one directory, each of which acknowledges on a pipe what
returned, and kills them at a random moment: while writing, while opening, or while closing. Then a
fresh process opens the directory, twice. The model judges:

  * every open succeeds, and finds the same both times;
  * each writer's records are as the model says after its last acknowledged step, or after the one
    step that was under way: a batch is there as a whole or not at all;
  * every record is found by its own vector, in an index too;
  * when one writer is killed, the others go on.
"""

from __future__ import annotations

import argparse
import copy
import json
import random
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from model import ModelCollection

from . import workload

CHILD = Path(__file__).with_name("child.py")
#: A process that says nothing for so long hangs. Generous: the machine may be busy.
SILENCE_SECONDS_MAX = 120.0


class Failure(AssertionError):
    pass


class Writer:
    """One writing process, and what it has acknowledged."""

    def __init__(self, loop: KillLoop, number: int, step_count: int):
        self.number = number
        self.first_step = loop.next_steps[number]
        self.acknowledged_step = self.first_step - 1
        self.lines: list[str] = []
        arguments = [loop.seed, number, self.first_step, step_count, loop.size, loop.defect]
        self.process = subprocess.Popen(
            [loop.python, str(CHILD), "write", loop.directory, *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
        )
        self.unread = b""

    def read(self, seconds_max: float = SILENCE_SECONDS_MAX) -> str | None:
        """The next line; empty when the process has ended, None when it says nothing."""
        while b"\n" not in self.unread:
            with selectors.DefaultSelector() as selector:
                selector.register(self.process.stdout, selectors.EVENT_READ)
                if not selector.select(seconds_max):
                    return None
            arrived = self.process.stdout.read(65536)
            if not arrived:
                return ""  # A line cut short by the kill is none.
            self.unread += arrived
        line, self.unread = self.unread.split(b"\n", 1)
        self.lines.append(line.decode())
        if line.isdigit():
            self.acknowledged_step = int(line)
        return self.lines[-1]

    def take_what_was_said(self) -> None:
        while self.read(seconds_max=0):
            pass

    def read_until(self, awaited: str) -> None:
        """Reads up to a certain line, or up to the first acknowledgement."""
        while True:
            line = self.read()
            if line is None:
                raise Failure(f"writer {self.number} says nothing after {self.lines[-1:]}")
            if line == awaited or (awaited == "step" and line.isdigit()):
                return
            if not line:
                raise Failure(f"writer {self.number} ended by itself: {self.errors()}")

    def kill(self) -> bool:
        """Kills it, takes what it had still said, and tells whether it was alive."""
        self.process.send_signal(signal.SIGKILL)
        while self.read():
            pass
        code = self.process.wait()
        if code not in (0, -signal.SIGKILL):
            raise Failure(f"writer {self.number} ended with {code}: {self.errors()}")
        return code == -signal.SIGKILL

    def errors(self) -> str:
        return self.process.stderr.read().decode()[-2000:]


class KillLoop:
    def __init__(
        self,
        directory: str,
        seed: int,
        writer_count: int,
        python: str = sys.executable,
        defect: str = "none",
        size: str = "small",
    ):
        self.directory = directory
        self.seed = seed
        self.python = python
        self.defect = defect
        self.size = size
        self.random = random.Random(seed)
        self.models = [ModelCollection() for _ in range(writer_count)]
        self.next_steps = [0] * writer_count
        self.kill_count = 0
        self.acknowledged_count = 0
        #: Rounds after which the collection had an index.
        self.indexed_count = 0

    def round(self) -> None:
        mode = self.random.choices(["writing", "opening", "closing"], [4, 1, 1])[0]
        if self.kill_count == 0:
            mode = "writing"  # So that there is something to lose.
        # Whoever is to be killed while closing comes to its end soon; the others never do.
        step_count = self.random.randint(1, 4) if mode == "closing" else 1_000_000
        writers = [Writer(self, number, step_count) for number in range(len(self.models))]
        try:
            awaited = {"writing": "step", "opening": "opening", "closing": "closing"}[mode]
            for writer in writers:
                writer.read_until(awaited)
            writing_seconds_max = 0.3 if self.size == "small" else 1.5
            self.wait(writing_seconds_max if mode == "writing" else 0.05)
            if mode == "writing" and len(writers) > 1:
                self.kill_one_and_see_the_others_go_on(writers)
            for writer in writers:
                if writer.process.returncode is None:
                    self.kill_count += writer.kill()
        finally:
            for writer in writers:
                writer.process.kill()
                writer.process.wait()
                writer.process.stdout.close()
                writer.process.stderr.close()
        self.judge(writers)

    def wait(self, seconds_max: float) -> None:
        time.sleep(self.random.uniform(0, seconds_max))

    def kill_one_and_see_the_others_go_on(self, writers: list[Writer]) -> None:
        victim = self.random.choice(writers)
        self.kill_count += victim.kill()
        for writer in writers:
            if writer is not victim:
                writer.take_what_was_said()
                # The first of these may have been under way; the second began after the kill.
                writer.read_until("step")
                writer.read_until("step")

    def judge(self, writers: list[Writer]) -> None:
        first, second = self.look()
        self.indexed_count += all([seen.pop("is_indexed") for seen in (first, second)])
        for seen in (first, second):
            if seen["lost"]:
                raise Failure(f"not found by their own vector: {seen['lost'][:5]}")
            if seen["count"] != len(seen["rows"]):
                raise Failure(f"count() is {seen['count']}, get() finds {len(seen['rows'])}")
        if first != second:
            raise Failure("a second opening finds something else")
        for writer in writers:
            self.judge_writer(writer, first["rows"])

    def judge_writer(self, writer: Writer, rows: list) -> None:
        """Takes the model to what was acknowledged, and to the step under way if that is there."""
        model = self.models[writer.number]
        for number in range(writer.first_step, writer.acknowledged_step + 1):
            self.apply(model, writer.number, number)
            self.acknowledged_count += 1
        self.next_steps[writer.number] = writer.acknowledged_step + 1
        mine = [row for row in rows if row[0].startswith(workload.prefix(writer.number))]
        if mine == contents(model):
            return
        extended = copy.deepcopy(model)
        self.apply(extended, writer.number, writer.acknowledged_step + 1)
        if mine == contents(extended):
            self.models[writer.number] = extended
            self.next_steps[writer.number] += 1
            return
        raise Failure(
            f"writer {writer.number} acknowledged steps up to {writer.acknowledged_step}; "
            + first_difference(contents(model), mine)
        )

    def apply(self, model: ModelCollection, writer: int, number: int) -> None:
        call = workload.step(self.seed, writer, number, self.size)
        getattr(model, call["do"])(**call["with"])

    def look(self) -> list[dict]:
        """What a fresh process finds, opening the directory twice."""
        with tempfile.TemporaryDirectory() as folder:
            output = Path(folder, "seen.json")
            process = subprocess.run(
                [self.python, str(CHILD), "check", self.directory, str(output)],
                capture_output=True,
                text=True,
                timeout=SILENCE_SECONDS_MAX * 3,
            )
            if process.returncode != 0:
                raise Failure(
                    f"reopening: exit code {process.returncode}: {process.stderr[-2000:]}"
                )
            return json.loads(output.read_text())


def contents(model: ModelCollection) -> list:
    """The rows of a model in the form in which the checker writes them."""
    return [
        [identifier, record.embedding.astype(float).tolist(), record.document, record.metadata]
        for identifier, record in model.records.items()
    ]


def first_difference(expected: list, found: list) -> str:
    wanted, present = {row[0]: row for row in expected}, {row[0]: row for row in found}
    if absent := [identifier for identifier in wanted if identifier not in present]:
        return f"{len(absent)} records are missing, {absent[0]} for one"
    if extra := [identifier for identifier in present if identifier not in wanted]:
        return f"{len(extra)} records of a batch that is not whole, {extra[0]} for one"
    for identifier, row in wanted.items():
        if present[identifier] != row:
            return f"{identifier} is {present[identifier]!r:.300}, not {row!r:.300}"
    return "the records stand in another order"


def run(
    kill_count: int,
    seed: int,
    writer_count: int,
    python: str = sys.executable,
    defect: str = "none",
    size: str = "small",
    log=lambda text: None,
) -> KillLoop:
    """Kills until the count is reached. A failure names the seed and keeps the directory."""
    directory = tempfile.mkdtemp(prefix="chroma-kill-loop-")
    loop = KillLoop(directory, seed, writer_count, python, defect, size)
    while loop.kill_count < kill_count:
        try:
            loop.round()
        except Failure as failure:
            place = f"seed {seed}, {writer_count} writers, kill {loop.kill_count}, in {directory}"
            raise Failure(f"{place}: {failure}") from None
        log(f"{loop.kill_count} kills, {loop.acknowledged_count} calls acknowledged")
    shutil.rmtree(directory)
    return loop


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--writers", type=int, default=1)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--size", default="small", choices=workload.SIZES)
    options = parser.parse_args()
    run(options.kills, options.seed, options.writers, options.python, size=options.size, log=print)
