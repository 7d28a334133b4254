"""Korean sentences with made-up personal data in them, and where it stands: from ``pii_templates.yaml`` and a seed."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

_PLACE = re.compile(r"\{(\w+)\}([가-힣]+/[가-힣]+)?")
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_PLATE = "가나다라마거너더러머버서어저고노도로모보소오조구누두루무부수우주하허호배바사아자"
_READ = {"0": True, "1": True, "3": True, "6": True, "7": True, "8": True}
"""Digits whose Korean reading ends in a consonant."""


@dataclass(frozen=True, slots=True)
class Planted:
    """A value that was put into a text."""

    kind: str
    form: str
    """How it is written, for example ``no hyphen``."""
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Sentence:
    """A text and what was put into it."""

    text: str
    planted: tuple[Planted, ...]


@dataclass(frozen=True)
class _Maker:
    parts: Mapping[str, Any]
    rng: random.Random

    def pick(self, name: str) -> str:
        return str(self.rng.choice(self.parts[name]))

    def digits(self, count: int) -> str:
        return "".join(self.rng.choice("0123456789") for _ in range(count))

    def birthday(self) -> tuple[int, int, int]:
        return self.rng.randint(1940, 2010), self.rng.randint(1, 12), self.rng.randint(1, 28)

    def person(self) -> tuple[str, str]:
        kind = self.rng.random()
        if kind < 0.04:
            return "two syllables", self.pick("short_names")
        if kind < 0.08:
            return "long surname", self.pick("long_surnames") + self.pick("given_names")
        return "three syllables", self.pick("surnames") + self.pick("given_names")

    def _registration(self, first: str) -> str:
        year, month, day = self.birthday()
        return f"{year % 100:02}{month:02}{day:02}-{self.rng.choice(first)}{self.digits(5)}"

    def rrn(self) -> tuple[str, str]:
        body = self._registration("1234")
        plain = body.replace("-", "")
        right = str(
            (11 - sum(int(d) * w for d, w in zip(plain, (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5), strict=True)) % 11) % 10
        )
        wrong = str((int(right) + self.rng.randint(1, 9)) % 10)
        form, digit, sep = self.rng.choice(
            (
                ("check digit", right, "-"),
                ("bad check digit", wrong, "-"),
                ("bad check digit, no hyphen", wrong, ""),
                ("bad check digit, space", wrong, " "),
            )
        )
        return form, body.replace("-", sep) + digit

    def frn(self) -> tuple[str, str]:
        form, sep = self.rng.choice((("hyphen", "-"), ("no hyphen", "")))
        return form, self._registration("5678").replace("-", sep) + self.digits(1)

    def card(self) -> tuple[str, str]:
        body = self.rng.choice("459") + self.digits(14)
        total = sum(sum(divmod(int(d) * 2, 10)) if place % 2 == 0 else int(d) for place, d in enumerate(body))
        number = body + str(-total % 10)
        form, sep = self.rng.choice((("hyphens", "-"), ("spaces", " "), ("dots", "."), ("digits", "")))
        return form, sep.join(number[place : place + 4] for place in range(0, 16, 4))

    def mobile(self) -> tuple[str, str]:
        form, sep = self.rng.choice((("hyphens", "-"), ("digits", ""), ("spaces", " "), ("dots", ".")))
        return form, sep.join(("010", str(self.rng.randint(2000, 9999)), self.digits(4)))

    def landline(self) -> tuple[str, str]:
        form, sep, area = self.rng.choice(
            (("hyphens", "-", "02"), ("hyphens", "-", "031"), ("brackets", ") ", "(051"), ("dots", ".", "062"))
        )
        return form, f"{area}{sep}{self.rng.randint(200, 999)}{'.' if sep == '.' else '-'}{self.digits(4)}"

    def account(self) -> tuple[str, str]:
        form = self.rng.choice(
            (
                "###-###-######",
                "######-##-######",
                "###-######-##-###",
                "####-##-#######",
                "############",
                "###########",
            )
        )
        return ("digits" if "-" not in form else "hyphens"), re.sub("#", lambda _: self.digits(1), form)

    def plate(self) -> tuple[str, str]:
        letter, last = self.rng.choice(_PLATE), self.digits(4)
        return self.rng.choice(
            (
                ("three digits", f"{self.rng.randint(100, 999)}{letter} {last}"),
                ("two digits", f"{self.rng.randint(10, 69)}{letter}{last}"),
                ("region", f"{self.rng.choice(('서울', '경기', '부산'))} {self.rng.randint(10, 99)}{letter} {last}"),
            )
        )

    def birth(self) -> tuple[str, str]:
        year, month, day = self.birthday()
        return self.rng.choice(
            (
                ("words", f"{year}년 {month}월 {day}일"),
                ("hyphens", f"{year}-{month:02}-{day:02}"),
                ("dots", f"{year}.{month:02}.{day:02}"),
                ("dots, spaces", f"{year}. {month}. {day}."),
                ("digits", f"{year}{month:02}{day:02}"),
                ("short", f"{year % 100:02}년 {month}월 {day}일"),
            )
        )

    def email(self) -> tuple[str, str]:
        return "", f"{self.pick('mail_names')}@{self.pick('mail_hosts')}"

    def address(self) -> tuple[str, str]:
        street = f"{self.pick('districts')} {self.pick('roads')} {self.rng.randint(1, 400)}"
        return self.rng.choice(
            (("street", street), ("flat", f"{street}, {self.rng.randint(101, 120)}동 {self.rng.randint(101, 2504)}호"))
        )

    def licence(self) -> tuple[str, str]:
        return "", f"{self.rng.randint(11, 26)}-{self.digits(2)}-{self.digits(6)}-{self.digits(2)}"

    def passport(self) -> tuple[str, str]:
        return self.rng.choice(
            (("old", f"M{self.digits(8)}"), ("new", f"M{self.digits(3)}{self.rng.choice('ABCDEFGH')}{self.digits(4)}"))
        )

    def key(self) -> tuple[str, str]:
        body = "".join(self.rng.choice(_LETTERS) for _ in range(36))
        return self.rng.choice(
            (
                ("sk", f"sk-{body}"),
                ("github", f"ghp_{body}"),
                ("aws", f"AKIA{body[:16].upper()}"),
                ("huggingface", f"hf_{body[:34]}"),
            )
        )

    def ip(self) -> tuple[str, str]:
        tens, others = self.rng.randint(11, 223), (self.rng.randint(1, 254) for _ in range(3))
        return "", ".".join(map(str, (tens, *others)))


def sentences(part: str, count: int, seed: int) -> Iterator[Sentence]:
    """So many sentences of a part, ``tuning`` or ``held_out``, every template as often as the others."""
    parts = yaml.safe_load(Path(__file__).with_name("pii_templates.yaml").read_text(encoding="utf-8"))[part]
    maker = _Maker(parts, random.Random(seed))
    for place in range(count):
        yield _filled(parts["sentences"][place % len(parts["sentences"])], maker)


def sealed() -> Iterator[Sentence]:
    """Sentences of a hand that saw neither rules nor templates, each its own; those without values are ordinary."""
    for line in Path(__file__).with_name("pii_sealed.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        text, planted, place = str(row["text"]), [], 0
        for value in row["values"]:
            start = text.find(value["value"], place)
            start = start if start >= 0 else text.index(value["value"])
            place = start + len(value["value"])
            planted.append(Planted(value["kind"], "", start, place))
        yield Sentence(text, tuple(planted))


def development(half: str = "") -> Iterator[Sentence]:
    """Sentences of ``pii_development.txt``, of both its halves or of the ``first`` or ``second``, names in braces."""
    own = ""
    for line in Path(__file__).with_name("pii_development.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            own = line.removeprefix("# ")
            continue
        if half in ("", own):
            text, planted = "", []
            for place, part in enumerate(re.split(r"[{}]", line)):
                if place % 2:
                    planted.append(Planted("person", "", len(text), len(text) + len(part)))
                text += part
            yield Sentence(text, tuple(planted))


def _filled(template: str, maker: _Maker) -> Sentence:
    text, place, planted = "", 0, []
    for match in _PLACE.finditer(template):
        make: Callable[[], tuple[str, str]] = getattr(maker, match[1])
        form, value = make()
        text += template[place : match.start()]
        planted.append(Planted(match[1], form, len(text), len(text) + len(value)))
        text += value + _particle(value, match[2])
        place = match.end()
    return Sentence(text + template[place:], tuple(planted))


def _particle(value: str, pair: str | None) -> str:
    """The one of two particles that fits the value's last sound."""
    if not pair:
        return ""
    closed, open_ = pair.split("/")
    if _vowel_first(pair):
        closed, open_ = open_, closed
    last = value[-1]
    final = (ord(last) - 0xAC00) % 28 if "가" <= last <= "힣" else int(_READ.get(last, False))
    if closed.startswith("으로") and final == 8:
        return open_
    return closed if final else open_


def _vowel_first(pair: str) -> bool:
    return pair in {"가/이", "는/은", "를/을", "와/과", "로/으로"}


def spans(found: Sequence[tuple[int, int]], planted: Planted) -> bool:
    """Whether every character of a value lies in what was found."""
    covered = {place for start, end in found for place in range(start, end)}
    return all(place in covered for place in range(planted.start, planted.end))
