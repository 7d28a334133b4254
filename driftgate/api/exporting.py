"""A tuned model as one quantised file: the cheaper candidate, to be benchmarked by itself."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from driftgate.api import session
from driftgate.api.workspace import OpenWorkspace
from driftgate.flows.errors import DriftgateError
from driftgate.flows.extras import MissingExtra, installed
from driftgate.flows.models.local import LocalConfig, adapter_path, model_path, prompt_format_of
from driftgate.flows.private_files import make_folder
from driftgate.ledger import Ledger, add_trained_model

if TYPE_CHECKING:
    from driftgate.finetune.train._export import Exported, Quantised


@dataclass(frozen=True)
class ExportedModel:
    """A model that was written and can be benchmarked under its name."""

    name: str
    config: dict[str, Any]
    """The model as it would stand in the workspace file."""
    written: Exported
    before: int
    """Bytes of base and adapter that it replaces."""


def export_model(
    workspace: OpenWorkspace, ledger: Ledger, name: str, quantised: Quantised, path: Path | None = None
) -> ExportedModel:
    """Merge a model's adapter into its base, quantise the result and register it as ``NAME-q8`` or ``NAME-q4``.

    Raises
    ------
    DriftgateError
        The model is not one of provider ``local`` on a GGUF, or the file cannot be written.
    """
    config = session.model_config(workspace, ledger, name)
    if not isinstance(config, LocalConfig):
        raise DriftgateError(
            f"model '{name}' is one of provider '{config.provider}', whose weights are not here",
            "export a model of provider 'local'",
        )
    base, adapter = model_path(name, config, workspace.folder), adapter_path(name, config, workspace.folder)
    if base.is_dir():
        raise DriftgateError(
            f"model '{name}' is a model folder, and what is quantised here is a GGUF",
            "convert the base to GGUF and tune that, or serve the folder as it is",
        )
    if not installed("gguf"):
        raise MissingExtra("train", "writing a GGUF")
    from driftgate.finetune.train._export import export_gguf

    own = f"{name}-{quantised}"
    out = path.resolve() if path is not None else workspace.folder / ".driftgate" / "exported" / f"{own}.gguf"
    make_folder(out.parent)
    written = export_gguf(base, adapter, out, quantised)
    kept = config.model_dump(mode="json", exclude_unset=True, exclude={"adapter"})
    model = {**kept, "model": os.path.relpath(out, workspace.folder), "prompt_format": prompt_format_of(config)}
    lineage = {"exported_from": name, "sha256": {"result": written.sha256}, "types": dict(written.types)}
    add_trained_model(ledger, own, model, lineage)
    before = sum(file.stat().st_size for file in (base, adapter) if file is not None)
    return ExportedModel(own, model, written, before)
