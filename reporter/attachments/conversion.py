"""Pictures that few programs show, turned into one that all do: the only place that decodes."""

from __future__ import annotations

import io
import warnings

from pi_heif import register_heif_opener
from PIL import Image, ImageOps, UnidentifiedImageError

from reporter.attachments.filetypes import (
    AVIF,
    BMP,
    HEIC,
    JPEG,
    PNG,
    TIFF,
    Damaged,
    FileType,
    TooManyPixels,
)
from reporter.attachments.pictures import DECODED_PIXELS
from reporter.attachments.turns import (
    CONVERTED_PIXELS,
    CONVERTED_WITHIN_SECONDS,
    Busy,
    Spending,
    Turn,
)

# Over this a picture of colours is a photo or a scan, for which a PNG is too large.
DRAWN_PIXELS = 9_000_000
FORMATS = {HEIC: "HEIF", AVIF: "AVIF", BMP: "BMP", TIFF: "TIFF"}
TURN = 0x0112  # how the picture is turned (Exif 2.32)

decoding = Turn()  # memory is taken once, whoever sends what
converted = Spending(CONVERTED_PIXELS, CONVERTED_WITHIN_SECONDS)
register_heif_opener(thumbnails=False)


def convert(content: bytes, kind: FileType, client: str = "") -> tuple[bytes, FileType]:
    """*content* as a JPEG, where it is a photo, or as a PNG; the first page of several. Nothing
    but its pixels and colours is kept. *client*: whose it is, who has a part of our time. Raises
    Damaged and TooManyPixels, before it decodes, and Busy, where there is no time for it now."""
    try:
        with decoding.taken(client), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of many pixels: they are counted here
            with Image.open(io.BytesIO(content), formats=[FORMATS[kind]]) as picture:
                pixels = picture.width * picture.height
                if pixels > DECODED_PIXELS:
                    raise TooManyPixels(kind.suffix.upper())
                converted.spend(client, pixels)
                drawn = kind in {BMP, TIFF} and pixels <= DRAWN_PIXELS
                return _saved(picture, PNG if drawn or picture.mode in {"1", "P"} else JPEG)
    except Image.DecompressionBombError as error:
        raise TooManyPixels(kind.suffix.upper()) from error
    except (TooManyPixels, Busy):
        raise
    except (UnidentifiedImageError, Exception) as error:  # a malformed one raises what it likes
        raise Damaged(kind.suffix.upper()) from error


def _saved(picture: Image.Image, kind: FileType) -> tuple[bytes, FileType]:
    profile = picture.info.get("icc_profile")
    shown = ImageOps.exif_transpose(picture)
    if kind == JPEG and shown.mode not in {"L", "RGB"}:
        shown = shown.convert("RGB")
        profile = None if picture.mode == "CMYK" else profile
    if kind == PNG and shown.mode not in {"1", "L", "LA", "P", "RGB", "RGBA"}:
        shown = shown.convert("RGB")
        profile = None
    clean = io.BytesIO()
    if kind == JPEG:
        shown.save(clean, "JPEG", quality=88, icc_profile=profile, exif=b"")
    else:
        shown.save(clean, "PNG", icc_profile=profile, exif=b"")
    return clean.getvalue(), kind
