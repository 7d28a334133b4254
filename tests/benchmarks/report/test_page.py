"""The HTML page: its structure, its figures and numbers, and what hostile text becomes in it."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import pytest

from driftgate.benchmarks import report
from driftgate.benchmarks.report import write_report
from driftgate.benchmarks.scores import score_run
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import find_run, open_ledger, set_status, start_run

from .conftest import SCRIPT, SEOUL, UNANSWERED, Written, fill_cell, make_samples
from .page import Page, table_rows

HERE = Path(report.__file__).parent


@pytest.fixture(scope="module")
def page(written: Written) -> Page:
    return Page(written.html)


def test_is_a_whole_document(page: Page) -> None:
    assert page.unbalanced == []
    assert page.left_open == []
    assert [e["id"] for e in page.all("section")] == [
        "gate", "scores", "categories", "outcomes", "speed", "letters", "nodes", "samples", "provenance",
    ]  # fmt: skip
    links = {e["href"].removeprefix("#") for e in page.all("a") if e["href"].startswith("#")}
    assert links == {e["id"] for e in page.all("section")}


def test_says_run_time_and_verdict(page: Page, written: Written) -> None:
    head = page.all("header", class_="masthead")[0]["text"]
    local = written.run.created_at.astimezone(SEOUL)
    assert f"{local:%Y-%m-%d %H:%M:%S} KST (" in head
    assert f"{written.run.created_at:%H:%M:%S} UTC)" in head
    assert written.run.id in head
    assert "0.1.0" in head
    assert written.verdicts[0].verdict == "unmeasurable"
    assert "2 of 6 checks cannot be decided" in head
    badges = [e["text"] for e in page.all("span", class_="badge")]
    assert badges[0] == "∅unmeasurable"
    assert badges.count("✓pass") == 1
    assert badges.count("?inconclusive") == 3


def test_table_of_cells_holds_the_scores(page: Page, written: Written) -> None:
    rows = table_rows(page, "cells")
    assert len(rows) == 3
    for row, scores in zip(rows, written.scored, strict=True):
        accuracy, best = scores.get("accuracy"), scores.get("accuracy_if_right")
        assert accuracy is not None and best is not None and accuracy.value is not None and best.value is not None
        assert scores.cell.model in row[0]
        assert f"{100 * accuracy.value:.1f}%" in row[1]
        assert row[2] == f"{100 * accuracy.value:.1f} – {100 * best.value:.1f}%"
    assert "1missing" in rows[0][4] and "1filtered" in rows[0][4]
    assert rows[2][4] == "60failed"
    assert rows[2][5] == "––"  # no latency was measured
    assert "EUR" in rows[1][7]


def test_every_figure_is_valid_for_plotly(page: Page) -> None:
    figures = page.figures()
    assert set(figures) == {
        "plot-accuracy", "plot-categories-0", "plot-outcomes", "plot-latency", "plot-quality-latency-0",
        "plot-quality-cost-0-0", "plot-letters-0", "plot-letters-1",
    }  # fmt: skip
    for figure in figures.values():
        go.Figure(_with_colours({"data": figure["data"], "layout": figure["layout"]}))


def _with_colours(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _with_colours(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_colours(item) for item in value]
    return "#123456" if isinstance(value, str) and value.startswith("@") else value


def test_every_colour_of_a_figure_is_in_the_style_sheet(page: Page) -> None:
    css = (HERE / "templates" / "report.css").read_text(encoding="utf-8")
    names = set(re.findall(r'"@([\w-]+)"', str(page.figures()).replace("'", '"')))
    assert {"cell-0", "right", "grid"} <= names
    assert names <= set(re.findall(r"--([\w-]+):", css))


def test_outcome_bars_add_up_to_every_sample(page: Page) -> None:
    bars = {bar["name"]: bar["x"] for bar in page.figures()["plot-outcomes"]["data"]}
    assert set(bars) == {"right", "wrong", *UNANSWERED.values()}
    for cell in range(3):
        assert sum(shares[cell] for shares in bars.values()) == pytest.approx(1.0)
    assert bars["failed"][2] == 1.0


def test_category_figure_holds_each_slice_of_each_cell(page: Page, written: Written) -> None:
    figure = page.figures()["plot-categories-0"]
    assert [re.sub("<.?b>", "", t)[:7] for t in figure["layout"]["yaxis"]["ticktext"]] == [
        "HUMSS", "Korean-", "Law", "STEM", "Chemist", "Math &l",
    ]  # fmt: skip
    law = next(r for r in written.scored[1].of_kind("accuracy", "category") if r.slice == "Law")
    assert figure["data"][1]["x"][2] == pytest.approx(law.value)
    assert figure["data"][1]["x"][2] + figure["data"][1]["error_x"]["array"][2] == pytest.approx(law.high)


def test_letters_show_the_preferred_choice(page: Page) -> None:
    bars, keys = page.figures()["plot-letters-1"]["data"]
    answered = dict(zip(bars["x"], bars["y"], strict=True))
    assert max(answered, key=lambda letter: answered[letter]) == "C"
    assert sum(answered.values()) == pytest.approx(1.0)
    assert sum(keys["y"]) == pytest.approx(1.0)
    assert "C is answered" in page.all("div", id="plot-letters-1")[0]["aria-label"]


def test_latency_is_aggregated(page: Page) -> None:
    traces = page.figures()["plot-latency"]["data"]
    assert len(traces) == 2  # the cell without a reply has no curve
    for trace in traces:
        assert len(trace["x"]) <= 200
        assert trace["x"] == sorted(trace["x"])
        assert (trace["y"][0], trace["y"][-1]) == (0.0, 1.0)


def test_node_evaluators_show_means_and_errors(page: Page) -> None:
    text = [" ".join(e["text"].split()) for e in page.all("tr") if "tbody" in e["inside"]]
    assert "renderpromptcontains10.9389 to 1590" in text
    assert "extractstyle–––057" in text


def test_samples_show_what_went_wrong(page: Page) -> None:
    articles = [e["text"] for e in page.all("article")]
    assert 20 < len(articles) <= 60
    tags = Counter(e["text"] for e in page.all("span", class_="tag"))
    # Two cells lack each kind of answer once; of the third one, 20 of its 60 failures are shown.
    assert {tag: n for tag, n in tags.items() if tag != "answered wrong"} == {
        "unparsed": 2, "truncated": 2, "filtered": 2, "failed": 2 + 20, "missing": 2,
    }  # fmt: skip
    wrong = next(a for a in articles if "answered wrong" in a)
    for part in ("조선 시대에", "대동법", "✓ key", "✕ answered", "Read by rule", "질문:", "정답:"):
        assert part in wrong


def test_provenance_names_source_and_keeps_secrets(page: Page, written: Written) -> None:
    text = page.all("section", id="provenance")[0]["text"]
    for part in ("v1|exam|broken", "hub HAERAE-HUB/KMMLU", "CC BY-ND 4.0", "m-2026 fp_1 (59)", '{"temperature": 0}'):
        assert part in text
    assert "TOP_SECRET" not in written.html
    assert f"driftgate report {written.run.id}" in page.all("footer")[0]["text"]


def test_hostile_text_is_text(page: Page, written: Written) -> None:
    scripts = page.all("script")
    plots = len(page.figures())
    assert len(scripts) == plots + 2
    assert all(e.get("type") == "application/json" for e in scripts[:plots])
    assert all("window.hacked" not in e["text"] for e in scripts[plots:])
    assert SCRIPT not in written.html
    shown = page.all("main")[0]["text"]
    assert f"gpt {SCRIPT}" in shown  # a model
    assert f"호패법 {SCRIPT}" in shown  # a choice
    assert f"HTTP 500 {SCRIPT}" in shown  # an error
    labels = page.figures()["plot-accuracy"]["layout"]["yaxis"]["ticktext"]
    assert labels[0].startswith("gpt &lt;script&gt;")


def test_templates_trust_nothing() -> None:
    for template in (HERE / "templates").glob("*.jinja2"):
        source = template.read_text(encoding="utf-8")
        assert not re.search(r"\|\s*safe\b|autoescape\s+false", source)


def test_page_asks_for_nothing(page: Page) -> None:
    for element in page.elements:
        for attribute in ("src", "href", "action", "data", "poster"):
            assert element.get(attribute, "#").startswith("#")
    policy = page.all("meta")[1]["content"]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe-eval" not in policy


def test_page_is_small(written: Written) -> None:
    assert written.files.html.stat().st_size < 8_000_000


def test_writing_again_replaces_and_leaves_nothing_else(written: Written) -> None:
    folder = written.files.html.parent
    again = write_report(written.ledger, written.run, written.scored, written.verdicts, folder, timezone=SEOUL)
    assert again == written.files
    assert sorted(folder.iterdir()) == sorted([again.html, again.markdown])


def test_a_run_that_stopped_before_its_first_cell(tmp_path: Path) -> None:
    ledger = open_ledger("ledger.db", tmp_path)
    run = start_run(ledger, "../early", {}, "0" * 16, 0, "0.1.0")
    set_status(ledger, run.id, "stopped", "401: wrong key <b>")
    run = find_run(ledger, run.id)
    files = write_report(ledger, run, [], [], tmp_path / "reports")
    page = Page(files.html.read_text(encoding="utf-8"))
    assert files.html.parent == tmp_path / "reports"
    text = page.all("body")[0]["text"]
    assert "No gate has judged this run." in text
    assert "it is stopped (401: wrong key <b>)" in text
    assert "no cell yet" in text
    assert page.all("script") == []
    assert "not judged" in files.markdown.read_text(encoding="utf-8")
    ledger.close()


def test_an_interrupted_cell_counts_what_is_missing(tmp_path: Path) -> None:
    ledger = open_ledger("ledger.db", tmp_path)
    run = start_run(ledger, "half", {}, "0" * 16, 0, "0.1.0")
    fill_cell(ledger, run, 0, "m", make_samples(8), skill=1.0)
    set_status(ledger, run.id, "interrupted", "stopped by the user")
    run = find_run(ledger, run.id)
    files = write_report(ledger, run, score_run(ledger, run.id), [], tmp_path / "reports")
    html = files.html.read_text(encoding="utf-8")
    assert "0 of 8 samples have no outcome yet" in html
    assert "interrupted: stopped by the user" not in html
    assert "**The run is not complete: it is interrupted (stopped by the user).**" in files.markdown.read_text("utf-8")
    ledger.close()


def test_equal_cells_have_no_differences(tmp_path: Path) -> None:
    ledger = open_ledger("ledger.db", tmp_path)
    run = start_run(ledger, "equal", {}, "0" * 16, 0, "0.1.0")
    for ordinal in range(2):
        fill_cell(ledger, run, ordinal, f"m{ordinal}", make_samples(8), skill=1.0)
    files = write_report(ledger, run, score_run(ledger, run.id), [], tmp_path / "reports")
    assert "No category differs by more than its interval allows for." in files.html.read_text(encoding="utf-8")
    assert "No category of `exam` differs from `m0 · terse`" in files.markdown.read_text(encoding="utf-8")
    ledger.close()


def test_a_folder_that_cannot_be_made_is_said(written: Written, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DriftgateError, match="cannot be written to"):
        write_report(written.ledger, written.run, [], [], tmp_path / "file" / "reports")


def test_node_scores_of_cells_of_one_flow_stand_side_by_side(page: Page, written: Written) -> None:
    rows = table_rows(page, "side-by-side")
    assert rows and all(len(row) == 3 + len(written.scored) for row in rows)
    shown = {" · ".join(row[:3]): row[3:] for row in rows}
    for column, scores in enumerate(written.scored):
        for name, values in shown.items():
            score = scores.get(name.replace(" · ", "."))
            if score is not None and score.value is not None and values[column] != "–":
                assert float(values[column].replace(",", "")) == pytest.approx(score.value, rel=1e-3)
