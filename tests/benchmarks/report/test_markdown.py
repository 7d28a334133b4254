"""The Markdown summary, and that nothing foreign is markup in it."""

from __future__ import annotations

import re

from hypothesis import example, given
from hypothesis import strategies as st

from driftgate.benchmarks.report._text import clean, markdown_code, markdown_text, plot_label

from .conftest import SCRIPT, Written


def _tables(markdown: str) -> list[list[list[str]]]:
    blocks = [block for block in markdown.split("\n\n") if block.startswith("|")]
    return [[re.split(r"(?<!\\)\|", line)[1:-1] for line in block.splitlines()] for block in blocks]


def test_summary_holds_verdict_scores_and_differences(written: Written) -> None:
    markdown = written.markdown
    assert markdown.startswith("## nightly: ⬜ unmeasurable\n")
    gate, scores, _, differences = _tables(markdown)
    assert (len(gate), len(scores)) == (2 + 6, 2 + 3)
    assert len(differences) == 2 + 3  # two more exclude zero, but what was not answered could turn them
    accuracy = written.scored[1].get("accuracy")
    assert accuracy is not None and accuracy.value is not None
    assert scores[3][1].strip() == f"**{100 * accuracy.value:.1f}%**"
    assert scores[4][5].strip() == "60 failed"
    assert f"]({written.files.html.name})" in markdown


def test_every_row_of_a_table_has_its_columns(written: Written) -> None:
    for table in _tables(written.markdown):
        assert {len(row) for row in table} == {len(table[0])}
    assert "`small\\|model · terse · exam`" in written.markdown


def test_hostile_names_stand_in_code(written: Written) -> None:
    assert SCRIPT in written.markdown
    assert SCRIPT not in re.sub(r"`[^`]*`", "", written.markdown)


@given(st.text())
@example("`a` ``b`` | @team\n# <b> [x](javascript:1) ![i](http://x)")
def test_code_is_one_span(text: str) -> None:
    span = markdown_code(text)
    fence = re.match("`*", span)
    assert fence is not None
    inner = span[len(fence.group()) : len(span) - len(fence.group())]
    assert len(fence.group()) not in {len(run) for run in re.findall("`+", inner)}
    assert "\n" not in span
    assert not re.search(r"(?<!\\)\|", span)


@given(st.text())
@example("@team **b** [x](http://e.com) <img src=x> a|b `c` #1 &lt; $x$ www.e.com")
def test_text_has_no_live_markup(text: str) -> None:
    line = markdown_text(text)
    live = re.sub(r"\\.", "", line)  # a backslash takes the character after it out of play
    assert not set("\\`*_[]<>|~#&$\n") & set(live)
    assert not re.search(r"@(?!\u2060)", line)
    assert not re.search(r"(?i)(?<!\\)://|www\.", line)


@given(st.text(alphabet=st.characters(categories=["Cc", "Cs", "Cf", "Lo", "Po"])))
def test_clean_text_can_be_written_and_shows_its_controls(text: str) -> None:
    cleaned = clean(text)
    cleaned.encode()
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", cleaned)


@given(st.text())
def test_a_plot_label_has_no_tag(text: str) -> None:
    assert not set("<>") & set(plot_label(text))
