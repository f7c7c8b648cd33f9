"""A process that decodes pictures of strangers for another one, and does nothing else.

Whoever writes a picture's header writes what they like: a decoder takes the memory and the time of
what really comes then, and one with a fault of its own takes down whoever called it. Here it is
this process that ends, with nothing in hand but that picture, no settings and no secret.

One picture after another comes by the socket that is its standard input, until that is closed or
nothing has come for a while.
"""

from __future__ import annotations

import io
import os
import resource
import signal
import socket
import time
import warnings
from collections.abc import Callable

from pi_heif import register_heif_opener
from PIL import AvifImagePlugin, Image, ImageOps

from reporter.attachments.filetypes import AVIF, BMP, HEIC, TIFF
from reporter.attachments.pictures import DECODED_PIXELS
from reporter.attachments.wire import Word, read_exactly, told, words

# Over this a picture of colours is a photo or a scan, for which a PNG is too large.
DRAWN_PIXELS = 9_000_000
FORMATS = {HEIC.suffix: "HEIF", AVIF.suffix: "AVIF", BMP.suffix: "BMP", TIFF.suffix: "TIFF"}
# A photo that does not fit is made half as wide and high, so often at most.
HALVINGS = 2
IDLE_SECONDS = 30.0
# Of one picture. The largest takes a second or two and half of that memory.
CPU_SECONDS = 20
MEMORY_BYTES = 800 * 2**20
NICE = 5  # pages go first


def main() -> None:
    """Until the other side is gone."""
    _take_little()
    line = socket.socket(fileno=0)
    line.settimeout(IDLE_SECONDS)
    try:
        while True:
            _answer(line)
    except (OSError, EOFError):
        return


def _take_little() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # whoever asked finishes what is in hand
    warnings.simplefilter("ignore")
    register_heif_opener(thumbnails=False)
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # of a machine with many processors
    Image.init()
    Image.MAX_IMAGE_PIXELS = None  # they are counted here
    os.nice(NICE)
    for what, most in (
        (resource.RLIMIT_DATA, _data_bytes() + MEMORY_BYTES),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):  # of libraries that have something to say of a picture
        os.dup2(nowhere, stream)


def _data_bytes() -> int:
    """What this process has now (statm of proc(5); none where there is no such file)."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[5]) * resource.getpagesize()
    except OSError:
        return 0


def _answer(line: socket.socket) -> None:
    suffix, most, length = words(line)
    content = read_exactly(line, length)
    used = time.process_time()
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used) + 1 + CPU_SECONDS, hard))

    def is_wanted(pixels: int) -> bool:
        line.sendall(told(Word.SIZE, pixels))
        return read_exactly(line, 1) == b"\x01"

    word, clean = _converted(content, suffix, most, is_wanted)
    milliseconds = round(1000 * (time.process_time() - used))
    line.sendall(told(word, milliseconds) + told(word, len(clean)) + clean)


def _converted(
    content: bytes, suffix: str, most: int, is_wanted: Callable[[int], bool]
) -> tuple[Word, bytes]:
    try:
        with Image.open(io.BytesIO(content), formats=[FORMATS[suffix]]) as picture:
            pixels = picture.width * picture.height
            if pixels > DECODED_PIXELS:
                return Word.TOO_MANY, b""
            if not is_wanted(pixels):
                return Word.UNWANTED, b""
            drawn = suffix in {BMP.suffix, TIFF.suffix} and pixels <= DRAWN_PIXELS
            if drawn or picture.mode in {"1", "P"}:
                return Word.PNG, _as_png(picture)
            return Word.JPEG, _as_jpeg(picture, most)
    except (ConnectionError, TimeoutError):  # of who asked
        raise
    except Exception:  # a malformed one raises what it likes
        return Word.DAMAGED, b""


def _as_jpeg(picture: Image.Image, most: int) -> bytes:
    """Of *most* bytes where that is possible."""
    profile = picture.info.get("icc_profile")
    shown = ImageOps.exif_transpose(picture)
    if shown.mode not in {"L", "RGB"}:
        shown = shown.convert("RGB")
        profile = None if picture.mode == "CMYK" else profile
    for halvings in range(HALVINGS + 1):
        if halvings:
            shown = shown.reduce(2)
        clean = io.BytesIO()
        shown.save(clean, "JPEG", quality=88, icc_profile=profile, exif=b"")
        if clean.tell() <= most:
            break
    return clean.getvalue()


def _as_png(picture: Image.Image) -> bytes:
    profile = picture.info.get("icc_profile")
    shown = ImageOps.exif_transpose(picture)
    if shown.mode not in {"1", "L", "LA", "P", "RGB", "RGBA"}:
        shown = shown.convert("RGB")
        profile = None
    clean = io.BytesIO()
    shown.save(clean, "PNG", icc_profile=profile, exif=b"")
    return clean.getvalue()


if __name__ == "__main__":
    main()
