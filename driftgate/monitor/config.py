"""What a workspace says of a monitor and of the service."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, FiniteFloat, model_validator

from driftgate.benchmarks.use import UseConfig
from driftgate.flows.amounts import Amount
from driftgate.flows.evaluators._config import BindingConfig
from driftgate.flows.models import Secret
from driftgate.flows.path_settings import READ, WRITTEN
from driftgate.monitor.cron import Crontab
from driftgate.monitor.exposure import Exposure
from driftgate.monitor.pooling import Budget, TrafficBudget


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"there is no time zone '{name}'; expected a name such as Asia/Seoul or UTC") from None
    return name


def _cron(expression: str) -> str:
    try:
        Crontab.parse(expression)
    except ValueError as problem:
        raise ValueError(f"'{expression}' is not a cron expression: {problem}") from None
    return expression


_OF_PROMPTS = 0.5
"""The share of the budget of false alarms that looks at prompts have, where there are any."""
DAYS_A_YEAR = 365.25
REFERENCE_LOOKS = 8
"""How many looks are a reference, where the workspace does not say."""
REFERENCE_GROWS_TO = 64
"""How many it grows to while nothing moves, where the workspace does not say."""

PROBE = {"limit": 50, "repeats": 4, "requests": 200}
"""What a probe asks at a look, where the workspace does not say, and the most requests that it makes."""
PROBE_FLOOR = 0.02
"""Its floors."""

Cron = Annotated[str, AfterValidator(_cron)]
TimeZone = Annotated[str, AfterValidator(_known_zone)]
CatchUp = Literal["once", "skip"]
"""What becomes of scheduled times that passed while nobody served: the job is done once for all of them, or not."""


class CanaryConfig(UseConfig):
    """The fixed prompts that are asked of the live model."""

    dataset: str
    """A dataset of the workspace."""
    flow: str = "multiple_choice"
    """The flow the live model is asked through."""
    retriever: str | None = None
    """Name of a retriever of the workspace, for flows that search documents."""
    variant: str = ""
    """The flow's variant; empty for its default."""
    limit: int | None = Field(100, ge=1)
    """How many samples of the dataset are canaries, drawn by ``seed``."""
    seed: int = 0
    """Decides which samples are canaries."""
    few_shot: int = Field(0, ge=0, le=50)
    """Examples given to variants that take them."""
    repeats: int = Field(1, ge=1, le=20)
    """How often a look asks each canary. The model must be asked so that it may answer otherwise (a temperature, no
    seed): answers that are alike within a look are taken for one."""
    probe: bool = False
    """Few questions of one letter, each asked several times: 50 canaries (``limit``) four times (``repeats``), and at
    most 200 requests a look. A change of single canaries' answers is then tested as well, and floors are two points.
    ``driftgate monitor choose-canaries --probe`` chooses the questions."""
    max_minutes: Amount = 30
    """Time a look may take; one that is not done by then is unmeasurable."""

    @model_validator(mode="before")
    @classmethod
    def _probes_a_few(cls, values: Any) -> Any:
        if isinstance(values, dict) and values.get("probe") is True:
            return {"limit": PROBE["limit"], "repeats": PROBE["repeats"], **values}
        return values

    @model_validator(mode="after")
    def _of_few_requests(self) -> Self:
        if self.probe and (self.limit is None or self.limit * self.repeats > PROBE["requests"]):
            asked = "all" if self.limit is None else f"{self.limit}"
            raise ValueError(
                f"a probe makes at most {PROBE['requests']} requests a look, and limit {asked} with repeats "
                f"{self.repeats} makes more"
            )
        return self


class TrafficConfig(BaseModel):
    """Production telemetry of a monitor."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    request_model: str = ""
    """Only calls that asked for this model; empty: all."""
    reference_days: float = Field(28, gt=0, le=3660)
    """Days before the current window that it is compared with. By four weeks it is known how much a weekday differs
    from others, and how much days do."""
    current_days: float = Field(1, gt=0, le=3660)
    """Days of the current window, up to now."""
    anchor: AwareDatetime | None = None
    """Where the reference begins that does not slide, in which slow drift shows, such as 2026-03-01T00:00:00Z; unset:
    where that of the first quiet look began. Set it anew to accept what has changed since."""
    signals: list[str] | None = None
    """Signals to read; unset: every one that is read from telemetry."""
    ended: list[str] = []
    """Parts of the traffic that are known to have ended, as ``tenant=acme`` or ``request_model=gpt-old``. Another part
    that had calls in every earlier window and has none now makes a look unmeasurable."""
    false_alarms_per_month: float = Field(1.0, gt=0, le=100, allow_inf_nan=False)
    """How many false alarms a month of looks at unchanged traffic, as often as ``cron`` has them, may raise; looks that
    go on saying the same are one. ``driftgate monitor backtest`` measures what it comes to on your calls, and how soon
    a change is seen."""
    alpha: float | None = Field(None, gt=0, lt=0.5)
    """The chance that one look at unchanged traffic raises any alert; unset: what ``false_alarms_per_month`` leaves to
    each."""

    def level(self, looks_per_year: float = 365.25) -> float:
        """The chance that one look at unchanged traffic raises any alert, where a year has so many looks."""
        budget = TrafficBudget(self.false_alarms_per_month, looks_per_year, self.current_days)
        return budget.level if self.alpha is None else self.alpha


class PromptVersion(BaseModel):
    """Another version of the prompt."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    flow: str | None = None
    """Its flow; unset: that of the canaries."""
    variant: str = ""
    """Its variant; empty for the flow's default."""


