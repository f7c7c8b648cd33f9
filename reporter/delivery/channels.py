"""The alarm channels: told by another way than mail, through Apprise."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

log = structlog.get_logger(__name__)


def tell(urls: Sequence[str], title: str, text: str) -> bool:
    """Whether any channel took it; without one, the log is the channel."""
    if not urls:
        return True
    taken = [notify(url, title, text) for url in urls]
    for number, was_taken in enumerate(taken, 1):
        if not was_taken:  # named by number, as a URL holds secrets
            log.error("alarm not taken", channel=number)
    return any(taken)


def notify(url: str, title: str, text: str) -> bool:
    """Whether the channel took it. An alarm never stops the mails, whatever a channel does."""
    import apprise  # seldom needed, and slow to load

    try:
        channel = apprise.Apprise()
        return bool(channel.add(url) and channel.notify(title=title, body=text))
    except Exception as error:
        log.error("alarm channel broken", error=type(error).__name__)
        return False
