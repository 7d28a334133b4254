"""Measure what ``contradiction`` finds in conversations with a planted contradiction, and in sound ones, by turn.

Run from the project's root::

    python -m benchmarks.perf.conversation_table

``conversations.jsonl`` beside this file holds conversations of our own: the turn that contradicts (0 in sound ones),
the kind, and whether it contradicts the assistant itself or the user. The part ``open`` was written while the rules
were made. The part ``held`` was committed before its first run (14 of 20 found, 2 of 20 sound ones flagged), and rules
were mended by it afterwards. ``fresh`` was committed before its first run too, and no rule was changed since. The kind
``meaning`` can be told from the meaning of words alone: it shows what rules do not reach, and no floor holds for it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from driftgate.flows.evaluators import EVALUATORS

CONVERSATIONS = Path(__file__).with_name("conversations.jsonl")
KINDS = ("quantity", "name", "negation", "meaning")


@dataclass(frozen=True)
class Judged:
    """A conversation with the turn that contradicts and the one that was found."""

    id: str
    part: str
    kind: str
    """``sound`` where no turn contradicts."""
    turn: int
    found: int
    said: str


@dataclass(frozen=True)
class Row:
    """Of one kind: conversations, and those of which the turn was found."""

    kind: str
    planted: int
    found: int


def judged(part: str = "") -> list[Judged]:
    """Every conversation with what the evaluator makes of it; of one part where it is named."""
    evaluate = EVALUATORS.get("contradiction")()
    rows: list[dict[str, Any]] = [json.loads(line) for line in CONVERSATIONS.read_text(encoding="utf-8").splitlines()]
    made = []
    for row in rows:
        if part and row["part"] != part:
            continue
        found = evaluate(turns=row["turns"])
        made.append(Judged(row["id"], row["part"], row["kind"], row["turn"], int(found["turn"]), str(found["found"])))
    return made


def table(conversations: Sequence[Judged]) -> list[Row]:
    """A row a kind."""
    return [
        Row(
            kind,
            sum(one.kind == kind for one in conversations),
            sum(one.kind == kind and one.found == one.turn for one in conversations),
        )
        for kind in KINDS
    ]


def precision(conversations: Sequence[Judged]) -> float:
    """Of the turns that were found, the share that contradicts."""
    found = [one for one in conversations if one.found]
    return sum(one.found == one.turn for one in found) / len(found) if found else 1.0


def recall(conversations: Sequence[Judged]) -> float:
    """Of the turns that contradict, meaning aside, the share that was found."""
    planted = [one for one in conversations if one.turn and one.kind != "meaning"]
    return sum(one.found == one.turn for one in planted) / len(planted)


def main() -> None:
    """Print the tables and the conversations that are judged wrongly."""
    for part in ("open", "held", "fresh"):
        conversations = judged(part)
        sound = sum(one.kind == "sound" for one in conversations)
        print(f"{part}: {len(conversations) - sound} conversations with a planted contradiction, {sound} sound")
        for row in table(conversations):
            if row.planted:
                print(f"{row.kind:<10} {row.planted:>4} {row.found:>4} {row.found / row.planted:>6.0%}")
        print(f"by turn: precision {precision(conversations):.2f}, recall without meaning {recall(conversations):.2f}")
        for one in conversations:
            if one.found != one.turn and one.kind != "meaning":
                print(f"  {one.id} ({one.kind}): planted {one.turn or 'nowhere'}, found {one.said or 'nowhere'}")
        print()


if __name__ == "__main__":
    main()
