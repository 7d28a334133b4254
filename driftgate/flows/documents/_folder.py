"""A folder of documents: every file in it is read, or named with the reason why not."""

from __future__ import annotations

import os
import stat
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from driftgate.flows.documents._decoding import Undecodable, decode, decode_html
from driftgate.flows.documents._pieces import pieces
from driftgate.flows.documents._process import Reader, Told
from driftgate.flows.documents._report import Ingest, ReadFile, Skipped
from driftgate.flows.documents._twins import twins
from driftgate.flows.errors import DriftgateError
from driftgate.flows.text import as_name, composed_whole

FORMS = {
    ".md": "text",
    ".markdown": "text",
    ".txt": "text",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".pdf": "pdf",
}
"""How a file is read, by the end of its name."""

_KINDS = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


@dataclass(frozen=True)
class Limits:
    """What is read at the most. Beyond, a file is skipped, and said to be."""

    text: int = 16 * 2**20
    """Bytes of a text or a page."""
    pdf: int = 128 * 2**20
    """Bytes of a PDF."""
    characters: int = 16 * 2**20
    """Of one document."""
    seconds: float = 60.0
    """For one PDF or page."""
    altogether: float = 1800.0
    """Seconds for all of them."""
    memory: int = 2 * 2**30
    """Bytes, for the process that reads PDF and HTML."""
    files: int = 50_000
    """In the folder."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a document."""

    id: str
    document: str
    text: str


def as_document(path: Path) -> str:
    """The id of a document at a path within its folder: without suffix, in form NFC.

    Examples
    --------
    >>> as_document(Path("hr/leave.md"))
    'hr/leave'
    """
    return as_name(path.with_suffix("").as_posix())


def read_folder(folder: Path, longest: int, limits: Limits | None = None) -> tuple[tuple[Piece, ...], Ingest]:
    """Read every document below a folder, in the order of their paths, and cut it into pieces.

    Parameters
    ----------
    longest : int
        Characters of a piece at the most; see :func:`driftgate.flows.documents._pieces.pieces`.
    limits : Limits, optional
        What is read at the most.

    Raises
    ------
    DriftgateError
        No text was found, a link leads out of the folder, two files have one id, or there are too many.
    """
    found, skipped, empty = read_texts(folder, limits)
    return _cut(folder, longest, found, skipped, empty)


def read_texts(
    folder: Path, limits: Limits | None = None
) -> tuple[list[tuple[ReadFile, str]], list[Skipped], list[Skipped]]:
    """Read every document below a folder, or one file, in the order of their paths, without cutting it.

    Returns
    -------
    tuple of lists
        Files with their texts; what was not read; files in which no text stands.

    Raises
    ------
    DriftgateError
        A link leads out of the folder, two files have one id, or there are too many.
    """
    limits = limits or Limits()
    files = [(folder, _special(folder))] if folder.is_file() else sorted(_entries(folder))
    folder = folder.parent if folder.is_file() else folder
    if len(files) > limits.files:
        raise DriftgateError(f"there are {len(files):,} files in {folder}", f"name one of at most {limits.files:,}")
    found: list[tuple[ReadFile, str]] = []
    skipped: list[Skipped] = []
    empty: list[Skipped] = []
    with Reader(limits.seconds, limits.memory, limits.characters) as reader:
        for file, unread in files:
            shown = file.relative_to(folder)
            path, document = shown.as_posix(), as_document(shown)
            if any(part.startswith(".") for part in shown.parts):
                skipped.append(Skipped(path, document, "it is hidden"))
                continue
            if unread:
                skipped.append(Skipped(path, document, unread))
                continue
            form = FORMS.get(file.suffix.lower())
            if form is None:
                skipped.append(Skipped(path, document, f"files of the kind '{file.suffix or shown.name}' are not read"))
                continue
            _check_link(file, folder)
            if reader.spent > limits.altogether:
                raise DriftgateError(
                    f"reading PDF and HTML in {folder} takes more than {limits.altogether:g} s ({path} was next)",
                    "take out what takes long, or put the text of the documents there",
                )
            told, encoding = _read(file, form, reader, limits)
            if told.reason:
                skipped.append(Skipped(path, document, told.reason))
            elif not told.text.strip():
                empty.append(Skipped(path, document, "nothing stands in it"))
            else:
                text = composed_whole(told.text)
                found.append((ReadFile(path, document, form, encoding, len(text), 0, told.note), text))
    _check_ids([one for one, _ in found])
    return found, skipped, empty


