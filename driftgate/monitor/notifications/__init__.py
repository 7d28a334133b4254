"""Tell people what happens to incidents: an outbox in the ledger, and channels that take what is in it."""

from typing import TYPE_CHECKING

from driftgate.lazy import lazily

if TYPE_CHECKING:
    from driftgate.monitor.notifications._config import NotificationsConfig, RuleConfig
    from driftgate.monitor.notifications._deliver import Delivered, deliver, send_test
    from driftgate.monitor.notifications._outbox import ChannelStatus, own_name, release, statuses
else:
    __getattr__ = lazily(__name__, __file__)

__all__ = [
    "ChannelStatus",
    "Delivered",
    "NotificationsConfig",
    "RuleConfig",
    "deliver",
    "own_name",
    "release",
    "send_test",
    "statuses",
]
