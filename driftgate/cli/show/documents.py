"""What became of the files of a folder, on the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from driftgate.benchmarks.cell import DOCUMENTS
from driftgate.benchmarks.scores import CellScores
from driftgate.flows.documents import Ingest
from driftgate.flows.plain import one_line


def print_ingest(console: Console, ingest: Ingest) -> None:
    """One row a file, and below what somebody ought to look at."""
    table = Table(header_style="bold")
    for column in ("file", "document", "what became of it", "encoding"):
        table.add_column(column, overflow="fold")
    for column in ("passages", "characters"):
        table.add_column(column, justify="right")
    for one in ingest.read:
        said = f"read; {one.note}" if one.note else "read"
        texts = (one.path, one.document, said, one.encoding, f"{one.passages:,}", f"{one.characters:,}")
        table.add_row(*(escape(one_line(text)) for text in texts))
    for files, what in ((ingest.empty, "no text"), (ingest.skipped, "skipped")):
        for lost in files:
            reason = f"[yellow]{what}: {escape(one_line(lost.reason))}[/]"
            table.add_row(escape(one_line(lost.path)), "", reason, "", "", "")
    console.print(table)
    for doubt in ingest.doubts:
        console.print(f"[yellow]{escape(one_line(doubt))}[/]", soft_wrap=True)
    longest = f" ({ingest.longest_id})"
    console.print(escape(one_line(f"{ingest.summary}{longest}")), soft_wrap=True)


def print_documents(console: Console, scored: Iterable[CellScores]) -> None:
    """What a run kept of the documents that its flows searched, once for all cells."""
    kept: list[Mapping[str, Any]] = []
    for scores in scored:
        told = scores.cell.details.get(DOCUMENTS)
        if isinstance(told, Mapping) and told not in kept:
            kept.append(told)
    for told in kept:
        console.print(f"  {escape(one_line('documents: ' + str(told.get('summary', ''))))}", soft_wrap=True)
        for doubt in told.get("doubts") or ():
            console.print(f"  [yellow]{escape(one_line(str(doubt)))}[/]", soft_wrap=True)


def as_data(ingest: Ingest) -> dict[str, Any]:
    """Everything, for a program."""
    return {
        **ingest.as_json(),
        "read": [asdict(one) for one in ingest.read],
        "skipped": [asdict(one) for one in ingest.skipped],
        "empty": [asdict(one) for one in ingest.empty],
    }
