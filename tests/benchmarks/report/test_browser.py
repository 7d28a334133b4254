"""The page in a real browser: every plot draws, nothing is fetched, no foreign script runs."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from .conftest import Written
from .page import Page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --enable-logging=stderr --virtual-time-budget=8000 --dump-dom"
)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")


def browse(html: Path, profile: Path) -> tuple[str, str]:
    """The page's document after its scripts have run, and what the browser said on its console."""
    assert CHROMIUM is not None
    command = [CHROMIUM, *FLAGS.split(), f"--user-data-dir={profile}", html.as_uri()]
    done = subprocess.run(command, capture_output=True, timeout=120, check=True)
    lines = done.stderr.decode("utf-8", "replace").splitlines()
    # The browser's own pages talk there too, for example of a slow network.
    console = [line for line in lines if "CONSOLE" in line and "source: chrome://" not in line]
    return done.stdout.decode(), "\n".join(console)


@pytest.fixture(scope="module")
def drawn(written: Written, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    return browse(written.files.html, tmp_path_factory.mktemp("profile"))


def test_every_plot_draws_its_traces(drawn: tuple[str, str], written: Written) -> None:
    expected = Page(written.html).figures()
    parts = drawn[0].split('<div class="plot ')[1:]
    assert len(parts) == len(expected) >= 8
    for part, (name, figure) in zip(parts, expected.items(), strict=True):
        assert f'id="{name}"' in part[:600]
        assert 'class="main-svg"' in part
        bars = sum(trace["type"] == "bar" for trace in figure["data"])
        assert part.count('class="trace bars"') == bars
        assert part.count('class="trace scatter ') == len(figure["data"]) - bars


def test_hostile_labels_are_drawn_as_text(drawn: tuple[str, str]) -> None:
    assert "gpt &lt;script&gt;window.hacked=1&lt;/script&gt; · terse · exam</text>" in drawn[0]
    assert "<script>window.hacked" not in drawn[0]


def test_nothing_is_fetched_or_refused(drawn: tuple[str, str]) -> None:
    for element in Page(drawn[0]).elements:
        for attribute in ("src", "href", "xlink:href"):
            assert "//" not in element.get(attribute, "")
    assert drawn[1] == ""  # neither an error nor a refusal by the content security policy


def test_the_policy_stops_foreign_scripts(written: Written, tmp_path: Path) -> None:
    planted = '<p id="planted"></p><script>document.getElementById("planted").textContent = "ran"</script>'
    page = tmp_path / "planted.html"
    page.write_text(written.html.replace("<main>", "<main>" + planted, 1), encoding="utf-8")
    document, console = browse(page, tmp_path / "profile")
    assert '<p id="planted"></p>' in document
    assert "Content Security Policy" in console
    assert 'class="main-svg"' in document


def test_a_reason_stands_beside_its_label_on_a_telephone(written: Written, tmp_path: Path) -> None:
    """The second line of a cell must not fall under the label, into a column of a few letters."""
    probe = """<script>addEventListener("load", () => {
      const cell = document.querySelector("td.reason"), range = document.createRange();
      range.selectNodeContents(cell.lastChild);
      document.title = "at " + Math.round(range.getBoundingClientRect().left - cell.getBoundingClientRect().left);
    })</script>"""
    style = written.html.split("<style>", 1)[1].split("</style>", 1)[0]
    page = tmp_path / "telephone.html"
    page.write_text(
        f'<style>{style.replace("max-width", "min-width")}</style><table class="cards"><tbody><tr>'
        f'<td data-label="Reason" class="foreign reason"><b>it is below</b><br>the opposite is shown</td>'
        f"</tr></table>{probe}",
        encoding="utf-8",
    )
    document, _ = browse(page, tmp_path / "profile")
    left = int(document.split("<title>at ", 1)[1].split("<", 1)[0])
    assert left > 100
