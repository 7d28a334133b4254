"""Logs and tracebacks without secrets; the streams are those of :mod:`driftgate.flows.streams`."""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from types import TracebackType
from typing import Any

from driftgate.flows.scrubbing import told


def guard_logs() -> None:
    """From now on no log record of this process holds a registered secret, nor does the traceback that it brings."""
    made = logging.getLogRecordFactory()
    if getattr(made, "scrubs", False):
        return

    def factory(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = made(*args, **kwargs)
        try:
            said = record.getMessage()
        except Exception:  # the record's own fault, which its handler reports
            return record
        if (clean := told(said)) != said:
            record.msg, record.args = clean, ()
        if record.exc_info and record.exc_info[0] is not None:
            record.exc_text = told("".join(traceback.format_exception(*record.exc_info)).rstrip("\n"))
        return record

    factory.scrubs = True  # type: ignore[attr-defined]
    logging.setLogRecordFactory(factory)


def guard_tracebacks() -> None:
    """From now on no traceback that ends this process or one of its threads shows a secret."""

    def hook(kind: type[BaseException], problem: BaseException, trace: TracebackType | None) -> None:
        sys.stderr.write(told("".join(traceback.format_exception(kind, problem, trace))))

    def in_thread(args: threading.ExceptHookArgs) -> None:
        if args.exc_type is not SystemExit and args.exc_value is not None:
            hook(args.exc_type, args.exc_value, args.exc_traceback)

    def unraisable(args: Any) -> None:
        hook(args.exc_type, args.exc_value or args.exc_type(), args.exc_traceback)

    sys.excepthook = hook
    threading.excepthook = in_thread
    sys.unraisablehook = unraisable
