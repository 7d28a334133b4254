"""Forget what a person asked to have removed: in the ledger, its archive, telemetry, pages and files beside them."""

from __future__ import annotations

import getpass
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from driftgate.api.workspace import OpenWorkspace
from driftgate.flows.errors import DriftgateError
from driftgate.flows.needles import FORGOTTEN, Needles
from driftgate.flows.private_files import make_private, replace_file
from driftgate.ledger import (
    Expired,
    Forgotten,
    Ledger,
    Sought,
    expire_texts,
    find_run,
    find_sample,
    find_text,
    note_run,
    said_on,
)
from driftgate.ledger import forget as forget_in_ledger

if TYPE_CHECKING:
    from driftgate.monitor.telemetry import Gone

_PASSED_OVER = {".git", ".hg", ".venv", "venv", "node_modules", "__pycache__"}
_LEAST = 6
"""A user's own id is looked for in the team's files if it has so many characters: a shorter one is part of anything."""
_LARGEST = 256 * 2**20
"""Bytes of a file that is looked through; a larger one is named."""


@dataclass(frozen=True)
class FileChange:
    """A file that has what is forgotten."""

    path: Path
    done: str
    """``removed``, ``rewritten``, or ``left``: the team's own, or of a kind that cannot be changed."""


@dataclass(frozen=True)
class Done:
    """What was forgotten, or would be."""

    what: str
    """The sample's key, the run, or that a text was."""
    dry: bool
    ledger: Forgotten | None
    """None where a run was."""
    expired: Expired | None
    files: tuple[FileChange, ...]
    shared: int = 0
    """Texts of the sample that other samples have too, and that stand there."""
    calls: Gone | None = None
    """Of a user: calls of production that went from the telemetry."""
    grades: int = 0
    """What evaluators had said of these."""


def forget(
    workspace: OpenWorkspace,
    ledger: Ledger,
    *,
    sample: str = "",
    matching: str = "",
    run: str = "",
    user: str = "",
    dry: bool = False,
) -> Done:
    """See :meth:`driftgate.api.facade.Workspace.forget`."""
    if sum(map(bool, (sample, matching, run, user))) != 1:
        raise DriftgateError("it is not said what to forget", "give one of --sample, --matching, --run and --user")
    if run:
        return _run(workspace, ledger, find_run(ledger, run).id, dry=dry)
    if user:
        return _user(workspace, ledger, user, dry=dry)
    sought = find_sample(ledger, sample) if sample else find_text(ledger, matching)
    pages = Needles((*sought.needles.texts, *said_on(ledger, sought).texts)) if sample else sought.needles
    # Files first: what is looked for in them is in the ledger until they are done.
    files = tuple(_files(workspace, ledger, sought.needles, pages, dry=dry))
    done = forget_in_ledger(ledger, sought, getpass.getuser(), dry=dry)
    return Done(sought.subject or "the text", dry, done, None, files, sought.shared)


def remove_pages(workspace: OpenWorkspace, runs: tuple[str, ...]) -> list[Path]:
    """Remove reports and evidence pages of runs whose texts are gone; they can be written anew."""
    found = _pages_of(workspace, runs)
    for path in found:
        path.unlink(missing_ok=True)
    return found


def _pages_of(workspace: OpenWorkspace, runs: tuple[str, ...]) -> list[Path]:
    if not _ours(workspace, workspace.reports):
        return []
    named = Needles(runs)
    return [path for path in _under(workspace.reports) if set(runs) & set(path.parts) or _has(path, named)]


def _ours(workspace: OpenWorkspace, folder: Path) -> bool:
    """Whether driftgate alone writes a folder; one that has the workspace in it has the team's own files."""
    return folder.resolve() != workspace.folder.resolve() and folder.resolve() not in workspace.folder.resolve().parents


def _run(workspace: OpenWorkspace, ledger: Ledger, run: str, *, dry: bool) -> Done:
    files = tuple(FileChange(path, "removed") for path in _pages_of(workspace, (run,)))
    if dry:
        return Done(run, dry, None, None, files)
    note_run(ledger, run, getpass.getuser(), done=False)
    remove_pages(workspace, (run,))
    expired = expire_texts(ledger, run=run)
    note_run(ledger, run, getpass.getuser(), done=True)
    return Done(run, dry, None, expired, files)


