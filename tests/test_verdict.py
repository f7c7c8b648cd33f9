"""What each answer of a relay means, by stage and enhanced status code."""

from __future__ import annotations

import pytest

from reporter.delivery.verdict import Stage, enhanced_status, judge

CUSTOMER, SUPPORT = False, True


@pytest.mark.parametrize(
    ("stage", "answer", "outcome", "about"),
    [
        # Before the mail is named, everything is about us or the relay.
        ("CONNECTION", "554 5.7.1 go away", "deferred", "relay"),
        ("CONNECTION", "535 5.7.8 bad login", "deferred", "relay"),
        ("CONNECTION", "421 busy", "deferred", "relay"),
        ("SENDER", "530 5.7.0 authentication required", "deferred", "relay"),
        ("SENDER", "550 5.1.8 sender rejected", "deferred", "relay"),
        ("SENDER", "550 5.7.1 not you", "deferred", "relay"),
        ("SENDER", "501 bad address", "deferred", "relay"),
        ("SENDER", "451 4.3.0 later", "deferred", "relay"),
        ("RECIPIENT", "530 authentication required", "deferred", "relay"),
        ("RECIPIENT", "503 MAIL first", "deferred", "relay"),
        # The size is announced with MAIL, and is the mail's own.
        ("SENDER", "552 5.3.4 too large", "refused", "mail"),
        ("SENDER", "552 too large", "refused", "mail"),
        ("RECIPIENT", "552 5.2.3 too large for this mailbox", "refused", "mail"),
        ("CONTENT", "552 5.3.4 too large", "refused", "mail"),
        ("CONTENT", "552 exceeds the storage", "refused", "mail"),
        # An address that does not exist is refused.
        ("RECIPIENT", "550 5.1.1 no such user", "refused", "recipient"),
        ("RECIPIENT", "550 5.1.2 no such host", "refused", "recipient"),
        ("RECIPIENT", "556 5.1.10 takes no mail", "deferred", "relay"),
        ("RECIPIENT", "550 5.1.10 takes no mail", "refused", "recipient"),
        ("RECIPIENT", "553 5.1.3 bad syntax", "refused", "recipient"),
        ("RECIPIENT", "550 no such user", "refused", "recipient"),
        ("CONTENT", "550 5.1.1 no such user", "refused", "recipient"),
        # Our own address as the bad one is not.
        ("RECIPIENT", "550 5.1.8 bad sender", "deferred", "relay"),
        # Full mailboxes, networks, policies go away.
        ("RECIPIENT", "552 5.2.2 mailbox full", "deferred", "recipient"),
        ("RECIPIENT", "552 mailbox full", "deferred", "recipient"),
        ("CONTENT", "552 5.2.2 mailbox full", "deferred", "recipient"),
        ("RECIPIENT", "550 5.4.5 daily quota exceeded", "deferred", "relay"),
        ("RECIPIENT", "550 5.4.1 access denied", "deferred", "recipient"),
        ("CONTENT", "530 5.7.57 client not authenticated", "deferred", "relay"),
        ("RECIPIENT", "550 5.3.0 mail system", "deferred", "relay"),
        ("RECIPIENT", "550 5.7.1 access denied", "deferred", "recipient"),
        ("RECIPIENT", "554 5.7.1 relay access denied", "deferred", "recipient"),
        ("RECIPIENT", "550 relaying denied", "deferred", "recipient"),
        ("RECIPIENT", "554 transaction failed", "deferred", "recipient"),
        ("CONTENT", "550 5.7.60 not permitted to send as this sender", "deferred", "relay"),
        ("CONTENT", "550 5.7.26 unauthenticated", "deferred", "relay"),
        ("CONTENT", "550 message rate exceeded", "deferred", "recipient"),
        # Filters: what the mail holds, perhaps.
        ("CONTENT", "554 5.6.0 bad content", "refused", "mail"),
        ("CONTENT", "550 5.6.1 media not supported", "refused", "mail"),
        ("CONTENT", "500 5.5.2 line too long", "refused", "mail"),
        ("CONTENT", "554 5.7.1 spam", "refused", "policy"),
        ("CONTENT", "550 5.7.1 message content rejected", "refused", "policy"),
        ("CONTENT", "554 no", "refused", "mail"),
        # For now.
        ("RECIPIENT", "450 4.2.0 greylisted", "deferred", "recipient"),
        ("RECIPIENT", "451 later", "deferred", "recipient"),
        ("RECIPIENT", "452 4.3.1 no room", "deferred", "relay"),
        ("SENDER", "451 later", "deferred", "relay"),
        ("SENDER", "450 4.7.1 later", "deferred", "relay"),
        ("DATA", "451 4.3.0 later", "deferred", "relay"),
        ("DATA", "250 odd", "deferred", "recipient"),
        ("CONTENT", "451 4.7.1 later", "deferred", "recipient"),
        ("CONTENT", "-1 ", "deferred", "recipient"),
    ],
)
def test_an_answer_to_a_customers_mail(stage: str, answer: str, outcome: str, about: str) -> None:
    code, _, reply = answer.partition(" ")
    assert judge(Stage[stage], int(code), reply, operators=CUSTOMER) == (outcome, about)


@pytest.mark.parametrize(
    ("stage", "answer", "outcome", "about"),
    [
        # Support's address is the operator's to mend: no ticket is lost by a wrong one.
        ("RECIPIENT", "550 5.1.1 no such user", "deferred", "recipient"),
        ("RECIPIENT", "550 no such user", "deferred", "recipient"),
        ("CONTENT", "550 5.1.1 no such user", "deferred", "recipient"),
        # What is about the content stays so; without a code it may be about us as well.
        ("CONTENT", "554 5.6.0 bad content", "refused", "mail"),
        ("SENDER", "552 5.3.4 too large", "refused", "mail"),
        ("CONTENT", "554 no", "refused", "policy"),
        ("CONTENT", "554 5.7.1 spam", "refused", "policy"),
    ],
)
def test_an_answer_to_a_mail_to_support(stage: str, answer: str, outcome: str, about: str) -> None:
    code, _, reply = answer.partition(" ")
    assert judge(Stage[stage], int(code), reply, operators=SUPPORT) == (outcome, about)


@pytest.mark.parametrize(
    ("reply", "status"),
    [
        ("5.7.1 no", (7, 1)),
        ("5.7.509", (7, 509)),
        ("4.2.0\nmore", (2, 0)),
        ("no 5.7.1", None),
        ("5.7.1.2 is an address", None),
        ("3.7.1 x", None),
        ("5.7.1000 x", None),
        ("", None),
    ],
)
def test_the_enhanced_code_stands_first(reply: str, status: tuple[int, int] | None) -> None:
    assert enhanced_status(reply) == status
