"""What became of a request over the network, in the errors of a model."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from driftgate.flows.models._errors import ModelMisconfigured, RequestRejected, Unavailable
from driftgate.flows.models._usage import Usage
from driftgate.flows.network import NetworkRefused, NotReached, TooLarge


class ReplyTooLarge(RequestRejected):
    """A reply longer than what is read of one. It says nothing, and nobody knows how many tokens it took."""

    usage = Usage()


@contextmanager
def in_its_words(who: str) -> Iterator[None]:
    """Make what the network refuses the error of whoever asks, such as ``model 'phi'``.

    Raises
    ------
    ModelMisconfigured
        Every request would be refused alike.
    ReplyTooLarge
        This reply was not read to its end.
    Unavailable
        Another attempt may mend it.
    """
    try:
        yield
    except NetworkRefused as problem:
        raise ModelMisconfigured(f"{who}: {problem.message}", problem.remedy) from problem
    except TooLarge as problem:
        raise ReplyTooLarge(f"{who}: {problem.message}; {problem.remedy}") from problem
    except NotReached as problem:
        raise Unavailable(f"{who}: {problem.message}") from problem
