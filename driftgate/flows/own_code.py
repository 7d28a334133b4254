"""A workspace's own code: imported from its folders under private names, so that it meets nothing of the same name.

A module of the workspace becomes ``driftgate.flows.own_code.FOLDERS.module``, where ``FOLDERS`` is the path itself.
Nothing is put on ``sys.path``, and no name that a library may have enters ``sys.modules``: a workspace's ``flows/``,
``monitor.py`` or ``json.py`` is seen by the workspace's own modules and by nobody else. Their import statements go
through :meth:`OwnCode._import`, which Python finds in the ``__builtins__`` of the module that imports.

Standard library and relative imports only: the process of a port, in another environment, loads this file as well.
"""

from __future__ import annotations

import builtins
import hashlib
import importlib
import itertools
import os
import re
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.machinery import (
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    ModuleSpec,
    SourceFileLoader,
)
from importlib.util import find_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import quote, unquote_to_bytes

from .errors import DriftgateError, nearest

__path__: list[str] = []
"""Makes a package of this module: the workspaces' modules are below it, so that a process of ``multiprocessing`` finds
them by importing it."""
_PREFIX = f"{__name__}."
_PRIVATE = re.compile(re.escape(_PREFIX) + r"[^.\s']+\.")
_RUN = "@"
"""Begins the name of a module that :meth:`OwnCode.run` ran, which nobody imports."""
_NEVER_OWN = frozenset({"driftgate", "__main__", "__future__", *sys.builtin_module_names})
_LOCK = threading.RLock()
_NUMBER = itertools.count(1)


