"""Replace personal data by made-up values of the same kind: the same value always by the same one."""

from __future__ import annotations

import hashlib
import hmac
import re
import string
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from driftgate.finetune.privacy._fold import fold
from driftgate.finetune.privacy._redact import RULES, Finding, Redacted, redact
from driftgate.finetune.privacy._rule import Rule

_PLACES = ("가온시 나래구", "다솜시 라온구", "마루시 바람구", "누리군 새벽읍", "한솔시 푸른구")
_ROADS = ("가람로", "누리로", "다솜길", "마루길", "새암로", "한울로")
_PLATE = "가나다라마거너더러머버서어저고노도로모보소오조구누두루무부수우주"
_LATIN_SURNAMES = ("Kim", "Lee", "Park", "Choi", "Jung", "Kang", "Yoon", "Jang")
_LATIN_GIVEN = ("Gaon", "Naeun", "Dahun", "Maru", "Bada", "Saryeon", "Haram", "Nuri", "Roun", "Taerin")
_NUMBER = re.compile(r"\d+")


class _Draws:
    """Numbers that a value's own key decides, one after another."""

    def __init__(self, key: bytes, kind: str, value: str) -> None:
        self._key, self._text, self._at = key, f"{kind}\0{value}", 0

    def below(self, limit: int) -> int:
        self._at += 1
        drawn = hmac.new(self._key, f"{self._text}\0{self._at}".encode(), hashlib.sha256).digest()
        return int.from_bytes(drawn[:8], "big") % limit

    def pick(self, among: Sequence[str]) -> str:
        return among[self.below(len(among))]


@dataclass(frozen=True)
class StandIns:
    """Made-up values for a workspace's personal data.

    Who has the key can tell whether a given value became a given stand-in; nobody can read a value from one. Numbers
    are such as are given to nobody: mobile numbers whose exchange begins with 0, cards that do, registrations whose
    check digit fails, the domain ``example.com`` (RFC 2606), the networks of RFC 5737. Names, plates, accounts and
    dates are drawn, and may be somebody's by chance.

    Parameters
    ----------
    key : bytes
        The workspace's; the same key gives the same stand-ins.

    Examples
    --------
    >>> stand_ins = StandIns(b"key of the workspace")
    >>> stand_ins.replace("김민수 씨는 010-1234-5678, 김민수의 메일은 minsu@naver.com").text
    '구바다 씨는 010-0767-2925, 구바다의 메일은 user-ojqdqk@example.com'
    """

    key: bytes
    rules: tuple[Rule, ...] = RULES
    made: set[str] = field(default_factory=set, repr=False)
    """What was given so far; :meth:`foreign` does not count it as personal data."""

    def replace(self, text: str) -> Redacted:
        """The text with a stand-in for each value; findings say where the values stood in ``text``."""
        found = redact(text, self.rules).findings
        parts, place = [], 0
        for finding in found:
            parts += [text[place : finding.start], self.stand_in(finding.kind, text[finding.start : finding.end])]
            place = finding.end
        return Redacted("".join([*parts, text[place:]]), found)

    def stand_in(self, kind: str, value: str) -> str:
        """The stand-in of one value as it was found, in its format.

        Examples
        --------
        >>> StandIns(b"k").stand_in("KR_RRN", "900101-1234568")
        '570123-1351771'
        """
        value = fold(value).text
        same = _told_alike(kind, value)
        make = _MAKERS.get(kind, _other_digits)
        for attempt in range(9):  # a drawn value may be the true one
            made = make(value, _Draws(self.key, kind, f"{same}\0{attempt}"))
            if made != value:
                break
        else:
            made = f"<{kind}>"
        self.made.add(made)
        return made

    def foreign(self, text: str) -> tuple[Finding, ...]:
        """Personal data in a text that is no stand-in of this workspace's."""
        return tuple(f for f in redact(text, self.rules).findings if text[f.start : f.end] not in self.made)


def _told_alike(kind: str, value: str) -> str:
    """What two ways of writing one value have in common.

    Examples
    --------
    >>> {_told_alike("PHONE_MOBILE", one) for one in ("010-1234-5678", "01012345678", "+82 (0)10 1234 5678")}
    {'01012345678'}
    >>> {_told_alike("BIRTH_DATE", one) for one in ("1990년 1월 2일", "90.01.02", "19900102", "1990. 1. 2.")}
    {'90-1-2'}
    """
    if kind.startswith("PHONE"):
        return re.sub(r"^\+?820?", "0", "".join(re.findall(r"^\+|\d", value)))
    if kind == "BIRTH_DATE":
        parts = _NUMBER.findall(value)
        if len(parts) == 1:
            parts = [parts[0][:-4], parts[0][-4:-2], parts[0][-2:]]
        if len(parts) == 3:
            return f"{parts[0][-2:]}-{int(parts[1])}-{int(parts[2])}"
    if kind in ("PERSON", "EMAIL_ADDRESS", "STREET_ADDRESS", "API_KEY", "IP_ADDRESS"):
        return "".join(value.split()).lower()
    return "".join(filter(str.isalnum, value)).lower()


def _in_form(value: str, digits: Iterator[str] | str) -> str:
    """The value with its digits, one by one, exchanged."""
    given = iter(digits)
    return re.sub(r"\d", lambda _: next(given), value)


def _other_digits(value: str, draws: _Draws) -> str:
    return re.sub(r"\d", lambda _: str(draws.below(10)), value)


