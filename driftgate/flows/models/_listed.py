"""Prices from the package ``genai-prices``: looked up by the host that is asked, never by a model's name alone.

The package holds its prices; it is never let update them over the network. What :class:`Prices` cannot say is not
guessed: where that could make a cost too low there are no prices, or the dearer one stands for both and is called a
bound.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from driftgate.flows.models._azure_hosts import is_azure
from driftgate.flows.models._prices import PriceList, Prices, Tier

if TYPE_CHECKING:
    from datetime import date

    from genai_prices.types import ModelInfo, ModelPrice, Provider

PACKAGE = "genai-prices"
_SAID = ("input_mtok", "output_mtok", "cache_read_mtok")
_WRITTEN, _WRITTEN_AS_ASKED = "cache_write_mtok", "cache_write_1h_mtok"
_UNUSED = re.compile(r".*audio.*|(web|storage)_searches_kcount|cache_write(_1h)?_mtok")
"""Prices of what no request costs here: sounds are never sent, and no search is asked for."""
_ANYBODYS = frozenset({"modal"})
"""Services under whose hosts everybody serves models of their own, whose names may be anything."""
_BORROWED = frozenset({("azure", "openai")})
"""Whose price list is that of another as well: Azure's global deployments cost what OpenAI's models do."""
_OF_AZURE = "as a global deployment has them; regional and provisioned ones have others"
_NOT_SOLD = ("gpt-oss",)
"""Models that OpenAI gives away: those in its list are priced as others serve them."""
_TUNED = re.compile(r"^ft:|\.ft-")


@dataclass(frozen=True)
class _Rates:
    """What the tokens of a call cost whose input is longer than so many."""

    above: int
    input: float
    output: float
    cached: float | None


def listed_prices(
    address: str, model: str, parameters: Mapping[str, Any], *, delivery: str = "direct", at: datetime | None = None
) -> tuple[Prices, PriceList] | None:
    """The prices of a model, where the list knows the service at an address and the model there.

    Parameters
    ----------
    address : str
        Base address that is asked. Only a service's own host will do: the same model costs something else elsewhere.
    model : str
        The model's name at the service; empty where it is not known.
    parameters : Mapping
        What is sent with every request; a service's own tools, a tier of service and the like have prices of their own.
    delivery : str
        ``direct`` or ``batch``.
    at : datetime, optional
        When it is asked; now by default.

    Examples
    --------
    >>> prices, source = listed_prices("https://api.openai.com/v1", "gpt-4.1-2025-04-14", {})
    >>> prices.input, prices.cached_input, prices.output, prices.batch, source.entry
    (2.0, 0.5, 8.0, 0.5, 'openai/gpt-4.1')
    >>> print(listed_prices("http://127.0.0.1:8000/v1", "gpt-4.1-2025-04-14", {}))
    None
    """
    url = _address(address)
    if url is None or not model or _costs_otherwise(parameters):
        return None
    at = at or datetime.now(UTC)
    provider = _service(url)
    entry = None if provider is None else _entry(provider, model)
    if provider is None or entry is None or _by_the_hour(entry):
        return None
    standard = entry.get_prices(at)
    rates = _rates(standard, parameters)
    if rates is None:
        return None
    share, cached, bound = _batch(provider, entry, standard, rates, parameters, at)
    if delivery == "batch" and not cached:
        rates = [_Rates(one.above, one.input, one.output, None) for one in rates]
    reasons = [_may_write(standard), bound if delivery == "batch" else ""]
    first, *longer = rates
    prices = Prices(
        input=first.input,
        output=first.output,
        cached_input=first.cached,
        tiers=tuple(Tier(above=r.above, input=r.input, output=r.output, cached_input=r.cached) for r in longer),
        batch=share,
    )
    from genai_prices import __version__

    newest = max((day for day in _days() if day <= at.date()), default=at.date())
    why = "; ".join(filter(None, reasons))
    named = f"{provider.id}/{entry.id}"
    return prices, PriceList(
        package=PACKAGE,
        version=__version__,
        day=at.date(),
        newest=newest,
        entry=named,
        at_most=why,
        note=_OF_AZURE if provider.id == "azure" else "",
    )


def _address(address: str) -> str | None:
    """An address as the list has them; None of one that is nobody's public service.

    Dots in its path are left out, so that no part of it is taken for a host.
    """
    try:
        parts = urlsplit(address.strip())
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        return None
    if parts.scheme != "https" or port not in (None, 443) or "." not in host or parts.username is not None:
        return None
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return f"https://{host}{parts.path.rstrip('/').replace('.', '')}/"
    return None


def _service(url: str) -> Provider | None:
    """Who is asked there; the host has to be the service's own to its end."""
    from genai_prices.data_snapshot import get_snapshot

    try:
        found = get_snapshot().find_provider(None, None, url)
    except LookupError:
        return None
    matched = re.match(found.api_pattern, url)
    assert matched is not None  # it was found by it
    # Some patterns end before the host's last label, and some within the path.
    end = re.compile(r"(?<=/)|/|(?<=\.)[a-z]+/")
    whole = end.match(url, matched.end()) is not None
    if not whole or found.id in _ANYBODYS or (found.id == "azure" and not is_azure(url)):
        return None
    return found


