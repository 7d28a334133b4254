"""A compute cluster of the loopback Azure Machine Learning: it runs the commands of jobs on this machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import sysconfig
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from azure_services import Azure


@dataclass
class Cluster:
    """Every job gets a machine at once: its code, an environment of its own, and an output that is uploaded."""

    azure: Azure
    folder: Path
    variables: dict[str, str] = field(default_factory=dict)
    """What is set on the compute."""
    starts: list[str] = field(default_factory=list)
    """Names of the jobs that were started."""
    logs: dict[str, str] = field(default_factory=dict)
    """What the jobs printed."""
    holds: threading.Event = field(default_factory=threading.Event)
    """Jobs stay queued until it is set."""
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
        self.holds.wait(60)
        if self._status(name) != "Queued":
            return
        self.azure.set_status(f"jobs/{name}", "Running")
        code, out = self.folder / name, self.folder / f"{name}-out"
        out.mkdir()
        self._download(properties["codeId"], code)
        command = properties["command"].replace("python ", f"{sys.executable} -S ")  # -S: no editable install stands in
        command = command.replace("${{outputs.result}}", str(out))
        plain = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
        given = {**plain, **self.variables, **(properties.get("environmentVariables") or {})}
        process = self._processes[name] = subprocess.Popen(
            ["bash", "-c", command],
            cwd=code,
            env={**given, "PYTHONPATH": sysconfig.get_path("purelib"), "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.logs[name] = process.communicate()[0]
        for file in out.iterdir():
            self.azure.blobs[self.output(name) + file.name] = file.read_bytes()
        if self._status(name) == "Running":
            self.azure.set_status(f"jobs/{name}", "Failed" if process.returncode else "Completed")

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
