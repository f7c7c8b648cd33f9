from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporter.delivery.backoff import backoff_seconds


@pytest.mark.parametrize(
    ("attempt_count", "seconds"),
    [(1, 15), (2, 30), (3, 60), (4, 120), (5, 240), (6, 480), (7, 900), (8, 900), (5000, 900)],
)
def test_wait_doubles_from_15_seconds_to_15_minutes(attempt_count: int, seconds: float) -> None:
    assert backoff_seconds(attempt_count, jitter=0.5) == pytest.approx(seconds)


def test_jitter_spreads_the_wait_by_a_fifth_either_way() -> None:
    assert backoff_seconds(1, jitter=0.0) == pytest.approx(12)
    assert backoff_seconds(1, jitter=0.25) == pytest.approx(13.5)
    assert backoff_seconds(1, jitter=0.9999) == pytest.approx(18, abs=0.01)
    assert backoff_seconds(7, jitter=0.0) == pytest.approx(720)


@given(st.integers(1, 10**6), st.floats(0, 1, exclude_max=True))
def test_wait_is_between_12_seconds_and_18_minutes(attempt_count: int, jitter: float) -> None:
    assert 12 <= backoff_seconds(attempt_count, jitter) <= 1080