class OwnCode:
    """The modules of a chain of folders: a flow's own folder first, then the workspace around it."""

    def __init__(self, folders: tuple[Path, ...]) -> None:
        self.folders = folders
        self.package = _package(folders)
        self.beyond = own_code(*folders[1:]) if folders[1:] else None
        self._importlib = _Importlib(self)
        self._builtins = {**vars(builtins), "__import__": self._import}
        self._executed: dict[str, tuple[Path, str]] = {}
        self._elsewhere: set[str] = set()

    def load(self, target: str) -> Any:
        """What ``module:name`` names: a module of the folders, or else an installed one.

        What changed on disk since it was imported is imported anew, with all that may have used it.

        Raises
        ------
        DriftgateError
            There is no such module or name, or importing it failed: the file, the line and the reason are said.
        """
        module, colon, name = target.partition(":")
        if not (colon and name) or not all(part.isidentifier() for part in module.split(".")):
            raise DriftgateError(f"'{target}' is not module:name", "write it as my_module:my_function")
        with self._importing(module):
            found = self._import_module(module)
            if hasattr(found, name):
                return getattr(found, name)
        known = [one for one in vars(found) if not one.startswith("_")]
        file = getattr(found, "__file__", None)
        where = self.shown(file) if file else f"'{module}'"
        raise DriftgateError(f"{where} has no '{name}'", nearest(name, known))

    def module_name(self, module: str) -> str:
        """The name under which Python imports a module of the folders, after it was imported anew if it changed.

        Raises
        ------
        DriftgateError
            Importing it failed.
        """
        with self._importing(module):
            return self._import_module(module).__name__

    def run(self, file: Path) -> ModuleType:
        """Run a file as a module of its own each time, as prompt flow does with the file of every tool.

        Raises
        ------
        DriftgateError
            Running it failed.
        """
        with self._importing(file.stem):
            return importlib.import_module(f"{self.package}.{_RUN}{next(_NUMBER)}{_quoted(file)}")

    def forget(self) -> None:
        """Drop the imported modules; who holds one keeps it. What is imported next is imported anew."""
        with _LOCK:
            for name in list(sys.modules):
                if name.startswith(f"{self.package}.") and not name.startswith(f"{self.package}.{_RUN}"):
                    del sys.modules[name]
            self._executed.clear()
            self._elsewhere.clear()
            for other in list(_KNOWN.values()):
                if other.beyond is self and other._executed:
                    other.forget()

    def close(self) -> None:
        """Forget the modules and the folders, which are about to be removed."""
        self.forget()
        _KNOWN.pop(self.package, None)

    def files(self, name: str, of_it: Sequence[str] = ()) -> Iterator[tuple[OwnCode, Path]]:
        """The files of the workspace that ``import name``, or ``from name import of_it``, runs."""
        owner = self._owner(name, of_it)
        if owner is not None:
            for file in _files(owner.folders[0], name.split("."), of_it):
                yield owner, file

    def relative_files(self, file: Path, level: int, name: str, of_it: Sequence[str]) -> Iterator[tuple[OwnCode, Path]]:
        """The files that a relative import in ``file`` runs."""
        start = file.parents[level - 1] if level <= len(file.parents) else file.parent
        if start.is_relative_to(self.folders[0]):
            for found in _files(start, name.split(".") if name else [], of_it):
                yield self, found

    def shown(self, file: str | Path) -> str:
        """A file as a person knows it: its path in the workspace."""
        path = Path(file)
        for folder in reversed(self.folders):
            if path.is_relative_to(folder):
                return path.relative_to(folder).as_posix()
        return str(path)

    def _import(
        self,
        name: str,
        globals: Mapping[str, Any] | None = None,
        locals: Mapping[str, Any] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        """What an import statement in one of the modules does: the folders first, as Python does with a script's."""
        owner = None if level else self._owner(name, fromlist or ())
        try:
            if owner is None:
                found = builtins.__import__(name, globals, locals, fromlist or (), level)
            elif fromlist:
                found = builtins.__import__(f"{owner.package}.{name}", globals, locals, fromlist, 0)
            else:
                importlib.import_module(f"{owner.package}.{name}")
                found = sys.modules[f"{owner.package}.{name.partition('.')[0]}"]
        except ModuleNotFoundError as problem:
            if not (problem.name or "").startswith(_PREFIX):
                raise
            name = _PRIVATE.sub("", str(problem.name))
            raise ModuleNotFoundError(f"No module named '{name}'", name=name) from None
        return self._importlib if found is importlib else found

    @contextmanager
    def _importing(self, wanted: str) -> Iterator[None]:
        """Import in the body of a ``with``: one at a time, what changed anew, and what is raised explained."""
        with _LOCK:
            self._refresh()
            try:
                yield
            except (Exception, SystemExit) as problem:  # a module may raise anything when it is imported
                raise self._explained(problem, wanted) from problem

    def _import_module(self, name: str) -> ModuleType:
        owner = self._owner(name)
        return importlib.import_module(f"{owner.package}.{name}" if owner else name)

    def _owner(self, name: str, of_it: Sequence[str] = ()) -> OwnCode | None:
        """Whose module it is; None where it is looked for among what is installed."""
        top = name.partition(".")[0]
        if top in _NEVER_OWN:
            return None
        code: OwnCode | None = self
        while code is not None:
            if f"{code.package}.{name}" in sys.modules or code._has(top, name, of_it):
                return code
            code = code.beyond
        return None

    def _has(self, top: str, name: str, of_it: Sequence[str]) -> bool:
        if top in self._elsewhere:
            return False
        first = _find(self.folders[0], top)
        if first is None:
            self._elsewhere.add(top)
            return False
        if first.loader is not None:
            return True
        # A folder without __init__.py, such as azure/, hides nothing that is installed unless it leads to a module.
        leads = any(True for _ in _files(self.folders[0], name.split("."), of_it))
        return leads or (top not in sys.modules and find_spec(top) is None)

    def _refresh(self) -> None:
        """Forget all modules if the file of one changed, or a name that was found elsewhere is now in the folders."""
        if self.beyond is not None:
            self.beyond._refresh()
        changed = any(_digest(file) != digest for file, digest in list(self._executed.values()))
        if changed or any(_find(self.folders[0], top) for top in list(self._elsewhere)):
            self.forget()

    def _explained(self, problem: BaseException, wanted: str) -> DriftgateError:
        """Why importing ``wanted`` failed, in a sentence with the file and the line."""
        if isinstance(problem, DriftgateError):
            return problem
        if isinstance(problem, SyntaxError) and problem.filename:
            line = f", line {problem.lineno}" if problem.lineno else ""
            return DriftgateError(
                f"{self.shown(problem.filename)}{line} is not Python: {problem.msg}", "correct it; save it as UTF-8"
            )
        place, innermost = self._place(problem)
        said = " ".join(_PRIVATE.sub("", f"{type(problem).__name__}: {problem}").split())[:500]
        here = self.folders[-1]
        if not isinstance(problem, ModuleNotFoundError):
            if place:
                return DriftgateError(f"{place}, when it is imported: {said}", "correct it")
            return DriftgateError(f"'{wanted}' cannot be imported: {said}", "mend or reinstall it")
        absent = _PRIVATE.sub("", str(problem.name))
        if place and innermost:
            remedy = f"install it, or put {absent.replace('.', '/')}.py into the workspace"
            return DriftgateError(f"{place} imports '{absent}', which is neither in {here} nor installed", remedy)
        if place or not f"{wanted}.".startswith(f"{absent}."):
            return DriftgateError(f"{place or wanted}, when it is imported: {said}", f"install '{absent}'")
        names = {file.stem for folder in self.folders for file in folder.glob("*.py")}
        return DriftgateError(f"there is no module '{wanted}' in {here}, and none is installed", nearest(wanted, names))

    def _place(self, problem: BaseException) -> tuple[str, bool]:
        """The innermost line of the workspace's own code, and whether nobody else's was under way beyond it."""
        place, innermost = "", True
        frame = problem.__traceback__
        while frame is not None:
            file = frame.tb_frame.f_code.co_filename
            if str(frame.tb_frame.f_globals.get("__name__")).startswith(_PREFIX):
                place, innermost = f"{self.shown(file)}, line {frame.tb_lineno}", True
            elif file != __file__ and not file.startswith("<frozen importlib"):
                innermost = False
            frame = frame.tb_next
        return place, innermost


def own_code(*folders: Path) -> OwnCode:
    """The modules of ``folders``, which are looked through in this order; the same for the same folders."""
    return _known(tuple(dict.fromkeys(folder.resolve() for folder in folders)))


_KNOWN: dict[str, OwnCode] = {}
"""By package."""


def _known(folders: tuple[Path, ...]) -> OwnCode:
    made = _KNOWN.get(_package(folders)) or OwnCode(folders)
    return _KNOWN.setdefault(made.package, made)


def _package(folders: tuple[Path, ...]) -> str:
    return _PREFIX + "&".join(map(_quoted, folders))


class _Importlib(ModuleType):
    """``importlib`` as the workspace's modules see it: ``import_module`` finds what their import statements find."""

    def __init__(self, code: OwnCode) -> None:
        super().__init__("importlib", importlib.__doc__)
        self._code = code

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib, name)

    def import_module(self, name: str, package: str | None = None) -> ModuleType:
        """:func:`importlib.import_module`."""
        if name.startswith("."):
            return importlib.import_module(name, package)
        return self._code._import_module(name)


