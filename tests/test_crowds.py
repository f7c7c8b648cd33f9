"""Many at once: an honest crowd behind one address is not stopped, a hostile one takes little."""

from __future__ import annotations

import io
import tracemalloc
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
import time_machine
from customers import Customer
from factories import SENT_AT, SLUGS, an_app, values
from flask import Flask
from pi_heif import register_heif_opener
from PIL import Image
from provider import a_picture

from reporter.attachments import conversion
from reporter.attachments.turns import CONVERTED_PIXELS, Spending
from reporter.models import Attachment, Report

CUSTOMERS = 200
POLLS = 3  # of its receipt, by a page that stays open
PHONE_PIXELS = 4032 * 3024
HEIC = (Path(__file__).parent / "pictures/photo.heic").read_bytes()
register_heif_opener()


def test_200_customers_of_one_address_are_not_stopped_in_an_outage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A company behind one IPv4, in ten minutes, with every limit and quota on: each goes through
    the whole form with two photos of a phone, sends it, and stays at the receipt. (The photo here
    is a small one, and so is the share of time to convert it, by as much; to begin takes no less.)
    """
    answers: Counter[int] = Counter()
    avif = a_picture("AVIF")
    with Image.open(io.BytesIO(HEIC)) as photo:
        share = CONVERTED_PIXELS * photo.width * photo.height // PHONE_PIXELS
    monkeypatch.setattr(conversion, "converted", Spending(share, 600))
    monkeypatch.setattr(conversion, "PIXELS_A_MILLISECOND", 0)
    with (
        an_app(tmp_path, RATELIMIT_ENABLED=True) as app,
        time_machine.travel(SENT_AT, tick=False) as clock,
    ):

        @app.after_request
        def count(response):  # type: ignore[no-untyped-def]
            answers[response.status_code] += 1
            return response

        for number in range(CUSTOMERS):
            customer = Customer(app, REMOTE_ADDR="203.0.113.9")
            customer.open("/")
            customer.open("/report/failure")
            photos = [("1.heic", HEIC + bytes([number])), ("2.avif", avif + bytes([number]))]
            mine = {"summary": f"Caída {number}", "email": f"c{number}@example.com"}
            customer.forge(files=photos, **values("failure", **mine))
            for slug in SLUGS[1:]:
                customer.forge(**values(slug, **mine))
            page = customer.forge()
            assert page.status == 200, number
            receipt = page.path
            for _ in range(POLLS):
                assert customer.peek(f"{receipt}/status.json").status == 200
            clock.shift(timedelta(minutes=10) / CUSTOMERS)
        with app.extensions["sqlalchemy"].read() as session:
            assert session.scalar(sa.select(sa.func.count()).select_from(Report)) == CUSTOMERS
            kept = sa.select(Attachment.mime_type, sa.func.count()).group_by(Attachment.mime_type)
            assert session.execute(kept).all() == [("image/jpeg", 2 * CUSTOMERS)]
    assert set(answers) == {200, 303}
    assert sum(answers.values()) == CUSTOMERS * (12 + POLLS)


def a_photo(number: int) -> bytes:
    """12 million pixels, as a phone's, in 285 kB; no two are the same."""
    file = io.BytesIO()
    Image.new("RGB", (4000, 3000), (40 * number, 90, 160)).save(file, "JPEG", quality=90)
    return file.getvalue().ljust(285_000, b"\x00")  # behind its end, where nobody looks


def test_16_uploads_of_three_photos_take_little_memory_and_decode_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record_property: Callable[[str, object], None]
) -> None:
    photos = [a_photo(number) for number in range(6)]
    opened: list[object] = []
    monkeypatch.setattr(Image, "open", lambda *of, **_: opened.append(of))

    def upload(app: Flask, number: int) -> int:
        visitor = Customer(app, REMOTE_ADDR=f"203.0.113.{number}")
        visitor.open("/report/failure")
        chosen = [(f"{n}.jpg", photos[(number + n) % 6]) for n in range(3)]
        page = visitor.forge(files=chosen, keep="yes")
        return page.status

    with an_app(tmp_path) as app:
        upload(app, 99)  # what is loaded once
        tracemalloc.start()
        with ThreadPoolExecutor(16) as pool:
            statuses = list(pool.map(lambda number: upload(app, number), range(16)))
        _now, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        with app.extensions["sqlalchemy"].read() as session:
            kept = session.scalar(sa.select(sa.func.count()).select_from(Attachment))
    sent = 16 * 3 * len(photos[0])
    record_property(
        "16 uploads of three photos at once",
        f"  {sent / 1e6:.0f} MB sent, at most {peak / 1e6:.0f} MB held at once, none decoded",
    )
    assert statuses == [200] * 16
    assert kept == 17 * 3
    assert opened == []
    assert peak < 6 * sent  # of 16 times three such photos decoded: 1 700 MB
