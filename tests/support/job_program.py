"""A job of a test: says in a file when it begins and ends, and does what its arguments say in between."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

from driftgate.flows.leash import follow


def main() -> None:
    follow()
    name, what, *more = sys.argv[1 : sys.argv.index("--workspace")]
    log = Path(sys.argv[-1]) / "log.txt"

    def note(word: str) -> None:
        with log.open("a", encoding="utf-8") as file:
            file.write(f"{word} {name} {time.time()}\n")

    if "deaf" in more:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    note("begin")
    child = None
    if "child" in more:  # one of its own, which knows nothing of a leash
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(120)"])
        (Path(sys.argv[-1]) / "child.txt").write_text(str(child.pid), encoding="utf-8")
    print(f"{name} works", flush=True)
    if what.startswith("sleep"):
        time.sleep(float(what.removeprefix("sleep")))
        note("end")
        sys.exit(0)
    print("key=sk-proj-Abcdefghijklmnop1234567890 of kim@example.kr\x1b[31m red", file=sys.stderr, flush=True)
    note("end")
    sys.exit(int(what))


if __name__ == "__main__":
    main()
