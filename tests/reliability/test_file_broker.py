"""The file-system broker after deaths in the middle of its files."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from kombu import Connection, Exchange, Queue

from reliability.celery import app
from reliability.file_broker import Transport

WAKE_UPS = Queue("upshot", Exchange("upshot"), routing_key="upshot")
LONG_AGO = 1_000_000_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("queue", "processed", "control"):
        (tmp_path / name).mkdir()
    return tmp_path


@pytest.fixture
def connection(folder: Path) -> Iterator[Any]:
    with connected(folder) as found:
        yield found


def connected(folder: Path) -> Any:
    """As a new process connects."""
    Transport.global_state.clear()
    options = {
        "data_folder_in": str(folder / "queue"),
        "data_folder_out": str(folder / "queue"),
        "processed_folder": str(folder / "processed"),
        "control_folder": str(folder / "control"),
    }
    return Connection("filesystem://", transport="reliability.file_broker:Transport", transport_options=options)


def send(connection: Any, number: int) -> None:
    connection.Producer().publish({"number": number}, exchange=WAKE_UPS.exchange, routing_key="upshot", declare=[WAKE_UPS])  # fmt: skip


def received(connection: Any) -> list[int]:
    """The numbers of all messages that wait."""
    found = []
    queue = WAKE_UPS(connection.default_channel)
    queue.declare()
    while message := queue.get(no_ack=True):
        found.append(message.decode()["number"])
    return found


def files(folder: Path) -> list[str]:
    return [path.name for name in ("queue", "processed") for path in (folder / name).iterdir()]


def test_it_is_the_broker_unless_another_is_set() -> None:
    with app.connection_for_read() as connection:
        assert settings.CELERY_BROKER_URL == "filesystem://"
        assert isinstance(connection.transport, Transport)


def test_messages_come_once_in_order_and_leave_nothing(folder: Path, connection: Any) -> None:
    for number in (1, 2, 3):
        send(connection, number)

    assert (received(connection), received(connection)) == ([1, 2, 3], [])
    assert files(folder) == []


@pytest.mark.parametrize("content", [b"", b'{"body": "W1tdLC', b"\0" * 700, b"\xff\xfe", b"null"])
def test_a_message_that_cannot_be_read_is_thrown_away(
    folder: Path, connection: Any, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    (folder / "queue/1_a.upshot.msg").write_bytes(content)
    send(connection, 7)

    assert received(connection) == [7]
    assert files(folder) == []
    assert [record.getMessage() for record in caplog.records] == ["a message that cannot be read was thrown away"]


@pytest.mark.parametrize("content", ["", '[["upshot", "", "ups'])
def test_half_a_table_of_queues_is_written_anew(folder: Path, content: str) -> None:
    (folder / "control/upshot.exchange").write_text(content)

    with connected(folder) as connection:
        send(connection, 1)
        assert received(connection) == [1]
    with connected(folder) as connection:
        send(connection, 2)
        assert received(connection) == [2]


def test_a_message_that_could_not_be_written_is_an_error_and_leaves_nothing(folder: Path, connection: Any) -> None:
    send(connection, 1)
    received(connection)
    (folder / "queue").rmdir()

    with pytest.raises(connection.channel_errors):
        send(connection, 2)
    assert list((folder / "processed").iterdir()) == []


def test_what_a_dead_process_had_at_hand_is_removed_after_a_while(folder: Path) -> None:
    for name, is_old in (("old.part", True), ("1_a.upshot.msg", True), ("new.part", False)):
        (folder / "processed" / name).touch()
        if is_old:
            os.utime(folder / "processed" / name, (LONG_AGO, LONG_AGO))

    with connected(folder) as connection:
        connection.default_channel.close()

    assert files(folder) == ["new.part"]
