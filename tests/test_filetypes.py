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
from pi_heif import register_heif_opener
from PIL import Image
from provider import a_picture

from reporter.attachments.conversion import convert
from reporter.attachments.detection import detect
from reporter.attachments.filetypes import (
    AVIF,
    BMP,
    DOCX,
    GZ,
    HEIC,
    JPEG,
    MOV,
    MP4,
    MSG,
    PCAP,
    PDF,
    PNG,
    TEXT,
    TIFF,
    WEBM,
    WEBP,
    XLSX,
    ZIP,
    Damaged,
    Empty,
    FileType,
    NotAllowed,
    TooManyPixels,
    is_named_so,
)
from reporter.attachments.location import GPS_IFD, may_tell_position, without_position
from reporter.attachments.plain_text import to_text
from reporter.web import bounds

HERE = Path(__file__).parent
register_heif_opener()
ORIENTATION, MAKE, TAKEN_AT = 0x0112, 0x010F, 0x9003
EXIF_IFD = 0x8769


def a_zip(name: str = "log.txt") -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr(name, "502")
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
    ("name", "suffix", "so"),
    [
        ("a.png", "png", True),
        ("a.JPEG", "jpg", True),
        ("a.jpg", "png", False),
        ("a", "png", False),
        ("a.heic", "jpg", False),
        ("a.exe", "pdf", False),
        ("a.log", "txt", True),
        ("a", "txt", True),
        ("a.png", "txt", False),
        ("a.har.gz", "gz", True),
        ("a.docx", "zip", False),
    ],
)
def test_a_name_says_what_a_file_is_or_not(name: str, suffix: str, so: bool) -> None:
    assert is_named_so(name, suffix) is so


def test_text_of_any_kind_travels_as_bytes_that_nothing_renders() -> None:
    assert (TEXT.mime_type, TEXT.suffix) == ("application/octet-stream", "txt")


OUTLOOK = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500) + "__substg1.0_0037".encode("utf-16-le")


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (a_zip(), ZIP),
        (a_zip("word/document.xml"), DOCX),
        (a_zip("xl/workbook.xml"), XLSX),
        (gzip.compress(b"502"), GZ),
        (OUTLOOK, MSG),
        (b"\xd4\xc3\xb2\xa1\x02\x00\x04\x00" + bytes(16), PCAP),
        (b"\x0a\x0d\x0d\x0a\x1c\x00\x00\x00\x4d\x3c\x2b\x1a" + bytes(16), PCAP),
        (b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00isommp41", MP4),
        (b"\x00\x00\x00\x14ftypqt  \x00\x00\x02\x00qt  ", MOV),
        (b"\x00\x00\x00\x08wide\x00\x00\x10\x00mdat", MOV),
        (b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm", WEBM),
    ],
    ids=["zip", "docx", "xlsx", "gz", "msg", "pcap", "pcapng", "mp4", "mov", "mov-old", "webm"],
)
def test_what_support_opens_itself_is_for_the_desk(content: bytes, kind: FileType) -> None:
    assert detect(content) == kind
    assert (kind.for_desk, kind.mime_type) == (True, "application/octet-stream")


COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


@pytest.mark.parametrize(
    ("content", "name", "kind"),
    [
        (COMPOUND + "__properties_version1.0".encode("utf-16-le"), "", MSG),
        (COMPOUND + "__nameid_version1.0".encode("utf-16-le"), "", MSG),
        (COMPOUND + bytes(8), "Consulta.MSG", MSG),
        (b"\x1a\x45\xdf\xa3" + bytes(8), "pantalla.webm", WEBM),
    ],
)
def test_the_smallest_there_can_be_is_known_too(content: bytes, name: str, kind: FileType) -> None:
    assert detect(content, name) == kind


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (COMPOUND + bytes(8), "informe.doc"),
        (COMPOUND + "WordDocument".encode("utf-16-le"), "informe.msg"),
        (b"\x1a\x45\xdf\xa3\x8b\x42\x82\x88matroska" + bytes(8), "pantalla.webm"),
        (b"\x1a\x45\xdf\xa3" + bytes(8), "pantalla.mkv"),
    ],
)
def test_no_name_makes_another_file_of_what_says_what_it_is(content: bytes, name: str) -> None:
    with pytest.raises(NotAllowed):
        detect(content, name)


