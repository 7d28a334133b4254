"""The training program as a job of Azure Machine Learning brings it along, and the command that runs it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import driftgate
from driftgate.finetune.train._job import ADAPTER, ADAPTER_FOLDER, RESULT, LoraJob
from driftgate.finetune.train._lora import PROGRAM
from driftgate.flows.private_files import make_folder, make_private
from driftgate.flows.private_text import write_text

SCRIPT_FILES = (
    "__init__.py",
    "lazy.py",
    "shipped/*.py",
    "flows/*.py",
    "flows/models/*.py",
    "flows/network/*.py",
    "finetune/__init__.py",
    "finetune/train/*.py",
)
"""What of this project the script imports."""


def place(name: str, path: Path) -> str:
    return name + path.suffix


def command_of(inputs: Mapping[str, Path]) -> str:
    """Run the script in a folder of its own: inputs are mounted for reading, outputs on slow storage."""
    copies = [f'cp -r "${{{{inputs.{name}}}}}" work/{place(name, path)}' for name, path in inputs.items()]
    adapter = ADAPTER_FOLDER if inputs["base"].is_dir() else ADAPTER
    return " && ".join(
        [
            "mkdir -p work",
            "cp job.json work/",
            *copies,
            f"python -m {PROGRAM} work/job.json",
            f'cp -r work/{adapter} work/{RESULT} "${{{{outputs.model}}}}/"',
        ]
    )


def stage_code(folder: Path, job: LoraJob) -> None:
    """Lay the script and what it imports of this project into ``folder``, and nothing else."""
    shutil.rmtree(folder, ignore_errors=True)
    root = Path(driftgate.__path__[0])
    for pattern in SCRIPT_FILES:
        for source in sorted(root.glob(pattern)):
            target = folder / root.name / source.relative_to(root)
            make_folder(target.parent)
            shutil.copyfile(source, target)
    write_text(folder / "job.json", job.model_dump_json())
    make_private(folder)