def _entry(provider: Provider, model: str) -> ModelInfo | None:
    """The model in the service's own list, or in one that is the service's as well."""
    from genai_prices.data_snapshot import get_snapshot

    providers = get_snapshot().providers
    found = provider.find_model(model, all_providers=providers)
    if found is None or (_TUNED.search(model.lower()) and not _TUNED.search(found.id)):
        return None
    owner = next(one for one in providers if any(entry is found for entry in one.models))
    if owner is not provider and (provider.id, owner.id) not in _BORROWED:
        return None
    return None if owner.id == "openai" and found.id.startswith(_NOT_SOLD) else found


def _costs_otherwise(parameters: Mapping[str, Any]) -> bool:
    """Whether requests ask for what has other prices than the tokens' usual ones."""
    tools = parameters.get("tools") or ()
    hosted = not isinstance(tools, Sequence) or any(
        not isinstance(tool, Mapping) or tool.get("type", "function") != "function" for tool in tools
    )
    sounds = "audio" in parameters or "audio" in (parameters.get("modalities") or ())
    tier = parameters.get("service_tier") or "auto"
    asked = ("web_search_options", "cache_control", "speed", "inference_geo", "plugins", "models", "provider", "route")
    return hosted or sounds or tier not in ("auto", "default") or any(parameters.get(name) for name in asked)


def _by_the_hour(entry: ModelInfo) -> bool:
    """Whether its prices depend on the time of day; a run lasts."""
    from genai_prices.types import TimeOfDateConstraint

    prices = entry.prices if isinstance(entry.prices, list) else []
    return any(isinstance(one.constraint, TimeOfDateConstraint) for one in prices)


def _given(price: ModelPrice) -> dict[str, Any]:
    return {name: value for name, value in vars(price).items() if value is not None and not name.startswith("_")}


def _rates(price: ModelPrice, parameters: Mapping[str, Any]) -> list[_Rates] | None:
    """What tokens cost, by the length of the input; None where that is not all that a request costs, or not known."""
    from genai_prices.types import TieredPrices

    given = _given(price)
    others = [name for name in given if name not in _SAID and not _UNUSED.fullmatch(name)]
    if others or "input_mtok" not in given or "output_mtok" not in given:
        return None
    written = given.get(_WRITTEN) if _may_write(price) else None
    starts = {tier.start for value in given.values() if isinstance(value, TieredPrices) for tier in value.tiers}

    def above(value: Any, start: int) -> float:
        if not isinstance(value, TieredPrices):
            return float(value)
        reached = [tier.price for tier in value.tiers if tier.start <= start]
        return float(reached[-1] if reached else value.base)

    found = []
    for start in sorted({0} | starts):
        taken = above(given["input_mtok"], start)
        kept = given.get("cache_read_mtok")
        dearer = taken if written is None else max(taken, above(written, start))
        found.append(
            _Rates(start, dearer, above(given["output_mtok"], start), None if kept is None else above(kept, start))
        )
    return found


def _may_write(price: ModelPrice) -> str:
    """Why some of the input may cost more: the service keeps it unasked; empty where it does not.

    Where the price depends on how long it is to be kept, requests ask for it, and ours do not.
    """
    given = _given(price)
    if _WRITTEN not in given or _WRITTEN_AS_ASKED in given:
        return ""
    return "input is priced as if it were all written to the service's cache, as services do not say how much was"


def _batch(
    provider: Provider,
    entry: ModelInfo,
    standard: ModelPrice,
    rates: Sequence[_Rates],
    parameters: Mapping[str, Any],
    at: datetime,
) -> tuple[float, bool, str]:
    """The part of its price that a request in a batch costs, whether that goes for cached input, and why it is a bound.

    A service that lists none takes no less. Azure's are half of what a global deployment costs, and not in the list.
    """
    if provider.id == "azure":
        return 0.5, True, ""
    batched = _rates(entry.get_prices(at, {"processing": "batch"}), parameters)
    if batched is None or [one.above for one in batched] != [one.above for one in rates]:
        batched = list(rates)
    pairs = list(zip(batched, rates, strict=True))
    shares = [*_shares((b.input, s.input) for b, s in pairs), *_shares((b.output, s.output) for b, s in pairs)]
    share = min(1.0, max(shares, default=1.0))
    cached = all(b.cached is not None and s.cached is not None and b.cached <= s.cached * share for b, s in pairs)
    bound = "parts of a batch cost less than that" if shares and min(shares) < share else ""
    return share, cached, bound


def _shares(pairs: Iterator[tuple[float, float]]) -> Iterator[float]:
    return (batched / standard for batched, standard in pairs if standard)


@cache
def _days() -> frozenset[date]:
    """The days from which prices in the list are."""
    from genai_prices.data_snapshot import get_snapshot
    from genai_prices.types import StartDateConstraint

    entries = [entry for provider in get_snapshot().providers for entry in provider.models]
    dated = [
        one for e in entries for one in (*(e.prices if isinstance(e.prices, list) else ()), *(e.price_variants or ()))
    ]
    return frozenset(one.constraint.start_date for one in dated if isinstance(one.constraint, StartDateConstraint))
