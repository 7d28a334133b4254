"""Ways to tell people: one module per kind of channel, found by name."""

from typing import TYPE_CHECKING

from driftgate.lazy import lazily

if TYPE_CHECKING:
    from driftgate.monitor.notifications.channels._channel import (
        CHANNELS,
        Channel,
        ChannelConfig,
        NotDelivered,
        parse_config,
    )
else:
    __getattr__ = lazily(__name__, __file__)

__all__ = ["CHANNELS", "Channel", "ChannelConfig", "NotDelivered", "parse_config"]
