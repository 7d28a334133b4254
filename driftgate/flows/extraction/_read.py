"""Read one span of a reply: which choice it names, and whether it names one at all."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

from driftgate.flows.extraction._normalise import CIRCLED_FIRST, choice_keys, key, unique_match
from driftgate.flows.extraction._rule_set import CompiledRules
from driftgate.flows.extraction._sentences import named

LETTERS = "ABCDEFGHIJ"

LOOK_AHEAD = 120
"""Characters behind a letter that are compared with the choices' texts; longer ones are compared by their beginning."""

_DELIMITER = re.compile(r"\s*(?:[:.)(]|[-–—](?=\s)|,\s*즉)\s*|\s*,\s*|\s+")
_SENTENCE_END = re.compile(r"\s*[.!?。](?=\s|\Z)|\s*[,;](?=\s)(?!\s*즉)|\s*\Z")
_FIRST_SENTENCE = re.compile(r"(?<=[^\d\s])[.!?。](?=\s)")
_VALUE_BEFORE = re.compile(r"\d\s?\Z")
_SUBJECT = re.compile(r"(?:이|가|은|는|을|를|도|와|과|보다|의|에)(?=\s(?!됩|된|되겠|맞|정답|답|옳|가장))")
_PARTICLE = re.compile(r"(?:이|가|은|는|을|를)\s")
_TEXT_AND_LETTER = re.compile(r"([^()]{1,80}?)\s?\((?:[Oo]ption\s|[Cc]hoice\s|보기\s|선택지\s)?([A-J])번?\)")
_IN_BRACKETS = re.compile(r"([^()]{1,80})\(([^()]{1,80})\)")
_CLAUSE_END = re.compile(r"(?<=[^\d\s])[.!?。]\s|(?:입니다|이다)(?=[\s.,]|\Z)|\s(?:이며|왜냐|because)")


@dataclass(frozen=True)
class Reading:
    """A choice's position and the form it was named in, or None and the reason to abstain."""

    position: int | None
    form: str
    at: int = 0
    """Where in the reply it was said."""


@dataclass(frozen=True)
class Asked:
    """What a reply answers: how many choices there are and, where known, their texts."""

    count: int
    choices: tuple[str, ...]
    reader: int = 1
    """Of the rule set."""

    def agreement(self, text: str, position: int, *, cut: bool = False) -> str:
        """Whether the text beside a letter is that choice's: ``own``, ``other``, ``unrelated`` or ``unknown``.

        With `cut` the text is where the reply breaks off, maybe in the middle of a number.
        """
        if not self.choices or position >= len(self.choices):
            return "unknown"
        keys = choice_keys(self.choices)
        text = text[:LOOK_AHEAD]
        end = _CLAUSE_END.search(text)
        spans = [text, text[: end.start()] if end else text, re.split(r"\s\(", text, maxsplit=1)[0]]
        found = [k for k in dict.fromkeys(map(key, spans)) if k]
        if any(k in keys for k in found):
            return "own" if keys[position] in found else "other"
        for k in found:  # a reply goes on behind the choice's text, or is cut short within it
            within = [i for i, c in enumerate(keys) if _begins(k, c)]
            if within:
                return "own" if max(within, key=lambda i: len(keys[i])) == position else "other"
            cut_short = [i for i, c in enumerate(keys) if _begins(c, k)]
            if cut_short:
                return "own" if position in cut_short else "other"
            part_of = [i for i, c in enumerate(keys) if len(k) > 2 and re.search(rf"(?<![\d.]){re.escape(k)}\Z", c)]
            if len(part_of) == 1:  # "130" where the choices read "D = 130"
                return "own" if position in part_of else "other"
        if self.reader >= 2 and (self._last_words(found) == position or (cut and self._cut_in_number(text, position))):
            return "own"
        return "own" if _nearest(found, keys) == position else "unrelated"

    def _last_words(self, found: Sequence[str]) -> int | None:
        """The one choice that ends in these words: "1.975g" of "KMnO4 1.975g"."""
        ends = [{key(" ".join(words[i:])) for i in range(1, len(words))} for words in map(str.split, self.choices)]
        fits = [i for i, own in enumerate(ends) if not own.isdisjoint(found)]
        return fits[0] if len(fits) == 1 else None

    def _cut_in_number(self, text: str, position: int) -> bool:
        """Whether `text` is the beginning of this choice alone and breaks off in a number of it."""
        begun = key(text).replace(",", "")
        whole = [c.replace(",", "") for c in choice_keys(self.choices)]
        return begun[-1:].isdecimal() and [i for i, c in enumerate(whole) if c.startswith(begun)] == [position]


