"""How long a deferred mail waits before it is tried again."""

FIRST_SECONDS = 15
LONGEST_SECONDS = 15 * 60
SPREAD = 0.2


def backoff_seconds(attempt_count: int, jitter: float) -> float:
    """Seconds to wait after the given number of attempts (1 or more).

    15 s, doubled each time up to 15 min, then spread by a fifth either way: *jitter* in [0, 1)
    keeps what failed together from coming back together.
    """
    doublings = min(attempt_count - 1, 10)  # the longest is reached before
    seconds: float = min(FIRST_SECONDS * 2**doublings, LONGEST_SECONDS)
    return seconds * (1 - SPREAD + 2 * SPREAD * jitter)
