"""A compute cluster of the loopback Azure Machine Learning: it runs the commands of jobs on this machine."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import sysconfig
import threading
import time
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from azure_services import Azure

from driftgate.api.cluster import ask_elsewhere


@dataclass
class Cluster:
    """Every job gets a machine at once: its code, an environment of its own, and an output that is uploaded."""

    azure: Azure
    folder: Path
    variables: dict[str, str] = field(default_factory=dict)
    """What is set on the compute."""
    apart: bool = False
    """Jobs run in processes of their own, as their command says; else in threads of this one, which is quick."""
    starts: list[str] = field(default_factory=list)
    """Names of the jobs that were started."""
    spoils: dict[str, dict[str, bytes | None]] = field(default_factory=dict)
    """By the end of a job's name: what becomes of files of its output by the beginning of theirs; None: it is lost."""
    ends: dict[str, str] = field(default_factory=dict)
    """By the end of a job's name: how it ends before it begins; ``deleted``: somebody deletes it."""
    logs: dict[str, str] = field(default_factory=dict)
    """What the jobs printed."""
    holds: threading.Event = field(default_factory=threading.Event)
    """Jobs stay queued until it is set."""
    _one: threading.Lock = field(default_factory=threading.Lock)
    _threads: list[threading.Thread] = field(default_factory=list)
    _processes: dict[str, subprocess.Popen[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.holds.set()
        self.azure.cluster = self._start

    def kill(self, name: str) -> None:
        """The machine of a job is lost."""
        os.killpg(self._processes[name].pid, signal.SIGKILL)

    def running(self, name: str) -> bool:
        """Whether a job's process lives."""
        return name in self._processes and self._processes[name].poll() is None

    def close(self) -> None:
        """End what still runs."""
        self.holds.set()
        for name, process in self._processes.items():
            if process.poll() is None:
                self.kill(name)
        for thread in self._threads:
            thread.join(30)

    def output(self, name: str) -> str:
        """Where the output of a job lies in the workspace's store."""
        return f"/azureml/azureml/{name}/result/"

    def _start(self, job: dict[str, Any]) -> None:
        self.starts.append(job["name"])
        self._threads.append(threading.Thread(target=self._run, args=(job["name"], job["properties"]), daemon=True))
        self._threads[-1].start()

    def _run(self, name: str, properties: dict[str, Any]) -> None:
        self.holds.wait(280)
        if self._status(name) != "Queued":
            return
        if end := next((end for part, end in self.ends.items() if name.endswith(part)), ""):
            time.sleep(0.3)  # whoever put it has heard that it is there
            if end == "deleted":
                del self.azure.resources[str(self.azure.resource(f"jobs/{name}")["id"]).lower()]
            else:
                self.azure.set_status(f"jobs/{name}", end)
            return
        self.azure.set_status(f"jobs/{name}", "Running")
        folder, out = self.folder / name, self.folder / f"{name}-out"
        out.mkdir()
        self._download(properties["codeId"], folder)
        run = self._in_a_process if self.apart else self._in_a_thread
        code = run(name, properties, folder, out)
        spoils = next((one for part, one in self.spoils.items() if name.endswith(part)), {})
        for file in out.iterdir():
            spoilt = [content for begins, content in spoils.items() if file.name.startswith(begins)]
            content = spoilt[0] if spoilt else file.read_bytes()
            if content is not None:
                self.azure.blobs[self.output(name) + file.name] = content
        if self._status(name) == "Running":
            self.azure.set_status(f"jobs/{name}", "Failed" if code else "Completed")

    def _in_a_thread(self, name: str, properties: dict[str, Any], folder: Path, out: Path) -> int:
        with zipfile.ZipFile(folder / "bench.zip") as archive:
            archive.extractall(folder, [one for one in archive.namelist() if not one.startswith("driftgate")])
        words = shlex.split(properties["command"])
        with self._one:  # a flow's tools run in the flow's folder, of which a process has one
            return ask_elsewhere(folder / "job.json", words[words.index("--shard") + 1], out)

    def _in_a_process(self, name: str, properties: dict[str, Any], folder: Path, out: Path) -> int:
        command = properties["command"].replace("python ", f"{sys.executable} -S ")  # -S: no editable install stands in
        command = command.replace("${{outputs.result}}", str(out))
        plain = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
        given = {**plain, **self.variables, **(properties.get("environmentVariables") or {})}
        process = self._processes[name] = subprocess.Popen(
            ["bash", "-c", command],
            cwd=folder,
            env={**given, "PYTHONPATH": sysconfig.get_path("purelib"), "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.logs[name] = process.communicate()[0]
        return process.returncode

    def _status(self, name: str) -> str:
        try:
            return str(self.azure.resource(f"jobs/{name}")["properties"]["status"])
        except KeyError:
            return "deleted"

    def _download(self, code_id: str, folder: Path) -> None:
        uri = self.azure.resource(code_id)["properties"]["codeUri"]
        container = "/" + uri.split("/", 3)[3].split("/")[0] + "/"
        for path, content in list(self.azure.blobs.items()):
            if path.startswith(container):
                target = folder / Path(path).relative_to(container).relative_to(Path(uri).name)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
