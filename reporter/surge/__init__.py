"""NOTICE: many reports on one service at once, and support is told of it once."""

from reporter.surge.counting import next_number
from reporter.surge.detection import Surging, compose, judge, keep, name_of

__all__ = ["Surging", "compose", "judge", "keep", "name_of", "next_number"]
