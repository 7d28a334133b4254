"""Do two texts say the same, and does one say the other?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby

from driftgate.flows.wording._declared import last_said, readings
from driftgate.flows.wording._denials import NEGATORS
from driftgate.flows.wording._endings import _NOUN, is_ending, stem
from driftgate.flows.wording._left_open import left_open
from driftgate.flows.wording._plain import plain
from driftgate.flows.wording._tokens import Token, tokens, tokens_of_plain

Part = str | tuple[object, ...]


def same(one: str, other: str, *, particles: bool = False, spaces: bool = False) -> bool:
    """Whether two texts are the same words and quantities; an empty text is the same as none.

    Spaces vanish between Hangul alone. Signs, operators and currencies count. Words that declare an answer ("정답은")
    do not.

    Parameters
    ----------
    particles : bool
        Korean particles and endings count, and so do words that declare an answer.
    spaces : bool
        Spaces between Hangul count.

    Examples
    --------
    >>> same("2만 5천 원", "25,000원입니다."), same("할수있다", "할 수 있습니다"), same("1/2", "12"), same("", "")
    (True, True, False, False)
    >>> same("정답: 서울", "서울"), same("정답은 서울이 아니라 부산", "서울"), same("답은 4예요", "-4")
    (True, False, False)
    """
    ours, theirs = tokens(one), tokens(other)
    if not ours or not theirs:
        squeezed = ["".join(plain(text).split()) for text in (one, other)]
        return bool(squeezed[0]) and squeezed[0] == squeezed[1] and not ours and not theirs
    if _parts(ours, spaces=spaces, stems=False) == _parts(theirs, spaces=spaces, stems=False):
        return True
    if particles:
        return False
    if _alike(ours, theirs, spaces=spaces):
        return True
    left, right = (
        [whole, *map(tokens_of_plain, readings(plain(text)))] for whole, text in ((ours, one), (theirs, other))
    )
    return any(said and wanted and _alike(said, wanted, spaces=spaces) for said in left for wanted in right)


def _alike(ours: Sequence[Token], theirs: Sequence[Token], *, spaces: bool) -> bool:
    """Whether two texts are the same, particles and endings aside."""
    left, right = _parts(ours, spaces=spaces, stems=True), _parts(theirs, spaces=spaces, stems=True)
    return bool(left) and left == right


def _parts(said: Sequence[Token], *, spaces: bool, stems: bool) -> list[Part]:
    """What is compared; neighbouring words of Hangul as one unless spaces count."""
    found: list[Part] = []
    for hangul, group in groupby(said, key=lambda token: token.kind == "hangul"):
        if hangul:
            words = [word for token in group if (word := token.stem if stems else token.text)]
            joined = " ".join(words) if spaces else "".join(words)
            found += [joined] if joined else []
        else:
            found += [(t.stated.kind, t.stated.key) if t.stated else t.stem for t in group]
    if stems and found and isinstance(found[-1], str) and said[-1].kind == "hangul" and not spaces:
        found[-1] = stem(found[-1]) or found[-1]
    return found


def holds(said: str, wanted: str) -> bool:
    """Whether a text says what is wanted: in whole words, its quantities, and without denying it.

    What is said more than once is what was said last. One of several that are left open is not said, nor is what the
    text takes back, or thought before it declares another answer.

    Examples
    --------
    >>> holds("네, 가능합니다.", "가능"), holds("불가능합니다.", "가능"), holds("가능하지 않습니다.", "가능")
    (True, False, False)
    >>> holds("부산이 아니라 서울입니다.", "서울"), holds("부산이 아니라 서울입니다.", "부산"), holds("13일", "3일")
    (True, False, False)
    >>> holds("서울이나 부산입니다.", "서울"), holds("금성입니다. 아, 아니네요. 수성이 맞습니다.", "금성")
    (False, False)
    """
    if same(said, wanted):
        return True
    text, sought = tokens_of_plain(last_said(plain(said))), _sought(wanted)
    if not text or not sought:
        return False
    for begin in reversed(range(len(text))):
        if (found := _found(text, begin, sought)) is not None:
            return not _denied(text, begin, *found) and not left_open(text, begin, *found)
    return False


def _sought(wanted: str) -> list[Token | str]:
    """Statements, Latin words and signs one by one, neighbouring words of Hangul joined."""
    found: list[Token | str] = []
    for hangul, group in groupby(tokens(wanted), key=lambda token: token.kind == "hangul"):
        if hangul:
            words = list(group)
            joined = "".join(t.text for t in words[:-1]) + words[-1].stem
            found += [joined] if joined else []
        else:
            found += list(group)
    return found


def _found(text: Sequence[Token], begin: int, sought: Sequence[Token | str]) -> tuple[int, str] | None:
    """Behind which token the wanted ends, and what its last word goes on with; None where it does not begin here."""
    place, rest = begin, ""
    for number, one in enumerate(sought):
        while number and place < len(text) and text[place].kind == "hangul" and not text[place].stem:
            place += 1
        if place >= len(text):
            return None
        if isinstance(one, str):
            step = _words(text, place, one)
            if step is None:
                return None
            place, rest = step
            continue
        token = text[place]
        if one.stated is not None:
            if token.stated is None or not token.stated.answers(one.stated):
                return None
        elif token.kind != one.kind or token.stem != one.stem:
            return None
        place, rest = place + 1, ""
    return place, rest


def _words(text: Sequence[Token], place: int, wanted: str) -> tuple[int, str] | None:
    """Words of Hangul that begin with the wanted one, which only an ending may follow in the last of them."""
    begins = text[place].text, text[place].stem
    if not begins[0].startswith(wanted[: len(begins[0])]) and not begins[1].startswith(wanted[: len(begins[1])]):
        return None
    for use_stems in (False, True):
        joined, at = "", place
        while at < len(text) and text[at].kind == "hangul" and len(joined) < len(wanted):
            last = text[at].text
            if len(joined) + len(last) >= len(wanted) and (joined + last).startswith(wanted):
                rest = (joined + last)[len(wanted) :]
                own = wanted[len(joined) :]
                kept = stem(last)
                noun = bool(rest) and len(kept) > len(own) and _NOUN.search(kept)
                if not noun and (is_ending(rest, wanted) or _runs_on(rest)):
                    return at + 1, rest
            joined += text[at].stem if use_stems else last
            at += 1
        if joined == wanted:
            return at, ""
        if at > place and stem(joined) == wanted and stem(text[at - 1].text) != text[at - 1].text:
            return at, joined[len(wanted) :]
    return None


_RUNS_ON = re.compile(r"(?:하|되|이|가|은|는|도)?지(?:는|도|를|가)?|(?:이|가)?(?:아닌|아니|아닙|아닐|않|못).*")


def _runs_on(rest: str) -> bool:
    """Whether the word goes on into a denial, so that the denial is seen and not the word missed."""
    return _RUNS_ON.fullmatch(rest) is not None


def stands_in(said: str, wanted: str) -> bool:
    """Whether the wanted words and quantities stand in a text, whether it denies them or not.

    Examples
    --------
    >>> stands_in("요금은 2만 5천 원이 아니다.", "25,000원"), stands_in("기간은 13일", "3일")
    (True, False)
    """
    text, sought = tokens(said), _sought(wanted)
    return bool(sought) and any(_found(text, begin, sought) is not None for begin in range(len(text)))


_DENIES = re.compile(
    r"(?:안$|못$|아니|아닌|아닙|아닐|않|못|없|말(?:아|고|라|기|자)|마세|마십|불가|틀[리렸린립림]|오답|실수|no$|not$|n't$|isn|aren|wasn|doesn|don't|cannot)"
)
_FILLER = re.compile(
    r"(?:하|되)?지(?:는|도|를|가)?|(?:것|건|게|거|수|줄|리|바|할|될|절대|전혀|결코|더|이상|여부|경우|사실|답|정답|주장|는|은|이|가|도)(?:은|는|이|가|도|로|를|을)?"
)


def _denied(text: Sequence[Token], begin: int, end: int, rest: str) -> bool:
    """Whether what stands there is denied, by the word before it or those that its predicate is made of."""
    if begin and text[begin - 1].text in NEGATORS and not text[begin].ends:
        return True
    if re.search(r"않|아니|아닌|아닙|아닐|못", rest):
        return True
    looked = 0
    for token in text[end:]:
        if token.ends or looked >= 3:
            return False
        if token.kind == "hangul" and not token.stem:
            continue
        if _DENIES.match(token.text) or _DENIES.match(token.stem):
            return looked == 0 or not token.text.startswith(("없", "않", "못", "안")) or _all_filler(text, end, looked)
        if (
            rest.endswith(("며", "고", "지만", "는데", "은", "는", "에서", "에", "라서"))
            and looked == 0
            and not _FILLER.fullmatch(token.text)
        ):
            return False
        looked += 1
    return False


def _all_filler(text: Sequence[Token], end: int, count: int) -> bool:
    return all(_FILLER.fullmatch(token.text) for token in text[end : end + count])
