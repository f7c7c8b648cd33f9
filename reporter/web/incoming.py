"""A request as it arrives, within its bounds: fields, headers of a part, files, and its path."""

from __future__ import annotations

from typing import IO, Any

from flask import Flask, Request, abort, request
from werkzeug import formparser
from werkzeug.datastructures import Headers
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import FormDataParser
from werkzeug.sansio.multipart import MultipartDecoder

from reporter.formats import urlencoded
from reporter.web import bounds, uploads


class BoundedFormParser(FormDataParser):
    """Werkzeug's, which bounds the parts of a multipart body, and not the fields of another, and
    whose way to read those takes a fifth of a second for two megabytes of `%41`."""

    def _parse_urlencoded(self, stream: IO[bytes], *_told: Any) -> Any:
        content = stream.read()
        if content.count(b"&") >= bounds.FIELDS:
            raise RequestEntityTooLarge
        return stream, self.cls(urlencoded.pairs(content)), self.cls()


class BoundedDecoder(MultipartDecoder):
    """Werkzeug's, which bounds what a part of a multipart body holds, and not the headers before
    it, whose quotes take it long to read."""

    _header_bytes = 0  # so far

    def _parse_headers(self, data: bytes | bytearray) -> Headers:
        self._header_bytes += len(data)
        if len(data) > bounds.PART_HEADER_BYTES or self._header_bytes > bounds.FORM_HEADER_BYTES:
            raise RequestEntityTooLarge
        return super()._parse_headers(data)


# It can be given in no other way.
formparser.MultipartDecoder = BoundedDecoder  # type: ignore[attr-defined]


class BoundedRequest(Request):
    form_data_parser_class = BoundedFormParser

    def __init__(self, *told: Any, **more: Any) -> None:
        super().__init__(*told, **more)
        self._arrived: list[uploads.Upload] = []

    @property
    def is_json(self) -> bool:
        """Never: Flask-WTF would read a form from it, of any depth, with values that are no text.
        The one page that takes JSON reads it by itself."""
        return False

    def _get_file_stream(self, *_told: Any, **_more: Any) -> IO[bytes]:
        self._arrived.append(uploads.Upload())
        return self._arrived[-1]

    def close(self) -> None:
        """Give back what the files take, also those of a form that was refused half-way."""
        super().close()
        for upload in self._arrived:
            upload.close()


def init_app(app: Flask) -> None:
    app.request_class = BoundedRequest
    # Werkzeug would lead to the address with one slash for two by the Host header, which is the
    # visitor's; no page of ours has two.
    app.url_map.merge_slashes = False
    app.before_request(require_few_arguments)
    app.before_request(require_plain_path)


def require_few_arguments() -> None:
    """413 for a query of more fields than a form may have."""
    if request.query_string.count(b"&") >= bounds.FIELDS:
        abort(413)


def require_plain_path() -> None:
    """404 for a path with a NUL, which no key of ours has and PostgreSQL refuses."""
    if "\x00" in request.path:
        abort(404)
