"""The ledger: everything that was asked, answered, scored and decided. Append-only, on SQLite or PostgreSQL."""

from driftgate.ledger._aggregations import AggregationRow, add_aggregation, aggregations_of, evaluated_lines_of
from driftgate.ledger._anchors import AnchorRow, add_anchor_grades, anchor_grades_of, first_run_with_anchors
from driftgate.ledger._archive import Archived, archive_details
from driftgate.ledger._asked import JUDGED, MEANT, check_asked, check_asked_once, check_whole, why_unasked
from driftgate.ledger._audit import AuditRow, audit_of, record_audit
from driftgate.ledger._baseline_content import Baseline
from driftgate.ledger._baselines import baseline_named, names_of_baselines, put_baseline, take_baseline
from driftgate.ledger._calibrations import (
    CalibrationRow,
    KeptGrade,
    SampleLabel,
    add_calibration,
    calibrations_of,
    keep_grades,
    kept_grades,
)
from driftgate.ledger._cells import CellRow, add_cell, cells_of, complete_cells, pending_samples
from driftgate.ledger._champions import (
    PromotionRow,
    Reversal,
    add_trained_model,
    champion_history,
    champion_of,
    install_champion,
    reversal,
    rollback,
    standing_promotions,
    trained_model,
)
from driftgate.ledger._check import Checked, TableSize, check_ledger
from driftgate.ledger._check_archive import ArchiveSize, Fault
from driftgate.ledger._content import run_hash
from driftgate.ledger._deployments import (
    DeploymentRow,
    add_deployment,
    deployment_of,
    deployments_by_model,
    ends_on,
    ends_soon,
)
from driftgate.ledger._details import EXPIRED, check_texts, expired_at, forgotten_in
from driftgate.ledger._expire import Expired, expire_texts
from driftgate.ledger._forget import (
    Forgotten,
    Sought,
    find_sample,
    find_text,
    forget,
    note_run,
    said_on,
)
from driftgate.ledger._forgotten import Forgetting, forgotten_before
from driftgate.ledger._insert import insert_many, insert_new
from driftgate.ledger._keys import (
    SCOPES,
    KeyRow,
    NewKey,
    Scope,
    create_key,
    key_by_secret,
    keys_of,
    prepare_keys,
    revoke_key,
    valid_key,
)
from driftgate.ledger._kinds import KINDS, RunKind
from driftgate.ledger._left_out import add_left_out, has_replies, left_out_of
from driftgate.ledger._lines import metric_frame, node_results
from driftgate.ledger._not_needed import NOT_NEEDED, SEQUENTIAL, leave_out
from driftgate.ledger._outcomes import Record, ask_frame, brief_frame, outcome_frame, record, samples_frame
from driftgate.ledger._pack import Packed, pack_details
from driftgate.ledger._promotion import PromotionRefused, evidence_for, promote, traffic_of
from driftgate.ledger._questions import key_frame, keys_of_editions, sample_data
from driftgate.ledger._readers import readers_of
from driftgate.ledger._repeats import REPEATS, one_row_each
from driftgate.ledger._replies import LedgerReplies
from driftgate.ledger._results import (
    ScoreRow,
    VerdictRow,
    add_scores,
    add_verdict,
    evaluation_frame,
    evaluation_means,
    evaluators_heard,
    scores_of,
    verdicts_of,
)
from driftgate.ledger._runs import (
    REFUSED,
    RunRow,
    add_refused_run,
    find_run,
    finish_run,
    latest_runs,
    newer_unfinished,
    set_status,
    start_run,
)
from driftgate.ledger._schema import UtcDateTime
from driftgate.ledger._space import Space
from driftgate.ledger._store import Ledger, create_tables, open_ledger

__all__ = [
    "EXPIRED",
    "JUDGED",
    "KINDS",
    "MEANT",
    "NOT_NEEDED",
    "REFUSED",
    "REPEATS",
    "SCOPES",
    "SEQUENTIAL",
    "AggregationRow",
    "AnchorRow",
    "ArchiveSize",
    "Archived",
    "AuditRow",
    "Baseline",
    "CalibrationRow",
    "CellRow",
    "Checked",
    "DeploymentRow",
    "Expired",
    "Fault",
    "Forgetting",
    "Forgotten",
    "KeptGrade",
    "KeyRow",
    "Ledger",
    "LedgerReplies",
    "NewKey",
    "Packed",
    "PromotionRefused",
    "PromotionRow",
    "Record",
    "Reversal",
    "RunKind",
    "RunRow",
    "SampleLabel",
    "Scope",
    "ScoreRow",
    "Sought",
    "Space",
    "TableSize",
    "UtcDateTime",
    "VerdictRow",
    "add_aggregation",
    "add_anchor_grades",
    "add_calibration",
    "add_cell",
    "add_deployment",
    "add_left_out",
    "add_refused_run",
    "add_scores",
    "add_trained_model",
    "add_verdict",
    "aggregations_of",
    "anchor_grades_of",
    "archive_details",
    "ask_frame",
    "audit_of",
    "baseline_named",
    "brief_frame",
    "calibrations_of",
    "cells_of",
    "champion_history",
    "champion_of",
    "check_asked",
    "check_asked_once",
    "check_ledger",
    "check_texts",
    "check_whole",
    "complete_cells",
    "create_key",
    "create_tables",
    "deployment_of",
    "deployments_by_model",
    "ends_on",
    "ends_soon",
    "evaluated_lines_of",
    "evaluation_frame",
    "evaluation_means",
    "evaluators_heard",
    "evidence_for",
    "expire_texts",
    "expired_at",
    "find_run",
    "find_sample",
    "find_text",
    "finish_run",
    "first_run_with_anchors",
    "forget",
    "forgotten_before",
    "forgotten_in",
    "has_replies",
    "insert_many",
    "insert_new",
    "install_champion",
    "keep_grades",
    "kept_grades",
    "key_by_secret",
    "key_frame",
    "keys_of",
    "keys_of_editions",
    "latest_runs",
    "leave_out",
    "left_out_of",
    "metric_frame",
    "names_of_baselines",
    "newer_unfinished",
    "node_results",
    "note_run",
    "one_row_each",
    "open_ledger",
    "outcome_frame",
    "pack_details",
    "pending_samples",
    "prepare_keys",
    "promote",
    "put_baseline",
    "readers_of",
    "record",
    "record_audit",
    "reversal",
    "revoke_key",
    "rollback",
    "run_hash",
    "said_on",
    "sample_data",
    "samples_frame",
    "scores_of",
    "set_status",
    "standing_promotions",
    "start_run",
    "take_baseline",
    "traffic_of",
    "trained_model",
    "valid_key",
    "verdicts_of",
    "why_unasked",
]
