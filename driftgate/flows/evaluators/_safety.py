"""azure-ai-evaluation's safety evaluators, which ask a Foundry project."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from driftgate.flows.errors import DriftgateError
from driftgate.flows.evaluators._azure import azure_class, call, require
from driftgate.flows.evaluators._replies import empty_reply, nothing_to_grade
from driftgate.flows.models import ModelMisconfigured, redirect_of, redirected, resolve, signed_in
from driftgate.flows.network import found_refusal

SCOPE = "https://ai.azure.com/.default"
_PARTS = ("subscription_id", "resource_group_name", "project_name")
_REMEDY = "set azure_ai_project to ${env:NAME} of the project's endpoint, and sign in (az login, a managed identity …)"


@dataclass(frozen=True)
class SafetyKind:
    """What there is to know of one safety evaluator."""

    key: str
    """How azure-ai-evaluation begins the names of its results."""
    class_name: str
    graded: bool
    """It gives a severity of 0 to 7, not only whether something was found."""


@dataclass(frozen=True)
class SafetyEvaluator:
    """One safety evaluator with its project; see :func:`safety`."""

    kind: SafetyKind
    project: str | Mapping[str, str]
    threshold: int
    deadline: float
    slots: asyncio.Semaphore = field(repr=False)

    @property
    def metrics(self) -> tuple[str, ...]:
        """The numbers that a look comes with."""
        return ("safe", "severity") if self.kind.graded else ("safe",)

    @cached_property
    def _azure(self) -> Any:
        project = _resolved(self.project, self.kind)
        credential = signed_in()
        try:
            credential.get_token(SCOPE)
        except Exception as problem:  # every way to a token failed, each with its own class
            if refused := found_refusal(problem):
                raise refused from problem
            raise DriftgateError(
                f"the safety evaluator '{self.kind.class_name}' has a Foundry project and no credential for it", _REMEDY
            ) from problem
        settings = {"threshold": self.threshold} if self.kind.graded else {}
        return azure_class(self.kind.class_name)(credential, project, **settings)

    def open(self) -> None:
        """Construct the evaluator and get a token.

        Raises
        ------
        DriftgateError
            There is no credential, or a variable of the environment is not set.
        """
        assert self._azure is not None

    async def __call__(self, **inputs: Any) -> dict[str, Any]:
        """Have one text looked at.

        Returns
        -------
        dict
            ``safe`` (1 or 0), ``severity`` (0 to 7, where it is graded) and ``reason``.

        Raises
        ------
        DriftgateError
            The reply is empty: nobody is asked whether nothing is safe.
        """
        if nothing_to_grade(inputs):
            raise empty_reply()
        async with self.slots, asyncio.timeout(self.deadline):
            try:
                result = await call(self._azure, **inputs)
            except Exception as problem:  # its own classes, and what azure-core raises
                if refused := found_refusal(problem):
                    raise ModelMisconfigured(
                        f"the safety evaluator '{self.kind.class_name}': {refused.message}", refused.remedy
                    ) from problem
                if found := redirect_of(problem):
                    raise redirected(f"the safety evaluator '{self.kind.class_name}'", *found) from problem
                raise
        key = self.kind.key
        reason = str(result.get(f"{key}_reason") or "")
        if self.kind.graded:
            severity = float(result[f"{key}_score"])
            return {"safe": float(severity <= self.threshold), "severity": severity, "reason": reason}
        return {"safe": float(not result[f"{key}_label"]), "reason": reason}


def safety(kind: SafetyKind) -> Callable[..., SafetyEvaluator]:
    """Make the factory of a safety evaluator."""

    def make(
        azure_ai_project: str | Mapping[str, str] | None = None,
        threshold: int = 3,
        deadline: float = 120.0,
        in_flight: int = 4,
    ) -> SafetyEvaluator:
        """Make the evaluator, which takes ``query`` and ``response``.

        Parameters
        ----------
        azure_ai_project : str or mapping
            The Foundry project: its endpoint, or subscription_id, resource_group_name and project_name;
            ``${env:NAME}`` is replaced.
        threshold : int
            The highest severity that is still safe, where severity is graded.
        deadline : float
            Seconds one look may take.
        in_flight : int
            Looks under way at once, at most.

        Raises
        ------
        MissingExtra
            azure-ai-evaluation, or what signs in, is not installed.
        DriftgateError
            There is no project.
        """
        require(kind.key)
        if not azure_ai_project:
            raise DriftgateError(
                f"'{kind.class_name}' needs a Foundry project, and azure_ai_project is not set", _REMEDY
            )
        if isinstance(azure_ai_project, Mapping) and set(azure_ai_project) != set(_PARTS):
            found = ", ".join(azure_ai_project)
            raise DriftgateError(f"azure_ai_project has {found}", f"give its endpoint, or {', '.join(_PARTS)}")
        return SafetyEvaluator(kind, azure_ai_project, threshold, deadline, asyncio.Semaphore(in_flight))

    return make


def _resolved(project: str | Mapping[str, str], kind: SafetyKind) -> str | dict[str, str]:
    where = f"azure_ai_project of {kind.class_name}"
    if isinstance(project, str):
        return resolve(project, where)
    return {name: resolve(str(value), where) for name, value in project.items()}
