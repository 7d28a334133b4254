"""A folder of a team's documents, read and cut into pieces, with a report of what was read and what was not.

Text, Markdown, HTML and PDF are read; PDF and HTML, which come from anywhere, in a process of their own with limits on
time and memory.
"""

from typing import TYPE_CHECKING

from driftgate.lazy import lazily

if TYPE_CHECKING:
    from driftgate.flows.documents._decoding import Undecodable, decode
    from driftgate.flows.documents._folder import Limits, Piece, as_document, read_folder, read_texts
    from driftgate.flows.documents._pieces import pieces
    from driftgate.flows.documents._report import Ingest, ReadFile, Skipped
else:
    __getattr__ = lazily(__name__, __file__)

__all__ = [
    "Ingest",
    "Limits",
    "Piece",
    "ReadFile",
    "Skipped",
    "Undecodable",
    "as_document",
    "decode",
    "pieces",
    "read_folder",
    "read_texts",
]
