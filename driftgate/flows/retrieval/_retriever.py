"""What a retriever is, and what it finds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, Field

from driftgate.flows.documents import Ingest
from driftgate.flows.errors import DriftgateError
from driftgate.flows.registry import Registry


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a document."""

    id: str
    """The document and the place in it, such as ``leave#2``; unique among the documents searched."""
    document: str
    """The document's id: its path in the folder without suffix, or what the service calls it."""
    text: str
    score: float = 0.0
    """How well it answers the query, on the retriever's own scale."""


class Retriever(Protocol):
    """Searches one collection of documents. Searches may run concurrently."""

    @property
    def identity(self) -> Mapping[str, Any]:
        """Everything that determines what is found besides the query, without secrets."""

    async def search(self, query: str, count: int | None = None) -> Sequence[Passage]:
        """Find the best passages, the best first; ``count`` of them, or as many as the configuration says.

        Raises
        ------
        DriftgateError
            The search gave no result: the service refused or did not answer.
        """

    async def aclose(self) -> None:
        """Give back connections and memory."""


class RetrieverConfig(BaseModel):
    """A named retriever of the workspace."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    kind: str
    """``hybrid``, ``bm25``, ``azure_ai_search`` or a plugin's name."""
    count: int = Field(3, ge=1, le=100)
    """Passages found for a query, where the flow does not say."""


@dataclass(frozen=True, slots=True)
class Paid:
    """What searches took that a service counts and is paid for."""

    tokens: int | None
    """None where the service did not say."""
    cost: float | None
    """None where it is not known."""
    currency: str = "USD"


def paid_since(retriever: Retriever) -> Sequence[Paid]:
    """What a retriever paid since this was asked last; nothing of one that asks nobody."""
    take = getattr(retriever, "take_paid", None)
    return take() if take is not None else ()


def unpriced_search(retriever: Retriever) -> str:
    """Why it is not known what a search costs, in words; empty where it is known, or costs nothing."""
    return str(getattr(retriever, "unpriced", ""))


def ingest_of(retriever: Retriever | None) -> Ingest | None:
    """What became of the files that a retriever searches; None of one that searches none."""
    return getattr(retriever, "ingest", None)


@dataclass(frozen=True)
class RetrieverKind:
    """A way to search documents."""

    config: type[RetrieverConfig]
    """The pydantic model of the retriever's part of the workspace file."""
    open: Callable[[str, Any, Path], Retriever]
    """Make the retriever called ``name`` from its configuration; paths are relative to the workspace folder."""
    check: Callable[[str, Any, Path], str]
    """Try the least that shows it can be searched; returns what was found, raises DriftgateError otherwise."""
    ingest: Callable[[str, Any, Path], Ingest] | None = None
    """What became of the files of its folder; None of a kind that searches none."""


USUAL_KIND = "hybrid"
"""Of a retriever that names none."""
RETRIEVERS: Registry[RetrieverKind] = Registry("kind of retriever", "driftgate.flows.retrieval", "KIND")


def parse_config(value: Mapping[str, Any]) -> RetrieverConfig:
    """Validate a retriever's part of the workspace file against its kind's configuration.

    Raises
    ------
    DriftgateError
        There is no such kind.
    pydantic.ValidationError
        A key is unknown, missing or of the wrong type.
    """
    said = {"kind": USUAL_KIND, **value}
    return RETRIEVERS.get(str(said["kind"])).config.model_validate(said)


def open_retriever(name: str, config: RetrieverConfig, folder: Path) -> Retriever:
    """Make a retriever of the workspace in ``folder``.

    Raises
    ------
    DriftgateError
        Its documents or a variable of the environment are missing.
    """
    return RETRIEVERS.get(config.kind).open(name, config, folder)


def read_ingest(name: str, config: RetrieverConfig, folder: Path) -> Ingest:
    """What became of the files of a retriever's folder.

    Raises
    ------
    DriftgateError
        It searches no folder, or nothing in it can be read.
    """
    read = RETRIEVERS.get(config.kind).ingest
    if read is None:
        raise DriftgateError(
            f"retriever '{name}' is of the kind '{config.kind}', whose documents driftgate does not read",
            "name a retriever that searches a folder",
        )
    return read(name, config, folder)
