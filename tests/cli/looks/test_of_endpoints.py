"""An endpoint with a fault: a look at its canaries says which, and is never quiet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from chat_endpoint import AZURE_FILTERED, Answer, ChatEndpoint, Cut, Hang, Status, Step, limited
from looks import CANARIES, UNAVAILABLE, change, instead, number, settle, watched

import driftgate
from driftgate.ledger import open_ledger
from driftgate.monitor.looks import Conclusion
from driftgate.monitor.watch import alerts_of, looks_of

HALF = CANARIES // 2
HTML = Status(200, b"<html><body>Sign in</body></html>", {"Content-Type": "text/html"})
FAULTS: dict[str, tuple[Step, str]] = {
    "down behind a gateway": (Status(502, b"<html>Bad Gateway</html>"), "HTTP 502"),
    "HTML in the place of JSON": (HTML, "the reply is not a chat completion"),
    "an empty body": (Status(200, b""), "the reply is not a chat completion"),
    "no choices": (Status(200, {"object": "chat.completion", "choices": []}), "the reply is not a chat completion"),
    "another object": (Status(200, {}), "the reply is not a chat completion"),
    "a list": (Status(200, []), "the reply is not a chat completion"),
    "no reply in time": (Hang(), "no reply within 0.3 s"),
    "cut off": (Cut(), "payload is not completed"),
    "the key is refused": (Status(401, {"error": {"message": "bad key"}}), "HTTP 401"),
    "filtered": (Status(400, AZURE_FILTERED), "filtered"),
    "always too many requests": (limited(0.05, "Retry-After"), "HTTP 429"),
}


def quick(config: dict) -> None:
    """No look of a test waits for long."""
    config["models"]["live"].update(timeout=0.3, in_flight=CANARIES)
    for monitor in config["monitors"].values():
        monitor["canaries"]["max_minutes"] = 0.06


Settled = tuple[Path, ChatEndpoint]


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settled]:
    """A monitor whose reference is made, and the endpoint of its model."""
    endpoint = ChatEndpoint()
    endpoint.start()
    folder = watched(tmp_path_factory.mktemp("endpoints"), endpoint)
    with driftgate.open(folder) as workspace:
        for _ in range(3):
            workspace.check("watch")
    change(folder, quick)
    yield folder, endpoint
    endpoint.stop()


def looked(cli, folder: Path) -> tuple[int, str, Conclusion, set[str]]:
    """A look's exit code, what it said, what it came to, and the signals of all alerts."""
    done = cli("monitor", "check", "watch", "-w", folder)
    ledger = open_ledger(".driftgate/ledger.db", folder)
    newest, alerts = looks_of(ledger, "watch")[0], {row.alert.signal for row in alerts_of(ledger)}
    ledger.close()
    assert newest.conclusion is not None
    return done.code, done.out + done.err, newest.conclusion, alerts


@pytest.mark.parametrize("share", ["all", "half"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_the_endpoint_is_unmeasurable_by_its_name(cli, settled, fault, share) -> None:
    folder, endpoint = settled
    step, named = FAULTS[fault]
    endpoint.default = step if share == "all" else instead(step, HALF)
    code, said, kept, alerts = looked(cli, folder)
    assert (code, kept.result, alerts) == (4, "unmeasurable", set()), said
    assert named in kept.reason, kept.reason
    assert kept.remedy and "quiet" not in said


@pytest.mark.core
def test_faults_of_several_kinds_are_never_quiet_together(cli, settled) -> None:
    folder, endpoint = settled
    kinds = [UNAVAILABLE, HTML, Status(400, AZURE_FILTERED), Answer("A")]
    endpoint.default = lambda prompt: kinds[number(prompt) % len(kinds)]
    code, said, kept, alerts = looked(cli, folder)
    assert (code, alerts) == (4, set()), said
    assert "10 filtered" in kept.reason


@pytest.mark.parametrize(
    "answers",
    [Answer(""), instead(Answer(None), HALF), instead(Answer("생각해 보면", "length"), HALF), Answer("B", tokens=None)],
    ids=["all are empty", "half say nothing", "half are cut", "wrong, and without usage"],
)
def test_replies_that_say_nothing_right_are_an_alert(cli, folder, endpoint, answers) -> None:
    settle(cli, folder)
    endpoint.default = answers
    code, said, kept, alerts = looked(cli, folder)
    assert (code, kept.result) == (1, "moved"), said
    assert "canary_accuracy" in alerts
