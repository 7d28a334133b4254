"""Every page: as HTML, JSON and CSV, in both languages, hostile texts as texts, and what it says of a workspace."""

from __future__ import annotations

import csv
import io
import re
from html.parser import HTMLParser
from typing import Any

import pytest
import yaml
from console_world import MARKUP, QUESTIONS
from fastapi.testclient import TestClient

import driftgate
from driftgate.api.facade import Workspace
from driftgate.ledger import _browse_outputs
from driftgate.service.console._page import PAGES
from driftgate.service.console._render import HERE
from driftgate.service.console._words import catalogue
from driftgate.service.console.pages import run

from .conftest import application

NAMES = PAGES.names()


class Document(HTMLParser):
    """What of a page a policy or a reader without a mouse cares about."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attrs for name, attrs in self.elements if name == tag]


def split(address: str, kind: str) -> str:
    path, _, query = address.partition("?")
    return f"{path if path != '/' else '/overview'}.{kind}" + (f"?{query}" if query else "")


def test_every_page_has_an_address_here(addresses: dict[str, str]) -> None:
    assert sorted(addresses) == NAMES


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("name", NAMES)
def test_a_page_is_safe_and_whole(client: TestClient, addresses: dict[str, str], name: str, language: str) -> None:
    address = addresses[name]
    found = client.get(address, params={"lang": language} if "?" not in address else None)
    if "?" in address:
        found = client.get(f"{address}&lang={language}")
    assert found.status_code == 200, found.text
    assert "script-src 'self'" in found.headers["content-security-policy"]
    assert found.headers["cache-control"] == "no-store"
    page = Document(found.text)
    assert page.all("html")[0]["lang"] == language
    assert [one for one in page.all("script") if not one.get("src", "").startswith("/static/")] == []
    assert not [tag for tag, attrs in page.elements if "style" in attrs or any(n.startswith("on") for n in attrs)]
    assert not [tag for tag, _ in page.elements if tag == "style"]
    assert len(page.all("main")) == len(page.all("h1")) == 1
    assert MARKUP not in found.text
    for form in page.all("form"):
        assert form.get("method") in ("get", "post")
    for link in page.all("a"):
        assert link["href"].startswith(("/", "?", "#")), link


@pytest.mark.parametrize("name", NAMES)
def test_the_data_of_a_page_stand_beside_it(client: TestClient, addresses: dict[str, str], name: str) -> None:
    told = client.get(split(addresses[name], "json"))
    assert told.status_code == 200 and told.json()["page"] == name
    tables = told.json()["tables"]
    for table, content in tables.items():
        rows = client.get(split(addresses[name], "csv"), params=None)
        assert rows.status_code == 200
        mark = "&" if "?" in addresses[name] else "?"
        found = client.get(f"{split(addresses[name], 'csv')}{mark}table={table}")
        lines = list(csv.DictReader(io.StringIO(found.text)))
        assert len(lines) == len(content["rows"])
        assert not [v for line in lines for v in line.values() if v and v[0] in "=@+" and not v[1:2].isdigit()]


def test_every_word_is_said_in_both_languages_and_none_is_left_over() -> None:
    sources = "".join(p.read_text("utf-8") for p in [*HERE.rglob("*.html"), *HERE.rglob("*.py")])
    sources += (HERE.parent.parent / "service" / "console" / "static" / "console.js").read_text("utf-8")
    words = catalogue()
    read = yaml.safe_load((HERE / "words.yaml").read_text("utf-8"))
    assert all(len(said) == 2 and all(said) for said in read.values())
    for key, said in words.items():
        fields = [set(re.findall(r"{(\w+)}", one)) for one in said.values()]
        assert fields[0] == fields[1], key
        kind = key.partition(".")[0]
        made = ("column", "status", "page", "table", "of", "moved", "suspect", "step", "time", "overview", "waiting")
        assert f'"{key}"' in sources or kind in (*made, "samples", "compare", "blindness"), f"{key} is said nowhere"
    for key in re.findall(r'\bt\("([a-z_.]+)"[,)]', sources):
        assert key in words, key
    columns = set(re.findall(r'Column\("(\w+)"', sources))
    assert {f"column.{name}" for name in columns} <= set(words)
    assert {f"table.{name}" for name in re.findall(r'Table\(\s*"(\w+)"', sources)} <= set(words)
    assert {f"page.{name}" for name in NAMES} <= set(words)


def test_the_overview_is_not_green_while_something_is_not_known(client: TestClient) -> None:
    facts = client.get("/overview.json").json()["facts"]
    said = {(one["subject"], one["status"]) for one in facts["concerns"]}
    assert facts["grade"] == "wrong" and facts["since"]
    assert {
        ("assistant · model moved", "open"),
        ("nightly · release", "fail"),
        ("search · canaries", "unknown"),
    } <= said
    moved = next(one for one in facts["concerns"] if one["subject"] == "assistant · model moved")
    assert "remediation" in moved["doing"] and moved["link"].startswith("/incidents/")
    assert ("assistant · canaries", "moved") not in said  # the incident says it
    assert [one["kind"] for one in facts["waiting"]] == ["approval", "incident"]
    assert [one["done"] for one in [{"done": sum(c["outcomes"].values())} for c in facts["under_way"][0]["cells"]]] == [
        25
    ]
    # A run under way takes nothing back of what the last one that ended says.
    assert facts["suites"][0]["status"] == "complete"


def test_what_nobody_judged_or_ran_is_not_known(own: Workspace) -> None:
    file = own.files.folder / "driftgate.yaml"
    config = yaml.safe_load(file.read_text("utf-8"))
    config["gates"]["other"] = config["gates"]["release"]
    config["suites"]["never"] = config["suites"]["nightly"]
    config["nightly"]["suites"].append("never")
    config["monitors"] = {}
    file.write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
    with driftgate.open(own.files.folder) as opened:
        reader = TestClient(application(opened, "read"))
        said = {one["subject"]: one["grade"] for one in reader.get("/overview.json").json()["facts"]["concerns"]}
    assert said["nightly · other"] == said["never"] == said["monitors"] == "unknown"


def test_a_monitor_shows_what_could_not_be_measured_as_a_gap(client: TestClient) -> None:
    facts = client.get("/monitors/assistant.json").json()["facts"]
    series = {one["name"]: one for drawn in facts["signals"] for one in drawn["series"]}
    values = [point["value"] for point in series["canary accuracy"]["points"]]
    assert values.count(None) == 2 and len(values) == 24
    blind = [point for point in series["canary accuracy"]["points"] if point["value"] is None]
    assert all(point["status"] == "unmeasurable" and "connection refused" in point["told"] for point in blind)
    last = series["canary accuracy"]["points"][-1]
    assert (last["band_low"], last["band_high"]) == pytest.approx((0.75, 0.85)) and last["status"] == "moved"
    page = client.get("/monitors/assistant").text
    assert page.count('class="chart wide"') == page.count('class="chart narrow"') == 4
    assert page.count('class="mark blind"') == 2 * 2 * 2  # two looks, two signals, wide and narrow


def test_outputs_of_nodes_are_searched_and_how_far_is_told(
    client: TestClient, nights: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def samples(query: str) -> dict[str, Any]:
        found: dict[str, Any] = client.get(f"/runs/{nights[0]}.json?{query}").json()["tables"]["samples"]
        return found

    assert samples("q=D. 라")["total"] == 0 and "searched" not in samples("q=D. 라")
    whole = samples("q=D. 라&in=outputs")
    assert whole["total"] == 2 * QUESTIONS and whole["searched"]["done"] == whole["searched"]["of"] > 2 * QUESTIONS
    one = samples("q=문제 17:&in=outputs&cell=1")
    assert one["total"] == 1 and one["searched"]["of"] * 2 == whole["searched"]["of"]
    page = f"/runs/{nights[0]}?q=D. 라&in=outputs"
    assert f"All {whole['searched']['of']:,} node outputs were searched" in client.get(page).text
    monkeypatch.setattr(run, "_FIRST", 0.0)
    monkeypatch.setattr(run, "_WHOLE", 0.0)
    monkeypatch.setattr(_browse_outputs, "_ROWS", 20)
    begun = samples("q=A. 가&in=outputs")
    assert begun["searched"] == {"done": 0, "of": whole["searched"]["of"]} and begun["total"] == 0
    shown = client.get(f"/runs/{nights[0]}?q=A. 가&in=outputs&lang=en").text
    assert "Searched 20 of" in shown and "there may be more" in shown and "All " not in shown
    assert "searched=20" in shown
    file = client.get(f"/runs/{nights[0]}.csv?q=A. 가&in=outputs")
    assert (file.status_code, "outputs of nodes were searched so far" in file.text) == (503, True)
    ended = samples("q=A. 가&in=outputs&searched=60")
    assert ended["searched"]["done"] == ended["searched"]["of"] and ended["total"] == 2 * QUESTIONS
    assert client.get(f"/runs/{nights[0]}.csv?q=A. 가&in=outputs").status_code == 200
    for wrong in ("in=answers", "in=outputs&q=x&searched=many"):
        assert client.get(f"/runs/{nights[0]}.json?{wrong}").status_code == 400


def test_samples_are_filtered_searched_and_ordered(client: TestClient, nights: list[str]) -> None:
    def rows(query: str) -> tuple[int, list[dict[str, object]]]:
        table = client.get(f"/runs/{nights[0]}.json?{query}").json()["tables"]["samples"]
        return table["total"], table["rows"]

    total, _ = rows("")
    assert total == 2 * QUESTIONS
    wrong, found = rows("show=wrong&cell=0&size=1000")
    assert all(r["outcome"] == "answered" and r["correct"] == 0 and r["cell"] == 0 for r in found) and wrong == len(
        found
    )
    failed, found = rows("show=failed")
    assert failed == 4 and {r["outcome"] for r in found} == {"failed"}
    trouble, _ = rows("show=trouble&cell=0")
    assert trouble == wrong + 2
    law, found = rows("category=형법")
    assert law == 2 * QUESTIONS // 5 and {r["category"] for r in found} == {"형법"}
    assert rows("q=문제 17:")[0] == 2 and rows("q=500")[0] == 4 and rows("q=100%25")[0] == 0
    below, found = rows("below=reply.match.match:1&cell=1&size=1000")
    right = {r["sample_id"] for r in rows("cell=1&size=1000")[1] if r["correct"] == 1}
    assert {r["sample_id"] for r in found}.isdisjoint(right) and below + len(right) == QUESTIONS
    slow = [r["latency"] for r in rows("sort=-latency&size=1000")[1]]
    known = [one for one in slow if one is not None]
    assert known == sorted(known, reverse=True) and slow[len(known) :] == [None] * 4
    second = rows("size=50&page=2")[1]
    assert [r["sample_id"] for r in second] == [r["sample_id"] for r in rows("size=1000")[1][50:100]]


def test_a_sample_shows_what_every_node_did(client: TestClient, nights: list[str]) -> None:
    facts = client.get(f"/runs/{nights[0]}/0/1.json").json()["facts"]
    assert [node["node"] for node in facts["nodes"]] == ["ask", "reply"]
    assert facts["nodes"][1]["output"].startswith("정답은") and "A. 가" in facts["nodes"][0]["output"]
    assert MARKUP in facts["question"]  # as a text; the page is tried above


def test_two_cells_are_compared_sample_by_sample(client: TestClient, nights: list[str]) -> None:
    told = client.get(f"/compare.json?a={nights[1]}/0&b={nights[0]}/0&size=1000").json()
    facts, flips = told["facts"], told["tables"]["flips"]["rows"]
    counts = {way: sum(row["direction"] == way for row in flips) for way in ("lost", "gained")}
    assert (facts["lost"], facts["gained"]) == (counts["lost"], counts["gained"]) and facts["shared"] == QUESTIONS
    net = (counts["gained"] - counts["lost"]) / QUESTIONS
    assert facts["difference"] == pytest.approx(net)
    guessed = client.get(f"/compare.json?b={nights[0]}/0").json()["facts"]
    assert guessed["before"]["run"] == nights[1]


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/runs/nothing", 404),
        ("/runs/nothing.json", 404),
        ("/runs/nothing.csv", 404),
        ("/monitors/none", 404),
        ("/findings/zzz", 404),
        ("/remediations/none", 404),
        ("/datasets/none", 404),
        ("/jobs/none", 404),
        ("/suites/none", 404),
        ("/compare?a=x&b=y", 404),
        ("/static/../_page.py", 404),
        ("/static/other.js", 404),
        ("/runs?sort=nothing", 400),
        ("/runs?page=0", 400),
        ("/runs?size=9999999", 400),
        ("/runs?page=%EF%BC%91", 400),
        ("/runs.csv?table=none", 404),
        ("/compare.csv", 404),
        ("/runs?q=%00%27%22--", 200),
        ("/runs?suite=%27%20OR%201=1", 400),
        ("/runs?began=yesterday", 400),
        ("/runs?kind=%00", 200),
        ("/runs?accuracy=0.5", 400),
        ("/monitors/assistant?looks.when=x", 400),
        ("/monitors/assistant?result=inconclusive&alerts.page=7", 200),
        ("/monitors/assistant?result=quit", 400),
        ("/runs.json?verdict=bogus", 400),
        ("/runs.csv?verdict=bogus", 400),
        ("/runs.json?verdict=inconclusive", 200),
        ("/runs.json?nosuch=1", 400),
        ("/runs?looks.page=1", 400),
        ("/incidents.json?monitor=nosuch", 400),
        ("/incidents.json?monitor=search", 200),
        ("/incidents.json?severity=critcal", 400),
        ("/incidents.json?channels.channel=none", 200),
        ("/jobs.json?name=nightl", 400),
        ("/jobs.json?name=look-search&state=failed", 200),
        ("/monitors?standing=fin", 400),
        ("/datasets/exam?look=closer&duplicates.page=1", 200),
        ("/remediations?state=shut", 400),
    ],
)
def test_what_is_not_there_is_said_in_words(client: TestClient, address: str, status: int) -> None:
    found = client.get(address)
    assert found.status_code == status, found.text
    assert "Traceback" not in found.text


def test_who_may_only_read_is_offered_no_form_and_may_send_none(
    workspace: Workspace, addresses: dict[str, str]
) -> None:
    reader = TestClient(application(workspace, "read"), follow_redirects=False)
    for name in ("remediation", "jobs", "review"):
        forms = re.findall('method="post" action="([^"]+)"', reader.get(addresses[name]).text)
        assert forms == ["/signout"]
    assert reader.post("/actions/job/run", data={"name": "nightly"}).status_code == 403
    nobody = TestClient(application(workspace), follow_redirects=False)
    for route in nobody.app.routes:  # type: ignore[attr-defined]
        path = re.sub(r"{\w+}", "x", getattr(route, "path", ""))
        if path.startswith(("/openapi", "/docs", "/redoc")) or not path:
            continue
        method = "POST" if path.startswith("/actions") else "GET"
        assert nobody.request(method, path).status_code == 403, path


def test_a_repair_shows_its_options_side_by_side(client: TestClient, addresses: dict[str, str]) -> None:
    page = client.get(addresses["remediation"]).text
    assert "Options side by side" in page and "prompt terse" in page
    assert "50.0% (35.0 to 65.0)" in page and "3 of 40: 3 failed" in page and "not known" in page
    found = client.get(split(addresses["remediation"], "json")).json()
    assert [one["verdict"] for one in found["facts"]["options"]] == ["", "unmeasurable"]
    assert found["facts"]["options"][0]["measured"][0]["cost"]["value"] is None  # and not 0
