"""Which material is used how often."""

from __future__ import annotations

import random

from driftgate.finetune.synthesis._choices import quotas, take_turns
from driftgate.finetune.synthesis._values import Request


def wanted_of(request: Request) -> list[tuple[str, int]]:
    """Clusters that have material here, and how many candidates each is to have; without a coverage all are one."""
    there = {material.cluster for material in request.materials}
    shares = {name: share for name, share in request.shares.items() if name in there and share > 0}
    return list(quotas(shares, request.count).items()) if shares else [("", request.count)]


def draw(request: Request, chance: random.Random, *, again: bool) -> list[int]:
    """Places of material, by the shares of the clusters, over slices and labels in turn.

    Parameters
    ----------
    again : bool
        A piece may come again, once all of its like were used; else there may be fewer than are wanted.
    """
    chosen = []
    for cluster, count in wanted_of(request):
        cells: dict[tuple[str, str], list[int]] = {}
        for place, material in enumerate(request.materials):
            if not cluster or material.cluster == cluster:
                cells.setdefault((material.slice, material.label), []).append(place)
        longest = -(-count // len(cells))
        groups = []
        for key in sorted(cells):
            rounds = -(-longest // len(cells[key])) if again else 1
            groups.append([p for _ in range(rounds) for p in chance.sample(cells[key], len(cells[key]))])
        chosen += take_turns(groups, count)
    return chosen