class PromptDriftConfig(BaseModel):
    """How the live model is asked the same questions again and in other forms."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    every_days: float = Field(7, gt=0, le=366)
    """Days between two looks at prompts; a look of the monitor takes one that is due. One that could not measure is
    taken again after a tenth of that."""
    limit: int = Field(50, ge=1, le=1000)
    """How many of the canaries are asked."""
    repeats: int = Field(5, ge=2, le=10)
    """How often each question is asked as it stands. Give the model the temperature that production asks with."""
    otherwise: int = Field(2, ge=1, le=3)
    """How often it is asked in each other form."""
    perturbations: list[str] | None = None
    """The other forms: ``few_shot``, ``option_order``, ``politeness``, ``typos``, ``whitespace``. Unset: all that
    apply."""
    paraphraser: str | None = None
    """A model of the workspace that says each question in other words; unset: no paraphrases."""
    before: PromptVersion | None = None
    """The version of the prompt before, which is asked the same questions; unset: none."""
    reference_looks: int = Field(2, ge=1, le=20)
    """How many looks at prompts are what later ones are compared with."""
    floors: dict[str, FiniteFloat] = {}
    """By signal, the smallest effect worth a person's time; unset: the signal's own."""
    seed: int = 0
    """Decides the changes."""
    max_minutes: Amount = 60
    """Time a look may take; one that is not done by then is unmeasurable."""


class EvaluateConfig(BaseModel):
    """How a share of production's calls is graded."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    evaluators: dict[str, BindingConfig] = {}
    """Evaluators by a name of their own, as ``nodes`` in a flow's ``evaluators.yaml``, each with the inputs
    ``${data.query}``, ``${data.response}``, ``${data.slice}`` and so on. Empty: only what applications tell."""
    rate: float = Field(0.05, gt=0, le=1)
    """The share of calls whose content is kept, redacted, so that they can be graded."""
    per_hour: int = Field(30, ge=1, le=10_000)
    """How many of an hour's calls are graded, at most; as many of each slice as of the others, where it has them."""
    per_look: int = Field(500, ge=1, le=100_000)
    """How many calls a look grades, at most; the newest hours first."""
    max_cost_per_hour: Amount | None = None
    """What the grades of an hour's calls may cost, in the currency of the judges' prices; unset: no limit."""
    request_model: str = ""
    """Only calls that asked for this model; empty: all."""
    reference_days: float = Field(14, gt=0, le=3660)
    """Days before the current window that it is compared with."""
    current_days: float = Field(1, gt=0, le=3660)
    """Days of the current window, up to now."""
    floor: float = Field(0.05, gt=0, lt=1)
    """The smallest change worth a person's time: of the share that passes, or of a grade, as a share of what it was."""
    alpha: float = Field(0.01, gt=0, lt=0.5)
    """The chance that one look at unchanged answers raises any alert."""
    seed: int = 0
    """Decides which calls are drawn."""


class AzureMonitorConfig(BaseModel):
    """Where drift signals, alerts, evaluation results and runs are sent."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    connection_string: Secret
    """``${env:NAME}`` of the Application Insights connection string."""


class FoundryConfig(BaseModel):
    """The project in Microsoft Foundry that runs are published to; ``DefaultAzureCredential`` signs in."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    endpoint: str
    """Address of the project, ``https://RESOURCE.services.ai.azure.com/api/projects/PROJECT``; ``${env:NAME}`` is
    replaced."""


