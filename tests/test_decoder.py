"""Strangers' pictures are decoded by a process apart, which may end: nothing else does with it."""

from __future__ import annotations

import io
import os
import signal
import struct
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, TiffImagePlugin
from structlog.testing import capture_logs

from reporter.attachments import conversion
from reporter.attachments.conversion import Decoder, convert
from reporter.attachments.decoder import CPU_SECONDS, MEMORY_BYTES
from reporter.attachments.detection import detect
from reporter.attachments.filetypes import AVIF, JPEG, PNG, TIFF, Damaged
from reporter.attachments.location import without_position
from reporter.attachments.turns import Busy, Spending
from reporter.logs import take_no_warnings

MANY = 300


@pytest.fixture
def decoder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Decoder]:
    decoder = Decoder()
    monkeypatch.setattr(conversion, "_decoder", decoder)
    yield decoder
    decoder.end()


def a_picture(size: tuple[int, int] = (64, 48)) -> bytes:
    content = io.BytesIO()
    noise = Image.effect_noise(size, 60)
    Image.merge("RGB", [noise] * 3).save(content, "AVIF", speed=10)
    return content.getvalue()


def of_tiles(side: int) -> bytes:
    """A TIFF of 100 by 100 pixels, of which a tile has more than all of them."""
    data = zlib.compress(b"\0" * 40_000)
    numbers = {256: 100, 257: 100, 258: 8, 259: 8, 262: 2, 277: 3, 322: side, 323: side}
    numbers |= {324: 8 + 2 + 12 * 10 + 4, 325: len(data)}
    tags = b"".join(struct.pack("<HHII", tag, 4, 1, number) for tag, number in numbers.items())
    return b"II*\0\x08\0\0\0\x0a\0" + tags + b"\0" * 4 + data


def proc(decoder: Decoder, name: str) -> str:
    assert decoder._process is not None
    return (Path("/proc") / str(decoder._process.pid) / name).read_text()


def test_it_has_bounds_of_memory_and_time_and_none_of_our_secrets(
    decoder: Decoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPORTER_SECRET_KEY", "s" * 40)
    convert(a_picture(), AVIF)
    lines = proc(decoder, "limits").splitlines()
    limits = {line[:26].strip(): line[26:].split()[0] for line in lines}
    assert MEMORY_BYTES <= int(limits["Max data size"]) < 2 * MEMORY_BYTES
    assert CPU_SECONDS <= int(limits["Max cpu time"]) <= CPU_SECONDS + 5
    assert limits["Max file size"] == "0"
    assert "SECRET" not in proc(decoder, "environ")


def test_a_picture_that_takes_more_than_its_header_says_is_refused_and_nobody_ends(
    decoder: Decoder,
) -> None:
    """A tile of 1.2 GB, of a picture of 100 by 100 pixels."""
    assert detect(of_tiles(20_000)) == TIFF
    convert(a_picture(), AVIF)
    before = decoder._process
    with pytest.raises(Damaged):
        convert(of_tiles(20_000), TIFF)
    assert detect(convert(of_tiles(112), TIFF)[0]) == PNG
    assert decoder._process is before


def test_one_that_was_killed_is_replaced(decoder: Decoder) -> None:
    convert(a_picture(), AVIF)
    assert decoder._process is not None
    os.kill(decoder._process.pid, signal.SIGKILL)
    decoder._process.wait()
    assert convert(a_picture(), AVIF)[1] == JPEG


def test_what_ends_it_is_kept_as_it_came_and_told_to_the_operator(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`Busy`: nobody can make anything of it here."""
    monkeypatch.setattr(conversion, "_decoder", Decoder("reporter.attachments"))
    with capture_logs() as logs, pytest.raises(Busy):
        convert(a_picture(), AVIF)
    (line,) = logs
    assert (line["event"], line["log_level"]) == ("picture not converted", "error")
    assert line["code"] == 1


def test_it_ends_with_whoever_started_it(decoder: Decoder) -> None:
    convert(a_picture(), AVIF)
    assert decoder._process
    assert decoder._line
    decoder._line.close()
    assert decoder._process.wait(20) == 0


def test_it_goes_on_where_a_client_has_had_its_part(
    decoder: Decoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By pixels, and by the time that they really took."""
    monkeypatch.setattr(conversion, "converted", Spending(64 * 48, 600))
    convert(a_picture(), AVIF, "ana")
    with pytest.raises(Busy):
        convert(a_picture(), AVIF, "ana")
    convert(a_picture(), AVIF, "luis")
    monkeypatch.setattr(conversion, "PIXELS_A_MILLISECOND", 10**9)
    monkeypatch.setattr(conversion, "converted", Spending(10**8, 600))
    convert(a_picture((640, 480)), AVIF, "ana")
    with pytest.raises(Busy):
        convert(a_picture(), AVIF, "ana")


def test_a_photo_that_does_not_fit_has_fewer_pixels() -> None:
    photo = a_picture((640, 480))
    whole, _ = convert(photo, AVIF)
    for most, size in (
        (len(whole), (640, 480)),
        (len(whole) - 1, (320, 240)),
        (10, (160, 120)),
    ):
        clean, kind = convert(photo, AVIF, most=most)
        assert kind == JPEG
        with Image.open(io.BytesIO(clean)) as shown:
            assert shown.size == size


def test_what_a_library_has_to_say_of_a_picture_is_in_no_log_and_in_no_memory() -> None:
    """Pillow warns of each of a thousand tags that reach beyond the end of the picture."""
    tags = b"".join(struct.pack("<HHII", 1 + n, 7, 60_000, 8) for n in range(MANY))
    exif = b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", MANY) + tags + b"\0" * 60_000
    photo = b"\xff\xd8\xff\xe1" + struct.pack(">H", len(exif[:65_000]) + 2) + exif[:65_000]
    photo += b"\xff\xc0\0\x0b\x08\0\x01\0\x01\x01\x01\x11\0\xff\xd9"
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        without_position(photo, JPEG)
        assert len(told) > MANY // 2
    with warnings.catch_warnings(record=True) as told:
        warnings.resetwarnings()
        take_no_warnings()
        without_position(photo, JPEG)
    assert told == []
    assert len(getattr(TiffImagePlugin, "__warningregistry__", ())) < 10
