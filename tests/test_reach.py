"""What no command, service, facade or registry reaches is not in the product."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import reach

import driftgate
from driftgate.shipped import shipped

ROOT = Path(driftgate.__file__).parent
_OPENED = ("driftgate.cli", "driftgate.ledger.migrations.versions.", "flows.")


def _doors(sources: dict[str, reach.Source]) -> set[reach.Place]:
    """Commands, the facade, migrations, and the code of the flows that ship, which calls what a tool may call."""
    doors: set[reach.Place] = {("driftgate", "__getattr__"), ("driftgate.__main__", "")}
    doors |= {(module, name) for name, module in driftgate._HOMES.items()}
    for source in sources.values():
        if source.name == "driftgate.api.facade" or source.name.startswith(_OPENED):
            doors |= {(source.name, name) for name in source.definitions}
    return doors


def _members(sources: dict[str, reach.Source], seen: set[reach.Place]) -> set[reach.Place]:
    """Members of the registries that are reached themselves: a module each, whose attribute is the member."""
    doors: set[reach.Place] = set()
    for module, name in seen:
        source = sources[module]
        for statement in source.definitions.get(name, []):
            value = statement.value if isinstance(statement, ast.Assign | ast.AnnAssign) else None
            if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "Registry":
                package, attribute = (str(ast.literal_eval(argument)) for argument in value.args[1:3])
                doors |= {
                    (member, attribute)
                    for member in sources
                    if member.rpartition(".")[0] == package and not member.rpartition(".")[2].startswith("_")
                }
    return doors


@pytest.mark.core
def test_everything_is_reached_from_a_door() -> None:
    sources = reach.read_sources(ROOT, shipped("flows"))
    doors = _doors(sources)
    while added := _members(sources, reach.reached(sources, doors)) - doors:
        doors |= added
    unreached = reach.unreached(sources, doors)
    assert unreached == [], "reach it from a command, the facade, the service or a registry, or take it out"


def test_what_nothing_refers_to_is_found(tmp_path: Path) -> None:
    package = tmp_path / "product"
    package.mkdir()
    (package / "__init__.py").write_text("", encoding="utf-8")
    (package / "door.py").write_text("from product.room import used\n\ndef main():\n    used()\n", encoding="utf-8")
    (package / "room.py").write_text(
        "def used():\n    return _helper()\n\ndef _helper():\n    return 1\n\ndef forgotten():\n    return _own()\n\n"
        "def _own():\n    return 2\n",
        encoding="utf-8",
    )
    sources = reach.read_sources(package)
    assert reach.unreached(sources, [("product.door", "main")]) == ["product.room:_own", "product.room:forgotten"]
