"""Every figure that README.md and docs/ state comes from docs/figures.yaml, once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pages import PAGES, ROOT, commands, mentions, text_of

from benchmarks.perf import figures
from benchmarks.perf.figures import MARK, Figure, Figures, Measurement, dumped, load, measure, rendered, run
from driftgate.flows.errors import DriftgateError

ALL = load()
COMMON = {"10,000", "5,000", "4,000", "2,000"}
"""Round numbers, which are chosen and not measured."""


@pytest.mark.parametrize("page", PAGES)
def test_a_page_states_what_the_file_holds(page: str) -> None:
    assert rendered(text_of(page), ALL) == text_of(page), f"{page} is old: run python -m benchmarks.perf.figures"


def test_every_figure_is_known_and_used() -> None:
    used = set().union(*(ALL.used_by(text_of(page)) for page in PAGES)) - {"measured", "data"}
    assert used - ALL.names() == set(), "no such figure"
    assert ALL.names() - used == set(), "on no page: take it out of docs/figures.yaml"


def test_a_page_states_no_figure_past_the_file() -> None:
    """A figure long enough to be told from others stands in no sentence by itself, where it would grow old."""
    values = [figure.value for found in ALL.measured.values() for figure in found.figures.values()]
    told = {value for value in values if len(re.sub(r"\D", "", value)) > 3 and "\n" not in value}
    past = []
    for page in PAGES:
        rest = MARK.sub(" ", text_of(page))
        past += [
            f"{page}: {value}" for value in told - COMMON if re.search(rf"(?<![\w.,]){re.escape(value)}(?![\w,])", rest)
        ]
    assert not past, "put it between markers: " + "; ".join(past)


def test_a_command_that_a_page_names_has_its_figures_in_the_file() -> None:
    lines = [command for page in PAGES for command in (*commands(page), *mentions(page))]
    named = {word for command in lines for word in command.text.split() if word.startswith("benchmarks.perf.")}
    known = {word for found in ALL.measured.values() for word in found.command.split()}
    assert named - {"benchmarks.perf.figures"} <= known, f"no figures of {named - known} in docs/figures.yaml"


def test_every_entry_says_where_its_data_are() -> None:
    for name, found in ALL.measured.items():
        assert found.data and set(found.data) <= set(ALL.data), f"{name}: where are its data?"
        assert re.fullmatch(r"(before )?\d{4}-\d\d-\d\d", found.date) and found.machine and found.commit, name
        module = re.match(r"python -m (benchmarks\.\S+)", found.command)
        assert module is None or (ROOT / f"{module[1].replace('.', '/')}.py").is_file(), f"{name}: {found.command}"
    assert set(ALL.data) == {of for found in ALL.measured.values() for of in found.data}


def test_the_file_is_as_it_is_written() -> None:
    assert (ROOT / "docs/figures.yaml").read_text("utf-8") == dumped(ALL)


def entry(**found: Figure) -> Measurement:
    return Measurement(
        command="python -c x", data=["shipped"], date="2026-01-01", machine="m", commit="c", figures=found
    )


def test_what_a_command_prints_becomes_its_figures() -> None:
    given = entry(
        rate=Figure(value="1", read=r"([\d,]+) samples/s"),
        table=Figure(value="old", read=r"^(\| a .*)$"),
        both=Figure(text="{rate} a second"),
    )
    here = {"date": "2026-11-27", "machine": "two cores", "commit": "abc"}
    found = measure(given, "2,083 samples/s\n\n| a | b |\n|---|---|\n| 1 | 2 |\n", here)
    assert (found.date, found.machine, found.commit) == ("2026-11-27", "two cores", "abc")
    assert found.figures["table"].value == "| a | b |\n|---|---|\n| 1 | 2 |"
    all_ = Figures(data={"shipped": "here"}, measured={"x": found})
    page = "It does <!-- figure x.both -->?<!-- end -->.\n<!-- figure x.table --><!-- end -->\n"
    new = rendered(page, all_)
    assert "<!-- figure x.both -->2,083 a second<!-- end -->." in new
    assert "<!-- figure x.table -->\n| a | b |\n|---|---|\n| 1 | 2 |\n<!-- end -->" in new
    assert rendered(new, all_) == new


def test_what_cannot_be_measured_or_is_not_there_is_said() -> None:
    with pytest.raises(DriftgateError, match="prints nothing that is 'rate'"):
        measure(entry(rate=Figure(value="1", read="rate (.)")), "nothing", {})
    with pytest.raises(DriftgateError, match="'rate' has no pattern"):
        measure(entry(rate=Figure(value="1")), "1", {})
    with pytest.raises(DriftgateError, match=r"no figure 'x\.other'"):
        rendered("<!-- figure x.other -->1<!-- end -->", Figures(data={}, measured={"x": entry()}))
    with pytest.raises(ValueError, match="a value"):
        Figure(value="1", text="{x}")


def test_a_measurement_that_is_run_anew_gives_what_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of the figures that no machine changes, one is measured here; the others by ``make acceptance``."""
    file = tmp_path / "docs/figures.yaml"
    file.parent.mkdir()
    file.write_text(dumped(ALL).replace("0.906", "0.123"), "utf-8")
    page = tmp_path / "README.md"
    page.write_text("<!-- figure terms.table -->\nold\n<!-- end -->\n", "utf-8")
    monkeypatch.setattr(figures, "FILE", file)
    monkeypatch.setattr(figures, "load", lambda: load(file))
    monkeypatch.setattr(figures, "pages", lambda: [page])
    assert figures.main(["--measure", "terms", "--machine", "the tests'"]) == 0
    said = load(file).measured["terms"]
    assert said.figures == ALL.measured["terms"].figures and said.machine == "the tests'"
    assert ALL.text("terms.table") in page.read_text("utf-8")


@pytest.mark.acceptance
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", ["equal", "claim", "extractor"])
def test_figures_that_no_machine_changes_are_as_measured(name: str) -> None:
    if "recorded" in ALL.measured[name].data and not (ROOT.parent / "shared/data/recorded").is_dir():
        pytest.skip("the recorded data (../shared/data) is not beside the project")
    found = measure(ALL.measured[name], run(ALL.measured[name]), {})
    now = {one: figure.value for one, figure in found.figures.items() if one != "seconds"}
    assert now == {one: figure.value for one, figure in ALL.measured[name].figures.items() if one != "seconds"}