class _Loader(SourceFileLoader):
    """Runs a module of the workspace, always from its source: a cached one may be older within the same second."""

    def get_code(self, fullname: str) -> Any:
        source = self.get_data(self.path)
        code = _code_of(fullname)
        if not fullname.startswith(f"{code.package}.{_RUN}"):
            code._executed[fullname] = (Path(self.path), hashlib.sha256(source).hexdigest())
        return self.source_to_code(source, self.path)

    def exec_module(self, module: ModuleType) -> None:
        module.__dict__["__builtins__"] = _code_of(module.__name__)._builtins
        super().exec_module(module)


class _Finder:
    """Finds the modules whose names begin with the private prefix, and no others."""

    @staticmethod
    def find_spec(
        fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not fullname.startswith(_PREFIX):
            return None
        name = fullname.removeprefix(_PREFIX).partition(".")[2]
        code = _code_of(fullname)
        if not name:
            root = ModuleSpec(fullname, None, is_package=True)
            root.submodule_search_locations = [str(code.folders[0])]
            return root
        if name.startswith(_RUN):
            file = _unquoted(name.lstrip(f"{_RUN}0123456789"))
            found = spec_from_file_location(fullname, file, loader=_Loader(fullname, str(file)))
        else:
            found = next((spec for folder in path or () if (spec := _find(Path(folder), fullname))), None)
        if found is not None and found.origin:
            _refuse_outside(code, Path(found.origin))
        return found


def _refuse_outside(code: OwnCode, file: Path) -> None:
    real = file.resolve()
    if not any(real.is_relative_to(folder) for folder in code.folders):
        raise DriftgateError(
            f"{code.shown(file)} leads to {real}, outside the workspace", "put the file itself into the workspace"
        )


def _code_of(fullname: str) -> OwnCode:
    folders = fullname.removeprefix(_PREFIX).partition(".")[0]
    return _KNOWN.get(_PREFIX + folders) or _known(tuple(map(_unquoted, folders.split("&"))))


def _find(folder: Path, name: str) -> ModuleSpec | None:
    """The module of a folder that is called as the last part of ``name``."""
    finder = FileFinder(str(folder), (ExtensionFileLoader, EXTENSION_SUFFIXES), (_Loader, SOURCE_SUFFIXES))
    return finder.find_spec(name)


def _files(folder: Path, parts: Sequence[str], of_it: Sequence[str]) -> Iterator[Path]:
    """The files that run when the module of these parts is imported from a folder, and what is taken of it."""
    here: Path | None = folder
    for part in parts:
        spec = _find(here, part) if here is not None else None
        if spec is None:
            return
        if spec.origin and spec.loader is not None:
            yield Path(spec.origin)
        here = Path(spec.submodule_search_locations[0]) if spec.submodule_search_locations else None
    if here is None:
        return
    if "*" in of_it:  # which of them depends on __all__
        yield from sorted(here.glob("*.py"))
    for name in of_it:
        spec = _find(here, name) if name != "*" else None
        if spec is not None and spec.origin and spec.loader is not None:
            yield Path(spec.origin)


def _digest(file: Path) -> str:
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError:
        return ""


def _quoted(path: Path) -> str:
    """A path without points, which would divide a module's name."""
    return quote(os.fsencode(path), safe="/").replace(".", "%2E")


def _unquoted(text: str) -> Path:
    return Path(os.fsdecode(unquote_to_bytes(text)))


sys.meta_path.insert(0, _Finder)  # before Python's own, which would find the files too and run them as anybody's