def _begins(text: str, start: str) -> bool:
    """Whether `text` begins with `start` and not in the middle of a number."""
    if not start or not text.startswith(start):
        return False
    return not (start[-1].isdecimal() and re.match(r"[.,]?\d", text[len(start) :]))


def _nearest(found: Sequence[str], keys: Sequence[str]) -> int | None:
    """Position of the choice whose key is clearly most like one of `found` (a misspelt or longer form of it)."""

    def likeness(k: str, c: str) -> float:
        same_numbers = re.sub(r"\D", "", k) == re.sub(r"\D", "", c)
        return SequenceMatcher(None, k[:80], c[:80]).ratio() if same_numbers else 0.0

    ratios = [max((likeness(k, c) for k in found), default=0.0) for c in keys]
    best = max(ratios)
    return ratios.index(best) if best >= 0.6 and ratios.count(best) == 1 else None


def read(
    said: str, asked: Asked, rules: CompiledRules, *, headed: bool, text: bool, cut: bool = False
) -> Reading | None:
    """Name the choice that `said` begins with.

    Parameters
    ----------
    said
        One line, normalised.
    headed
        Words in front announced an answer, so particles and prose may follow the letter.
    text
        The span may also be a choice's text.
    cut
        The reply ends with this line, without a sign that it was meant to.

    Returns
    -------
    Reading or None
        None when `said` is not about a choice; a `Reading` without a position when it is, but gives no single one.
    """
    said = " ".join(said.split())  # the guards try several white spaces in a row
    by_text = _by_text(said, asked)
    for _ in range(3):  # "A가 아니라 B": each round passes one negated choice
        denied = rules.words["NOT"].match(said)
        said = said[denied.end() :] if denied else said
        match, form = match_form(said, rules)
        if match is None:
            return Reading(by_text, "text") if text and by_text is not None else None
        position = position_of(match)
        tail = said[match.end() :]
        if match.groupdict().get("letter", "A").islower() and not _small_letter(tail, position, asked, rules):
            return Reading(by_text, "text") if text and by_text is not None else None
        if form == "digit":
            return _read_digit(position, tail, by_text, asked)
        instead = rules.words["INSTEAD_OF_IT"].match(tail) if rules.reader >= 3 else None
        if instead and match_form(tail[instead.end() :], rules)[0]:
            said = tail[instead.end() :]
            continue
        if rules.words["ANOTHER"].match(tail):
            exact = asked.choices and asked.agreement(tail.lstrip(" ,:"), position) == "own"
            return Reading(position, "letter_text") if exact else Reading(None, "several")
        if denied or rules.words["NEGATED"].match(tail):
            instead = rules.words["INSTEAD"].match(tail)
            if not instead:
                return Reading(None, "negated")
            said = tail[instead.end() :]
            continue
        labelled = said[match.end() - 1] in ")]"  # "B) 서울", "(B) 서울"
        followed = _follow(tail, position, asked, rules, headed=headed, labelled=labelled, cut=cut)
        if instead and not headed and followed is not None and followed.form == "mismatch":
            return Reading(None, "negated")  # "A... 아니, 잠깐만요": what is meant comes later
        doubtful = followed is None or followed.position is None or position >= asked.count
        if by_text is not None and doubtful:
            return Reading(by_text, "text")  # "C 언어"
        if by_text not in (None, position) and (form != "letter" or len(tail.strip()) > 2):
            return Reading(None, "mismatch")  # "3번" as another choice's text; a lone letter stays a letter
        if followed is None:
            return None
        if followed.position is None:
            return followed
        if position >= asked.count:
            return Reading(None, "out_of_range")
        return Reading(position, form if followed.form == "letter" else f"{form}_{followed.form}")
    return Reading(None, "negated")