def _entries(folder: Path) -> Iterator[tuple[Path, str]]:
    """All that stands below a folder but the folders in it, each with why it cannot be read, as far as that shows.

    A folder that cannot be opened is one of them: what is in it nobody knows.
    """
    closed: list[OSError] = []
    for place, folders, names in os.walk(folder, onerror=closed.append):
        here = Path(place)
        links = [here / name for name in folders if (here / name).is_symlink()]
        yield from ((link, "it is a link to a folder, which is not followed") for link in links)
        yield from ((here / name, _special(here / name)) for name in names)
    for problem in closed:
        yield Path(problem.filename), f"the folder cannot be opened ({problem.strerror})"


def _special(file: Path) -> str:
    """What stands in the place of a file and is none: opening a pipe waits for whoever writes into it."""
    try:
        mode = file.stat().st_mode
    except OSError as problem:  # a link to nowhere, or to itself
        return f"it cannot be opened ({problem.strerror})"
    return "" if stat.S_ISREG(mode) else f"it is no file but {_KINDS.get(stat.S_IFMT(mode), 'something else')}"


def _read(file: Path, form: str, reader: Reader, limits: Limits) -> tuple[Told, str]:
    """What stands in a file, and its encoding; or why it was not read."""
    most = limits.pdf if form == "pdf" else limits.text
    try:
        if (size := file.stat().st_size) > most:
            return Told(reason=f"it has {size / 2**20:,.0f} MiB, more than {most / 2**20:,.4g}"), ""
        if size == 0:
            return Told(), ""
        if form == "pdf":
            return reader.ask({"form": form, "path": str(file.resolve())}), ""
        content = file.read_bytes()
    except OSError as problem:
        return Told(reason=f"it cannot be opened ({problem.strerror})"), ""
    try:
        if form == "html":
            page = decode_html(content)
            return reader.ask({"form": form, "text": page.text}), page.encoding
        text = decode(content)
    except Undecodable as problem:
        return Told(reason=str(problem)), ""
    if len(text.text) > limits.characters:
        return Told(reason=f"it holds more than {limits.characters:,} characters"), ""
    return Told(text.text), text.encoding


def _cut(
    folder: Path, longest: int, found: list[tuple[ReadFile, str]], skipped: list[Skipped], empty: list[Skipped]
) -> tuple[tuple[Piece, ...], Ingest]:
    made: list[Piece] = []
    read: list[ReadFile] = []
    texts: dict[str, str] = {}
    torn = parted = 0
    for one, text in found:
        before = len(made)
        for number, cut in enumerate(pieces(text, longest), start=1):
            made.append(Piece(f"{one.document}#{number}", one.document, cut.text))
            torn, parted = torn + cut.torn, parted + cut.parted
        if len(made) == before:
            empty.append(Skipped(one.path, one.document, "only headings stand in it"))
            continue
        texts[one.document] = text
        read.append(
            ReadFile(one.path, one.document, one.form, one.encoding, one.characters, len(made) - before, one.note)
        )
    if not made:
        reasons = [f"{one.path}: {one.reason}" for one in [*skipped, *empty]][:3]
        said = f" ({'; '.join(reasons)})" if reasons else ""
        raise DriftgateError(f"there is no text in {folder}{said}", f"put documents there ({', '.join(FORMS)})")
    same, alike = twins(texts)
    longest_one = max(made, key=lambda piece: len(piece.text))
    report = Ingest(read, skipped, empty, same, alike, len(made), len(longest_one.text), longest_one.id, torn, parted)
    return tuple(made), report


def _check_link(file: Path, folder: Path) -> None:
    if not file.resolve().is_relative_to(folder.resolve()):
        raise DriftgateError(f"the document {file} is a link out of its folder", "put the document itself there")


def _check_ids(read: list[ReadFile]) -> None:
    by_id: dict[str, list[str]] = defaultdict(list)
    for one in read:
        by_id[one.document].append(one.path)
    for document, paths in _twice(by_id):
        raise DriftgateError(
            f"{' and '.join(paths)} share an id, {document}",
            "give files that differ in suffix, or in Unicode form only, two names",
        )


def _twice(by_id: dict[str, list[str]]) -> Iterator[tuple[str, list[str]]]:
    return ((document, paths) for document, paths in by_id.items() if len(paths) > 1)
