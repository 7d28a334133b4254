"""Read a page the way a browser without scripts does."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import Any

_VOID = {"meta", "br", "hr", "img", "link", "input"}


class Page(HTMLParser):
    """Elements with their attributes and text, in document order."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[dict[str, Any]] = []
        self._open: list[dict[str, Any]] = []
        self.unbalanced: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = {"tag": tag, "text": "", "inside": [e["tag"] for e in self._open], **{k: v or "" for k, v in attrs}}
        self.elements.append(element)
        if tag not in _VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        if self._open and self._open[-1]["tag"] == tag:
            self._open.pop()
        else:
            self.unbalanced.append(tag)

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element["text"] += data

    @property
    def left_open(self) -> list[str]:
        return [e["tag"] for e in self._open]

    def all(self, tag: str, **attributes: str) -> list[dict[str, Any]]:
        wanted = {k.rstrip("_").replace("_", "-"): v for k, v in attributes.items()}
        return [
            e for e in self.elements if e["tag"] == tag and all(v in e.get(k, "").split() for k, v in wanted.items())
        ]

    def figures(self) -> dict[str, dict[str, Any]]:
        """Each plot's figure as Plotly gets it, by the id of its container."""
        found, container = {}, ""
        for element in self.elements:
            if element["tag"] == "div" and "plot" in element.get("class", "").split():
                container = element["id"]
            elif element.get("type") == "application/json":
                found[container] = json.loads(element["text"])
        return found


def table_rows(page: Page, table_id: str) -> list[list[str]]:
    """The body of a table as text, by its cells."""
    start = next(i for i, e in enumerate(page.elements) if e.get("id") == table_id)
    rows: list[list[str]] = []
    for element in page.elements[start + 1 :]:
        if element["tag"] == "table" or "table" not in element["inside"]:
            break
        if element["tag"] == "tr":
            rows.append([])
        elif element["tag"] in ("td", "th") and "tbody" in element["inside"]:
            rows[-1].append(" ".join(element["text"].split()))
    return [row for row in rows if row]