SHIFT_JIS = "エラーが発生しました。データベース接続を確認してください。".encode("shift-jis")


@pytest.mark.parametrize(
    "content",
    [
        ("ñandú\n" * 20).encode()[3:],
        ("á" * 30).encode()[:-1],
        "La conexión se perdió\n".encode() + b"\xff",
        b"Mar\xeda dice\n" * 3 + "Mar\u00eda\n".encode(),
        "no mark, and yet text\r\n".encode("utf-16-le"),
        "no mark, and yet text\r\n".encode("utf-16-be"),
        SHIFT_JIS,
        "ошибка".encode("cp1251"),
        "数据库连接失败，请稍后再试。".encode("gbk"),
        b"login: \x0eroot\x0f\r\n\x07$ ls\x1b[0m\r\n",
        b"C:\\> dir\r\n\x1a",
        b"x" * 400 + b"\x00" + b"y" * 400,
        b"From: a@example.com\r\nSubject: 502\r\n\r\nhi",
        b'{"log": {"version": "1.2", "entries": []}}',
    ],
    ids=[
        "cut-at-its-start", "cut-at-its-end", "a-bad-byte", "two-encodings", "utf-16-le",
        "utf-16-be", "shift-jis", "cp1251", "gbk", "serial", "dos", "a-nul", "eml", "har",
    ],
)  # fmt: skip
def test_what_is_mostly_text_is_text_in_any_encoding(content: bytes) -> None:
    assert detect(content) == TEXT
    assert to_text(content)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (Path("/bin/sh").read_bytes()[:4096], "ELF"),
        (b"\x7fELF\x02\x01\x01" + b"\x00" * 9, "ELF"),
        (b"MZ\x90\x00\x03\x00\x00\x00", "EXE"),
        (b"MZ\x90\x00\x03\x00\x00\x00%PDF-1.7\n", "EXE"),
        (b"Rar!\x1a\x07\x01\x00" + bytes(9), "RAR"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), "DOC, XLS, PPT"),
        (b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x88matroska", "MKV"),
        (b"\x00%PDF-1.7\n", ""),
        (b"a line\x00another", ""),
        (b"\xff\xfe" + "a\x00b".encode("utf-16-le"), ""),
        (b"\xff\xfe\x00", ""),
        (bytes(range(256)), ""),
        (random.Random(20261123).randbytes(4000), ""),
    ],
)
def test_all_else_is_refused_by_its_name(content: bytes, kind: str) -> None:
    with pytest.raises(NotAllowed) as refused:
        detect(content)
    assert refused.value.kind == kind
    assert type(refused.value) is NotAllowed


def test_what_is_empty_or_damaged_is_refused_as_such() -> None:
    with pytest.raises(Empty):
        detect(b"")
    for content in (
        b"\x89PNG\r\n\x1a\n",
        b"\x89PNG\r\n\x1a\n" + b"\x00" * 100,
        b"RIFF\x00\x00\x00\x00WEBP",
        b"GIF89a",
        b"\xff\xd8\xff\xe0\x00",
        b"PK\x03\x04\x00\x00",
    ):
        with pytest.raises(Damaged):
            detect(content)


