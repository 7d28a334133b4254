"""Which check judged: what it found counts as long as the check is the same."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import resources
from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

_PACKAGES = ("driftgate.finetune.privacy", "driftgate.finetune.assurance")
_BESIDE = ("_markup.py", "_jamo.py")
_LIBRARIES = ("presidio-analyzer", "regex")


@cache
def judge() -> str:
    """Hash of the rules, word lists and measures of the privacy check: 16 hexadecimal digits.

    It is of the files themselves, as a number that people raise is forgotten: a change that changes no figure costs
    that items are measured again, and nothing else.
    """
    files = [file for package in _PACKAGES for file in _files(resources.files(package))]
    files += [resources.files("driftgate.finetune").joinpath(name) for name in _BESIDE]
    parts = [f"{file.name}:{hashlib.sha256(file.read_bytes()).hexdigest()}" for file in files]
    parts += [f"{library}:{version(library)}" for library in _LIBRARIES]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _files(folder: Traversable) -> list[Traversable]:
    return sorted((file for file in folder.iterdir() if file.is_file()), key=lambda file: file.name)
