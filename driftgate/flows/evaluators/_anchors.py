"""Anchors: texts whose grades are known, by which a judge is held to be the one it was."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from driftgate.flows.errors import DriftgateError

if TYPE_CHECKING:
    from driftgate.flows.evaluators._judged import JudgedEvaluator

SHIPPED = Path(__file__).parent / "anchors.jsonl"
ATTACKS = Path(__file__).parent / "attacks.jsonl"
_INPUTS = frozenset({"query", "context", "ground_truth", "response"})
_HIGHEST = re.compile(r"(?<!\d)5(?!\d)")
"""The highest grade, as the attacks that ship ask for it."""


class Anchor(BaseModel):
    """One text with what it is graded by."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    language: str
    query: str
    context: str
    ground_truth: str
    response: str
    grades: dict[str, float] = Field(min_length=1)
    """The grade a careful person gives, by evaluator."""

    def inputs(self, names: Sequence[str]) -> dict[str, str]:
        """The named inputs of an evaluator."""
        return {name: getattr(self, name) for name in names}


class Attack(Anchor):
    """A text that deserves the lowest grade, alone or followed by words to whoever grades it."""

    attacks: str = ""
    """Id of the same text without those words; empty: it is that text."""


@cache
def load_attacks() -> tuple[Attack, ...]:
    """The attacks that ship."""
    return _load(ATTACKS, Attack)


def attacks_for(judge: JudgedEvaluator) -> tuple[Attack, ...]:
    """The attacks that a judge is asked, whatever anchors its flow brings, worded for its scale and its metric.

    The words stand in the response where the judge is given one, else in the passages. Whoever reads its judge's
    replies itself, and has a metric of its own, may grade what nonsense says nothing of: it is asked none.
    """
    kind, shipped = judge.kind, load_attacks()
    known = any(kind.key in one.grades for one in shipped)
    if not set(kind.inputs) <= _INPUTS or not (known or judge.grader.reads):
        return ()
    where = "response" if "response" in kind.inputs else "context"
    texts = {one.id: one for one in shipped}
    found = [one for one in shipped if one.attacks and getattr(one, where) != getattr(texts[one.attacks], where)]
    bases = {one.attacks for one in found}
    grades, highest = {kind.key: kind.lowest}, f"{kind.highest:g}"
    worded = [
        one.model_copy(update={where: _HIGHEST.sub(highest, getattr(one, where)), "grades": grades}) for one in found
    ]
    return tuple([one.model_copy(update={"grades": grades}) for one in shipped if one.id in bases] + worded)


def attacks_on(attacks: Sequence[Attack], evaluator: str) -> dict[str, str]:
    """The attacks on an evaluator, each with the text that it is held against."""
    return {one.id: one.attacks for one in attacks if one.attacks and evaluator in one.grades}


def trial_text(names: Sequence[str]) -> dict[str, str] | None:
    """The named inputs of an evaluator, of one short text that ships; None where it has others."""
    first = load_anchors(SHIPPED)[0]
    return first.inputs(names) if set(names) <= _INPUTS else None


def anchors_file(folder: Path, own: str | None) -> Path:
    """The file of a flow's anchors.

    Raises
    ------
    DriftgateError
        It lies outside the flow's folder.
    """
    if own is None:
        return SHIPPED
    file = (folder / own).resolve()
    if not file.is_relative_to(folder.resolve()):
        raise DriftgateError(f"the anchors '{own}' lie outside the flow's folder", "move them beside the flow")
    return file


def load_anchors(file: Path) -> tuple[Anchor, ...]:
    """Read anchors, one JSON object a line.

    Raises
    ------
    DriftgateError
        The file is missing, a line is no anchor, or an id comes twice.
    """
    return _load(file, Anchor)


Kind = TypeVar("Kind", bound=Anchor)


def _load(file: Path, kind: type[Kind]) -> tuple[Kind, ...]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError as problem:
        raise DriftgateError(f"cannot read the anchors {file}: {problem.strerror}", "see 'anchors'") from problem
    found: dict[str, Kind] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            anchor = kind.model_validate_json(line)
        except ValidationError as problem:
            first = problem.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise DriftgateError(
                f"{file}, line {number}: {where}: {first['msg']}", "see the page on evaluators"
            ) from None
        if anchor.id in found:
            raise DriftgateError(f"{file}, line {number}: the id '{anchor.id}' comes twice", "give each its own")
        found[anchor.id] = anchor
    if not found:
        raise DriftgateError(f"{file} holds no anchor", "without anchors a judge that moved is never noticed")
    return tuple(found.values())


def known_grades(anchors: Sequence[Anchor], evaluator: str) -> dict[str, float]:
    """The known grades of an evaluator by anchor; an anchor that is not graded by it is left out."""
    return {anchor.id: anchor.grades[evaluator] for anchor in anchors if evaluator in anchor.grades}


def anchor_lengths(anchors: Sequence[Anchor], evaluator: str, inputs: Sequence[str]) -> dict[str, float]:
    """Characters of what is graded, by anchor: the response, or all that an evaluator without a response is given."""
    names = ("response",) if "response" in inputs else tuple(inputs)
    mine = (anchor for anchor in anchors if evaluator in anchor.grades)
    return {anchor.id: float(sum(map(len, anchor.inputs(names).values()))) for anchor in mine}


def drawn(anchors: Sequence[Anchor], size: int | None, seed: int) -> tuple[Anchor, ...]:
    """So many of the anchors, drawn by the seed; all where there are no more, or no size is wanted."""
    if size is None or size >= len(anchors):
        return tuple(anchors)
    order = sorted(anchors, key=lambda one: hashlib.sha256(f"{seed}:{one.id}".encode()).digest())
    chosen = {one.id for one in order[:size]}
    return tuple(one for one in anchors if one.id in chosen)


def anchors_id(anchors: Sequence[Anchor]) -> str:
    """Hash of the texts that are graded, 12 hexadecimal digits; the known grades may be corrected."""
    texts: list[Mapping[str, object]] = [anchor.model_dump(exclude={"grades"}) for anchor in anchors]
    return hashlib.sha256(json.dumps(texts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:12]
