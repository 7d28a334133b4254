"""Runs a pipeline file: every command of it in a real bash, its other steps as the build system does them.

What is done here of a build system is what its documentation says of these few steps: a cache or the artifacts of
earlier builds, outputs and variables, conditions. The expressions are the ones that the files use.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

MAIN = "refs/heads/main"
Done = subprocess.CompletedProcess[str]
_WORDS = re.compile(r"'[^']*'|[A-Za-z_][\w.-]*(?!\w*\()|&&|\|\||!(?!=)")


@dataclass
class Ran:
    """What became of a build."""

    failed: list[str] = field(default_factory=list)
    """Names of the steps that failed."""
    skipped: list[str] = field(default_factory=list)
    log: str = ""
    environments: dict[str, dict[str, str]] = field(default_factory=dict)
    """What each step was given beyond what all have."""
    published: list[str] = field(default_factory=list)


@dataclass
class Agent:
    """A machine that runs builds of one repository, each in a fresh checkout."""

    repository: Path
    site: Path
    """Where pip installs to."""
    wheels: Path
    secrets: Mapping[str, str]
    kept: Path
    """The cache, or what earlier builds of main have published."""
    builds: int = 0

    def checkout(self) -> Path:
        self.builds += 1
        here = self.kept.parent / f"build-{self.builds}"
        shutil.copytree(self.repository, here, ignore=shutil.ignore_patterns(".driftgate", "reports"))
        return here

    def newest(self) -> Path | None:
        return max(self.kept.iterdir(), key=lambda path: int(path.name), default=None)

    def keep(self, here: Path, pattern: str) -> None:
        target = self.kept / str(self.builds)
        for path in here.glob(pattern):
            (target / path.relative_to(here).parent).mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, target / path.relative_to(here))

    def bash(self, text: str, folder: Path, given: Mapping[str, str], *options: str) -> Done:
        environment = {
            "PATH": os.pathsep.join([str(self.site / "bin"), str(Path(sys.executable).parent), "/usr/bin", "/bin"]),
            "HOME": str(self.kept.parent),
            "PYTHONPATH": str(self.site),
            "LANG": "C.UTF-8",
            "PIP_NO_INDEX": "1",
            "PIP_NO_DEPS": "1",
            "PIP_FIND_LINKS": str(self.wheels),
            "PIP_TARGET": str(self.site),
            "PIP_UPGRADE": "1",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            **given,
        }
        command = ["bash", "--noprofile", "--norc", *options, "-c", text]
        return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)

    def github(self, file: str, ref: str) -> Ran:
        """Run the workflow's job for each suite."""
        workflow = yaml.safe_load((self.repository / file).read_text(encoding="utf-8"))
        (job,) = workflow["jobs"].values()
        (suite,) = job["strategy"]["matrix"]["suite"]
        here, ran = self.checkout(), Ran()
        known: dict[str, Any] = {
            "matrix.suite": suite,
            "github.ref": ref,
            "github.run_id": str(self.builds),
            "github.run_attempt": "1",
            **{f"secrets.{name}": value for name, value in self.secrets.items()},
        }
        told = self.kept.parent / f"outputs-{self.builds}"
        for number, step in enumerate(job["steps"]):
            name = str(step.get("name", step.get("uses", number)))
            if not _github_if(step.get("if", "${{ success() }}"), known, ran):
                ran.skipped.append(name)
                continue
            uses, options = step.get("uses", "").partition("@")[0], step.get("with", {})
            if uses == "actions/cache/restore":
                if (newest := self.newest()) is not None:
                    shutil.copytree(newest, here, dirs_exist_ok=True)
            elif uses == "actions/cache/save":
                self.keep(here, options["path"])
            elif uses == "actions/upload-artifact":
                ran.published += sorted(path.name for path in (here / options["path"]).rglob("*"))
            elif uses:
                assert uses in ("actions/checkout", "actions/setup-python"), uses
            else:
                own = {key: _github_text(value, known) for key, value in step.get("env", {}).items()}
                shared = {key: _github_text(value, known) for key, value in job["env"].items()}
                told.write_text("", encoding="utf-8")
                system = {
                    "GITHUB_ACTIONS": "true",
                    "GITHUB_REF": ref,
                    "GITHUB_OUTPUT": str(told),
                    "GITHUB_STEP_SUMMARY": str(here / "summary.md"),
                }
                folder = here / job["defaults"]["run"]["working-directory"]
                done = self.bash(step["run"], folder, {**system, **shared, **own}, "-eo", "pipefail")
                self._note(ran, name, own, done)
                for line in told.read_text(encoding="utf-8").splitlines():
                    key, _, value = line.partition("=")
                    known[f"steps.{step.get('id')}.outputs.{key}"] = value
        return ran

    def azure(self, file: str, ref: str) -> Ran:
        """Run the pipeline's job."""
        (job,) = yaml.safe_load((self.repository / file).read_text(encoding="utf-8"))["jobs"]
        (variables,) = job["strategy"]["matrix"].values()
        here, ran = self.checkout(), Ran()
        known = {
            **variables,
            **self.secrets,
            "Build.SourceBranch": ref,
            "Build.SourcesDirectory": str(here),
            "Build.ArtifactStagingDirectory": str(here.with_name(f"{here.name}-staging")),
            "System.JobAttempt": "1",
            "System.TeamProjectId": "project",
            "System.DefinitionId": "1",
        }
        artifacts: dict[str, Path] = {}
        for number, step in enumerate(job["steps"]):
            name = str(step.get("displayName", step.get("task", number)))
            if not _azure_if(step.get("condition", "succeeded()"), known, ran):
                ran.skipped.append(name)
                continue
            options = {key: _azure_text(str(value), known) for key, value in step.get("inputs", {}).items()}
            if "bash" in step:
                own = {key: _azure_text(value, known) for key, value in step.get("env", {}).items()}
                system = {"TF_BUILD": "True", "BUILD_SOURCEBRANCH": ref, **variables}
                folder = Path(_azure_text(step.get("workingDirectory", str(here)), known))
                done = self.bash(_azure_text(step["bash"], known), folder, {**system, **own})
                self._note(ran, name, own, done)
                for key, value in re.findall(r"##vso\[task\.setvariable variable=([\w.]+)\](.*)", done.stdout):
                    known[key] = value
                for tag in re.findall(r"##vso\[build\.addbuildtag\](.*)", done.stdout):
                    assert tag == f"driftgate-ledger-{variables['SUITE']}"
                    shutil.copytree(artifacts[f"ledger-{variables['SUITE']}"], self.kept / str(self.builds))
            elif "publish" in step:
                source = Path(_azure_text(step["publish"], known))
                artifacts[_azure_text(step["artifact"], known)] = source
                ran.published += sorted(path.name for path in source.rglob("*"))
            elif step["task"] == "DownloadPipelineArtifact@2":
                assert (options["branchName"], options["tags"]) == (MAIN, f"driftgate-ledger-{variables['SUITE']}")
                if (newest := self.newest()) is not None:
                    shutil.copytree(newest, options["targetPath"], dirs_exist_ok=True)
                else:
                    assert step["continueOnError"] is True
            elif step["task"] == "PublishTestResults@2":
                ran.published += [path.name for path in here.glob(options["testResultsFiles"])]
            else:
                assert step["task"] == "UsePythonVersion@0"
        return ran

    @staticmethod
    def _note(ran: Ran, name: str, own: dict[str, str], done: Done) -> None:
        ran.environments[name] = own
        ran.log += done.stdout + done.stderr
        if done.returncode:
            ran.failed.append(name)


