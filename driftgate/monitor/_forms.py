"""The answers of a run at prompts: each question as it stands, several times, and in its other forms."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from driftgate.ledger import Ledger, RunRow, ask_frame, cells_of
from driftgate.monitor._conclude import UNMEASURED
from driftgate.monitor.otherwise import FORM

if TYPE_CHECKING:
    import pandas as pd

_RIGHT = 0.5
"""The grade from which an answer counts as right."""


def form_frame(ledger: Ledger, run: RunRow) -> pd.DataFrame:
    """The answers of a run at prompts.

    Returns
    -------
    pandas.DataFrame
        A row for each time that a question was to be asked: ``time`` (of the run's beginning), ``key`` (the question's
        as it stands), ``slice``, ``form`` (empty as it stands), ``answer`` (in the question's own letters; empty where
        none could be read, None where nobody answered), ``correct`` (0 or 1, NaN where nobody answered),
        ``response_model``, ``fingerprint``, ``prompt_hash``, ``outcome`` and ``error``.
    """
    import pandas as pd

    frames = []
    for cell in cells_of(ledger, run.id):
        frame, form = ask_frame(ledger, cell.id), cell.details.get(FORM) or {}
        of = form.get("of")
        measured = ~frame["outcome"].isin(UNMEASURED)
        answers, keys = frame["answer"].fillna("").astype(object), frame["key"]
        if of is not None:
            answers = pd.Series(
                [of[key][1].get(said, said) for key, said in zip(keys, answers, strict=True)],
                index=frame.index,
                dtype=object,
            )
            keys = keys.map(lambda key: of[key][0])  # noqa: B023 - mapped at once
        frames.append(
            pd.DataFrame(
                {
                    "time": pd.Timestamp(run.created_at),
                    "key": keys,
                    "slice": frame["category"],
                    "form": str(form.get("name", "")),
                    "answer": answers.where(measured, None),
                    "correct": (frame["correct"].astype(float).fillna(0.0) >= _RIGHT).astype(float).where(measured),
                    "response_model": frame["served_model"].fillna(""),
                    "fingerprint": frame["fingerprint"].fillna(""),
                    "prompt_hash": str(cell.details.get("flow_hash", "")),
                    "outcome": frame["outcome"],
                    "error": frame["error"].fillna("").mask(frame["outcome"] == "truncated", ""),
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def with_kinds(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with the column ``kind``: answers to a question are of one kind where they say the same; -1: none.

    Two texts say the same by the words and quantities in them (:func:`driftgate.flows.wording.same`).

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"key": list("aaab"), "answer": ["2만 5천 원", "25,000원입니다.", None, "A"]})
    >>> with_kinds(frame)["kind"].tolist()
    [0, 0, -1, 0]
    """
    seen: dict[object, list[str]] = defaultdict(list)
    kinds: dict[tuple[object, str], int] = {}
    found = []
    for key, answer in zip(frame["key"], frame["answer"], strict=True):
        if answer is None or answer != answer:
            found.append(-1)
            continue
        if (key, answer) not in kinds:
            kinds[key, answer] = _kind(answer, seen[key])
        found.append(kinds[key, answer])
    return frame.assign(kind=found)


def _kind(answer: str, seen: list[str]) -> int:
    """The number of the first answer that says the same, or of a new kind."""
    from driftgate.flows.wording import same

    for number, other in enumerate(seen):
        if answer == other or (max(len(answer), len(other)) > 1 and answer and other and same(answer, other)):
            return number
    seen.append(answer)
    return len(seen) - 1


def counts_of(frame: pd.DataFrame) -> dict[object, tuple[dict[int, int], int]]:
    """By question, how many answers of each kind it has, and how many times nobody answered."""
    found: dict[object, tuple[dict[int, int], int]] = {}
    for key, kind in zip(frame["key"], frame["kind"], strict=True):
        kinds, missing = found.get(key, ({}, 0))
        if kind < 0:
            missing += 1
        else:
            kinds[kind] = kinds.get(kind, 0) + 1
        found[key] = kinds, missing
    return found


def slices_of(frames: Sequence[pd.DataFrame]) -> dict[object, str]:
    """The slice of each question."""
    return {key: str(place or "") for frame in frames for key, place in zip(frame["key"], frame["slice"], strict=True)}
