"""What the published datasets have in common: a folder or a hub repository, and a choice of categories."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Annotated

from pydantic import Field

from driftgate.benchmarks.datasets._dataset import DatasetConfig
from driftgate.benchmarks.datasets._hub import download
from driftgate.benchmarks.datasets._rows import Row, read_rows, row_files
from driftgate.flows.errors import DriftgateError, nearest
from driftgate.flows.path_settings import READ
from driftgate.flows.text import on_disk


class UpstreamConfig(DatasetConfig):
    """A published dataset."""

    path: Annotated[str | None, READ] = None
    """Folder laid out as upstream ships it, relative to the workspace; without it ``hub`` is downloaded."""
    hub: str = ""
    """Dataset repository on the Hugging Face Hub."""
    revision: str | None = None
    """Commit, branch or tag of the hub repository; name a commit to keep a score repeatable."""
    categories: list[str] | None = Field(default=None, min_length=1)
    """Only these categories; all of them where it is not given."""


def find_source(name: str, config: UpstreamConfig, folder: Path, patterns: Sequence[str]) -> tuple[Path, str]:
    """The folder with upstream's files, and the words for it in a report.

    Parameters
    ----------
    name : str
        The dataset's name in the workspace.
    config : UpstreamConfig
        Where to look.
    folder : Path
        The workspace.
    patterns : sequence of str
        Which of the hub's files are needed.

    Raises
    ------
    DriftgateError
        The folder does not exist, or the download failed.
    """
    if config.path is None:
        snapshot = download(config.hub, config.revision, patterns)
        return snapshot, f"{config.hub}@{snapshot.name[:12]}"
    root = on_disk(folder / Path(config.path).expanduser())
    if not root.is_dir():
        found = "is not a folder" if root.exists() else "does not exist"
        raise DriftgateError(
            f"the folder {root} of dataset '{name}' {found}",
            f"set path to a folder with the files of {config.hub}, or leave path out to download them",
        )
    return root, config.path


def first_rows(
    name: str, config: UpstreamConfig, folder: Path, patterns: Sequence[str], expected: str
) -> tuple[Iterator[Row], str]:
    """The rows of the files that fit the first of the patterns that any fits, and the words for where they are from.

    Parameters
    ----------
    expected : str
        What upstream's file is called, for the error.

    Raises
    ------
    DriftgateError
        There is no folder, the download failed, or no file fits.
    """
    root, source = find_source(name, config, folder, patterns)
    files = next((found for pattern in patterns if (found := row_files(root, f"**/{pattern}"))), [])
    if not files:
        raise no_files(name, root, expected)
    return chain.from_iterable(map(read_rows, files)), source


def no_files(name: str, root: Path, expected: str) -> DriftgateError:
    """The error for a folder that is not laid out as upstream ships it."""
    return DriftgateError(
        f"the folder {root} of dataset '{name}' holds no {expected}", "set path to the folder upstream ships"
    )


def choose_categories(name: str, wanted: Sequence[str] | None, known: Iterable[str]) -> set[str]:
    """The categories to keep.

    Raises
    ------
    DriftgateError
        A wanted category is not among the known ones.
    """
    names = set(known)
    for category in wanted or ():
        if category not in names:
            raise DriftgateError(f"dataset '{name}' has no category '{category}'", nearest(category, names))
    return set(wanted) if wanted else names


def passage_cluster(passage: str) -> str:
    """The cluster of the samples that share a passage: 12 hexadecimal digits, empty without a passage.

    Examples
    --------
    >>> passage_cluster("다음 글을 읽고") == passage_cluster(" 다음 글을 읽고 ")
    True
    >>> passage_cluster("")
    ''
    """
    text = unicodedata.normalize("NFC", passage.strip())
    return hashlib.sha256(text.encode()).hexdigest()[:12] if text else ""
