"""When a relay pauses, and that one mail which gets through ends it."""

from __future__ import annotations

import time

import pytest

from reporter.delivery.health import IN_A_ROW, RelayHealth, pause_seconds


@pytest.mark.parametrize(
    ("failures", "seconds"), [(1, 5), (2, 10), (3, 20), (4, 40), (5, 60), (6, 60), (5000, 60)]
)
def test_a_pause_doubles_from_5_seconds_to_a_minute(failures: int, seconds: float) -> None:
    assert pause_seconds(failures, jitter=0.5) == pytest.approx(seconds)
    assert pause_seconds(failures, jitter=0.0) == pytest.approx(0.8 * seconds)


def test_a_failure_pauses_and_a_success_ends_it() -> None:
    health = RelayHealth()
    assert not health.is_paused
    health.failed(time.monotonic())
    assert health.is_paused
    assert 0 < health.pause_left_seconds <= 6
    assert health.succeeded()
    assert not health.is_paused
    assert health.pause_left_seconds == 0


def test_the_first_success_may_be_a_recovery_and_the_next_is_none() -> None:
    health = RelayHealth()
    assert [health.succeeded(), health.succeeded()] == [True, False]
    health.failed(time.monotonic())
    assert [health.succeeded(), health.succeeded()] == [True, False]


def test_conversations_that_fail_together_count_once() -> None:
    health = RelayHealth()
    began_at = time.monotonic()
    for _ in range(4):
        health.failed(began_at)
    assert health.pause_left_seconds <= 6
    health.failed(time.monotonic())
    assert health.pause_left_seconds > 6


def test_one_mail_that_hangs_while_others_get_through_is_no_trouble_of_the_relay() -> None:
    health = RelayHealth()
    began_at = time.monotonic()
    health.succeeded()
    health.failed(began_at)
    assert not health.is_paused


def test_different_mails_that_are_not_taken_in_a_row_pause_the_relay() -> None:
    health = RelayHealth()
    for _ in range(2 * IN_A_ROW):
        assert not health.did_not_take(1, time.monotonic())  # one mail, again and again
    assert not health.did_not_take(2, time.monotonic())
    assert not health.is_paused
    assert health.did_not_take(3, time.monotonic())
    assert health.is_paused


def test_a_success_between_them_begins_the_row_anew() -> None:
    health = RelayHealth()
    for id_ in (1, 2):
        health.did_not_take(id_, time.monotonic())
    health.succeeded()
    for id_ in (3, 4):
        assert not health.did_not_take(id_, time.monotonic())
    assert not health.is_paused


def test_a_probe_that_is_not_taken_for_its_own_sake_pauses_a_troubled_relay_again() -> None:
    health = RelayHealth()
    health.failed(time.monotonic())
    assert health.pause_left_seconds <= 6
    assert not health.did_not_take(1, time.monotonic())
    assert health.pause_left_seconds > 6