def _person(value: str, draws: _Draws) -> str:
    """A name of as many syllables whose last sound is of the same kind: the particle behind it stays right."""
    from driftgate.finetune.privacy._name_words import LONG_SURNAMES, MADE_UP, SURNAMES

    if value.isascii():
        made = f"{draws.pick(_LATIN_SURNAMES)} {draws.pick(_LATIN_GIVEN)}"
        return made.upper() if value.isupper() else made
    value = "".join(value.split())
    last = value[-1]
    closed = "가" <= last <= "힣" and (ord(last) - 0xAC00) % 28 > 0
    given = draws.pick(MADE_UP[closed])
    if len(value) == 4:
        return draws.pick(LONG_SURNAMES) + given
    return draws.pick(sorted(SURNAMES)) + (given if len(value) != 2 else given[-1])


def _registration(value: str, draws: _Draws) -> str:
    """A date, the digit of sex and century, and a check digit that fails."""
    digits = [c for c in value if c.isdigit()]
    body = f"{draws.below(50) + 50:02}{draws.below(12) + 1:02}{draws.below(28) + 1:02}{digits[6]}"
    body += "".join(str(draws.below(10)) for _ in range(5))
    weighed = sum(int(digit) * weight for digit, weight in zip(body, (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5), strict=True))
    right = ((13 if digits[6] in "5678" else 11) - weighed % 11) % 10
    return _in_form(value, body + str((right + 1 + draws.below(9)) % 10))


def _card(value: str, draws: _Draws) -> str:
    """Beginning with 0, as no card does."""
    drawn = [str(draws.below(10)) for c in value if c.isdigit()]
    return _in_form(value, iter(["0", *drawn[1:]]))


def _telephone(value: str, draws: _Draws) -> str:
    """The network or area as it is, the exchange beginning with 0."""
    groups = list(_NUMBER.finditer(value))
    digits = [c for c in value if c.isdigit()]
    keep = len(digits) - 8 if len(digits) >= 10 and digits[:2] != ["0", "2"] else 2
    if len(groups) >= 3:
        keep = len(digits) - len(groups[-1][0]) - len(groups[-2][0])
    return _in_form(value, iter([*digits[:keep], "0", *(str(draws.below(10)) for _ in digits[keep + 1 :])]))


def _birth_date(value: str, draws: _Draws) -> str:
    year, month, day = 1950 + draws.below(55), 1 + draws.below(12), 1 + draws.below(28)
    parts = _NUMBER.findall(value)
    if len(parts) == 1:
        return _in_form(value, f"{year:04}{month:02}{day:02}"[-len(parts[0]) :])
    if len(parts) == 2:  # without a day, or without a year
        wanted = iter((str(year)[-len(parts[0]) :], str(month)) if "년" in value else (str(month), str(day)))
        return _NUMBER.sub(lambda match: next(wanted, match[0]), value)
    wanted = iter((str(year)[-len(parts[0]) :], str(month).zfill(len(parts[1])), str(day).zfill(len(parts[2]))))
    if len(parts[1]) == 1:  # written without zeros
        wanted = iter((str(year)[-len(parts[0]) :], str(month), str(day)))
    return _NUMBER.sub(lambda match: next(wanted, match[0]), value)


def _email(value: str, draws: _Draws) -> str:
    letters = string.ascii_lowercase + string.digits
    return f"user-{''.join(draws.pick(letters) for _ in range(6))}@example.com"


def _network(value: str, draws: _Draws) -> str:
    if ":" in value:
        return f"2001:db8::{draws.below(65536):x}:{draws.below(65536):x}"
    return f"{draws.pick(('192.0.2', '198.51.100', '203.0.113'))}.{1 + draws.below(254)}"


def _address(value: str, draws: _Draws) -> str:
    flat = re.search(r",?\s*\d{1,4}동\s?\d{1,4}호$", value)
    street = f"{draws.pick(_PLACES)} {draws.pick(_ROADS)} {1 + draws.below(199)}"
    return street + (_other_digits(flat[0], draws) if flat else "")


def _plate(value: str, draws: _Draws) -> str:
    return re.sub(r"[가-힣](?=\s?\d{4}$)", lambda _: draws.pick(_PLATE), _other_digits(value, draws))


def _key(value: str, draws: _Draws) -> str:
    begin = re.match(r"(?:sk|pk|rk)[-_]|[a-z]{2,6}_|AKIA|ASIA|AIza|glpat-|eyJ", value)
    start = begin.end() if begin else 0

    def other(match: re.Match[str]) -> str:
        kinds = (string.digits, string.ascii_lowercase, string.ascii_uppercase)
        return draws.pick(next(kind for kind in kinds if match[0] in kind))

    return value[:start] + re.sub("[A-Za-z0-9]", other, value[start:])


_MAKERS: Mapping[str, Callable[[str, _Draws], str]] = {
    "PERSON": _person,
    "KR_RRN": _registration,
    "KR_FRN": _registration,
    "CREDIT_CARD": _card,
    "PHONE_MOBILE": _telephone,
    "PHONE_LANDLINE": _telephone,
    "BIRTH_DATE": _birth_date,
    "EMAIL_ADDRESS": _email,
    "IP_ADDRESS": _network,
    "STREET_ADDRESS": _address,
    "VEHICLE_PLATE": _plate,
    "API_KEY": _key,
}
