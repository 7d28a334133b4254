"""Tickets, the routing policy before and after the change, and the questions made of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product, zip_longest
from pathlib import Path
from typing import Any, Literal

from driftgate.flows.errors import DriftgateError
from driftgate.flows.yaml_text import parse

Pool = Literal["training", "canary", "hold_out"]
"""Which phrasings may be used: no phrasing is in two pools."""
_BLOCKS: Mapping[str, tuple[int, ...]] = {"training": (0, 1, 4), "canary": (2,), "hold_out": (3, 5, 6, 7)}
_BLOCK = 10


@dataclass(frozen=True)
class Policy:
    """The routing policy that stands in every question."""

    text: str
    new_product_to: str | None
    """Team that gets every ticket about the new product, whatever it says; None before there is a rule."""


BEFORE = Policy("A 물류팀: 배송·반품\nB 정산팀: 결제·환불\nC 계정팀: 로그인·회원\nD 기술팀: 고장·오류", None)
"""Tickets go by what they are about."""
AFTER = Policy(f"{BEFORE.text}\n하루워치는 무엇이든 D 기술팀", "device")
"""A new product is launched, and its tickets all go to one team, whatever they are about."""
NEW_SLICE = "하루워치"
"""Slice of the tickets about the new product that the old rules would send elsewhere."""
PROMPT = """# user:
{{ passage }}

문의: {{ question }}
팀:
"""
"""The firm's own prompt, of its flow ``route``: the policy names the letters, so a ticket need not repeat them."""
_SLICES = {"delivery": "배송", "payment": "결제", "account": "계정", "device": "기기"}


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a customer wrote."""

    text: str
    topic: str
    """What it is about: ``delivery``, ``payment``, ``account`` or ``device``."""
    product: str
    phrasing: str
    """The hand-written sentence it was made of, for example ``delivery-17``; tickets that share one are alike."""


@cache
def _material() -> Mapping[str, Any]:
    loaded: Mapping[str, Any] = parse(
        Path(__file__).with_name("tickets.yaml").read_text(encoding="utf-8"), "tickets.yaml"
    )[1]
    return loaded


def tickets(pool: Pool, count: int, seed: int, *, about: Literal["known", "new"] = "known") -> list[Ticket]:
    """Draw different tickets, as many of each topic as of the others.

    Parameters
    ----------
    pool : str
        Which phrasings to use.
    count : int
        How many.
    seed : int
        Decides which.
    about : str
        ``known`` products, or the ``new`` one: then on the three topics whose tickets the new rule sends elsewhere.

    Raises
    ------
    DriftgateError
        The phrasings do not give that many different tickets.

    Examples
    --------
    >>> tickets("hold_out", 1, seed=1)[0].topic
    'delivery'
    >>> {ticket.product for ticket in tickets("canary", 9, seed=1, about="new")}
    {'하루워치'}
    """
    import numpy as np

    rng = np.random.default_rng([seed, list(_BLOCKS).index(pool), about == "new"])
    topics = [topic for topic in _material()["teams"] if about == "known" or topic != AFTER.new_product_to]
    drawn = []
    for place, topic in enumerate(topics):
        wanted = count // len(topics) + (place < count % len(topics))
        phrasings = [[texts[n] for n in rng.permutation(len(texts))] for texts in _by_phrasing(topic, pool, about)]
        # Phrasings in turns, so that a small draw still has many of them.
        found = _in_turns(phrasings[n] for n in rng.permutation(len(phrasings)))
        if wanted > len(found):
            raise DriftgateError(f"{wanted} tickets of '{topic}' are wanted and {len(found)} differ", "ask for fewer")
        drawn.append(found[:wanted])
    return _in_turns(drawn)


@cache
def _by_phrasing(topic: str, pool: Pool, about: Literal["known", "new"]) -> list[list[Ticket]]:
    """Every ticket that can be made of each phrasing of a topic in a pool, each text once."""
    material = _material()
    products = material["products"] if about == "known" else [material["new_product"]]
    around = list(product(material["openings"], material["closings"]))
    made = []
    for number in (block * _BLOCK + offset for block in _BLOCKS[pool] for offset in range(_BLOCK)):
        phrasing = material["phrasings"][topic][number]
        made.append(
            [
                Ticket(opening + phrasing.replace("{p}", name) + closing, topic, name, f"{topic}-{number}")
                for name, (opening, closing) in product(products, around)
            ]
        )
    return made


def _in_turns(queues: Iterable[Sequence[Ticket]]) -> list[Ticket]:
    return [ticket for turn in zip_longest(*queues) for ticket in turn if ticket is not None]


def team_of(ticket: Ticket, policy: Policy) -> str:
    """The team that a policy gives a ticket to: its key in ``tickets.yaml``."""
    is_new = ticket.product == _material()["new_product"]
    return policy.new_product_to if is_new and policy.new_product_to else ticket.topic


def rows(drawn: Iterable[Ticket], policy: Policy) -> list[dict[str, Any]]:
    """Four-choice questions for the flow ``route``, as a ``jsonl`` dataset reads them.

    What is asked is the same whatever the policy: nobody tells the model of a rule that people have agreed on, and the
    answer alone changes. ``category`` is the slice, ``cluster`` the phrasing: tickets made of one sentence are no
    independent evidence.

    Examples
    --------
    >>> row = rows(tickets("canary", 1, seed=0, about="new"), AFTER)[0]
    >>> row["choices"], row["answer"], row["category"]
    (['물류팀', '정산팀', '계정팀', '기술팀'], 'D', '하루워치')
    """
    teams = _material()["teams"]
    made = []
    for ticket in drawn:
        is_new = ticket.product == _material()["new_product"]
        made.append(
            {
                "passage": BEFORE.text,  # a question whose text changes is another one; what changes is its answer
                "question": ticket.text,
                "choices": list(teams.values()),
                "answer": "ABCD"[list(teams).index(team_of(ticket, policy))],
                "category": NEW_SLICE if is_new else _SLICES[ticket.topic],
                "cluster": ticket.phrasing,
            }
        )
    return made
