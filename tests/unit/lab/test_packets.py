"""Packets are found wherever the network cuts the stream, and every byte is handed on once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stillhere.lab.wire.packets import FULL, PacketStream, length_encoded

bodies = st.lists(st.binary(max_size=40), max_size=12)
cuts = st.lists(st.integers(min_value=1, max_value=60), min_size=1, max_size=20)


def stream_of(packets):
    return b"".join(
        len(body).to_bytes(3, "little") + bytes([number % 256]) + body for number, body in enumerate(packets)
    )


def chunked(data, sizes):
    place = index = 0
    while place < len(data):
        size = sizes[index % len(sizes)]
        yield data[place : place + size]
        place += size
        index += 1


def drained(stream, chunks):
    packets, taken = [], b""
    for chunk in chunks:
        stream.feed(chunk)
        while packet := stream.read():
            packets.append(packet)
        taken += stream.take()
    return packets, taken


@given(bodies=bodies, sizes=cuts, prefix=st.integers(min_value=0, max_value=50))
def test_chunk_boundaries_change_nothing(bodies, sizes, prefix):
    data = stream_of(bodies)
    packets, taken = drained(PacketStream(prefix), chunked(data, sizes))
    assert taken == data
    assert [(packet.length, packet.prefix) for packet in packets] == [(len(body), body[:prefix]) for body in bodies]
    assert [packet.sequence for packet in packets] == list(range(len(bodies)))
    assert [packet.end for packet in packets[:-1]] == [packet.offset for packet in packets[1:]]
    assert (packets, taken) == drained(PacketStream(prefix), [data] if data else [])


@given(bodies=bodies, sizes=cuts)
def test_rows_are_skipped_and_what_ends_them_is_read(bodies, sizes):
    stream, data = PacketStream(8), stream_of(bodies)
    read, taken = [], b""
    for chunk in chunked(data, sizes):
        stream.feed(chunk)
        stream.skip_rows()
        while packet := stream.read():
            read.append(packet.prefix)
            stream.skip_rows()
        taken += stream.take()
    assert taken == data
    ends = [body[:8] for body in bodies if not body or body[0] >= 0xFE]
    assert [prefix for prefix in read if not prefix or prefix[0] >= 0xFE] == ends


def test_a_packet_is_held_back_until_its_first_bytes_are_there():
    stream = PacketStream(4)
    stream.feed(b"\x06\x00\x00\x00abc")
    assert stream.read() is None
    assert stream.take() == b""
    stream.feed(b"d")
    assert stream.read().prefix == b"abcd"
    assert stream.take() == b"\x06\x00\x00\x00", "the body follows when the next packet is asked for"
    assert stream.read() is None
    assert stream.take() == b"abcd"
    stream.feed(b"ef")
    assert stream.read() is None
    assert stream.take() == b"ef"


def test_bytes_before_a_packet_can_be_taken_without_it():
    stream = PacketStream(4)
    stream.feed(stream_of([b"one", b"two"]))
    assert stream.read()
    second = stream.read()
    assert stream.take(second.offset) == stream_of([b"one"])


def test_the_second_part_of_a_full_packet_continues_it():
    stream = PacketStream(1)
    stream.feed(b"\xff\xff\xff\x00" + b"a" * FULL + b"\x01\x00\x00\x01\xfe" + b"\x01\x00\x00\x00b")
    flags = []
    while packet := stream.read():
        stream.skip_rows()
        flags.append(packet.continues)
    assert flags == [False, True], "and the row behind it was skipped"


@pytest.mark.parametrize(
    ("data", "number", "after"),
    [(b"\x05", 5, 1), (b"\xfa", 250, 1), (b"\xfc\x00\x01", 256, 3), (b"\xfd\x01\x00\x01", 65537, 4)],
)
def test_length_encoded_integers(data, number, after):
    assert length_encoded(data, 0) == (number, after)


@pytest.mark.parametrize("data", [b"", b"\xfb", b"\xfc\x00", b"\xfe\x00\x00"])
def test_a_length_encoded_integer_that_is_cut_short_is_none(data):
    with pytest.raises(IndexError):
        length_encoded(data, 0)
