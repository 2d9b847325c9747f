"""Damage: every file of a directory truncated, zeroed, flipped and removed, at many places.

    python -m rigs.damage --places 250 --seed 1        from python/tests

`--places` is for each file and each of four kinds of damage.

Two directories are spoilt over and over, one that was closed and one whose process was killed. They
hold collections in every form that there is: in segments, in rows of the log, in blobs of the log.
A process that lives long opens one case after the other and looks at every collection; half of the
cases are looked at without mapping files. What is allowed:

  * no death by a signal, and no hanging;
  * an error of ours that names the damaged file, or right answers;
  * a collection that has nothing in the damaged file gives right answers and takes writes;
  * `verify` finds something wherever anything was refused;
  * after `repair` nothing is refused or wrong, a collection that has nothing in the damaged file,
    or was not hurt by the damage, is whole, what is lost is told, the damaged file is kept,
    `verify` finds nothing more, and a second repair does nothing. A catalog that is made again
    from segments brings back what they hold: a record may be as it was before its last change.
    What the log still says of a record whose segment is lost makes a new one, at the end.

One thing cannot be told from a crash: the end of chroma.db-wal, if it is damaged while nobody has
the database open. A WAL that is cut may lose whole commits, newest first; one that is changed, the
newest commit, or the newest two where the damage lies over both.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from chromadb.errors import ChromaError, NotFoundError
from chromadb_swift_bindings import _chroma

from .support import (
    PLACE,
    Failure,
    check,
    collection_id,
    fast_folder,
    files,
    fork,
    options,
    vectors,
)

DIMENSION = 64
PAGE_BYTE_COUNT = 4096
NEWEST = 5  # Commits that stand in the WAL of the killed directory, a record of "small" each.
CASE_SECONDS_MAX = 60


@dataclass
class Records:
    """What a collection holds, in order."""

    ids: list[str] = field(default_factory=list)
    documents: dict[str, str] = field(default_factory=dict)
    vectors: dict[str, np.ndarray] = field(default_factory=dict)
    #: What records were before they were replaced.
    older: dict[str, tuple[str, np.ndarray]] = field(default_factory=dict)


class Template:
    """A directory, what is in it, and which collection has which file."""

    def __init__(self, name: str, folder: Path, seed: int):
        self.name = name
        self.directory = folder / name
        self.source = random.Random(f"{seed}/{name}")
        self.records: dict[str, Records] = {}
        self.owners: dict[str, str] = {}  # By the name of a blob.

    def write(self, engine: _chroma.Engine, collection: str, first: int, count: int) -> None:
        records = self.records.setdefault(collection, Records())
        ids = [f"{collection}-{number}" for number in range(first, first + count)]
        rows = vectors(self.source, count, DIMENSION)
        documents = [f"{self.source.getrandbits(400):x} of {i}" for i in ids]
        identity = collection_id(engine, collection)
        engine.upsert(identity, ids, rows, metadatas(ids), documents, None, *PLACE)
        records.older |= {
            i: (records.documents[i], records.vectors[i]) for i in ids if i in records.documents
        }
        records.ids += [i for i in ids if i not in records.documents]
        records.documents |= zip(ids, documents)
        records.vectors |= zip(ids, rows)
        self.own(collection)

    def delete(self, engine: _chroma.Engine, collection: str, numbers: range) -> None:
        records = self.records[collection]
        gone = {f"{collection}-{number}" for number in numbers}
        identity = collection_id(engine, collection)
        engine.delete(identity, sorted(gone), None, None, None, *PLACE)
        records.ids = [i for i in records.ids if i not in gone]
        records.documents = {i: records.documents[i] for i in records.ids}
        self.own(collection)

    def own(self, collection: str) -> None:
        """Whatever blob is new belongs to the collection that was written last."""
        present = {path.name for path in files(self.directory / "blobs")}
        self.owners = {name: self.owners.get(name, collection) for name in present}

    def fill(self, engine: _chroma.Engine) -> None:
        # Segments with dead rows, and a tail after them.
        for part in range(2):
            self.write(engine, "segments", part * 500, 500)
            engine.flush()
            self.own("segments")
        self.delete(engine, "segments", range(100, 140))
        engine.flush()
        self.own("segments")
        # A segment small enough for its row in the catalog.
        self.write(engine, "small", 0, 10)
        engine.flush()
        # A segment that a writer made at once, a blob of the log, and rows of it.
        self.write(engine, "large", 0, 700)
        self.write(engine, "log", 0, 220)
        self.write(engine, "rows", 0, 20)
        self.write(engine, "rows", 10, 20)
        self.write(engine, "segments", 450, 100)


def metadatas(ids: list[str]) -> list[dict]:
    return [{"id": i, "length": len(i), "tags": [i, "all"]} for i in ids]


def open_alone(directory: Path) -> _chroma.Engine:
    """Without a background thread, so that what a case does depends on nothing but its bytes."""
    return _chroma.Engine(str(directory), False, background=False)


def make(name: str, folder: Path, seed: int) -> Template:
    """Fills a directory in a child, which tells what it knows; kills it where the name says so."""
    reader, writer = os.pipe()

    def fill() -> None:
        template = Template(name, folder, seed)
        engine = open_alone(template.directory)
        template.fill(engine)
        engine.close()
        if name == "killed":
            engine = open_alone(template.directory)
            for number in range(NEWEST):
                template.write(engine, "small", 10 + number, 1)
        os.write(writer, json.dumps(template.owners).encode())
        os.close(writer)
        if name == "killed":
            signal.pause()

    child = fork(fill)
    os.close(writer)
    with os.fdopen(reader) as said:
        owners = said.read()
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    check(owners != "", f"the {name} directory could not be made")
    template = expected_template(name, folder, seed)
    template.owners = json.loads(owners)
    return template


def expected_template(name: str, folder: Path, seed: int) -> Template:
    """The same calls on a database in memory: what the directory must hold."""

    class InMemory(Template):
        def own(self, collection: str) -> None:
            pass

    template = InMemory(name, folder, seed)
    engine = _chroma.Engine(None, False)
    template.fill(engine)
    if name == "killed":
        for number in range(NEWEST):
            template.write(engine, "small", 10 + number, 1)
    return template


# ---- The process that looks ---------------------------------------------------------------------


def look(template: Template, directory: Path, write_to: list[str]) -> dict[str, str]:
    """What a process finds in each collection: how many records, all of them right, or what not."""
    try:
        engine = open_alone(directory)
    except ChromaError as error:
        return dict.fromkeys(template.records, f"refused: {error}")
    outcome = {}
    for name, records in template.records.items():
        try:
            outcome[name] = look_at(engine, name, records, name in write_to)
        except NotFoundError:
            outcome[name] = "absent"
        except ChromaError as error:
            outcome[name] = f"refused: {error}"
    engine.close()
    return outcome


def look_at(engine: _chroma.Engine, name: str, records: Records, write: bool) -> str:
    identity = str(engine.get_collection(name, *PLACE).id)
    include = ["documents", "embeddings", "metadatas"]
    found = engine.get(identity, None, None, None, 0, None, include, *PLACE)
    if engine.count(identity, *PLACE) != len(found.ids):
        return "wrong: count() and get() differ"
    if unknown := [i for i in found.ids if i not in records.documents]:
        return f"wrong: {unknown[0]} was never there or is deleted"
    if len(present := set(found.ids)) < len(found.ids):
        return "wrong: an id twice"
    older = partial = 0
    for row, identifier in enumerate(found.ids):
        document, vector = records.documents[identifier], records.vectors[identifier]
        if found.documents[row] not in (document, None) and identifier in records.older:
            document, vector = records.older[identifier]
            older += 1
        if found.documents[row] is None:
            partial += 1
        elif found.documents[row] != document:
            return f"wrong: document of {identifier}"
        if not np.array_equal(found.embeddings[row], vector):
            return f"wrong: vector of {identifier}"
    for metadata, whole in zip(found.metadatas, metadatas(found.ids)):
        if metadata != whole:
            partial += 1
            if metadata is not None:
                return f"wrong: metadata {metadata}, not {whole}"
    if found.ids:
        some = sorted({0, len(found.ids) // 2, len(found.ids) - 1})
        rows = found.embeddings[some]
        hits = engine.query(identity, None, rows, 1, None, None, [], *PLACE).ids
        if hits != [[found.ids[row]] for row in some]:
            return f"wrong: query finds {hits}"
    if write:
        row = np.zeros((1, DIMENSION), dtype=np.float32)
        engine.add(["new"], identity, row, None, None, None, *PLACE)
        if engine.get(identity, ["new"], None, None, 0, None, [], *PLACE).ids != ["new"]:
            return "wrong: what was added is not there"
    if partial:
        return f"partial: {partial} fields of {len(found.ids)} records are gone"
    if older:
        return f"older: {older} of {len(found.ids)}"
    in_order = found.ids == [i for i in records.ids if i in present]
    return f"{'right' if in_order else 'moved'}: {len(found.ids)}"


class Looker:
    """A child that looks at one case after the other; one that died is replaced."""

    def __init__(self, templates: list[Template], maps: bool):
        self.templates = {template.name: template for template in templates}
        self.maps = maps
        self.child = 0

    def start(self) -> None:
        orders, self.orders = os.pipe()
        self.answers, answers = os.pipe()

        def serve() -> None:
            os.close(self.orders)
            os.environ["CHROMA_NO_MMAP"] = "0" if self.maps else "1"
            with os.fdopen(orders) as lines:
                for line in lines:
                    signal.alarm(CASE_SECONDS_MAX)
                    answer = self.act(json.loads(line))
                    signal.alarm(0)
                    os.write(answers, (json.dumps(answer) + "\n").encode())

        self.child = fork(serve)
        os.close(orders)
        os.close(answers)
        self.lines = os.fdopen(self.answers)

    def act(self, order: dict) -> dict:
        template, directory = self.templates[order["template"]], Path(order["directory"])
        answer: dict = {"before": look(template, directory, order["write_to"])}
        spare = Path(order["spare"])
        answer["found"] = damage_in(spare)
        report = _chroma.repair(str(spare))
        answer["actions"] = report["actions"]
        answer["losers"] = [loss["collection_name"] for loss in report["losses"]]
        answer["left"] = damage_in(spare)
        repaired = digests(spare)
        answer["again"] = _chroma.repair(str(spare))["actions"]
        answer["changed again"] = repaired != digests(spare)
        answer["kept"] = order["digest"] in repaired.values()
        answer["is gone"] = order["digest"] is None
        answer["after"] = look(template, spare, [])
        return answer

    def ask(self, **order: object) -> dict:
        if self.child == 0:
            self.start()
        os.write(self.orders, (json.dumps(order) + "\n").encode())
        line = self.lines.readline()
        if line:
            return json.loads(line)
        code = os.waitstatus_to_exitcode(os.waitpid(self.child, 0)[1])
        self.child = 0
        os.close(self.orders)
        self.lines.close()
        what = f"died of signal {-code}" if code < 0 else f"ended with {code}"
        raise Failure(f"the process {what}")

    def end(self) -> None:
        if self.child:
            os.kill(self.child, signal.SIGKILL)
            os.waitpid(self.child, 0)
            os.close(self.orders)
            self.lines.close()


def damage_in(directory: Path) -> list[str]:
    """What `verify` finds; not what is merely of no use."""
    findings = _chroma.verify(str(directory))
    return [f"{f['file']}: {f['what']}" for f in findings if f["severity"] == "damage"]


def digests(directory: Path) -> dict[str, str]:
    """The contents of every file that lasts."""
    return {
        str(path.relative_to(directory)): digest(path.read_bytes())
        for path in files(directory)
        if path.name not in ("LOCK", "chroma.db-shm")
    }


def digest(contents: bytes | None) -> str | None:
    return None if contents is None else hashlib.sha256(contents).hexdigest()


# ---- Cases --------------------------------------------------------------------------------------


def cut(data: bytearray, place: int, source: random.Random) -> bytearray:
    return data[:place]


def zero_some(data: bytearray, place: int, source: random.Random) -> bytearray:
    return data[:place] + bytes(len(data[place : place + 64])) + data[place + 64 :]


def zero_page(data: bytearray, place: int, source: random.Random) -> bytearray:
    start = place // PAGE_BYTE_COUNT * PAGE_BYTE_COUNT
    end = start + PAGE_BYTE_COUNT
    return data[:start] + bytes(len(data[start:end])) + data[end:]


def flip(data: bytearray, place: int, source: random.Random) -> bytearray:
    data[place] ^= 1 << source.randrange(8)
    return data


KINDS: list[Callable[[bytearray, int, random.Random], bytearray]] = [
    cut,
    zero_some,
    zero_page,
    flip,
]


@dataclass
class Case:
    template: Template
    path: Path  # Inside the directory.
    kind: str
    place: int

    def __str__(self) -> str:
        return f"{self.template.name}: {self.path}, {self.kind} at {self.place}"


def cases(template: Template, place_count: int, seed: int) -> Iterator[tuple[Case, bytes | None]]:
    """Each case with the bytes of its file; None where the file is gone."""
    paths = [path.relative_to(template.directory) for path in files(template.directory)]
    for number, path in enumerate(paths):
        original = (template.directory / path).read_bytes()
        yield Case(template, path, "removed", 0), None
        for kind in KINDS:
            source = random.Random(f"{seed}/{template.name}/{number}/{kind.__name__}")
            for _ in range(place_count if original else 0):
                place = source.randrange(len(original))
                spoilt = bytes(kind(bytearray(original), place, source))
                if spoilt != original:
                    yield Case(template, path, kind.__name__, place), spoilt


def copy(template: Template, directory: Path, path: Path, contents: bytes | None) -> None:
    """The directory with other contents of one file. Blobs never change, and need no copy."""
    for source in files(template.directory):
        relative = source.relative_to(template.directory)
        target = directory / relative
        target.parent.mkdir(parents=True, exist_ok=True)
        if relative == path:
            if contents is not None:
                target.write_bytes(contents)
        elif relative.parts[0] == "blobs":
            os.link(source, target)
        else:
            shutil.copyfile(source, target)


def judge(case: Case, answer: dict) -> None:
    damaged = case.path.name
    is_blob, is_wal = case.path.parts[0] == "blobs", damaged == "chroma.db-wal"
    # Nothing that lasts is in these.
    is_harmless = damaged in ("LOCK", "chroma.db-shm")
    for name, records in case.template.records.items():
        found, whole = answer["before"][name], len(records.ids)
        spared = is_harmless or (is_blob and case.template.owners[damaged] != name)
        right = {f"right: {whole}"}
        if is_wal and name == "small":
            # A page's worth of zeros may lie over the last frames of two commits.
            lost = {"cut": NEWEST, "removed": NEWEST, "zero_page": 2}.get(case.kind, 1)
            right |= {f"right: {whole - number}" for number in range(lost + 1)}
        if found not in right:
            check(found.startswith("refused") and not spared, f"{name} is {found}")
            check((damaged if is_blob else "chroma.db") in found, f"{name} is {found}")
        judge_repair(name, answer, found in right, right, spared)
    check(not answer["left"], f"after repair there is still {answer['left']}")
    again = answer["again"]
    check(not again and not answer["changed again"], f"a second repair does {again}")
    check(not (is_harmless and answer["found"]), f"verify finds {answer['found']}")


def judge_repair(name: str, answer: dict, was_right: bool, right: set[str], spared: bool) -> None:
    after = answer["after"][name]
    told = f"verify: {answer['found']}, repair: {answer['actions']}"
    check(was_right or answer["found"] != [], f"{name} is refused, but verify finds nothing")
    if after in right:
        return
    check(not spared and not was_right, f"after repair {name} is {after}; {told}")
    accepted = ("absent", "right", "older", "moved", "partial")
    check(after.startswith(accepted), f"after repair {name} is {after}; {told}")
    # What the damaged bytes held may be lost; not in silence, and the bytes are kept.
    check(name in answer["losers"] or None in answer["losers"], f"lost in silence: {name}; {told}")
    check(answer["kept"] or answer["is gone"], f"repair did not keep what it replaced; {told}")


def run(seed: int, places: int) -> None:
    folder = Path(tempfile.mkdtemp(prefix="chroma-damage-", dir=fast_folder()))
    templates = [make(name, folder, seed) for name in ("closed", "killed")]
    lookers = [Looker(templates, maps) for maps in (True, False)]
    intact = {template.name: digests(template.directory) for template in templates}
    outcomes: Counter[str] = Counter()
    failures: list[str] = []
    for template in templates:
        for number, (case, contents) in enumerate(cases(template, places, seed)):
            directory, spare = folder / "case", folder / "spare"
            copy(template, directory, case.path, contents)
            copy(template, spare, case.path, contents)
            blob = case.path.parts[0] == "blobs"
            others = [n for n in template.records if blob and template.owners[case.path.name] != n]
            order = {"template": template.name, "write_to": others}
            order |= {"directory": str(directory), "spare": str(spare), "digest": digest(contents)}
            try:
                answer = lookers[number % 2].ask(**order)
                judge(case, answer)
                refused = any(found.startswith("ref") for found in answer["before"].values())
                role = template.owners.get(case.path.name, case.path.name)
                outcomes[f"{template.name} {role}: {'refused' if refused else 'right'}"] += 1
            except Failure as failure:
                failures.append(f"{case}, {'mapped' if number % 2 == 0 else 'read'}: {failure}")
                copy(template, folder / f"failure {len(failures)}", case.path, contents)
            shutil.rmtree(directory)
            shutil.rmtree(spare)
            if number % 1000 == 999:
                print(f"{number + 1} cases; now at {case}", flush=True)
    for looker in lookers:
        looker.end()
    for template in templates:  # Whose blobs the cases share.
        check(digests(template.directory) == intact[template.name], "a blob was changed in place")
    for outcome, count in sorted(outcomes.items()):
        print(f"{outcome}: {count}")
    if failures:
        print(*failures[:20], sep="\n")
        raise Failure(f"{len(failures)} cases; see {folder}. The first: {failures[0]}")
    shutil.rmtree(folder)


if __name__ == "__main__":
    chosen = options(__doc__, places=250)
    run(chosen.seed, chosen.places)