def _github_value(expression: str, known: Mapping[str, Any], ran: Ran | None = None) -> Any:
    def word(found: re.Match[str]) -> str:
        text = found[0]
        if text[0] == "'":
            return repr(text[1:-1])
        return {"&&": " and ", "||": " or ", "!": " not "}.get(text) or f"known.get({text!r}, '')"

    failed = bool(ran and ran.failed)
    functions = {"known": known, "success": lambda: not failed, "cancelled": lambda: False}
    return eval(_WORDS.sub(word, expression), {"__builtins__": {}}, functions)


def _github_text(text: str, known: Mapping[str, Any]) -> str:
    return re.sub(r"\$\{\{(.*?)\}\}", lambda found: str(_github_value(found[1].strip(), known)), str(text))


def _github_if(text: str, known: Mapping[str, Any], ran: Ran) -> bool:
    expression = text.removeprefix("${{").removesuffix("}}").strip()
    if not re.search(r"\b(?:success|cancelled|always|failure)\(\)", expression):
        expression = f"success() && ({expression})"
    return bool(_github_value(expression, known, ran))


def _azure_text(text: str, known: Mapping[str, str]) -> str:
    """Macros; one that means nothing stays as it is."""
    return re.sub(r"\$\(([\w.]+)\)", lambda found: known.get(found[1], found[0]), text)


def _azure_if(text: str, known: Mapping[str, str], ran: Ran) -> bool:
    expression = re.sub(r"variables\['([\w.]+)'\]", r"known.get('\1', '')", text)
    expression = re.sub(r"\b(and|not)\(", r"\1_(", expression)
    functions = {
        "known": known,
        "and_": lambda *parts: all(parts),
        "not_": lambda part: not part,
        "eq": lambda one, other: one == other,
        "ne": lambda one, other: one != other,
        "canceled": lambda: False,
        "succeeded": lambda: not ran.failed,
    }
    return bool(eval(expression, {"__builtins__": {}}, functions))