def match_form(said: str, rules: CompiledRules) -> tuple[re.Match[str] | None, str]:
    """The first form that a text begins with, and its name; None and the empty string where it begins with none."""
    for name, pattern in rules.forms:
        match = pattern.match(said)
        if match:
            return match, name
    return None, ""


def position_of(match: re.Match[str]) -> int:
    """Position of the choice a form's match names."""
    groups = match.groupdict()
    if "letter" in groups:
        return LETTERS.index(groups["letter"].upper())
    if "circled" in groups:
        return ord(groups["circled"]) - CIRCLED_FIRST
    return int(groups.get("number") or groups["digit"]) - 1


def letters_in(said: str, rules: CompiledRules) -> set[str]:
    """The letters of the choices that a text names by letter, circled digit or number."""
    found = {match_form(cell[0], rules)[0] for cell in rules.words["CELL"].finditer(said)}
    return {LETTERS[position_of(match)] for match in found if match is not None}


def is_unit(reply: str, at: int, asked: Asked) -> bool:
    """Whether the letter that stands there is a unit behind a value, as in the choices: "30 A" beside "2 A".

    >>> asked = Asked(2, ("2 A", "3 A"), 3)
    >>> is_unit("답은 30 A입니다", 6, asked), is_unit("답은 A입니다", 3, asked)
    (True, False)
    """
    if asked.reader < 3 or not _VALUE_BEFORE.search(reply[max(0, at - 2) : at]):
        return False
    return any(re.search(rf"\d\s?{re.escape(reply[at])}(?![A-Za-z0-9])", choice) for choice in asked.choices)


def _by_text(said: str, asked: Asked) -> int | None:
    """Position of the choice whose text `said` is, alone or up to the end of its first clause."""
    if not asked.choices:
        return None
    end = _CLAUSE_END.search(said)
    for text in (said, said[: end.start()] if end else ""):
        whole = unique_match(text, asked.choices)
        if whole is None and asked.reader >= 2:
            whole = _other_names(asked.choices).get(key(text))
        if whole is not None:
            return whole
    lettered = _TEXT_AND_LETTER.match(said) if asked.reader >= 2 else None
    if lettered and asked.reader >= 3 and _SUBJECT.match(said, lettered.end()):
        return None  # "부산(B)이 더 크지만": spoken of
    if lettered:  # "부산 (B)": both must mean the same choice
        position = unique_match(lettered[1], asked.choices)
        return position if position is not None and LETTERS[position] == lettered[2] else None
    return None


@lru_cache(maxsize=4096)
def _other_names(choices: tuple[str, ...]) -> dict[str, int]:
    """What stands in brackets in a choice and what stands before them, where it means one choice: "직무분석(DPT)"."""
    names: dict[str, set[int]] = {}
    for place, choice in enumerate(choices):
        if bracket := _IN_BRACKETS.fullmatch(choice.strip()):
            for name in filter(None, map(key, bracket.groups())):
                names.setdefault(name, set()).add(place)
    taken = (*choice_keys(choices), *LETTERS[: len(choices)].casefold())
    return {name: next(iter(where)) for name, where in names.items() if len(where) == 1 and name not in taken}


