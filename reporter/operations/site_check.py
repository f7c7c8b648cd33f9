"""The service as a customer reaches it: its address, the reverse proxy before it, its clock."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from reporter.formats.text import one_line
from reporter.operations.proxy import FORGED_CLIENT, probe_headers
from reporter.operations.result import Result, mend, note, ok
from reporter.operations.status import SKEW_SECONDS
from reporter.settings.shapes import is_loopback

TIMEOUT_SECONDS = 5
ANSWER_BYTES = 10_000
# What a reverse proxy says for a service that does not answer.
UNREACHED = {502, 503, 504}


def check_site(config: Mapping[str, Any]) -> Iterator[Result]:
    """Raises nothing."""
    base = config["BASE_URL"]
    if base.startswith("http://") and not is_loopback(urlsplit(base).hostname or ""):
        yield note("BASE_URL", "customers' words travel in clear: use https://")
    request = urllib.request.Request(  # noqa: S310 (http or https, as the settings say)
        f"{base}/healthz", headers=probe_headers(config["STAFF_HEADER"])
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
            seen = json.loads(answer.read(ANSWER_BYTES))
            date = answer.headers["Date"]
    except urllib.error.HTTPError as error:
        with error:
            is_proxy = error.code in UNREACHED
        question = "is the service started?" if is_proxy else "is it ours?"
        yield mend("BASE_URL", f"{base}/healthz answers {error.code}: {question}")
        return
    except (OSError, ValueError) as error:
        cause = getattr(error, "reason", error)
        if isinstance(cause, ssl.SSLCertVerificationError):
            yield mend("BASE_URL", f"its certificate is not good: {cause.verify_message}")
        else:
            yield note("BASE_URL", f"nothing answers at {base} ({one_line(str(cause))}): start it")
        return
    if not isinstance(seen, dict) or "client_is_forged" not in seen:
        yield mend("BASE_URL", f"{base} is answered by a service with another SECRET_KEY")
        return
    found = list(proxy_findings(seen, config))
    yield from found or [ok("BASE_URL", f"{base} answers, and knows who its clients are")]
    yield from _clock(date)


def proxy_findings(seen: Mapping[str, Any], config: Mapping[str, Any]) -> Iterator[Result]:
    """What the headers that reached the service say of the reverse proxy. Pure."""
    hops = config["TRUSTED_PROXIES"]
    if seen["client_is_forged"]:
        yield mend(
            "reverse proxy",
            "a client can forge its address (X-Forwarded-For): have the proxy set the header, "
            f"or lower TRUSTED_PROXIES, which is {hops}",
        )
    elif seen["client_is_peer"] and seen["forwarded"] and not _is_our_own(config, seen):
        yield mend(
            "reverse proxy",
            "all customers count as one: TRUSTED_PROXIES must be the number of proxies, "
            f"not {hops}",
        )
    elif hops and not seen["forwarded"]:
        yield mend("reverse proxy", "it sends no X-Forwarded-For: all customers count as one")
    if not config["BASE_URL"].startswith(f"{seen['scheme']}://"):
        yield mend(
            "reverse proxy", "it does not say X-Forwarded-Proto, or TRUSTED_PROXIES is too small"
        )
    named = urlsplit(f"//{seen['host']}").hostname or ""
    if is_loopback(named) and not is_loopback(urlsplit(config["BASE_URL"]).hostname or ""):
        yield mend(
            "reverse proxy",
            f"it asks for {named} and not for the name that was asked for: have it pass Host on, "
            "so that nobody is taken for somebody at this machine",
        )
    if seen["staff_is_forged"]:
        yield mend(
            "STAFF_HEADER",
            f"anybody can sign in: the proxy lets a client's own {config['STAFF_HEADER']} through, "
            "as it is or with _ in place of -",
        )


def _is_our_own(config: Mapping[str, Any], seen: Mapping[str, Any]) -> bool:
    """Whether it is right that we seem to come from where the proxy is: nobody stands between, and
    the only header is the one that we forged ourselves; or we run on its machine."""
    told = [each.strip() for each in seen["forwarded"].split(",")]
    return len([each for each in told if each != FORGED_CLIENT]) == int(config["TRUSTED_PROXIES"])


def _clock(date: str | None) -> Iterator[Result]:
    try:
        skew = (parsedate_to_datetime(date or "") - datetime.now(UTC)).total_seconds()
    except (TypeError, ValueError):
        return
    if abs(skew) > SKEW_SECONDS:
        yield mend("clock", f"the machine that serves is {skew:+.0f} s off from this one (NTP)")
