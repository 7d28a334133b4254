"""One row a call: of copies one, with what log records tell of it, and without the calls around it.

The same expression is run when telemetry is read and when it is compacted, so that it does not matter which of a
call's parts came first, or whether they had been compacted before the last of them came.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from driftgate.monitor.telemetry._columns import LABELS, SCHEMA
from driftgate.monitor.telemetry._content import JSON
from driftgate.monitor.telemetry._nesting import APART, DATE, PREFIX
from driftgate.monitor.telemetry._record import COLUMNS, OF_CONTENT, OF_CONTEXT, STEPS, UNTOLD

if TYPE_CHECKING:
    import ibis.expr.types as ir
    from ibis.backends.duckdb import Backend

_GIVEN = (*OF_CONTENT, *OF_CONTEXT)
_BESIDE = (*_GIVEN, "error")
"""What is told of a call beside its own row. A call around it that failed makes it one that failed."""
_ID = ["trace_id", "span_id"]
_SIDES = ("input_from", "output_from")


def settled(rows: pa.Table) -> pa.Table:
    """The rows that compaction keeps: calls, each once, and what was told of calls that are not among them."""
    rows = once(rows)
    if not _is_linked(rows):
        return rows
    import ibis

    connection = ibis.duckdb.connect()
    try:
        connection.raw_sql("SET TimeZone = 'UTC'")
        table = ibis.memtable(rows)
        calls = joined(connection, table)
        waiting = table.filter(table.part != "").anti_join(calls, _ID).select(list(COLUMNS))
        found = connection.to_pyarrow(ibis.union(calls.select(list(COLUMNS)), waiting))
    finally:
        connection.disconnect()
    return found.select(list(COLUMNS)).cast(SCHEMA)


def once(rows: pa.Table) -> pa.Table:
    """Keep of the rows that share an identity the one that tells most: a failure, that there was none, texts, a user.

    Examples
    --------
    >>> ids = {"trace_id": ["a", "a", "b"], "span_id": ["1"] * 3, "part": [""] * 3}
    >>> told = {"error": [None, "timeout", ""], "output_chars": [2, None, 3]}
    >>> rows = pa.table(ids | told | {"input_ngrams": [None] * 3, "user": [""] * 3})
    >>> once(rows).column("error").to_pylist()
    ['timeout', '']
    """
    ids = rows.select([*_ID, "part"]).to_pandas()
    if not ids.duplicated().any():
        return rows
    error = rows.column("error")
    ids["untold"], ids["fine"] = error.is_null().to_pandas(), pc.equal(error, "").fill_null(True).to_pandas()
    for name in ("output_chars", "input_ngrams"):
        ids[name] = rows.column(name).is_null().to_pandas()
    ids["nobody"] = pc.equal(rows.column("user"), "").to_pandas()
    ordered = ids.sort_values(["untold", "fine", "output_chars", "input_ngrams", "nobody"], kind="stable")
    first = ordered[~ordered.duplicated([*_ID, "part"])].index
    return rows.take(pa.array(sorted(first)))


def joined(connection: Backend, rows: ir.Table) -> ir.Table:
    """The calls among rows, each once and whole.

    Parameters
    ----------
    connection : ibis DuckDB backend
        Where it will be run; what is small is asked at once.
    rows : table
        With :data:`driftgate.monitor.telemetry.SCHEMA`.
    """
    import ibis

    rows = rows.filter(rows.part.notin(STEPS))
    every = _each_once(connection, rows)
    calls = every.filter(every.part == "")
    outer = outer_calls(connection, rows)
    told = connection.to_pyarrow(rows.filter(rows.part != "").count()).as_py()
    if not told and not outer.num_rows:
        return calls
    around = ibis.memtable(outer)
    alone = around.filter(around.span_id.count().over(ibis.window(group_by=["outer_trace_id", "outer_span_id"])) == 1)
    givers = every.filter(every.part != "").select([*_ID, "part", "evaluations", *_BESIDE])
    if outer.num_rows:
        named = calls.rename(outer_trace_id="trace_id", outer_span_id="span_id")
        outside = named.inner_join(alone, ["outer_trace_id", "outer_span_id"])
        givers = ibis.union(givers, outside.select([*_ID, "part", "evaluations", *_BESIDE]))
        calls = calls.anti_join(around, [("trace_id", "outer_trace_id"), ("span_id", "outer_span_id")])
    return _filled(calls, givers)


def _each_once(connection: Backend, rows: ir.Table) -> ir.Table:
    """Of copies of a call, one that tells that it failed, or whether it did, and what was said.

    Copies are few, and only they are sorted with all that they hold.
    """
    import ibis

    keys = [*_ID, "part"]
    copied = connection.to_pyarrow(rows.group_by(keys).having(rows.count() > 1).aggregate(copies=rows.count()))
    if not copied.num_rows:
        return rows
    named = ibis.memtable(copied.select(keys))
    better = [
        rows.error.isnull(),
        rows.error == "",
        rows.output_chars.isnull(),
        rows.input_ngrams.isnull(),
        rows.time,
        rows.latency,
    ]
    copies = rows.semi_join(named, keys)
    place = ibis.row_number().over(ibis.window(group_by=keys, order_by=better))
    first = copies.mutate(repeat=place).filter(ibis._.repeat == 0).drop("repeat")
    return ibis.union(rows.anti_join(named, keys), first)


def _gathered(givers: ir.Table) -> ir.Table:
    """What is told of each call beside its own row; of what several tell, what the first does."""
    import ibis

    first = {f"given_{name}": _known(givers[name], name).first(order_by=givers.part) for name in _BESIDE}
    for name in _SIDES:
        first[f"given_{name}"] = ibis.coalesce(
            _told(givers[name], name).first(order_by=givers.part), first[f"given_{name}"]
        )
    return givers.group_by(_ID).aggregate(**first)


def _results(every: ir.Table) -> ir.Table:
    """The results of evaluations of each call, whoever tells of them, each once."""
    single = every.select([*_ID, every.evaluations.unnest().name("result")]).distinct()
    return single.group_by(_ID).aggregate(results=single.result.collect(order_by=single.result))


def _filled(calls: ir.Table, givers: ir.Table) -> ir.Table:
    import ibis

    own = calls.select([*_ID, "part", "evaluations", *_BESIDE])
    both = calls.left_join(_gathered(givers), _ID).drop("trace_id_right", "span_id_right")
    both = both.left_join(_results(ibis.union(own, givers)), _ID)
    whole = {
        name: ibis.coalesce(
            _told(both[name], name), both[f"given_{name}"], *([both[name], ""] if name in LABELS else [])
        )
        for name in _GIVEN
    }
    # A log record tells whether the answer is JSON, and the span whether it should be.
    whole["malformed"] = ibis.ifelse(whole["asked_for"].lower().contains(JSON), whole["malformed"], both.malformed)
    # Of an error null is not known, and the empty text that there was none.
    whole["error"] = ibis.coalesce(_known(both.error, "error"), both.given_error, both.error)
    return both.mutate(**whole, evaluations=both.results).select(list(COLUMNS))


def outer_calls(connection: Backend, rows: ir.Table) -> pa.Table:
    """The calls around another of the same model, each with that one; see :mod:`._nesting`."""
    import ibis

    calls = rows.filter(rows.part == "")
    inner = calls.select(
        *("trace_id", "span_id", "parent_id", "dialect", "response_hash", "latency", "output_tokens"),
        began=calls.time.epoch_seconds(),
        one=_model(calls.request_model),
        other=_model(calls.response_model),
    )
    outer = inner.view().rename("outer_{name}")
    within = inner.filter((inner.parent_id != "") & (inner.parent_id != inner.span_id))
    found = _of_one_model(within.inner_join(outer, [("trace_id", "outer_trace_id"), ("parent_id", "outer_span_id")]))
    answered = inner.filter((inner.response_hash != "") & inner.latency.notnull())
    if connection.to_pyarrow(answered.dialect.nunique()).as_py() > 1:
        both = answered.inner_join(outer, [("response_hash", "outer_response_hash")])
        shorter = (both.latency < both.outer_latency) | (
            (both.latency == both.outer_latency) & (both.dialect < both.outer_dialect)
        )
        apart = both.began - both.outer_began
        at_once = (apart >= -APART) & (apart <= both.outer_latency + APART)
        tokens = (both.output_tokens == both.outer_output_tokens).fill_null(True)
        twins = both.filter((both.dialect != both.outer_dialect) & shorter & at_once & tokens)
        # Of a service that gives every answer one id nothing can be told: there must be one and one.
        inside = twins.span_id.nunique().over(group_by=["outer_trace_id", "outer_span_id", "dialect"])
        outside = twins.outer_span_id.nunique().over(group_by=[*_ID, "outer_dialect"])
        found = ibis.union(found, _of_one_model(twins.mutate(pairs=inside * outside).filter(ibis._.pairs == 1)))
    return connection.to_pyarrow(found.distinct())


def _of_one_model(both: ir.Table) -> ir.Table:
    same: Any = ((both.one == "") & (both.other == "")) | ((both.outer_one == "") & (both.outer_other == ""))
    for mine in (both.one, both.other):
        for theirs in (both.outer_one, both.outer_other):
            same |= (mine != "") & (mine == theirs)
    return both.filter(same).select("outer_trace_id", "outer_span_id", "trace_id", "span_id")


def _model(name: ir.Value) -> ir.Value:
    """As :func:`driftgate.monitor.telemetry._nesting.model_key`."""
    lower: Any = name.fill_null("")
    return lower.lower().re_replace(PREFIX, "").re_replace(DATE, "")


def _known(column: Any, name: str) -> Any:
    return column.nullif("") if name in LABELS or name == "error" else column


def _told(column: Any, name: str) -> Any:
    """A call's own value; why its content is not told yields to whoever tells it."""
    return _known(column, name) if name not in _SIDES else column.isin(["", *UNTOLD]).ifelse(None, column)


def _is_linked(rows: pa.Table) -> bool:
    """Whether some row may belong to another."""
    rows = rows.filter(pc.invert(pc.is_in(rows.column("part"), value_set=pa.array(STEPS))))
    if pc.any(pc.not_equal(rows.column("part"), "")).as_py():
        return True
    if len(pc.unique(rows.column("dialect"))) > 1:
        return True
    parents = rows.column("parent_id").combine_chunks()
    if not pc.any(pc.not_equal(parents, "")).as_py():
        return False
    return bool(pc.any(pc.is_in(parents, value_set=rows.column("span_id").combine_chunks())).as_py())