def _read_digit(position: int, tail: str, by_text: int | None, asked: Asked) -> Reading | None:
    """A plain digit is a choice's number only where it cannot be a value."""
    rest = tail.lstrip(" .:)]*")
    if rest and not rest.startswith(("입니다", "이다")):
        if position < asked.count and asked.agreement(rest, position) == "own":
            return Reading(position, "digit")
        return Reading(by_text, "text") if by_text is not None else None
    if by_text is not None and (by_text == position or position >= asked.count):
        return Reading(by_text, "text")
    values = not asked.choices or by_text is not None or any(k[:1].isdecimal() for k in choice_keys(asked.choices))
    if values:
        return Reading(None, "ambiguous_digit")
    return Reading(position, "digit") if position < asked.count else Reading(None, "out_of_range")


def _follow(
    tail: str, position: int, asked: Asked, rules: CompiledRules, *, headed: bool, labelled: bool, cut: bool
) -> Reading | None:
    """Judge what stands behind a letter: nothing of weight (``letter``), its own ``text``, or text ``unchecked``."""
    plain = Reading(position, "letter")
    if not tail.strip(" .。!") or rules.words["COPULA"].match(tail):
        return plain
    if headed and (rules.words["PARTICLE"].match(tail) or _SENTENCE_END.match(tail)):
        return plain
    if rules.words["EXPLAINS"].match(tail) or (headed and rules.words["CONNECTIVE"].match(tail)):
        return plain
    found = _DELIMITER.match(tail)
    text = tail[found.end() :] if found else tail
    delimiter = (found[0].strip() or (" " if found[0] else "")) if found else ""
    if labelled and not delimiter and rules.reader >= 2 and _PARTICLE.match(text):
        return None  # "(B)가 정답이다": no label
    if labelled and delimiter in ("", " "):
        delimiter = ")"
    if not delimiter and len(text) > LOOK_AHEAD:
        return None
    agreement = asked.agreement(text, position, cut=cut)
    if agreement == "own" and (delimiter or len(key(text)) > 3):
        others = set(rules.words["LABEL"].findall(text)) - {LETTERS[position]}
        listed = others and key(text) != choice_keys(asked.choices)[position]
        return Reading(None, "several") if listed else Reading(position, "text")
    if delimiter in ("", " "):  # "C 언어", "D25 철근": the letter belongs to a word
        if delimiter and agreement == "other":
            return Reading(None, "mismatch")
        numeric = delimiter == " " and text[:1].isdecimal() and agreement == "unknown"
        return Reading(position, "unchecked") if headed and numeric else None
    if agreement == "unrelated" and rules.reader >= 3:
        first = _FIRST_SENTENCE.search(text)  # the sentences behind it may go through the others
        if {position} in (
            _speaks_of(text, asked, rules),
            _speaks_of(text[: first.end()] if first else "", asked, rules),
        ):
            return Reading(position, "text")
    if agreement in ("other", "unrelated"):
        return Reading(None, "mismatch")
    if delimiter == "," and not headed:
        return None
    if set(rules.words["LABEL"].findall(text)) - {LETTERS[position]}:
        return Reading(None, "several")
    return Reading(position, "unchecked")


def _speaks_of(text: str, asked: Asked, rules: CompiledRules) -> set[int]:
    """The choices that a sentence behind a letter speaks of; none where it is no sentence: "②. ... 가격입니다"."""
    if not rules.words["PROSE"].search(text):
        return set()
    return {one.position for one in named(text, asked.choices, rules)}


def _small_letter(tail: str, position: int, asked: Asked, rules: CompiledRules) -> bool:
    """Whether what follows a small letter makes it a choice: nothing, an ending or its own text ("c) 대전")."""
    if rules.reader < 3 or not tail.strip(" .!") or rules.words["COPULA"].match(tail.lstrip(")].:번")):
        return True
    return bool(asked.choices) and asked.agreement(tail.lstrip(" )].:"), position) == "own"
