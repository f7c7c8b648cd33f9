"""What kind of file it is, by its content alone; and pictures without where they were taken."""

from __future__ import annotations

import codecs
import gzip
import io
import random
import struct
import zipfile
import zlib
from contextlib import suppress
from pathlib import Path

import pytest
from PIL import Image
from provider import a_picture

from reporter.attachments.filetypes import (
    PDF,
    TEXT,
    FileType,
    Heic,
    NotAllowed,
    TooManyPixels,
    detect,
    is_named_so,
)
from reporter.attachments.location import GPS_IFD, without_position

JPEG = FileType("image/jpeg", "jpg")
WEBP = FileType("image/webp", "webp")
ORIENTATION, MAKE, TAKEN_AT = 0x0112, 0x010F, 0x9003
EXIF_IFD = 0x8769


def a_zip() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("log.txt", "502")
    return content.getvalue()


def a_photo(kind: str = "JPEG", *, position: bool = True, **options: object) -> bytes:
    """A noisy picture that a phone took, on its side, and where."""
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    exif[MAKE] = "Phone"
    exif.get_ifd(EXIF_IFD)[TAKEN_AT] = "2026:11:23 02:40:00"
    if position:
        exif.get_ifd(GPS_IFD).update({1: "N", 2: (40.0, 25.0, 1.0), 3: "W", 4: (3.0, 42.0, 1.0)})
    content = io.BytesIO()
    noise = Image.effect_noise((64, 48), 60).convert("RGB")
    noise.save(content, kind, exif=exif, quality=90, **options)
    return content.getvalue()


def opened(content: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(content))
    picture.load()
    return picture


def positions(content: bytes) -> list[object]:
    """Whatever says where a picture, or one inside it, was taken."""
    picture = opened(content)
    found: list[object] = []
    for frame in range(getattr(picture, "n_frames", 1)):
        picture.seek(frame)
        found += picture.getexif().get_ifd(GPS_IFD).items()
    return found + [mark for mark in (b"GPSL", b"GPSI") if mark in content]


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (a_picture("PNG"), FileType("image/png", "png")),
        (a_picture("JPEG"), JPEG),
        (a_picture("WEBP"), FileType("image/webp", "webp")),
        (a_picture("GIF"), FileType("image/gif", "gif")),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n", PDF),
        (codecs.BOM_UTF8 + b"\r\n %PDF-1.4\n\x00", PDF),
        (b"<p>%PDF-1.4</p>", TEXT),
        (b"502 Bad Gateway\n", TEXT),
        ("La tienda no carga – error 502\r\n\t\x0c".encode(), TEXT),
        (b"\xef\xbb\xbf" + "año".encode(), TEXT),
        ("una línea en latín\n".encode("latin-1"), TEXT),
        ("“comillas” de Windows: 5 €\n".encode("cp1252"), TEXT),
        ("Get-Process | más\r\n".encode("utf-16"), TEXT),
        (b"\xff\xfe" + "Get-Process\r\n".encode("utf-16-le"), TEXT),
        (b"\xfe\xff" + "Get-Process ñ 漢 \N{FIRE}\n".encode("utf-16-be"), TEXT),
        (b"\x1b[31mERROR\x1b[0m 502\n", TEXT),
        (b"<!doctype html><script>alert(1)</script>", TEXT),
        (b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', TEXT),
        (b'{"a": 1}', TEXT),
    ],
    ids=[
        "png", "jpeg", "webp", "gif", "pdf", "pdf-after-space", "pdf-told-of", "ascii", "utf-8",
        "bom", "latin-1", "cp1252", "utf-16", "utf-16-le", "utf-16-be", "colours", "html", "svg",
        "json",
    ],
)  # fmt: skip
def test_a_type_is_told_from_the_content(content: bytes, kind: FileType) -> None:
    assert detect(content) == kind


PAGES = {
    "html": b"<!DOCTYPE html><title>x</title>",
    "html-commented": b"\xef\xbb\xbf\n<!-- x --><!----> \n<html>",
    "html-16": "<html><body>".encode("utf-16"),
    "script": b"<script>alert(1)</script>",
    "svg": b'<?xml version="1.0"?>\n<!DOCTYPE svg PUBLIC ""><svg onload="alert(1)"/>',
}


