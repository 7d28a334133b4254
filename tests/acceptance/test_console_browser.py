"""The console in a real browser: every page, without an error, a fault of access or a sideways scroll; forms and a run.

Needs chromium and playwright (extra ``dev``). axe-core comes from the npm registry when the test is set up; where it
cannot, that part is skipped and says so. Screenshots go to the folder that ``DRIFTGATE_SCREENSHOTS`` names.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import subprocess
import tarfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from console_world import _records, make_world, questions

from driftgate.finetune.remediation import remediations
from driftgate.ledger import cells_of, finish_run, latest_runs, open_ledger, record

from .conftest import DRIFTGATE
from .test_service import free_port

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (extra 'dev')")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [pytest.mark.acceptance, pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")]
TOKEN = "a-token-for-the-acceptance-run"
AXE = "axe-core@4.11.0"
SERIOUS = ("serious", "critical")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = make_world(tmp_path_factory.mktemp("world"))
    port = free_port()
    file = made / "driftgate.yaml"
    file.write_text(file.read_text("utf-8").replace("service:", f"service:\n  port: {port}"), encoding="utf-8")
    (made / "port").write_text(str(port), encoding="utf-8")
    return made


@pytest.fixture(scope="module")
def base(folder: Path) -> Iterator[str]:
    port = (folder / "port").read_text("utf-8")
    environment = os.environ | {"DRIFTGATE_TOKEN": TOKEN}
    process = subprocess.Popen([*DRIFTGATE, "serve"], cwd=folder, env=environment, start_new_session=True)
    try:
        for _ in range(240):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/runs", timeout=1)
            except urllib.error.HTTPError:  # it asks for the token: it is there
                break
            except OSError:
                time.sleep(0.25)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The script of axe-core; empty where the npm registry does not give it."""
    npm = shutil.which("npm")
    if npm is None:
        return ""
    there = tmp_path_factory.mktemp("axe")
    done = subprocess.run([npm, "pack", AXE], cwd=there, capture_output=True, timeout=120, check=False)
    packed = next(there.glob("*.tgz"), None)
    if done.returncode or packed is None:
        return ""
    with tarfile.open(packed) as archive:
        found = archive.extractfile("package/axe.min.js")
        assert found is not None
        return found.read().decode()


class Reader:
    """A browser that remembers what went wrong."""

    def __init__(self, page: Any, base: str) -> None:
        self.page, self.base, self.errors = page, base, list[str]()
        page.on("console", lambda told: self.errors.append(told.text) if told.type in ("error", "warning") else None)
        page.on("pageerror", lambda problem: self.errors.append(str(problem)))

    def open(self, path: str) -> None:
        reply = self.page.goto(self.base + path)
        assert reply is not None and reply.status == 200, f"{path}: {reply and reply.status}"

    def faults(self, axe: str) -> list[str]:
        run = "axe.run({resultTypes: ['violations']}).then(found => found.violations)"
        found = self.page.evaluate(f"{axe};{run}")
        return [f"{one['id']}: {one['nodes'][0]['html'][:120]}" for one in found if one["impact"] in SERIOUS]


@pytest.fixture
def reader(opened: Reader) -> Reader:
    """The browser, with what went wrong in another test forgotten."""
    opened.errors.clear()
    return opened


# At the desk things are changed, so it comes last.
@pytest.fixture(scope="module", params=[(390, "dark", "ko"), (1400, "light", "en")], ids=["telephone", "desk"])
def opened(request: pytest.FixtureRequest, base: str) -> Iterator[Reader]:
    width, scheme, language = request.param
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=scheme,
            locale=language,
        )
        page = context.new_page()
        page.goto(base)  # leads to where one signs in
        page.locator("#key").fill(TOKEN)
        page.locator("button").click()
        page.wait_for_url(f"{base}/")
        yield Reader(page, base)
        browser.close()


def addresses(folder: Path) -> list[str]:
    ledger = open_ledger(".driftgate/ledger.db", folder)
    newest, before = (run.id for run in latest_runs(ledger, 2, status="complete", kinds=["benchmark"]))
    running = latest_runs(ledger, 1, status="running", suite="nightly")[0].id
    repair = remediations(ledger)[0].id
    ledger.close()
    return [
        f"/runs/{newest}?show=trouble",
        f"/runs/{newest}/0/3",
        f"/runs/{running}",
        f"/gates/{newest}",
        f"/compare?a={before}/0&b={newest}/0",
        "/suites/nightly",
        "/monitors/assistant",
        "/findings/latest",
        "/findings/latest/calls",
        f"/remediations/{repair}",
        "/datasets/exam?look=closer",
        f"/review/{newest}/0",
    ]


