"""The receiver under uvicorn, as a process of its own that tests can kill: folder, port file, seconds between two
compactions."""

from __future__ import annotations

import socket
import sys
import threading
import time
from pathlib import Path

import uvicorn
from fastapi import FastAPI, Header, HTTPException

from driftgate.monitor.telemetry import Store, router


def authorise(authorization: str = Header("")) -> None:
    if authorization != "Bearer of-the-test":
        raise HTTPException(401, "expected a token")


def main() -> None:
    folder, told, every = Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])
    store = Store(folder, segment_bytes=30_000)
    app = FastAPI()
    app.include_router(router(store, authorise))
    listening = socket.create_server(("127.0.0.1", 0))

    def keep_compacting() -> None:
        while True:
            time.sleep(every)
            store.compact()

    threading.Thread(target=keep_compacting, daemon=True).start()
    told.with_suffix(".new").write_text(str(listening.getsockname()[1]))
    told.with_suffix(".new").replace(told)
    uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False)).run(sockets=[listening])


if __name__ == "__main__":
    main()
