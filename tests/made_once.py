"""What the code makes anew or slowly each time, made once or quickly for the tests of a process.

Two thirds of making an application are the functions that put addresses together, and most of a
sign-in is scrypt: neither is what a test is about, but for those that ask for the real thing.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from werkzeug.routing import Rule
from werkzeug.security import generate_password_hash

from reporter.staff import passwords

_build = Rule._compile_builder
_built: dict[tuple[Any, ...], Callable[..., Any]] = {}


def install() -> None:
    Rule._compile_builder = _built_once  # type: ignore[method-assign]
    quick = partial(generate_password_hash, method="scrypt:1024:8:1")
    passwords.generate_password_hash = quick  # type: ignore[attr-defined]


def _built_once(rule: Rule, append_unknown: bool = True) -> Callable[..., Any]:
    """Its text alone decides; its converters are asked through the rule that it is called with."""
    if rule.defaults:
        return _build(rule, append_unknown)
    key = (rule.rule, *rule._trace, append_unknown)
    if key not in _built:
        _built[key] = _build(rule, append_unknown)
    return _built[key]
