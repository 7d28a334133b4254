"""Where an assistant's turn contradicts what was said before, by itself or by the user."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from driftgate.flows.evaluators._claims import Claim, claims_of, corrects
from driftgate.flows.evaluators._turns import Turn
from driftgate.flows.quantities.prose import Stated

_ADDRESSED = re.compile(r"(?:^|[\s,.!?~\"'(])([가-힣]{2,4})\s?님")
_TITLES = re.compile(
    r"고객|회원|손님|선생|사장|부장|과장|차장|대리|팀장|대표|이사|교수|의사|간호사|기사|원장|담당자|예약자|주문자|이용자|사용자|"
    r"신청자|부모|어머|아버|형|누|하나|여러분|환자|승객|구매자|판매자|가족|학부모"
)
_RESTATES = re.compile(
    r"예약|주문|신청|등록|접수|준비|말씀하|하신|하셨|맞으시|맞습니|맞죠|기준으로|맞춰|이시|으시|이니|시니|계시"
)
_CHANGES = re.compile(r"(?:^|\s)더(?:\s|$)|추가|합류|빠지|빠져|못 와|못 오|늘|줄")
_EXISTS = "있다"
_SLACK = Fraction(1, 10)
_ROUGH = re.compile(r"약 |정도|가량|쯤|내외|안팎")


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A turn of the assistant that contradicts one before it."""

    turn: Turn
    earlier: Turn
    kind: str
    """``quantity``, ``name`` or ``negation``."""
    said: str


def contradictions_in(turns: Sequence[Turn]) -> list[Contradiction]:
    """The turns of the assistant that contradict what was said before, each with the earlier one.

    Of what a user or a correction changes the newest word holds.

    Examples
    --------
    >>> said = ("배송비 얼마예요?", "배송비는 3,000원입니다.", "다시 알려 주세요.", "배송비는 2,500원입니다.")
    >>> turns = [Turn(n, "user" if n % 2 else "assistant", text) for n, text in enumerate(said, 1)]
    >>> [(one.turn.number, one.earlier.number, one.kind) for one in contradictions_in(turns)]
    [(4, 2, 'quantity')]
    """
    facts: list[Claim] = []
    found: list[Contradiction] = []
    question = ""
    for turn in turns:
        claims = claims_of(turn, question if turn.role == "assistant" else "")
        changed = corrects(turn.text)
        if turn.role == "assistant" and not changed:
            before = _Facts.of(facts, claims)
            for claim in claims:
                earlier = before.against(claim)
                told = earlier is not None and any(_about_the_same(one, claim) for one in found)
                if earlier is not None and not told:
                    said = f"{claim.text.strip()} (turn {earlier.turn.number}: {earlier.text.strip()})"
                    found.append(Contradiction(turn, earlier.turn, claim.kind, said))
            found += _strangers(turn, facts, turns)
        facts = [fact for fact in facts if not _replaced(fact, claims, changed, turn)] + claims
        question = turn.text if turn.role == "user" else ""
    return found


def _about_the_same(one: Contradiction, claim: Claim) -> bool:
    return one.turn is claim.turn and one.kind == claim.kind and bool(claim.head) and claim.head in one.said


def _contradicts(fact: Claim, claim: Claim, facts: Sequence[Claim]) -> bool:
    """Whether a name, or a yes or no, stands against one of the same kind."""
    if not _same_thing(fact, claim, facts):
        return False
    if claim.kind == "name":
        alike = claim.name in fact.name or fact.name in claim.name
        return alike == (claim.denied != fact.denied)
    if claim.denied == fact.denied:
        return False
    ours, theirs = claim.words, fact.words
    common = ours & theirs
    return bool(common) and len(common) >= 0.5 * max(len(ours), len(theirs))


def _same_thing(fact: Claim, claim: Claim, facts: Sequence[Claim]) -> bool:
    """Whether two claims are about one thing: the later one may leave out what the earlier one said of it."""
    if fact.head and claim.head:
        if fact.head != claim.head:
            return False
        if claim.kind == "negation":
            if fact.denied and not claim.denied and _EXISTS in fact.words & claim.words and fact.about < claim.about:
                return True  # there is none at all, and there is one somewhere
            return claim.about == fact.about or (claim.about < fact.about and not _contrasted(fact, facts))
        if claim.limits == fact.limits:
            return True
        return claim.limits < fact.limits and not _contrasted(fact, facts)
    ours, theirs = claim.limits | {claim.head} - {""}, fact.limits | {fact.head} - {""}
    common = ours & theirs
    return bool(common) and 2 * len(common) >= len(ours | theirs)


def _contrasted(fact: Claim, facts: Sequence[Claim]) -> bool:
    """Whether its turn says another thing of another kind of it, so that what it is said of counts."""
    return any(
        one.turn is fact.turn and one.head == fact.head and one.kind == fact.kind and one.limits != fact.limits
        for one in facts
    )


