"""Training items and the file they are kept in."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from driftgate.finetune.train._files import write_atomically
from driftgate.flows.errors import DriftgateError


@dataclass(frozen=True, slots=True)
class TrainingItem:
    """One prompt and the answer a model is to learn to give to it."""

    prompt: str
    """What the flow's prompt node renders, in prompt flow's chat form (``# system:``, ``# user:`` headings), so that
    a trainer can put it in the very form in which the model is served."""
    target: str
    """The answer, without white space around it."""
    rejected: str = ""
    """An answer that is worse than the target, for training by preference; empty where there is none."""
    weight: float = 1.0
    """Weight of the item in the loss; trainers that know no weights refuse any but 1."""
    id: str = ""
    """Where the item comes from; kept for the lineage."""
    category: str = ""
    """The slice the item belongs to."""
    lineage: Mapping[str, Any] = field(default_factory=dict)
    """What the item was made from."""

    def __post_init__(self) -> None:
        """Refuse what no trainer can learn from."""
        where = f"training item '{self.id or self.prompt[:40]}'"
        if not self.prompt.strip() or not self.target.strip():
            raise DriftgateError(f"{where} has an empty prompt or target", "leave it out")
        if self.target != self.target.strip():
            raise DriftgateError(f"{where}: its target {self.target!r} has white space around it", "strip it")
        if self.rejected and self.rejected.strip() in ("", self.target):
            raise DriftgateError(f"{where} prefers its target to {self.rejected!r}", "give a worse answer, or none")
        if not (math.isfinite(self.weight) and self.weight > 0):
            raise DriftgateError(f"{where} has weight {self.weight}", "give it a weight above 0, or leave it out")


def write_items(path: Path, items: Iterable[TrainingItem]) -> int:
    """Write items as JSON Lines, all or nothing, and return how many there were.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "items.jsonl"
    ...     write_items(path, [TrainingItem("1 + 1 =", "2")]), read_items(path)[0].target
    (1, '2')
    """
    lines = [json.dumps(asdict(item), ensure_ascii=False, sort_keys=True) for item in items]
    write_atomically(path, "".join(f"{line}\n" for line in lines).encode())
    return len(lines)


def read_items(path: Path) -> list[TrainingItem]:
    """Read items from JSON Lines.

    Raises
    ------
    DriftgateError
        The file is absent or empty, or a line is not a training item; the line's number is named.
    """
    if not path.is_file():
        raise DriftgateError(f"there is no file of training items at {path}", "write it with write_items")
    items = []
    for number, line in enumerate(path.read_text(encoding="utf-8-sig").split("\n"), start=1):
        if not line.strip():
            continue
        try:
            items.append(TrainingItem(**json.loads(line)))
        except (ValueError, TypeError, DriftgateError) as problem:
            raise DriftgateError(
                f"{path}, line {number} is not a training item: {problem}",
                "each line is a JSON object with prompt and target",
            ) from problem
    if not items:
        raise DriftgateError(f"{path} holds no training item", "training needs at least one")
    return items
