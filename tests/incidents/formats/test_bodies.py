"""Content codings: what decodes, what is refused, and what a bomb may cost."""

from __future__ import annotations

import contextlib
import gzip
import tracemalloc
import zlib

import brotli
import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st

from incidents.formats.bodies import BadBody, BodyTooLarge, UnknownCoding, decode, measure

LIMIT = 1_000_000


def bare_deflate(data: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return stream.compress(data) + stream.flush()


ENCODERS = {
    "": bytes,
    "identity": bytes,
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstd.compress,
}


@pytest.mark.parametrize("coding", ENCODERS)
@given(data=st.binary(max_size=3_000))
def test_every_coding_gives_the_bytes_back(coding: str, data: bytes) -> None:
    assert decode(ENCODERS[coding](data), coding=coding, limit=LIMIT) == data


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
def test_bodies_longer_than_one_window_decode_whole(coding: str) -> None:
    data = bytes(range(256)) * 3_000

    assert decode(ENCODERS[coding](data), coding=coding, limit=LIMIT) == data


def test_a_coding_is_named_in_any_case_and_deflate_may_lack_its_header() -> None:
    assert decode(gzip.compress(b"x"), coding=" GZip ", limit=9) == b"x"
    assert decode(bare_deflate(b"some text"), coding="deflate", limit=9) == b"some text"
    with pytest.raises(BadBody, match="after the end"):
        decode(zlib.compress(b"x") * 2, coding="deflate", limit=9)
    assert decode(gzip.compress(b"ab") + gzip.compress(b"cd"), coding="gzip", limit=9) == b"abcd"


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_a_body_of_many_streams_is_refused_before_they_cost_time(coding: str) -> None:
    """Empty ones never reach a limit of decoded bytes, and were once read in quadratic time."""
    long = ENCODERS[coding](bytes(200_000))
    some = ENCODERS[coding](b"x") * 500 + ENCODERS[coding](b"")
    many = ENCODERS[coding](b"") * 1_000_000

    assert decode(some, coding=coding, limit=LIMIT) == b"x" * 500
    assert decode(long * 4, coding=coding, limit=LIMIT) == bytes(800_000)
    with pytest.raises(BadBody, match="1000 streams"):
        decode(many, coding=coding, limit=LIMIT)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
@pytest.mark.parametrize("share", [0, 0.3, 0.7, 0.99])
def test_a_cut_body_is_refused(coding: str, share: float) -> None:
    whole = ENCODERS[coding](bytes(range(256)) * 40)

    with pytest.raises(BadBody):
        decode(whole[: int(len(whole) * share)], coding=coding, limit=LIMIT)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
def test_a_plain_body_under_a_coding_is_refused(coding: str) -> None:
    with pytest.raises(BadBody):
        decode(b'{"event_id":"9ec79c33ec9942ab8353589fcb2e04dc"}\n', coding=coding, limit=LIMIT)


def test_an_unknown_coding_is_named_as_such() -> None:
    with pytest.raises(UnknownCoding, match="snappy"):
        decode(b"x", coding="snappy", limit=LIMIT)


@pytest.mark.parametrize("coding", ["", "gzip", "deflate", "br", "zstd"])
def test_the_limit_counts_decoded_bytes(coding: str) -> None:
    data = ENCODERS[coding](b"a" * 1_000)

    assert len(decode(data, coding=coding, limit=1_000)) == 1_000
    with pytest.raises(BodyTooLarge):
        decode(data, coding=coding, limit=999)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
def test_a_bomb_costs_little_more_than_the_limit(coding: str) -> None:
    bomb = ENCODERS[coding](bytes(64 * 1024 * 1024))
    tracemalloc.start()
    with pytest.raises(BodyTooLarge):
        decode(bomb, coding=coding, limit=LIMIT)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 4 * LIMIT


@pytest.mark.parametrize("coding", ["", "gzip", "deflate", "br", "zstd", "snappy"])
@given(data=st.binary(max_size=400))
def test_no_input_raises_anything_but_the_named_errors(coding: str, data: bytes) -> None:
    with contextlib.suppress(BadBody, BodyTooLarge):
        decode(data, coding=coding, limit=100_000)


@pytest.mark.parametrize("coding", ["", "gzip", "deflate", "br", "zstd"])
def test_measuring_keeps_nothing_and_agrees_with_decoding(coding: str) -> None:
    data = ENCODERS[coding](bytes(900_000))
    tracemalloc.start()
    size = measure(data, coding=coding, limit=LIMIT)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert (size, peak < 300_000) == (900_000, True)
    with pytest.raises(BodyTooLarge):
        measure(data, coding=coding, limit=899_999)
