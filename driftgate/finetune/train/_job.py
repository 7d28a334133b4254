"""The file that the training program is started with, and the files it leaves."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from driftgate.finetune.train._files import sha256_of
from driftgate.finetune.train._trainer import Recipe
from driftgate.flows.models._hub import folder_sha256

ADAPTER, ADAPTER_FOLDER, CHECKPOINT, PROGRESS, RESULT, FAILURE = (
    "adapter.gguf",
    "adapter",
    "checkpoint.pt",
    "progress.json",
    "result.json",
    "failure.json",
)
_FILES = ("base", "adapter", "items", "validation")


class LoraJob(BaseModel):
    """What is to be trained; paths are absolute or relative to the file."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    name: str
    """The job's name."""
    base: Path
    """A GGUF, or a model folder in the hub's format."""
    adapter: Path | None = None
    """Adapter to go on from: a GGUF for a GGUF, a folder of peft for a model folder."""
    prompt_format: Literal["document", "chat"]
    """How the model is served; see :class:`driftgate.flows.models.local.LocalConfig`."""
    items: Path
    """Training items."""
    validation: Path | None = None
    """Items to measure on: at the end, and on the way where the recipe says how often."""
    sha256: dict[str, str] = {}
    """Expected hashes of ``base``, ``adapter``, ``items`` and ``validation``."""
    recipe: Recipe
    """How to train."""
    seed: int
    """Decides the adapter's first values and the order of the items."""

    def inside(self, folder: Path) -> LoraJob:
        """Resolve the paths against the folder of the job's file."""
        paths = {key: getattr(self, key) for key in _FILES}
        return self.model_copy(update={key: folder / path for key, path in paths.items() if path is not None})

    @property
    def result_name(self) -> str:
        """What the trained adapter is called in the job's folder."""
        return ADAPTER_FOLDER if self.base.is_dir() else ADAPTER


def hashes(job: LoraJob) -> dict[str, str]:
    """SHA-256 of each file, or folder, that the job reads."""
    paths = {key: getattr(job, key) for key in _FILES}
    return {key: content_sha256(path) for key, path in paths.items() if path is not None and path.exists()}


def content_sha256(path: Path) -> str:
    """SHA-256 of a file, or of what a model folder or an adapter's folder holds."""
    if path.is_dir():
        folder_sha256.cache_clear()  # what was written since is to be seen
        return folder_sha256(path)
    return sha256_of(path)
