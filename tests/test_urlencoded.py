"""A form as browsers send it, read as the standard library reads it, and at another cost."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reporter.formats.urlencoded import BROKEN_ESCAPES, pairs

QUOTED = rb"a %41 % %4 %zz + = & ; \ %5C %5cx41 x41 %u0041 N{ %ff %C3%B1 %f0%9f %00 %%41".split()
PIECES = st.sampled_from([*QUOTED, b"\xff", b"\xc3\xb1", b"\n"])


@settings(max_examples=500)
@given(st.lists(PIECES, max_size=12).map(b"".join))
def test_it_is_what_the_standard_library_reads(content: bytes) -> None:
    plain = "".join(chr(byte) if byte < 128 else f"%{byte:02X}" for byte in content)
    assert pairs(content) == parse_qsl(plain, keep_blank_values=True)


@given(st.lists(st.tuples(st.text(min_size=1), st.text())))
def test_what_a_browser_sends_comes_back_as_it_was(sent: list[tuple[str, str]]) -> None:
    told = [
        (n.encode(errors="replace").decode(), v.encode(errors="replace").decode()) for n, v in sent
    ]
    assert pairs(urlencode(told).encode()) == told


def test_a_few_percent_signs_stand_for_themselves_and_many_are_no_form() -> None:
    assert pairs(b"a=100%" + b"%" * (BROKEN_ESCAPES - 1)) == [("a", "100" + "%" * BROKEN_ESCAPES)]
    with pytest.raises(ValueError, match="no form"):
        pairs(b"a=" + b"%" * (BROKEN_ESCAPES + 1))