class MonitorConfig(BaseModel):
    """A named monitor: a champion watched by its canaries."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    champion: str
    """The slot whose champion is watched."""
    canaries: CanaryConfig
    """What is asked of it."""
    traffic: TrafficConfig | None = None
    """How its production telemetry is compared; unset: only canaries are looked at."""
    prompt_drift: PromptDriftConfig | None = None
    """How it is asked the same questions again and in other forms; unset: only when somebody asks for it."""
    evaluate: EvaluateConfig | None = None
    """How a share of its production calls is graded; unset: none is."""
    reference_looks: int = Field(REFERENCE_LOOKS, ge=1, le=100)
    """How many of a champion's first looks are what later ones are compared with. The more, the smaller the losses that
    are found later; while they are made only a large one is. From two on it is also known how far the model agrees with
    itself, and a model that answers otherwise is noticed before its accuracy tells."""
    reference_grows_to: int = Field(REFERENCE_GROWS_TO, ge=1, le=512)
    """How many looks the reference grows to, doubling, while nothing moves; ``reference_looks`` or fewer: it does not.
    It takes in looks older than the 32 that are pooled, none after the first alert, and what it took in is recorded.
    The first looks stay a reference of their own beside it."""
    false_alarms_per_year: float = Field(0.05, gt=0, le=100, allow_inf_nan=False)
    """How many false alarms a year of looks at canaries, as often as ``cron`` has them, may raise: 0.05 is one in
    twenty years. Looks that are asked for beside the schedule come on top."""
    floors: dict[str, FiniteFloat] = {}
    """By signal, the smallest effect worth a person's time; unset: the signal's own."""
    recipe: str | None = None
    """The recipe of the remediation that is opened when the model answers the canaries worse."""
    cron: Cron = "0 * * * *"
    """When ``driftgate serve`` looks: five fields as in crontab, where Sunday is 0 and 7."""
    timezone: TimeZone = "UTC"
    """Time zone of the cron fields."""
    catch_up: CatchUp = "once"
    """What becomes of looks that were due while nothing served: one makes up for all of them, or ``skip``: none."""
    max_hours: float = Field(6, gt=0, le=8760)
    """A scheduled look that takes longer is stopped, and has failed."""

    @model_validator(mode="before")
    @classmethod
    def _no_share_of_all_looks(cls, values: Any) -> Any:
        if isinstance(values, dict) and "alpha" in values:
            raise ValueError(
                "alpha was shared out over all looks, and left less to each the more there were; put "
                "false_alarms_per_year in its place"
            )
        return values

    @property
    def canary_floors(self) -> dict[str, float]:
        """The floors of looks at canaries."""
        of_probe = dict.fromkeys(("canary_accuracy", "canary_agreement"), PROBE_FLOOR) if self.canaries.probe else {}
        return {**of_probe, **self.floors}

    @property
    def budget(self) -> Budget:
        """What its false alarms may come to."""
        share = 1.0 if self.prompt_drift is None else 1.0 - _OF_PROMPTS
        return Budget(share * self.false_alarms_per_year, Crontab.parse(self.cron).times_a_year)

    @property
    def prompt_budget(self) -> Budget:
        """What the false alarms of its looks at prompts may come to: a part of the same budget."""
        every = (self.prompt_drift or PromptDriftConfig()).every_days
        return Budget(_OF_PROMPTS * self.false_alarms_per_year, DAYS_A_YEAR / every)

    @property
    def traffic_level(self) -> float:
        """The chance that one look at unchanged traffic raises any alert."""
        return (self.traffic or TrafficConfig()).level(Crontab.parse(self.cron).times_a_year)


class ServiceConfig(Exposure):
    """``driftgate serve``."""

    host: str = "127.0.0.1"
    """Address the service listens on."""
    port: int = Field(8321, ge=0, le=65535)
    """Its port."""
    token: Secret = "${env:DRIFTGATE_TOKEN}"  # noqa: S105 - the name of a variable
    """``${env:NAME}`` of the operator's token, at least 16 characters, which may do everything; others have keys."""
    tls_cert: Annotated[str | None, READ] = None
    """File of the certificate, and of those above it, in PEM form; unset, plain HTTP."""
    tls_key: Annotated[str | None, READ] = None
    """File of its private key, which nobody else may read."""
    nightly_cron: Cron = "0 3 * * *"
    """When the nightly job runs: five fields as in crontab, where Sunday is 0 and 7."""
    timezone: TimeZone = "UTC"
    """Time zone of ``nightly_cron``."""
    nightly_catch_up: CatchUp = "once"
    """What becomes of nights that were due while nothing served: one makes up for all of them, or ``skip``: none."""
    nightly_max_hours: float = Field(24, gt=0, le=8760)
    """A nightly job that takes longer is stopped, and has failed."""
    telemetry: Annotated[str, WRITTEN] = ".driftgate/telemetry"
    """Folder in which ingested telemetry is kept."""

    @model_validator(mode="after")
    def _both_of_tls(self) -> Self:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("service.tls_cert and service.tls_key belong together: name both or none")
        return self
