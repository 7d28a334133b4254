"""What overlap measures count in two texts, and what makes an evaluator of one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from driftgate.flows.evaluators._conscience import SILENT, conscience
from driftgate.flows.evaluators._reading import reading_id
from driftgate.flows.evaluators._replies import bounded, is_silent
from driftgate.flows.evaluators._text import pairs, texts
from driftgate.flows.quantities.prose import stated_in
from driftgate.flows.wording import alike, plain, tokens

Unit = Literal["pair", "stem", "word", "syllable"]
"""``pair``: pairs of Hangul syllables, whatever the spaces; ``stem``: words without particles and endings, cut where
either text has a space; ``word``: words and spaces as they stand; ``syllable``: single Hangul syllables.
"""


def units(text: str, unit: Unit, *, signs: bool = False) -> list[str]:
    """What is counted of a text; a quantity with its unit is one, the same in every writing.

    Parameters
    ----------
    text : str
        As :func:`driftgate.flows.wording.alike` gives it.
    signs : bool
        Operators, currencies and percent signs that stand alone count.

    Examples
    --------
    >>> units("API를 쓸 수 있습니다", "pair"), units("API를 쓸 수 있습니다", "stem")
    (['api', '쓸수', '수있', '있다'], ['api', '쓸', '수', '있다'])
    >>> units("2만 5천 원", "pair") == units("25,000원", "pair"), len(units("3억", "pair"))
    (True, 1)
    """
    found: list[str] = []
    for hangul, group in groupby(tokens(text), key=lambda token: token.kind == "hangul"):
        said = list(group)
        if not hangul:
            kept = (t for t in said if signs or t.kind != "sign")
            found += [repr((t.stated.kind, t.stated.key)) if t.stated else t.stem for t in kept]
        elif unit == "pair":
            found += pairs("".join(t.stem for t in said))
        elif unit == "syllable":
            found += "".join(t.stem for t in said)
        else:
            found += [word for t in said if (word := t.stem if unit == "stem" else t.text)]
    return found


def compared(said: str, wanted: str, unit: Unit, *, signs: bool = False) -> tuple[list[str], list[str]]:
    """The units of two texts, with the same spaces unless these count."""
    one, other = (plain(said), plain(wanted)) if unit == "word" else alike(said, wanted)
    return units(one, unit, signs=signs), units(other, unit, signs=signs)


def written_alike(said: str, wanted: str) -> tuple[str, str]:
    """Two texts in one spelling, the quantities of the first written as the second writes them where they are equal.

    Examples
    --------
    >>> written_alike("요금은 25,000원, 3일", "2만 5천 원")
    ('요금은 2만 5천 원, 3일', '2만 5천 원')
    """
    one, other = plain(said), plain(wanted)
    writings = {(s.kind, s.key): other[s.begin : s.end] for s in stated_in(other)}
    parts, place = [], 0
    for stated in stated_in(one):
        parts += [one[place : stated.begin], writings.get((stated.kind, stated.key), one[stated.begin : stated.end])]
        place = stated.end
    return "".join([*parts, one[place:]]), other


@dataclass(frozen=True)
class OverlapEvaluator:
    """An overlap measure with its settings, and beside its scores whether numbers and negation agree."""

    measure: Callable[..., dict[str, float]]
    """Takes ``response`` and ``ground_truth``."""
    module: str
    """Where it stands, for the hash."""

    @property
    def list_id(self) -> str:
        """Hash of the rules by which texts are read and compared."""
        return reading_id(self.module, "_overlap", "_conscience", "_periods", "_text")

    def __call__(self, *, response: str | None, ground_truth: str | Sequence[str]) -> dict[str, float]:
        """Its scores, and :func:`driftgate.flows.evaluators._conscience.conscience`."""
        said, accepted = bounded(response), texts(ground_truth)
        scores = self.measure(response=said, ground_truth=accepted)
        if is_silent(said):  # an empty cell of the data is no evidence for an empty reply
            scores = dict.fromkeys(scores, 0.0)
            if not any(is_silent(text) for text in accepted):
                return {**scores, **SILENT}
        return {**scores, **conscience(said, accepted)}