@dataclass(frozen=True)
class _Facts:
    """What was said before a turn, and what the turn says, by what it is about."""

    every: Sequence[Claim]
    of_turns: Mapping[tuple[int, str, tuple[str, str]], Sequence[Claim]]
    own: Mapping[tuple[str, tuple[str, str]], Sequence[Claim]]

    @classmethod
    def of(cls, facts: Sequence[Claim], claims: Sequence[Claim]) -> _Facts:
        """Sorted once a turn: searched anew for every pair they take minutes of a long conversation."""
        of_turns: dict[tuple[int, str, tuple[str, str]], list[Claim]] = {}
        own: dict[tuple[str, tuple[str, str]], list[Claim]] = {}
        for fact in facts:
            of_turns.setdefault((fact.turn.number, fact.head, fact.measure), []).append(fact)
        for claim in claims:
            own.setdefault((claim.head, claim.measure), []).append(claim)
        return cls(facts, of_turns, own)

    def against(self, claim: Claim) -> Claim | None:
        """The newest fact that a claim contradicts."""
        agrees: dict[tuple[int, str, tuple[str, str]], bool] = {}
        own = self.own.get((claim.head, claim.measure), ())
        for fact in reversed(self.every):
            if fact.kind != claim.kind or fact.measure != claim.measure:
                continue
            if claim.kind != "quantity":
                if _contradicts(fact, claim, self.every):
                    return fact
                continue
            group = (fact.turn.number, fact.head, fact.measure)
            if agrees.get(group):
                continue
            if not (_same_thing(fact, claim, self.every) or _restated(fact, claim, self.every)):
                continue
            others = self.of_turns[group]
            if group not in agrees:  # one of the quantities that the earlier turn states of it goes with the later one
                agrees[group] = any(_goes_with(one, claim) for one in others)
            if agrees[group] or (len(own) > len(others) and any(_goes_with(fact, one) for one in own)):
                continue
            return fact
        return None


def _restated(fact: Claim, claim: Claim, facts: Sequence[Claim]) -> bool:
    """Whether the assistant repeats a count that the user gave, of which nobody said another."""
    if fact.turn.role != "user" or not fact.measure[1].startswith("count of") or not _RESTATES.search(claim.text):
        return False
    later = [one for one in facts if one.turn.role == "user" and one.turn.number > fact.turn.number]
    if any(one.measure[1].startswith("count of") or _CHANGES.search(one.turn.text) for one in later):
        return False
    values = {str(one.stated.key) for one in facts if one.stated is not None and one.measure == fact.measure}
    return len(values) == 1


def _goes_with(one: Claim, other: Claim) -> bool:
    first, second = one.stated, other.stated
    if first is None or second is None or first.answers(second) or second.answers(first):
        return True
    low, high = _bounds(first)
    least, most = _bounds(second)
    if None in (low, high, least, most):
        return False
    slack = _SLACK if _ROUGH.search(one.text) or _ROUGH.search(other.text) else Fraction(0)
    assert low is not None and high is not None and least is not None and most is not None
    return low <= most * (1 + slack) and least <= high * (1 + slack)


def _bounds(stated: Stated) -> tuple[Fraction | None, Fraction | None]:
    """Between what it lies; a limit (이상, 미만) is open on one side and compared by its number."""
    if stated.kind not in ("number", "range"):
        return None, None
    values = [part for part in stated.key if isinstance(part, Fraction)]
    return (values[0], values[-1]) if values else (None, None)


def _replaced(fact: Claim, claims: Sequence[Claim], changed: bool, turn: Turn) -> bool:
    """Whether a turn puts something else in the place of a fact: the user, or who corrects."""
    if turn.role != "user" and not changed:
        return False
    for claim in claims:
        if claim.kind != fact.kind or claim.measure != fact.measure:
            continue
        if claim.head == fact.head or changed or (not claim.head and claim.kind == "quantity"):
            return True
    return False


def _strangers(turn: Turn, facts: Sequence[Claim], turns: Sequence[Turn]) -> list[Contradiction]:
    """Names by which the assistant calls a user who said another one."""
    own = [fact for fact in facts if fact.kind == "name" and fact.turn.role == "user" and _is_own_name(fact)]
    if not own:
        return []
    before = " ".join(one.text for one in turns if one.number < turn.number)
    known = own[-1]
    found = []
    for name in _ADDRESSED.findall(turn.text):
        if _TITLES.search(name) or name in before or known.name.endswith(name) or name.startswith(known.name):
            continue
        found.append(
            Contradiction(turn, known.turn, "name", f"{name}님 (turn {known.turn.number}: {known.text.strip()})")
        )
        break
    return found


def _is_own_name(fact: Claim) -> bool:
    return fact.head in ("", "이름", "성함", "성명", "예약자", "주문자") and not fact.denied
