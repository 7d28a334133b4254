"""Read ``driftgate.yaml`` with the files that it includes, as one document."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from unicodedata import normalize

from driftgate.api import _yaml
from driftgate.flows.errors import DriftgateError, nearest

INCLUDE = "include"
ROOTS = "allowed_roots"
_WILD = frozenset("*?[")


def read_with_includes(file: Path, sections: Collection[str]) -> _yaml.Document:
    """Read a workspace file and put what the files under its ``include`` hold into it.

    Parameters
    ----------
    sections : Collection
        Keys whose entries, each of a name of its own, may come from several files. Any other key stands in one file.

    Raises
    ------
    DriftgateError
        A file cannot be read, a pattern matches none or leads out of the workspace, an included file includes others,
        or the same name stands in two files.
    """
    root = _yaml.read(file)
    patterns = root.value.get(INCLUDE) if isinstance(root.value, dict) else None
    if not isinstance(patterns, list):
        return root
    documents = []
    for path in dict.fromkeys(_included(file, root, patterns)):
        document = _yaml.read(path, path.relative_to(file.parent).as_posix())
        _check(document, root)
        documents.append(document)
    merged = dict(root.value)
    so_far = root
    for document in documents:
        _merge(merged, document, so_far, sections)
        so_far = replace(so_far, included=(*so_far.included, document))
    return replace(so_far, value=merged)


def _included(file: Path, root: _yaml.Document, patterns: list[Any]) -> Iterator[Path]:
    """The files that the patterns match, in their order."""
    folder = file.parent
    for index, pattern in enumerate(patterns):
        where = root.where((INCLUDE, index))
        if not isinstance(pattern, str) or not pattern.strip():
            raise DriftgateError(f"{where}: '{pattern}' is no file or pattern", "write one such as benchmarks/*.yaml")
        if Path(pattern).is_absolute() or ".." in Path(pattern).parts:
            raise DriftgateError(f"{where}: '{pattern}' leads out of the workspace", "move the files into it")
        try:
            spelt = {normalize(form, pattern) for form in ("NFC", "NFD")}  # as a file's name may be, on macOS
            matched = {path for one in (pattern, *spelt) for path in folder.glob(one)}
            found = sorted(path for path in matched if path.is_file() and _is_meant(path, folder, pattern))
        except (ValueError, IndexError, NotImplementedError) as problem:
            raise DriftgateError(f"{where}: '{pattern}' is no pattern: {problem}", "see pathlib's glob") from problem
        if not found:
            raise DriftgateError(f"{where}: '{pattern}' matches no file", _instead(folder, pattern))
        for path in found:
            if not path.resolve().is_relative_to(folder.resolve()):
                shown = path.relative_to(folder).as_posix()
                raise DriftgateError(
                    f"{where}: {shown} leads to {path.resolve()}, outside the workspace", "move the file into it"
                )
            if path.samefile(file):
                raise DriftgateError(
                    f"{where}: '{pattern}' includes {file.name} itself", "put what is included into folders"
                )
        yield from found


def _is_meant(path: Path, folder: Path, pattern: str) -> bool:
    """A pattern does not mean hidden files, such as those that editors and macOS leave beside others."""
    hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
    return not (hidden and _WILD & set(pattern))


def _instead(folder: Path, pattern: str) -> str:
    if (folder / pattern).is_dir():
        return f"it is a folder: write {pattern.rstrip('/')}/*.yaml"
    files = [path.relative_to(folder).as_posix() for path in folder.glob("*/*.y*ml")]
    return f"{nearest(pattern, files)}; or take it out"


def _check(document: _yaml.Document, root: _yaml.Document) -> None:
    """Refuse what an included file may not hold."""
    value = document.value
    if value is None:  # nothing but comments
        return
    if not isinstance(value, dict):
        raise DriftgateError(
            f"{document.where(())}: an included file holds a {type(value).__name__}", "write suites: or gates: in it"
        )
    if INCLUDE in value:
        raise DriftgateError(
            f"{document.where((INCLUDE,))}: an included file includes others", f"include them in {root.name}"
        )
    if ROOTS in value:
        raise DriftgateError(
            f"{document.where((ROOTS,))}: an included file says where paths may lead", f"say it in {root.name}"
        )
    if "version" in value and value["version"] != root.value.get("version"):
        raise DriftgateError(
            f"{document.where(('version',))}: the version is {value['version']}, and another in {root.name}",
            "take it out; that of the workspace counts",
        )


def _merge(merged: dict[Any, Any], document: _yaml.Document, so_far: _yaml.Document, sections: Collection[str]) -> None:
    """Put the parts of one file into what others gave."""
    for key, part in (document.value or {}).items():
        if key not in merged:
            merged[key] = part
        elif key == "version":
            continue
        elif key in sections and isinstance(part, dict) and isinstance(merged[key], dict):
            if twice := next((name for name in part if name in merged[key]), None):
                _refuse(f"'{twice}' of {key}", (key, str(twice)), document, so_far)
            merged[key] = {**merged[key], **part}
        else:
            _refuse(f"'{key}'", (str(key),), document, so_far)


def _refuse(what: str, location: _yaml.Location, document: _yaml.Document, so_far: _yaml.Document) -> None:
    raise DriftgateError(
        f"{document.where(location)}: {what} stands in {so_far.where(location)} already", "keep one of the two"
    )