def test_a_picture_that_would_fill_the_memory_is_refused_unopened() -> None:
    def chunk(kind: bytes, content: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + check

    def of(height: int) -> bytes:
        header = struct.pack(">IIBBBBB", 50_000, height, 8, 2, 0, 0, 0)
        begin = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
        return begin + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")

    most = bounds.PICTURE_PIXELS // 50_000
    assert detect(of(most)) == PNG
    with pytest.raises(TooManyPixels):
        detect(of(most + 1))


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


def a_rare_picture(kind: str, mode: str = "RGB") -> bytes:
    content = io.BytesIO()
    exif = Image.Exif()
    exif.get_ifd(GPS_IFD).update({1: "N", 2: (40.0, 25.0, 1.0)})
    options = {"exif": exif} if kind in {"AVIF", "TIFF"} else {}
    Image.new(mode, (40, 20), "red" if mode == "RGB" else 1).save(content, kind, **options)
    return content.getvalue()


@pytest.mark.parametrize(
    ("content", "kind", "becomes"),
    [
        (a_rare_picture("BMP"), BMP, PNG),
        (a_rare_picture("TIFF"), TIFF, PNG),
        (a_rare_picture("TIFF", "1"), TIFF, PNG),
        (a_rare_picture("AVIF"), AVIF, JPEG),
        ((HERE / "pictures/photo.heic").read_bytes(), HEIC, JPEG),
    ],
    ids=["bmp", "tiff", "fax", "avif", "heic"],
)
def test_a_picture_that_few_programs_show_becomes_one_that_all_do(
    content: bytes, kind: FileType, becomes: FileType
) -> None:
    assert detect(content) == kind
    clean, shown_as = convert(content, kind)
    assert shown_as == becomes == detect(clean)
    assert positions(clean) == []
    assert opened(clean).size == opened(content).size


@pytest.mark.parametrize(("kind", "suffix"), [(BMP, "BMP"), (TIFF, "TIFF"), (AVIF, "AVIF")])
def test_a_damaged_rare_picture_is_refused_as_such(kind: FileType, suffix: str) -> None:
    content = a_rare_picture(suffix)
    with pytest.raises(Damaged):
        convert(content[:40], kind)


MANY = 40_000  # of a picture's parts: twice what is read of them
TINY = {
    "jpg": (
        b"\xff\xd8\xff\xc0\x00\x11\x08\x00\x0a\x00\x0a\x03" + b"\0" * 9,
        b"\xff\xe1\x00\x08Exif\0\0",
    ),
    "padded": (b"\xff\xd8", b"\xff\xff\xff"),
    "png": (
        b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x0a\0\0\0\x0a\x08\2\0\0\0\0\0\0\0",
        b"\0\0\0\x04eXIfMM\0*\0\0\0\0",
    ),
    "gif": (b"GIF89a\x0a\0\x0a\0\0\0\0", b"!\xfe\0"),
    "webp": (b"RIFF\xff\xff\xff\0WEBPVP8X\x0a\0\0\0\0\0\0\0\x09\0\0\x09\0\0", b"abcd\0\0\0\0"),
}


@pytest.mark.parametrize("name", TINY)
def test_a_picture_of_very_many_parts_is_refused_before_they_are_read(name: str) -> None:
    head, part = TINY[name]
    with pytest.raises(Damaged):
        without_position(head + part * MANY, detect(head + part * MANY))
    if name != "padded":
        few = head + part * 1_000
        assert len(without_position(few, detect(few))) >= len(head)


def test_a_rare_picture_with_too_many_pixels_is_refused_before_it_is_decoded() -> None:
    def of(height: int) -> bytes:
        """A header, and no pixel: whoever decodes it finds that."""
        kind = "<2sIHHIIiiHHIIiiII"
        return struct.pack(kind, b"BM", 54, 0, 0, 54, 40, 50_000, height, 1, 24, *[0] * 6)

    most = bounds.DECODED_PIXELS // 50_000
    assert detect(of(most)) == BMP
    with pytest.raises(Damaged):
        convert(of(most), BMP)
    for height in (most + 1, 60_000):
        with pytest.raises(TooManyPixels):
            convert(of(height), BMP)


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


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_photo_without_its_end_is_taken_without_its_position(kind: str) -> None:
    photo = a_photo(kind)
    broken = photo[: len(photo) - len(photo) // 4] if kind == "JPEG" else photo[:-40]
    clean = without_position(broken, detect(broken))
    assert without_position(clean, detect(clean)) == clean
    assert len(clean) > len(broken) // 2
    assert not telling(clean)


def telling(content: bytes) -> list[bytes]:
    """The latitude of `a_photo`, as EXIF keeps it in either order."""
    marks = [struct.pack("<6I", 40, 1, 25, 1, 1, 1), struct.pack(">6I", 40, 1, 25, 1, 1, 1)]
    return [mark for mark in marks if mark in content]


def test_the_marks_of_a_position_are_there_before_they_are_taken_out() -> None:
    for kind in ("JPEG", "PNG", "WEBP"):
        assert telling(a_photo(kind))


def test_a_photo_of_108_million_pixels_is_taken_without_its_position_and_not_decoded() -> None:
    photo = a_photo()
    frame = photo.index(b"\xff\xc0") + 5
    huge = photo[:frame] + struct.pack(">HH", 9_000, 12_000) + photo[frame + 4 :]
    assert telling(huge)
    clean = without_position(huge, detect(huge))
    assert not telling(clean)


def test_what_stands_behind_a_picture_is_cut_off() -> None:
    for kind in ("JPEG", "PNG", "WEBP", "GIF"):
        picture = a_picture(kind)
        assert without_position(picture + a_photo(), detect(picture)) == picture


def png_with(*chunks: tuple[bytes, bytes]) -> bytes:
    picture = a_picture("PNG")
    made = [
        struct.pack(">I", len(held)) + name + held + struct.pack(">I", zlib.crc32(name + held))
        for name, held in chunks
    ]
    return picture[:33] + b"".join(made) + picture[33:]


@pytest.mark.parametrize(
    "chunk",
    [
        (b"tEXt", b"exif:GPSLatitude\x0040/1, 25/1, 1/1"),
        (b"zTXt", b"Raw profile type exif\x00\x00" + zlib.compress(b"exif 40 25")),
        (b"zTXt", b"Raw profile type APP1\x00\x00" + zlib.compress(b"xmp 40 25")),
        (b"iTXt", b"XML:com.adobe.xmp\x00\x00\x00\x00\x00<exif:GPSLatitude>40,25N"),
        (b"tEXt", b"Location\x00Madrid"),
    ],
    ids=["tag", "exif", "xmp-raw", "xmp", "location"],
)
def test_a_png_loses_every_text_that_may_tell_a_position(chunk: tuple[bytes, bytes]) -> None:
    said = (b"Comment", b"tEXt", b"Comment\x00error 502")
    photo = png_with(chunk, said[1:])
    clean = without_position(photo, PNG)
    assert clean == png_with(said[1:])
    assert opened(clean).size == (64, 48)


def test_a_gif_loses_its_xmp_and_keeps_its_pictures() -> None:
    frames = [Image.new("P", (20, 20), color) for color in (1, 2)]
    content = io.BytesIO()
    frames[0].save(content, "GIF", save_all=True, append_images=frames[1:], loop=0)
    picture = content.getvalue()
    xmp = b"!\xff\x0bXMP DataXMP<exif:GPSLatitude>40,25N</exif:GPSLatitude>"
    magic = b"\x01" + bytes(range(255, -1, -1)) + b"\x00"
    at = picture.index(b"!\xff")
    photo = picture[:at] + xmp + magic + picture[at:]
    clean = without_position(photo, detect(photo))
    assert b"GPSLatitude" not in clean
    assert clean == picture


def test_a_video_that_may_say_where_it_was_recorded_is_known() -> None:
    video = b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00isommp41"
    assert not may_tell_position(video, MP4)
    assert may_tell_position(video + b"\x00\x12\xa9xyz+40.41-003.70/", MP4)
    assert not may_tell_position(b"loci and \xa9xyz", TEXT)


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
            with suppress(NotAllowed):
                assert without_position(clean, JPEG) == clean
    assert min(outcomes.values()) > 100
