"""What a retriever is, and what it finds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, Field

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
    """``bm25``, ``azure_ai_search`` or a plugin's name."""
    count: int = Field(3, ge=1, le=100)
    """Passages found for a query, where the flow does not say."""


@dataclass(frozen=True)
class RetrieverKind:
    """A way to search documents."""

    config: type[RetrieverConfig]
    """The pydantic model of the retriever's part of the workspace file."""
    open: Callable[[str, Any, Path], Retriever]
    """Make the retriever called ``name`` from its configuration; paths are relative to the workspace folder."""
    check: Callable[[str, Any, Path], str]
    """Try the least that shows it can be searched; returns what was found, raises DriftgateError otherwise."""


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
    return RETRIEVERS.get(str(value.get("kind", ""))).config.model_validate(value)


def open_retriever(name: str, config: RetrieverConfig, folder: Path) -> Retriever:
    """Make a retriever of the workspace in ``folder``.

    Raises
    ------
    DriftgateError
        Its documents or a variable of the environment are missing.
    """
    return RETRIEVERS.get(config.kind).open(name, config, folder)
