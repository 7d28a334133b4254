"""The p-values of a check look by look, and what a gate that may stop its run makes of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from driftgate.benchmarks.gate._quantities import Floats
from driftgate.benchmarks.gate._verdict import Verdict


@dataclass(frozen=True, eq=False)
class Path:
    """The p-values of a check at each look, each valid at any time; 1 where the samples up to that look say otherwise.

    Of what is counted they are 0 or 1 and say how it stands at that look.
    """

    p_pass: Floats
    p_fail: Floats
    counted: bool = False

    def at(self, look: int) -> tuple[float, float]:
        """Both p-values at a look; a cell that stopped before it stays where it was."""
        last = min(look, self.p_pass.size - 1)
        return float(self.p_pass[last]), float(self.p_fail[last])

    @property
    def looks(self) -> int:
        """How many looks there were."""
        return int(self.p_pass.size)


@dataclass(frozen=True)
class Decision:
    """What is decided of a check; nothing yet where there is no verdict."""

    verdict: Verdict | None
    p_fail: float | None
    """Corrected by Holm over the checks of the gate, at the look that decided or at the last one."""
    look: int
    """The look that decided, from 0, or the last one."""


def decisions(
    paths: Sequence[Path | None],
    alphas: Sequence[float],
    correct: Callable[[Sequence[float | None]], Sequence[float | None]],
) -> list[Decision]:
    """Decide checks look by look: what is decided first stands, a failure before a pass at the same look.

    So worse evidence never helps, though it makes a run go on that would have ended: a check that failed fails as early
    or earlier, and what comes later changes nothing of it. What is counted stands as it does at its last look.

    Parameters
    ----------
    paths
        Of each check; None where nothing can ever decide it.
    alphas
        The level of each check.
    correct : callable
        Corrects the p-values against the rules, such as by Holm.
    """
    found: list[Decision] = [Decision(None, None, 0) for _ in paths]
    for look in range(max((path.looks for path in paths if path is not None), default=0)):
        now = [None if path is None else path.at(look) for path in paths]
        against = correct([None if path is None or path.counted else path.at(look)[1] for path in paths])
        for place, (path, values) in enumerate(zip(paths, now, strict=True)):
            if path is None or values is None or (found[place].verdict is not None and not path.counted):
                continue
            p_pass, p_fail = values
            corrected = p_fail if path.counted else against[place]
            verdict: Verdict | None = None
            if corrected is not None and corrected <= alphas[place]:
                verdict = "fail"
            elif p_pass <= alphas[place]:
                verdict = "pass"
            found[place] = Decision(verdict, corrected, look)
    return found


def joined(parts: Sequence[Path], correct: Callable[[Sequence[float | None]], Sequence[float | None]]) -> Path:
    """The path of a rule about every slice: it holds once it does in each, and is broken once it is in any."""
    looks = max(part.looks for part in parts)
    at = [[part.at(look) for part in parts] for look in range(looks)]
    p_pass = np.array([max(one[0] for one in each) for each in at])
    p_fail = np.array([min(_known(correct([one[1] for one in each]))) for each in at])
    return Path(p_pass, p_fail, all(part.counted for part in parts))


def _known(values: Sequence[float | None]) -> list[float]:
    return [value for value in values if value is not None]