@pytest.mark.parametrize("content", PAGES.values(), ids=PAGES.keys())
def test_a_page_is_text_and_nothing_else_whatever_it_is_called(content: bytes) -> None:
    for name in ("page.html", "page.txt", "page", "png"):
        assert detect(content, name) == TEXT
    for name in ("foto.png", "FOTO.JPG", "informe.pdf", "x.html.gif", "dibujo.svg"):
        with pytest.raises(NotAllowed):
            detect(content, name)


def test_a_text_that_only_speaks_of_pages_is_taken_under_any_name() -> None:
    for text in (b"error in <html>", b"<p>502</p>", b"<!--" * 2000, b" " * 10_000, b"<svgx>"):
        assert detect(text, "foto.png") == TEXT


@pytest.mark.parametrize(
    ("name", "mime_type", "so"),
    [
        ("a.png", "image/png", True),
        ("a.JPEG", "image/jpeg", True),
        ("a.jpg", "image/png", False),
        ("a", "image/png", False),
        ("a.exe", "application/pdf", False),
        ("a.log", TEXT.mime_type, True),
        ("a", TEXT.mime_type, True),
        ("a.png", TEXT.mime_type, False),
    ],
)
def test_a_name_says_what_a_file_is_or_not(name: str, mime_type: str, so: bool) -> None:
    assert is_named_so(name, mime_type) is so


def test_text_of_any_kind_travels_as_bytes_that_nothing_renders() -> None:
    assert (TEXT.mime_type, TEXT.suffix) == ("application/octet-stream", "txt")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        Path("/bin/sh").read_bytes()[:4096],
        b"\x7fELF\x02\x01\x01" + b"\x00" * 9,
        b"MZ\x90\x00\x03\x00\x00\x00",
        b"MZ\x90\x00\x03\x00\x00\x00%PDF-1.7\n",
        b"\x00%PDF-1.7\n",
        a_zip(),
        gzip.compress(b"502"),
        b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00",
        b"\x89PNG\r\n\x1a\n",
        b"\x89PNG\r\n\x1a\n" + b"\x00" * 100,
        b"RIFF\x00\x00\x00\x00WEBP",
        b"BM" + bytes(60),
        b"a line\x00another",
        b"\xff\xfe" + "a\x00b".encode("utf-16-le"),
        b"\xff\xfe\x00",
        "no mark".encode("utf-16-le"),
        bytes(range(256)),
    ],
    ids=[
        "empty", "program", "elf", "exe", "exe-pdf", "nul-pdf", "zip", "gzip", "mp4",
        "png-mark", "png-broken", "webp-broken", "bmp", "nul", "utf-16-nul", "utf-16-half",
        "utf-16-no-mark", "binary",
    ],
)  # fmt: skip
def test_all_else_is_refused(content: bytes) -> None:
    with pytest.raises(NotAllowed):
        detect(content)


def test_a_picture_that_would_fill_the_memory_is_refused_unopened() -> None:
    def chunk(kind: bytes, content: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + check

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b""))
    with pytest.raises(TooManyPixels):
        detect(bomb + chunk(b"IEND", b""))


def test_a_photo_loses_its_position_and_nothing_else() -> None:
    photo = a_photo()
    assert positions(photo)
    clean = without_position(photo, JPEG)
    assert positions(clean) == []
    before, after = opened(photo), opened(clean)
    assert detect(clean) == JPEG
    assert after.size == before.size
    assert after.getexif()[ORIENTATION] == 6
    assert after.getexif()[MAKE] == "Phone"
    assert after.getexif().get_ifd(EXIF_IFD)[TAKEN_AT] == "2026:11:23 02:40:00"
    assert after.quantization == before.quantization
    differences = [
        abs(one - other) for one, other in zip(before.tobytes(), after.tobytes(), strict=True)
    ]
    assert max(differences) <= 3


@pytest.mark.parametrize("xmp", [b"", b'<a exif:GPSLatitude="40,25N"/>'], ids=["exif", "xmp"])
def test_a_webp_loses_its_position_and_not_a_pixel(xmp: bytes) -> None:
    photo = a_photo("WEBP", position=not xmp, xmp=xmp)
    assert positions(photo)
    clean = without_position(photo, WEBP)
    assert positions(clean) == []
    assert detect(clean) == WEBP
    assert opened(clean).getexif()[ORIENTATION] == 6
    assert opened(clean).tobytes() == opened(photo).tobytes()
    assert without_position(clean, WEBP) == clean