def test_every_page_is_without_an_error_a_fault_or_a_sideways_scroll(reader: Reader, folder: Path, axe: str) -> None:
    reader.open("/")
    page = reader.page
    menu = [link.get_attribute("href") for link in page.locator("header nav a").all()]
    assert len(menu) >= 9
    pictures, seen = os.environ.get("DRIFTGATE_SCREENSHOTS"), []
    for path in [*menu, *addresses(folder)]:
        if path in menu:
            page.locator(f'header nav a[href="{path}"]').click()
            assert page.locator('header nav a[aria-current="page"]').get_attribute("href") == path
        else:
            reader.open(path)
        seen.append(page.locator("h1").inner_text())
        assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"], path
        assert page.evaluate("window.hacked") is None
        if axe:
            assert reader.faults(axe) == [], path
        if pictures:
            name = re.sub(r"\W+", "_", path.partition("?")[0]).strip("_") or "overview"
            page.screenshot(path=Path(pictures) / f"{name}_{page.viewport_size['width']}.png", full_page=True)
    assert reader.errors == []
    assert all(seen)


def test_axe_was_there(axe: str) -> None:
    if not axe:
        pytest.skip(f"the npm registry did not give {AXE}: faults of access were not looked for")


def test_the_keyboard_reaches_the_content_and_the_search(reader: Reader) -> None:
    reader.open("/runs")
    page = reader.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    reader.open(addresses_of_runs(reader))
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.type") == "search"
    page.keyboard.type("문제 17:")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("q="))
    assert page.locator("#samples tbody tr").count() == 2
    assert reader.errors == []


def addresses_of_runs(reader: Reader) -> str:
    reader.open("/runs?status=complete&suite=nightly")
    return str(reader.page.locator("#runs tbody a").first.get_attribute("href"))


def test_a_person_labels_a_sample_asks_for_a_job_and_rejects_a_repair(reader: Reader, folder: Path) -> None:
    page = reader.page
    if page.viewport_size["width"] != 1400:
        pytest.skip("what is changed is changed once")
    reader.open("/review")
    page.locator("#reviews tbody a").first.click()
    question = page.locator("p.text").inner_text()
    page.locator('button[name="grade"][value="4"]').click()
    page.wait_for_load_state()
    assert page.locator("#labels tbody tr").count() == 1 and page.locator("p.text").inner_text() != question
    reader.open("/jobs")
    page.locator('article:has-text("nightly") button').first.click()
    page.wait_for_load_state()
    assert "nightly" in page.locator("#jobs tbody").inner_text()
    reader.open("/remediations")
    page.locator("#remediations tbody a").first.click()
    form = page.locator('form[action="/actions/remediation/reject"]')
    form.locator('input[name="reason"]').fill("the proof is too small")
    form.locator("button").click()
    page.wait_for_load_state()
    assert "the proof is too small" in page.locator("main").inner_text()
    assert reader.errors == []


def test_a_run_under_way_is_followed_to_its_end(reader: Reader, folder: Path) -> None:
    page = reader.page
    if page.viewport_size["width"] != 1400:
        pytest.skip("a run ends once")
    ledger = open_ledger(".driftgate/ledger.db", folder)
    run = latest_runs(ledger, 1, status="running", suite="nightly")[0]
    reader.open(f"/runs/{run.id}")
    done = page.locator('[data-field="done"]')
    assert done.inner_text() == "25"
    cell = cells_of(ledger, run.id)[0]
    record(ledger, _records(ledger, cell.id, questions()[25:50], 0.7, random.Random(1), datetime.now(UTC)))
    sync_api.expect(done).to_have_text("50", timeout=20_000)
    finish_run(ledger, run.id)
    ledger.close()
    page.wait_for_selector(".live", state="detached", timeout=20_000)
    assert reader.errors == []
    told = json.loads(page.request.get(f"{reader.base}/runs/{run.id}.json").text())
    assert told["facts"]["status"] == "complete"
