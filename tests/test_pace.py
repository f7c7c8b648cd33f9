"""How many mails are claimed before a conversation is free for them."""

from __future__ import annotations

import pytest

from reporter.delivery.pace import MOST_AHEAD, Pace


@pytest.mark.parametrize(
    ("conversations", "seconds", "ahead"),
    [
        (4, 0.7, 0),  # a ticket that comes now is behind none of them
        (4, 0.1, 2),
        (16, 0.05, 16),
        (1, 0.01, 5),
        (4, 0.0, MOST_AHEAD),
    ],
)
def test_so_many_are_claimed_ahead_as_are_sent_in_a_twentieth_of_a_second(
    conversations: int, seconds: float, ahead: int
) -> None:
    pace = Pace(conversations)
    pace.note(seconds, accepted=True)
    assert pace.ahead == ahead


def test_none_is_claimed_ahead_of_a_relay_that_has_not_taken_one_or_not_the_last() -> None:
    pace = Pace(4)
    assert pace.ahead == 0
    pace.note(0.001, accepted=True)
    assert pace.ahead > 0
    pace.note(0.001, accepted=False)
    assert pace.ahead == 0


def test_the_pace_follows_a_relay_that_becomes_slow() -> None:
    pace = Pace(4)
    pace.note(0.001, accepted=True)
    for _ in range(4):
        pace.note(1.0, accepted=True)
    assert pace.ahead == 0


def test_the_latest_mail_counts_for_a_fifth() -> None:
    pace = Pace(4)
    pace.note(0.001, accepted=True)
    pace.note(0.011, accepted=True)
    assert pace.ahead == int(4 * 0.05 / 0.003)
