"""The Message-ID that a relay wrote in the place of ours, where its answer tells it. Pure."""

from __future__ import annotations

import re

# Amazon SES answers with what stands before the @ of its own, and behind it is the region that the
# name of its server has. https://docs.aws.amazon.com/ses/latest/dg/header-fields.html
SES = re.compile(
    r"email-smtp(?:-fips)?\.([a-z]{2}(?:-[a-z]{1,20}){1,3}-\d)\.(?:vpce\.)?amazonaws\.com"
)
SES_ANSWER = re.compile(r"ok ([0-9a-f]{16}-[0-9a-f-]{20,60})", re.IGNORECASE)
SES_FIRST_REGION = "us-east-1"
# Exchange says all of it.
SAID = re.compile(r"2\.6\.0 (<[^<>\s@]{1,200}@[^<>\s@]{1,200}>)")


def mime_id_at(relay: str, reply: str) -> str:
    """What *relay*, as in "relay.example.net:587", named a mail that it took with *reply*; empty
    where that cannot be told."""
    region, named = SES.search(relay), SES_ANSWER.match(reply)
    if region and named:
        at = "email" if region[1] == SES_FIRST_REGION else region[1]
        return f"<{named[1]}@{at}.amazonses.com>"
    said = SAID.match(reply)
    return said[1] if said else ""