def _user(workspace: OpenWorkspace, ledger: Ledger, user: str, *, dry: bool) -> Done:
    """Their calls go whole; what stands for them goes from everything else."""
    from driftgate.monitor.graded import forget_graded
    from driftgate.monitor.telemetry import forget_user

    # Grades first: by which calls they go is in the telemetry until it is done.
    grades = forget_graded(ledger, forget_user(workspace.telemetry, user, dry=True).keys, dry=dry)
    gone = forget_user(workspace.telemetry, user, dry=dry)
    if not dry:
        grades += forget_graded(ledger, gone.keys)
    known = Needles(gone.pseudonyms)
    theirs = Needles((*gone.pseudonyms, *([user] if len(user) >= _LEAST else [])))
    files = tuple(_files(workspace, ledger, known, known, theirs=theirs, dry=dry))
    sought = Sought("user", "", frozenset(), known, calls=gone.calls)
    done = forget_in_ledger(ledger, sought, getpass.getuser(), dry=dry)
    return Done("the user", dry, done, None, files, calls=gone, grades=grades)


def _files(
    workspace: OpenWorkspace,
    ledger: Ledger,
    needles: Needles,
    pages: Needles,
    *,
    theirs: Needles | None = None,
    dry: bool,
) -> Iterator[FileChange]:
    """Change or name the files that have what is sought: needles in what driftgate wrote, ``pages`` in reports and
    evidence pages, ``theirs`` in files of the team where that is something else."""
    telemetry = workspace.folder / workspace.config.service.telemetry
    if not dry and any(_under(telemetry)):
        from driftgate.monitor.telemetry import compact_folder, places

        for place in places(telemetry):
            compact_folder(place)  # what is in the spool is in Parquet then
    own = [
        folder for folder in (workspace.reports, workspace.folder / ".driftgate", telemetry) if _ours(workspace, folder)
    ]
    database = ledger.engine.url.database if ledger.engine.dialect.name == "sqlite" else None
    apart = {Path(f"{database}{end}") for end in ("", "-wal", "-shm", "-journal")} if database else set()
    seen: set[Path] = set()
    for folder in (*own, workspace.folder):
        for path in _under(folder):
            if path in seen or path in apart or ledger.archive in path.parents:
                continue
            seen.add(path)
            is_page = folder == workspace.reports and folder in own
            looked_for = pages if is_page else needles if folder in own else theirs or needles
            if not _has(path, looked_for):
                continue
            if folder not in own:
                yield FileChange(path, "left")
            else:
                yield FileChange(path, _change(path, looked_for, page=is_page, dry=dry))


def _change(path: Path, needles: Needles, *, page: bool, dry: bool) -> str:
    """Remove what is found from a file that driftgate wrote; returns what became of the file."""
    if path.suffix in (".db", ".sqlite", ".spool"):
        return "left"
    if page or path.suffix not in (".parquet", ".json", ".jsonl"):
        if not dry:
            path.unlink(missing_ok=True)
        return "removed"
    if not dry and path.suffix == ".parquet":
        beside = path.with_name(f".{path.name}.part")
        _without_in_parquet(path, beside, needles)
        make_private(beside)
        beside.replace(path)
    elif not dry:
        replace_file(path, "".join(_without_in_json(path, needles)).encode())
    return "rewritten"


def _without_in_json(path: Path, needles: Needles) -> Iterator[str]:
    """A file of JSON; of JSON lines those that have it go whole, as half an item of a training set teaches nothing."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".jsonl":
        yield from (line for line in text.splitlines(keepends=True) if not needles.in_written(line))
        return
    try:
        yield json.dumps(needles.without(json.loads(text)), ensure_ascii=False, indent=1) + "\n"
    except ValueError:  # half of a file
        yield ""


def _without_in_parquet(path: Path, beside: Path, needles: Needles) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    for place, field in enumerate(table.schema):
        if pa.types.is_string(field.type):
            values = [
                FORGOTTEN if value is not None and needles.in_text(value) else value
                for value in table.column(place).to_pylist()
            ]
            table = table.set_column(place, field, pa.array(values, field.type))
    pq.write_table(table, beside, compression="zstd")


def _has(path: Path, needles: Needles) -> bool:
    if not needles.texts:
        return False
    if path.suffix == ".parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            table = pq.read_table(path)
        except (OSError, pa.ArrowException):
            return False
        columns = [table.column(n) for n, field in enumerate(table.schema) if pa.types.is_string(field.type)]
        return any(value is not None and needles.in_text(value) for column in columns for value in column.to_pylist())
    try:
        if path.stat().st_size > _LARGEST:
            return False
        return needles.in_written(path.read_bytes().decode("utf-8", errors="replace"))
    except OSError:
        return False


def _under(folder: Path) -> Iterator[Path]:
    """Files below a folder, links apart."""
    if not folder.is_dir():
        return
    for path in sorted(folder.iterdir()):
        if path.is_symlink() or path.name in _PASSED_OVER:
            continue
        if path.is_dir():
            yield from _under(path)
        elif path.is_file():
            yield path
