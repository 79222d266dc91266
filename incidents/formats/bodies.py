"""Request bodies as they come over the wire: content codings, each with a cap on what it may unfold to.

Decoders are driven in windows so that a bomb costs one window of memory above the cap, never its full size. A
body that ends inside a compressed stream, or goes on after it, is refused: half an event is not an event.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

import brotli
from backports import zstd

WINDOW_BYTES = 64 * 1024
# RFC 8878 recommends 8 MiB as the window every decoder should support; larger ones only serve bombs.
ZSTD_WINDOW_LOG = 23
#: Compressed streams, one behind the other, in a body. Empty ones cost time and never reach the limit of what is decoded;
#: a compressor that works in parallel starts one each 64 KiB or more.
MAX_STREAMS = 1_000


class BadBody(ValueError):
    """The bytes do not decode in the content coding that was named."""


class UnknownCoding(BadBody):
    """A content coding that is not accepted here."""


class BodyTooLarge(ValueError):
    """The body unfolds to more bytes than allowed."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"the body is larger than {limit} bytes once decoded")


def decode(data: bytes, *, coding: str, limit: int) -> bytes:
    """`data` without its content coding; at most `limit` bytes. An empty coding means none.

    Raises BodyTooLarge past the limit, UnknownCoding for a coding not spoken here, BadBody for damaged streams.
    """
    pieces: list[bytes] = []
    size = 0
    for piece in _pieces(data, coding):
        size += len(piece)
        if size > limit:
            raise BodyTooLarge(limit)
        pieces.append(piece)
    return b"".join(pieces) if len(pieces) != 1 else pieces[0]


def measure(data: bytes, *, coding: str, limit: int) -> int:
    """The size of `data` without its coding, found without keeping any of it. Raises as `decode` does.

    Reading a large body twice costs time; a bomb that is kept up to the limit costs memory that others need.
    """
    size = 0
    for piece in _pieces(data, coding):
        size += len(piece)
        if size > limit:
            raise BodyTooLarge(limit)
    return size


def _pieces(data: bytes, coding: str) -> Iterator[bytes]:
    name = coding.strip().lower()
    if name in ("", "identity"):
        return iter((data,))
    decoder = _DECODERS.get(name)
    if decoder is None:
        raise UnknownCoding(f"content coding {name[:40]!r} is not accepted; use gzip, deflate, br or zstd")
    return decoder(data)


def _zlib_stream(data: bytes, wbits: int, name: str) -> Iterator[bytes]:
    """Windows of one or more concatenated streams (gzip allows several members, RFC 1952 section 2.2).

    The input is given in windows, too: the decoder copies what it has not used of it at every call.
    """
    view, position = memoryview(data), 0
    for _ in range(MAX_STREAMS):
        stream = zlib.decompressobj(wbits)
        while not stream.eof:
            given = view[position : position + WINDOW_BYTES]
            try:
                piece = stream.decompress(given, WINDOW_BYTES)
            except zlib.error as error:
                raise BadBody(f"damaged {name} body") from error
            left = stream.unused_data if stream.eof else stream.unconsumed_tail  # after the end both may hold the same
            position += len(given) - len(left)
            if piece:
                yield piece
            elif position == len(data) and not stream.eof:
                raise BadBody(f"truncated {name} body")
        if position == len(data):
            return
        if wbits != zlib.MAX_WBITS | 16:
            raise BadBody(f"bytes after the end of the {name} body")
    raise BadBody(f"more than {MAX_STREAMS} streams in one {name} body")


def _gzip(data: bytes) -> Iterator[bytes]:
    return _zlib_stream(data, zlib.MAX_WBITS | 16, "gzip")


def _deflate(data: bytes) -> Iterator[bytes]:
    """RFC 9110 means zlib by "deflate"; some clients send the bare stream. The two-byte zlib header tells them apart."""
    is_zlib = len(data) >= 2 and data[0] & 0x0F == 8 and (data[0] << 8 | data[1]) % 31 == 0
    return _zlib_stream(data, zlib.MAX_WBITS if is_zlib else -zlib.MAX_WBITS, "deflate")


def _brotli(data: bytes) -> Iterator[bytes]:
    """Brotli needs the output limit on every call: 1.6 kB can hold a gigabyte, whatever the size of the input steps."""
    stream = brotli.Decompressor()
    chunk = data
    while not stream.is_finished():
        try:
            piece = stream.process(chunk, output_buffer_limit=WINDOW_BYTES)
        except brotli.error as error:
            raise BadBody("damaged br body") from error
        chunk = b""
        if piece:
            yield piece
        elif stream.can_accept_more_data() and not stream.is_finished():
            raise BadBody("truncated br body")


def _zstd(data: bytes) -> Iterator[bytes]:
    view, position = memoryview(data), 0
    for _ in range(MAX_STREAMS):
        stream = zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: ZSTD_WINDOW_LOG})
        while not stream.eof:
            given = view[position : position + WINDOW_BYTES] if stream.needs_input else b""
            try:
                piece = stream.decompress(given, WINDOW_BYTES)
            except zstd.ZstdError as error:
                raise BadBody("damaged zstd body") from error
            position += len(given)
            if piece:
                yield piece
            elif position == len(data) and stream.needs_input and not stream.eof:
                raise BadBody("truncated zstd body")
        position -= len(stream.unused_data)
        if position == len(data):
            return
    raise BadBody(f"more than {MAX_STREAMS} streams in one zstd body")


_DECODERS = {"gzip": _gzip, "x-gzip": _gzip, "deflate": _deflate, "br": _brotli, "zstd": _zstd}
