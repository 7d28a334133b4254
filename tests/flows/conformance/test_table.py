"""The table in the documentation is the suite's."""

from __future__ import annotations

from pathlib import Path

from _flows import load, table

DOCUMENT = Path(__file__).parents[3] / "docs/promptflow.md"


def test_the_documentation_lists_what_the_suite_shows() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    written = text.split("<!-- conformance suite: begin -->\n")[1].split("\n<!-- conformance suite: end -->")[0]
    assert written == table(load()), f"put the table of _flows.table(load()) into {DOCUMENT.name}"


def test_the_suite_is_broad() -> None:
    flows = load()
    assert len({flow.name for flow in flows}) == len(flows) >= 40
    assert len({flow.shows for flow in flows}) == len(flows)
