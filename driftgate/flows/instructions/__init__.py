"""Instructions that a program can check: does a reply keep what its prompt asked of its form?

Instruction-Following Evaluation for Large Language Models (IFEval), Zhou et al. 2023, arXiv:2311.07911, and IFEval-Ko,
its Korean edition. An instruction is named ``family:instruction``, for example ``keywords:existence``; each family is a
module whose ``CHECKS`` hold one function by instruction. What these decide otherwise than upstream's checker is said on
the page on data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic import ValidationError, validate_call

from driftgate.flows.errors import DriftgateError, nearest
from driftgate.flows.registry import Registry

Check = Callable[..., bool]
"""``check(reply, **parameters)``: whether the reply keeps the instruction. Parameters have upstream's names."""
FAMILIES: Registry[Mapping[str, Check]] = Registry("family of instructions", "driftgate.flows.instructions", "CHECKS")


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction of a prompt.

    Examples
    --------
    >>> no_comma = Instruction.read("punctuation:no_comma", {"num_words": None})
    >>> no_comma.kept("쉼표 없이 씁니다."), no_comma.kept("아니요, 씁니다."), no_comma.kept(" ")
    (True, False, False)
    >>> Instruction.read("keywords:frequency", {"keyword": "봄", "relation": "at least"})
    Traceback (most recent call last):
    driftgate.flows.errors.DriftgateError: the instruction 'keywords:frequency' has no 'frequency'; give ...
    """

    id: str
    parameters: Mapping[str, Any]

    @classmethod
    def read(cls, id: str, parameters: Mapping[str, Any]) -> Instruction:
        """Read an instruction; parameters that are null are not given.

        Raises
        ------
        DriftgateError
            No check is called so, or it lacks a parameter, has one it does not know, or one of the wrong type.
        """
        given = {name: value for name, value in parameters.items() if value is not None}
        instruction = cls(id, given)
        try:
            _check(id)("", **given)
        except ValidationError as problem:
            first = problem.errors(include_url=False)[0]
            name = ".".join(str(part) for part in first["loc"])
            wrong = "no" if first["type"].startswith("missing") else f"{first['msg'].lower()} at its"
            raise DriftgateError(
                f"the instruction '{id}' has {wrong} '{name}'", "give its parameters as IFEval names them"
            ) from None
        return instruction

    def kept(self, reply: str) -> bool:
        """Whether a reply keeps it; an empty reply keeps none."""
        return bool(reply.strip()) and _check(self.id)(reply, **self.parameters)


@cache
def _check(id: str) -> Check:
    family, _, name = id.partition(":")
    if family not in (known := FAMILIES.names()):
        raise DriftgateError(f"no check is known for the instruction '{id}'", nearest(family, known))
    checks = FAMILIES.get(family)
    if name not in checks:
        raise DriftgateError(f"no check is known for the instruction '{id}'", nearest(name, checks))
    return validate_call(checks[name])


def readings(reply: str) -> Iterable[str]:
    r"""A reply, and what is left of it without its first line, its last, or both, with asterisks and without.

    The loose measure of the paper, section 2.2: an instruction is kept where one of these keeps it, so that a line such
    as "Sure, here it is:" costs nothing.

    Examples
    --------
    >>> list(readings("네:\n**답**"))
    ['네:\n**답**', '**답**', '네:', '', '네:\n답', '답', '네:', '']
    """
    lines = reply.split("\n")
    cut = [reply, *("\n".join(lines[part]).strip() for part in (slice(1, None), slice(-1), slice(1, -1)))]
    return [*cut, *(text.replace("*", "") for text in cut)]
