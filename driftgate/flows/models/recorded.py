"""Answers that were recorded before, for replay without a service."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from driftgate.flows.errors import DriftgateError
from driftgate.flows.models._config import ModelConfig
from driftgate.flows.models._errors import ContentFiltered, RequestRejected
from driftgate.flows.models._prices import Prices
from driftgate.flows.models._provider import Provider
from driftgate.flows.models._sample import asked_about
from driftgate.flows.models._types import Message, Reply
from driftgate.flows.models._usage import Usage
from driftgate.flows.path_settings import READ
from driftgate.flows.text import as_name, on_disk

FILTERED, FAILED = "FILTERED", "FAILED"
"""Values of ``response`` that stand for a content-filter refusal and for a call that failed."""
_LONGEST_REPLY = 2**24  # characters; the csv module's own limit is 131,072


class RecordedConfig(ModelConfig):
    """Replies from a CSV file with one row per sample."""

    prices: Prices = Prices(input=0.0, output=0.0)
    """Nothing is asked, so nothing is spent. What the answers once cost is not known from them."""
    path: Annotated[str, READ]
    """The CSV file, relative to the workspace."""
    id_column: str = "id"
    """Column with the sample's id, as the dataset gives it."""
    response_column: str = "response"
    """Column with the reply's text; ``FILTERED`` and ``FAILED`` stand for calls without a reply."""


@dataclass(frozen=True)
class RecordedModel:
    """Looks the current sample's reply up by the sample's id."""

    name: str
    identity: Mapping[str, Any]
    replies: Mapping[str, str]

    async def complete(self, messages: Sequence[Message]) -> Reply:
        """Return the recorded reply to the current sample."""
        sample = asked_about()
        if sample not in self.replies:
            raise RequestRejected(f"{self.name}: no reply is recorded for sample '{sample}'")
        text = self.replies[sample]
        if text == FILTERED:
            raise ContentFiltered(f"{self.name}: recorded as filtered")
        if text == FAILED:
            raise RequestRejected(f"{self.name}: recorded as failed for sample '{sample}'")
        return Reply(text=text, finish_reason="stop", usage=Usage(), latency=0.0, model=self.name, cached=True)

    async def aclose(self) -> None:
        """Nothing is held open."""


def open_model(name: str, config: RecordedConfig, folder: Path) -> RecordedModel:
    """Read the file.

    Raises
    ------
    DriftgateError
        The file or one of its columns is missing, or a sample stands in it twice.
    """
    path = on_disk(folder / config.path)
    replies: dict[str, str] = {}
    csv.field_size_limit(_LONGEST_REPLY)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            for row in rows:
                said, reply = row[config.id_column], row[config.response_column] or ""
                if said is None or None in row:
                    raise DriftgateError(
                        f"model '{name}': line {rows.line_num} of {path.name} has not as many fields as its header",
                        "put text that holds a comma or a line break in double quotes",
                    )
                key = as_name(said)
                if replies.setdefault(key, reply) != reply:
                    raise DriftgateError(
                        f"model '{name}': {path.name} has two different replies for '{key}'", "keep one row per sample"
                    )
    except KeyError as problem:
        raise DriftgateError(
            f"model '{name}': {path.name} has no column {problem}", "set id_column and response_column"
        ) from problem
    except OSError as problem:
        raise DriftgateError(f"model '{name}': cannot read {path}: {problem.strerror}", "correct its path") from problem
    except (UnicodeDecodeError, csv.Error) as problem:
        raise DriftgateError(f"model '{name}': {path} is no CSV in UTF-8: {problem}", "save it anew") from problem
    digest = hashlib.sha256(repr(sorted(replies.items())).encode()).hexdigest()
    return RecordedModel(name, {"provider": "recorded", "sha256": digest}, replies)


def check(name: str, config: RecordedConfig, folder: Path) -> str:
    """Read the file."""
    return f"{len(open_model(name, config, folder).replies)} recorded replies"


PROVIDER = Provider(config=RecordedConfig, open=open_model, check=check, probe=None)
