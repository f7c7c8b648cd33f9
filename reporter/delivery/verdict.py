"""What a relay's answer means for a mail: to be tried again, or not to be sent like this.

The enhanced status code decides (RFC 3463), and where in the conversation it came; the first digit
alone never does. What is about us or the relay every mail would get: it goes away when somebody
mends it, and the mail waits until then. Refused is only what is about this mail.
"""

from __future__ import annotations

import re
from enum import IntEnum, StrEnum
from typing import NamedTuple

from reporter.models import Outcome


class Stage(IntEnum):
    """Where in a conversation an answer came."""

    CONNECTION = 0  # up to the login
    SENDER = 1  # MAIL
    RECIPIENT = 2  # RCPT
    DATA = 3  # the command, before any content
    CONTENT = 4  # after the final dot


class About(StrEnum):
    """What an answer is about, which decides what follows from it."""

    RELAY = "relay"  # us or the relay: every mail would get it
    RECIPIENT = "recipient"  # this recipient's address, mailbox or server
    MAIL = "mail"  # what this mail holds: its size, a file, a word
    POLICY = "policy"  # a filter's no: to what the mail holds, or to whom it is from


class Verdict(NamedTuple):
    outcome: Outcome
    about: About


class Status(NamedTuple):
    """An enhanced status code without its class, which repeats the first digit."""

    subject: int
    detail: int


ENHANCED = re.compile(r"[245]\.(\d{1,3})\.(\d{1,3})(?=\s|$)")
# Words by which relays that know no enhanced codes say that it is us whom they do not want.
ABOUT_US = re.compile(
    r"relay|authenti|not permitted|not allowed|not authori[sz]ed|denied|credential"
    r"|black ?list|block ?list|blocked|reputation|\bspf\b|\bdkim\b|\bdmarc\b|rate|limit|quota",
    re.IGNORECASE,
)
SUBJECT_ADDRESS, SUBJECT_MAILBOX, SUBJECT_SYSTEM = 1, 2, 3
SUBJECT_NETWORK, SUBJECT_PROTOCOL, SUBJECT_CONTENT, SUBJECT_POLICY = 4, 5, 6, 7
# The mail is too large for the mailbox, or for the relay.
TOO_LARGE = {Status(2, 3), Status(3, 4)}
# The addresses that are bad are ours (RFC 3463, section 3.2).
OUR_ADDRESS = {Status(1, 7), Status(1, 8)}
# Of what relays answer to content with a policy's code, the ones that filters use.
FILTERED = {Status(7, 0), Status(7, 1), Status(7, 7)}
OVER_QUOTA = Status(4, 5)  # of what we may send
# Codes that name the login, the commands or the relay itself (RFC 5321, 4954, 7504).
ABOUT_RELAY = {500, 502, 503, 504, 521, 530, 534, 535, 538, 556}
TOO_LARGE_CODE = 552

DEFERRED_BY_RELAY = Verdict(Outcome.DEFERRED, About.RELAY)
DEFERRED_BY_RECIPIENT = Verdict(Outcome.DEFERRED, About.RECIPIENT)
BAD_ADDRESS = Verdict(Outcome.REFUSED, About.RECIPIENT)
BAD_CONTENT = Verdict(Outcome.REFUSED, About.MAIL)
FILTERED_OUT = Verdict(Outcome.REFUSED, About.POLICY)


def judge(stage: Stage, code: int, reply: str, *, operators: bool) -> Verdict:
    """What an answer that is not 2xx means.

    *operators*: the recipient is the operator's to set, as support's address is. That it does not
    exist is then no property of the mail, and will be mended.
    """
    status = enhanced_status(reply)
    if stage == Stage.CONNECTION or (stage < Stage.CONTENT and code in ABOUT_RELAY):
        return DEFERRED_BY_RELAY
    if code // 100 != 5:
        return _later(stage, status)
    verdict = _refusal(stage, code, reply, status, operators=operators)
    return DEFERRED_BY_RECIPIENT if operators and verdict == BAD_ADDRESS else verdict


def enhanced_status(reply: str) -> Status | None:
    """The enhanced status code at the beginning of *reply*, if there is one (RFC 2034)."""
    found = ENHANCED.match(reply)
    return Status(int(found[1]), int(found[2])) if found else None


def _later(stage: Stage, status: Status | None) -> Verdict:
    if stage == Stage.SENDER or (status and status.subject == SUBJECT_SYSTEM):
        return DEFERRED_BY_RELAY
    return DEFERRED_BY_RECIPIENT


def _refusal(
    stage: Stage, code: int, reply: str, status: Status | None, *, operators: bool
) -> Verdict:
    if status in TOO_LARGE:
        return BAD_CONTENT
    if stage == Stage.SENDER:
        size = not status and code == TOO_LARGE_CODE  # of the SIZE that we announce (RFC 1870)
        return BAD_CONTENT if size else DEFERRED_BY_RELAY
    if status is None or status.subject == 0:
        return _bare_refusal(stage, code, reply, operators=operators)
    if status.subject == SUBJECT_ADDRESS:
        return DEFERRED_BY_RELAY if status in OUR_ADDRESS else BAD_ADDRESS
    if status.subject == SUBJECT_MAILBOX:
        return DEFERRED_BY_RECIPIENT
    if status.subject == SUBJECT_CONTENT:
        return BAD_CONTENT
    if stage == Stage.CONTENT and status.subject == SUBJECT_PROTOCOL:
        return BAD_CONTENT  # a line or a character that it cannot take
    if stage == Stage.CONTENT and status in FILTERED:
        return FILTERED_OUT
    if stage < Stage.CONTENT and status.subject in {SUBJECT_NETWORK, SUBJECT_POLICY}:
        return DEFERRED_BY_RELAY if status == OVER_QUOTA else DEFERRED_BY_RECIPIENT
    return DEFERRED_BY_RELAY


def _bare_refusal(stage: Stage, code: int, reply: str, *, operators: bool) -> Verdict:
    """Without an enhanced code the words have to do."""
    if ABOUT_US.search(reply):
        return DEFERRED_BY_RECIPIENT
    if stage < Stage.CONTENT:
        return DEFERRED_BY_RECIPIENT if code in {TOO_LARGE_CODE, 554} else BAD_ADDRESS
    # To customers there is no other form in which to learn what it was about.
    return FILTERED_OUT if operators and code != TOO_LARGE_CODE else BAD_CONTENT