def test_no_malformed_webp_is_more_than_refused() -> None:
    photo = a_photo("WEBP")
    chance = random.Random(20261123)
    for _ in range(500):
        content = bytearray(photo)
        for _ in range(chance.randint(1, 5)):
            content[chance.randrange(12, 60)] = chance.choice([0, 255, chance.randrange(256)])
        with suppress(NotAllowed):
            assert without_position(bytes(content), detect(bytes(content)))


def test_the_caption_of_a_photo_goes_since_it_may_say_where_it_was() -> None:
    city = b"\x1c\x02\x5a\x00\x06Madrid"
    resource = b"8BIM\x04\x04\x00\x00" + struct.pack(">I", len(city)) + city + b"\x00"
    segment = b"Photoshop 3.0\x00" + resource
    plain = a_photo(position=False)
    photo = plain[:2] + b"\xff\xed" + struct.pack(">H", len(segment) + 2) + segment + plain[2:]
    clean = without_position(photo, JPEG)
    assert b"Madrid" not in clean
    assert opened(clean).getexif()[ORIENTATION] == 6


@pytest.mark.parametrize("brand", [b"heic", b"mif1"])
def test_a_heic_is_known_and_not_taken(brand: bytes) -> None:
    with pytest.raises(Heic):
        detect(b"\x00\x00\x00\x18ftyp" + brand + b"\x00" * 40)


def test_a_photo_keeps_its_colours() -> None:
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    clean = without_position(a_photo(icc_profile=profile), JPEG)
    assert opened(clean).info["icc_profile"] == profile


def test_a_position_in_xmp_goes_too() -> None:
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><a exif:GPSLatitude="40,25N"/></x:xmpmeta>'
    photo = a_photo(position=False, xmp=xmp)
    assert positions(photo) == [b"GPSL"]
    assert positions(without_position(photo, JPEG)) == []


@pytest.mark.parametrize("position", [True, False], ids=["both", "the second"])
def test_a_photo_with_several_pictures_is_taken_and_tells_no_position(position: bool) -> None:
    inside = Image.open(io.BytesIO(a_photo()))
    inside.encoderinfo = {"exif": inside.getexif()}
    photo = a_photo("MPO", position=position, save_all=True, append_images=[inside])
    assert len(positions(photo)) == (8 if position else 4)
    assert detect(photo) == JPEG
    clean = without_position(photo, JPEG)
    assert positions(clean) == []
    assert opened(clean).getexif()[ORIENTATION] == 6


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
def test_a_picture_without_a_position_stays_as_it_is_byte_for_byte(kind: str) -> None:
    picture = a_photo(position=False) if kind == "JPEG" else a_picture(kind)
    assert without_position(picture, detect(picture)) == picture


def test_other_files_stay_as_they_are() -> None:
    for content in (b"%PDF-1.7 GPSLatitude", b"GPSLatitude: 40"):
        assert without_position(content, detect(content)) == content


def test_a_broken_photo_that_tells_its_position_is_refused() -> None:
    """It cannot be written anew, and as it is it is not passed on."""
    photo = a_photo()
    broken = photo[: len(photo) // 2]
    assert detect(broken) == JPEG
    with pytest.raises(NotAllowed):
        without_position(broken, JPEG)


def test_a_broken_photo_without_a_position_may_still_show_something() -> None:
    photo = a_photo(position=False)
    broken = photo[: len(photo) // 2]
    assert without_position(broken, detect(broken)) == broken


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_no_malformed_photo_is_more_than_refused() -> None:
    photos = [a_photo(), a_photo("MPO", save_all=True, append_images=[opened(a_photo())])]
    chance = random.Random(20261123)
    outcomes = {"kept": 0, "refused": 0}
    for _ in range(2_000):
        content = bytearray(chance.choice(photos))
        for _ in range(chance.randint(1, 5)):
            content[chance.randrange(300)] = chance.choice([0, 255, chance.randrange(256)])
        try:
            clean = without_position(bytes(content), detect(bytes(content)))
        except NotAllowed:
            outcomes["refused"] += 1
        else:
            outcomes["kept"] += 1
            assert clean
    assert min(outcomes.values()) > 100
