"""Retrievers over a folder: its passages, and what became of its files."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NamedTuple

from pydantic import Field

from driftgate.flows.documents import Ingest, read_folder
from driftgate.flows.errors import DriftgateError
from driftgate.flows.path_settings import READ
from driftgate.flows.retrieval._retriever import Passage, RetrieverConfig
from driftgate.flows.text import on_disk
from driftgate.shipped import shipped

SHIPPED = shipped("flows") / "rag_qa" / "documents"
"""The handbook of a made-up firm that comes with the flow ``rag_qa``."""
_KEPT = 4


class FolderConfig(RetrieverConfig):
    """A folder of documents: text, Markdown, and with the extra ``documents`` HTML and PDF."""

    folder: Annotated[str | None, READ] = None
    """Folder of the documents. Unset: the sixteen documents that ship with ``rag_qa``."""
    longest: int = Field(400, ge=50)
    """Characters of a passage, its heading included, at most. Longer paragraphs are cut between sentences, tables
    between rows, code between lines."""


class Documents(NamedTuple):
    """What stands in a folder."""

    passages: tuple[Passage, ...]
    ingest: Ingest

    @property
    def sha256(self) -> str:
        """Hash of the passages: 16 hexadecimal digits."""
        content = "\0".join(f"{p.id}\n{p.text}" for p in self.passages)
        return hashlib.sha256(content.encode()).hexdigest()[:16]


_read: OrderedDict[tuple[object, ...], Documents] = OrderedDict()
_reading = threading.Lock()


def read_documents(name: str, config: FolderConfig, folder: Path) -> Documents:
    """Read the documents of a retriever; what was read before in this process and did not change is not read again.

    Raises
    ------
    DriftgateError
        There is no such folder, or nothing in it that can be searched.
    """
    place = folder_of(name, config, folder)
    key = (place, config.longest, _state(place))
    with _reading:
        if key not in _read:
            pieces, ingest = read_folder(place, config.longest)
            _read[key] = Documents(tuple(Passage(one.id, one.document, one.text) for one in pieces), ingest)
            while len(_read) > _KEPT:
                _read.popitem(last=False)
        return _read[key]


def folder_of(name: str, config: FolderConfig, folder: Path) -> Path:
    """The folder that is meant.

    Raises
    ------
    DriftgateError
        There is none.
    """
    if config.folder is None:
        return SHIPPED
    found = on_disk(folder / config.folder).resolve()
    if not found.is_dir():
        raise DriftgateError(f"retriever '{name}': there is no folder {found}", "make it, or correct 'folder'")
    return found


def ingest(name: str, config: FolderConfig, folder: Path) -> Ingest:
    """What became of the files of a retriever's folder; see :func:`read_documents`."""
    return read_documents(name, config, folder).ingest


def check(name: str, config: FolderConfig, folder: Path) -> str:
    """Read the documents."""
    return ingest(name, config, folder).summary


def _state(place: Path) -> tuple[object, ...]:
    """Every file, its size and when it changed."""
    found: list[object] = []
    for file in sorted(place.rglob("*")):
        try:
            status = file.stat()
        except OSError:  # a link to nowhere
            found.append(str(file))
            continue
        found.append((str(file), status.st_size, status.st_mtime_ns, status.st_ino))
    return tuple(found)


def contexts(passages: Sequence[Passage], reach: int) -> list[str]:
    """Each passage with what stands around it: its document's name, and as many passages before and after it.

    A question seldom shares its words with the one sentence that answers it; more of them stand in the title, the
    file's name and the paragraphs beside it.

    Examples
    --------
    >>> contexts([Passage("hr/leave#1", "hr/leave", "연차"), Passage("hr/leave#2", "hr/leave", "병가")], 1)
    ['hr leave 연차 병가', 'hr leave 연차 병가']
    """
    places: dict[str, list[int]] = {}
    for place, passage in enumerate(passages):
        places.setdefault(passage.document, []).append(place)
    found = [""] * len(passages)
    for document, own in places.items():
        named = " ".join("".join(c if c.isalnum() else " " for c in document).split())
        for number, place in enumerate(own):
            near = own[max(0, number - reach) : number + reach + 1]
            found[place] = " ".join([named, *(passages[i].text for i in near)])
    return found
