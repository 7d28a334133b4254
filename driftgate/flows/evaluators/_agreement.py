"""Whether a clause says what another says: denied alike, of the same, in the same parts, and nothing more."""

from __future__ import annotations

from collections.abc import Sequence

from driftgate.flows.evaluators._kinds import close, members, stands
from driftgate.flows.evaluators._nouns import exchanged, misplaced, nouns
from driftgate.flows.evaluators._statements import Sentence
from driftgate.flows.evaluators._subjects import of_others, other_persons


def says(claim: Sentence, other: Sentence, text: str, others: Sequence[str]) -> bool:
    """Whether a clause of a text says what a claim says.

    Parameters
    ----------
    claim : Sentence
        A clause of an answer.
    other : Sentence
        A clause of a text, or a whole sentence.
    text : str
        The text.
    others : sequence of str
        The other texts that the answer may be drawn from.
    """
    return (
        not contradicts(claim, other)
        and not misplaced(claim.text, other.text)
        and not _otherwise(claim, other)
        and not of_others(claim.text, other.text, text, others)
        and not strange(claim, other, text, others)
    )


def contradicts(claim: Sentence, other: Sentence) -> bool:
    """Whether one denies or says the opposite of the other, says it of another person, or with its parts exchanged.

    An opposite that is denied is no opposite where there are two of it (포함되지 않는다, 제외된다), nor is one of
    things that have changed places (토끼는 거북이보다 빠르다, 거북이는 토끼보다 느리다).

    Examples
    --------
    >>> from driftgate.flows.evaluators._statements import read
    >>> def held(*two): return contradicts(*(read(one)[0] for one in two))
    >>> held("소모품도 포함됩니다.", "소모품은 제외된다."), held("소모품은 포함되지 않습니다.", "소모품은 제외된다.")
    (True, False)
    >>> held("임대인은 요구할 수 있다.", "임차인은 요구할 수 있다."), held("철수가 영희를 봤다.", "영희가 철수를 봤다.")
    (True, True)
    >>> held("토끼는 거북이보다 빠르다.", "거북이는 토끼보다 느리다.")
    False
    """
    denied = not other.denials.agree(claim.denials)
    turned, more = _opposed("turned", claim, other), _opposed("more", claim, other)
    if not denied and _opposed("either", claim, other):
        return True
    if denied != turned or more != exchanged(claim.text, other.text):
        return True
    return other_persons(claim.text, other.text)


def _opposed(name: str, claim: Sentence, other: Sentence) -> bool:
    """Whether two sentences have words of one kind, and none of them both."""
    ours, theirs = _by_kind(name, claim.text), _by_kind(name, other.text)
    return any(theirs.get(kind) and not theirs[kind] & places for kind, places in ours.items())


def _by_kind(name: str, text: str) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {}
    for group, kind, place in members(text):
        if group == name:
            found.setdefault(kind, set()).add(place)
    return found


def _otherwise(claim: Sentence, other: Sentence) -> bool:
    """Whether a clause states none of a claim's quantities, and another of such a kind."""
    stated = [(mine, its) for mine in claim.said for its in other.said]
    return not any(its.stated.answers(mine.stated) for mine, its in stated) and any(
        (mine.stated.kind, mine.stated.measure) == (its.stated.kind, its.stated.measure) for mine, its in stated
    )


def strange(claim: Sentence, other: Sentence, text: str, others: Sequence[str]) -> bool:
    """Whether a claim names what the clause that may say it does not: what no text names, or in whose place another is.

    Examples
    --------
    >>> from driftgate.flows.evaluators._statements import read
    >>> clause = read("본사는 대구에 있다.")[0]
    >>> claims = [read(f"본사는 {place}에 있다.")[0] for place in ("대구", "구미", "전주")]
    >>> [strange(claim, clause, "본사는 대구에 있고 공장은 구미에 있다.", []) for claim in claims]
    [False, True, True]
    """
    here, own = close(other.text), close(claim.text)
    known = [close(one) for one in (text, *others)]
    rivals = [noun for noun in nouns(other.text) if not stands(noun.word, own)]
    heads = {noun.head for noun in rivals if noun.head}
    parts = {noun.part for noun in rivals if not noun.head} - {""}
    for noun in nouns(claim.text):
        if stands(noun.word, here) or _of_a_kind(noun.word, other.text):
            continue
        if not any(stands(noun.word, one) for one in known):
            return True
        # what something is may stand as its subject: 수도는 서울이다, 서울은 수도이다
        played = {"is", "subject"} if noun.part in ("is", "subject") else {noun.part}
        if noun.head in heads if noun.head else not played.isdisjoint(parts):
            return True
    return False


def _of_a_kind(word: str, text: str) -> bool:
    """Whether a word has an opposite and the text has it: what that says is told by :func:`contradicts`."""
    there = {(group, kind) for group, kind, _ in members(text)}
    return any((group, kind) in there for group, kind, _ in members(word))
