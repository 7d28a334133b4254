"""Texts that are written to files: without secrets, and for their owner alone."""

from __future__ import annotations

from pathlib import Path

from driftgate.flows.private_files import replace_file
from driftgate.flows.scrubbing import scrub


def write_text(path: Path, text: str) -> None:
    """Write a text whole, in the place of an older one, with every registered secret blanked.

    Raises
    ------
    OSError
        It cannot be written; an older one is intact.
    """
    replace_file(path, scrub(text).encode(errors="surrogateescape"))
