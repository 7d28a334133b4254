"""evidently's page of two windows: it holds what it should, and opens by itself."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from benchmarks.perf.false_alarms import CURRENT, REFERENCE, telemetry
from driftgate.monitor.evidence import write_evidence

HOSTILE = "</script><script>document.title='taken'</script>"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    rng = np.random.default_rng(0)
    before, now = telemetry(rng, REFERENCE, 120), telemetry(rng, CURRENT, 100)
    now = now.assign(latency=now["latency"] * 2, response_model=HOSTILE, output_chars=np.nan, input_text="비밀 질문")
    now.loc[3, "latency"] = np.nan
    path = tmp_path_factory.mktemp("evidence") / "report.html"
    assert write_evidence(before, now, path) == path
    return path


class Resources(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag, attributes):
        if tag in {"script", "link", "img", "iframe"}:
            self.found += [value for name, value in attributes if name in {"src", "href"} and value]


def test_it_draws_the_columns_that_are_known_and_no_text(page):
    written = page.read_text(encoding="utf-8")
    drawn = set(re.findall(r'"column_name": "(\w+)"', written))
    assert {"latency", "output_tokens", "slice", "error", "refused", "response_model"} <= drawn
    assert not {"output_chars", "input_ngrams", "input_text", "time"} & drawn
    assert "비밀" not in written
    assert not list(page.parent.glob("*.part"))


def test_its_verdicts_are_of_calibrated_tests(page):
    written = page.read_text(encoding="utf-8")
    rows = re.findall(r'"column_name": "(\w+)".{0,2000}?"data_drift": "([^"]+)"', written, re.DOTALL)
    assert {name for name, verdict in rows if verdict == "Detected"} == {"latency", "response_model"}


def test_it_loads_nothing_from_anywhere(page):
    resources = Resources()
    resources.feed(page.read_text(encoding="utf-8"))
    assert all(found.startswith("data:") for found in resources.found)


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")
def test_a_browser_without_a_network_shows_it_and_runs_nothing_of_the_telemetrys(page, tmp_path):
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}", "--enable-logging=stderr"]
    offline = ["--host-resolver-rules=MAP * ~NOTFOUND", "--virtual-time-budget=10000", "--dump-dom"]
    shown = subprocess.run(
        [CHROMIUM, *options, *offline, page.as_uri()], capture_output=True, encoding="utf-8", timeout=120, check=True
    )
    body = re.sub(r"<script.*?</script>", "", shown.stdout, flags=re.DOTALL)
    assert "Drift is detected for" in body
    assert "latency" in body
    assert "taken" not in re.search(r"<title>.*?</title>", shown.stdout, re.DOTALL)[0]
    assert "Uncaught" not in shown.stderr


def test_windows_without_a_common_column_are_refused(tmp_path):
    with pytest.raises(ValueError, match="nothing can be drawn"):
        write_evidence(pd.DataFrame({"latency": [1.0]}), pd.DataFrame({"error": [""]}), tmp_path / "report.html")
    assert not list(tmp_path.iterdir())


def test_evidently_is_imported_only_to_write():
    code = "import sys, driftgate.monitor.evidence, driftgate.monitor.drift\n"
    code += "print('evidently' in sys.modules, 'scipy.stats' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["False", "False"]
