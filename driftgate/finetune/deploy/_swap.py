"""The model of an Azure OpenAI or Foundry deployment exchanged under its name: such a deployment has no traffic split.

Published as "Deployments - Create Or Update" (Microsoft.CognitiveServices/accounts/deployments, version 2025-06-01): a
PUT that names another ``properties.model`` updates the deployment that is there. Whoever asks it by its name is served
by the new model once its state is ``Succeeded``.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from driftgate.finetune._azure import state_name, without_secrets
from driftgate.finetune.deploy._openai import OpenAIAccount, read_deployment, write_deployment
from driftgate.finetune.deploy._rollout import Note
from driftgate.flows.amounts import Amount
from driftgate.flows.errors import DriftgateError

_SETTINGS = ("versionUpgradeOption", "raiPolicyName", "dynamicThrottlingEnabled", "parentDeploymentName")
"""What a deployment is told beside its model, and keeps."""
_LOOK_SECONDS, _LOOKS = 5.0, 60
"""How often, and how many times, a change is looked at in one turn."""


class SwapConfig(BaseModel):
    """A deployment of an Azure OpenAI or Foundry account that the application asks, and whose model is exchanged."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    account: OpenAIAccount
    """Its account; the deployment keeps its own kind and capacity."""
    deployment: str = Field(min_length=1, max_length=64)
    """Its name."""
    settle_hours: Amount = 6.0
    """How long the exchange may take until it is given up, and the model before is put back."""


class ServedModel(BaseModel):
    """A model as the control plane names it."""

    model_config = ConfigDict(extra="ignore", frozen=True, use_attribute_docstrings=True)

    format: str = "OpenAI"
    name: str
    version: str | None = None


class SwapMove(BaseModel):
    """A deployment whose model was exchanged, kept so that it can be undone."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    account: OpenAIAccount
    """Its account."""
    deployment: str
    """Its name."""
    model: str
    """The model that it got."""
    before: ServedModel
    """The model that it had."""

    @property
    def given(self) -> str:
        """What was done, in words."""
        return f"deployment {self.deployment} of account {self.account.account} the model {self.model}"

    @property
    def as_before(self) -> str:
        """How it was before, in words."""
        return f"deployment {self.deployment} of account {self.account.account} serves {self.before.name}"

    @property
    def left(self) -> str:
        """What is there still once it is undone, in words."""
        return f"the model {self.model} stays, and so does its own deployment, which is paid for until you delete it"

    async def undo(self) -> None:
        """Put the model before back, and wait until it serves; repeating it does no more.

        Raises
        ------
        DriftgateError
            Someone else exchanged the model meanwhile, the deployment is gone, the service refused, or it takes long:
            then it can be tried again.
        """
        await asyncio.to_thread(self._undo)

    def _undo(self) -> None:
        found = _read(self.account, self.deployment)
        if found.model.name not in (self.model, self.before.name):
            raise _foreign(self.deployment, found.model, self.model, self.before)
        if found.model.name == self.model:
            found = found.given(self.account, self.before)
        for _ in range(_LOOKS):
            if found.state == "ready":
                return
            if found.state == "failed":
                found = found.given(self.account, self.before)
            time.sleep(_LOOK_SECONDS)
            found = _read(self.account, self.deployment)
        raise DriftgateError(
            f"the model of deployment '{self.deployment}' is being put back and is not seen to serve yet",
            "it is looked at again later",
        )


@dataclass(frozen=True)
class _Found:
    name: str
    body: Mapping[str, Any]

    @property
    def model(self) -> ServedModel:
        return ServedModel.model_validate(self.body["properties"]["model"])

    @property
    def state(self) -> Literal["ready", "changing", "failed"]:
        state = state_name(self.body["properties"].get("provisioningState"))
        if state == "succeeded":
            return "ready"
        return "failed" if state in ("failed", "canceled", "disabled") else "changing"

    @property
    def why(self) -> str:
        properties = self.body["properties"]
        told = properties.get("provisioningDetails") or properties.get("error") or "no reason given"
        return without_secrets(str(told))

    def given(self, account: OpenAIAccount, model: ServedModel) -> _Found:
        """Exchange the model; all else stays."""
        properties = {key: self.body["properties"][key] for key in _SETTINGS if key in self.body["properties"]}
        kept = {key: self.body[key] for key in ("sku", "tags") if key in self.body}
        body = kept | {"properties": properties | {"model": model.model_dump(exclude_none=True)}}
        return _Found(self.name, write_deployment(account, self.name, body))


@dataclass(frozen=True)
class Swap:
    """The exchange of a deployment's model for a candidate. It can be cut off anywhere and advanced again.

    Before anything is asked for, the model that serves is noted; where the exchange stands is read from the service.
    """

    config: SwapConfig
    model: str
    """The candidate as the service calls it."""

    def advance(self, notes: Mapping[str, Any], note: Note) -> SwapMove | str:
        """Go as far as the service lets it: what was done, or in words what is waited for.

        Raises
        ------
        SwapFailed
            The service did not bring it about; the model before is to be put back.
        DriftgateError
            The service refused, or someone else exchanged the model.
        """
        account, name = self.config.account, self.config.deployment
        found = _read(account, name)
        if "before" not in notes:
            if found.model.name == self.model:
                raise DriftgateError(
                    f"deployment '{name}' of account '{account.account}' serves {self.model} already",
                    "an exchange begins with a deployment that serves another model",
                )
            if found.state != "ready":
                raise DriftgateError(
                    f"deployment '{name}' of account '{account.account}' is {found.state}, and nothing was asked of it",
                    "let it come to rest first",
                )
            now = datetime.now(UTC).isoformat()
            notes = {"before": found.model.model_dump(), "to": self.model, "waits": now}
            note(notes)
        before = ServedModel.model_validate(notes["before"])
        if found.model.name not in (self.model, before.name):
            raise _foreign(name, found.model, self.model, before)
        if found.model.name == before.name and found.state == "ready":
            found = found.given(account, ServedModel(name=self.model, version="1"))
            for _ in range(_LOOKS):  # it takes minutes at most, and until then the champion is not who serves
                if found.state != "changing":
                    break
                time.sleep(_LOOK_SECONDS)
                found = _read(account, name)
        if found.state == "failed":
            raise SwapFailed(f"the exchange of its model failed: {found.why}")
        if found.model.name == self.model and found.state == "ready":
            return SwapMove(account=account, deployment=name, model=self.model, before=before)
        if datetime.now(UTC) - datetime.fromisoformat(notes["waits"]) >= timedelta(hours=self.config.settle_hours):
            raise SwapFailed(f"the exchange of its model has taken more than {self.config.settle_hours:g} hours")
        return "its model is being exchanged"


class SwapFailed(Exception):
    """The service did not bring an exchange about; the message says why."""


def _read(account: OpenAIAccount, name: str) -> _Found:
    found = read_deployment(account, name)
    if found is None:
        raise DriftgateError(
            f"account '{account.account}' has no deployment '{name}'", "name the deployment that your application asks"
        )
    return _Found(name, found)


def _foreign(name: str, now: ServedModel, model: str, before: ServedModel) -> DriftgateError:
    return DriftgateError(
        f"deployment '{name}' serves {now.name}, which is neither {model} nor {before.name}, which it served before",
        "someone else exchanged its model: let them finish, then put one of the two back",
    )
