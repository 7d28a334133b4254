"""Measure what the evaluator ``tool_calls`` finds: recall by kind of planted fault, and what it finds where nothing is.

Run from the project's root::

    python -m benchmarks.perf.tool_call_table

``tool_call_traces.jsonl`` beside this file holds traces of our own, each with the kinds of fault that were planted in
it, none in those that are sound, in nine forms; ``tool_call_tools.json`` the tools of each domain. The part ``open``
was written while the rules were made, ``held`` after them; at its first run all were judged rightly.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from driftgate.flows.evaluators import EVALUATORS
from driftgate.flows.tool_calls import KINDS

TRACES = Path(__file__).with_name("tool_call_traces.jsonl")
TOOLS = Path(__file__).with_name("tool_call_tools.json")


@dataclass(frozen=True)
class Judged:
    """A trace, the kinds that were planted in it and the kinds that were found."""

    id: str
    part: str
    form: str
    planted: frozenset[str]
    found: frozenset[str]
    said: str


@dataclass(frozen=True)
class Row:
    """One kind: traces it was planted in, those in which it was found, and those in which it was found and is not."""

    kind: str
    planted: int
    found: int
    false: int


def judged(part: str = "") -> list[Judged]:
    """Every trace with what the evaluator makes of it; of one part where it is named."""
    tools = json.loads(TOOLS.read_text(encoding="utf-8"))
    rows: list[dict[str, Any]] = [json.loads(line) for line in TRACES.read_text(encoding="utf-8").splitlines()]
    made = []
    for row in rows:
        if part and row["part"] != part:
            continue
        evaluate = EVALUATORS.get("tool_calls")(**row.get("settings", {}))
        found = evaluate(calls=row["calls"], expected=row["expected"], tools=tools[row["tools"]])
        kinds = frozenset(filter(None, str(found["kinds"]).split(", ")))
        made.append(Judged(row["id"], row["part"], row["form"], frozenset(row["kinds"]), kinds, str(found["found"])))
    return made


def table(traces: Sequence[Judged]) -> list[Row]:
    """A row a kind, in the order in which the evaluator names them."""
    return [
        Row(
            kind,
            sum(kind in one.planted for one in traces),
            sum(kind in one.planted & one.found for one in traces),
            sum(kind in one.found - one.planted for one in traces),
        )
        for kind in KINDS
    ]


def main() -> None:
    """Print the tables and the traces that are judged wrongly."""
    for part in ("open", "held"):
        traces = judged(part)
        faulty = [one for one in traces if one.planted]
        sound = [one for one in traces if not one.planted]
        print(f"{part}: {len(faulty)} traces with planted faults, {len(sound)} sound")
        print(f"{'kind':<22} {'planted':>8} {'found':>6} {'recall':>7} {'false':>6}")
        for row in table(traces):
            recall = f"{row.found / row.planted:.0%}" if row.planted else "-"
            print(f"{row.kind:<22} {row.planted:>8} {row.found:>6} {recall:>7} {row.false:>6}")
        print(f"sound traces with a finding: {sum(bool(one.found) for one in sound)} of {len(sound)}")
        for one in traces:
            if one.planted != one.found:
                said = f"planted {', '.join(sorted(one.planted)) or 'nothing'}; found: {one.said or 'nothing'}"
                print(f"  {one.id} ({one.form}): {said}")
        print()


if __name__ == "__main__":
    main()
