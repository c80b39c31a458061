"""Every component survives updates to itself that move all of its state, strictly checked: a pointer
that libst does not know would be found, or would lead nowhere."""

from __future__ import annotations

import re
import socket
import struct
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from proteos import PATIENCE, System, bytes as served
from proteos.load import Load
from filing import CREATE as FILE_CREATE, READ as FILE_READ, WRITE as FILE_WRITE, Storage, make_image
from test_pipe import PIPE_BYTES, Pipes

COMPONENTS = ["e1000-model", "e1000", "net", "httpd"]
TURNS = 5
MOVED = re.compile(r"relocation: (\d+) blocks have moved; (\d+) are pinned .*, (\d+) have no type")


def relocations(system: System, name: str) -> list[tuple[int, int, int]]:
    """Of each update whose notes are in the log: blocks moved, pinned, without a type."""
    return [(int(m), int(p), int(u)) for m, p, u in MOVED.findall(system.log(name))]


def relocate(system: System, name: str, turn: int) -> None:
    # Only the same build can tell whether it was the moving that broke something.
    system.update(name, f"/bin/{name}", None, "--relocate", "--strict")
    assert system.status()[name].updates == turn
    system.wait(lambda: len(relocations(system, name)) == turn, "the report in its log")


@pytest.mark.parametrize("name", COMPONENTS)
def test_component_moves_under_load(system, name):
    before = system.status()[name]
    with Load(system.url(), connections=4, streams=1, pause_us=2000) as load:
        load.wait_until_busy()
        for turn in range(1, TURNS + 1):
            relocate(system, name, turn)
            load.mark()
            load.wait_until_busy()
        figures = load.finish()
        assert figures["failed"] == 0, f"{figures}\n{load.errors()}"
    after = system.status()[name]
    assert (after.updates, after.restarts) == (TURNS, 0) and after.pid != before.pid
    if name != "net":  # what lwIP holds is not moved: its words may be addresses or not
        assert all((p, u) == (0, 0) for _, p, u in relocations(system, name))


def test_all_move_at_once(system):
    with Load(system.url(), connections=4, streams=1, pause_us=2000) as load:
        load.wait_until_busy()
        for turn in range(1, TURNS + 1):
            for name in COMPONENTS:
                system.mupdate(name, f"/bin/{name}", None, "-relocate", "-strict")
            system.mupdate_start()
            load.mark()
            load.wait_until_busy()
        figures = load.finish()
        assert figures["failed"] == 0, f"{figures}\n{load.errors()}"
    assert [system.status()[n].updates for n in COMPONENTS] == [TURNS] * len(COMPONENTS)


ARENA = 0x2b5a04800000  # where every component's heap begins (libst/arena.h)
ANSWER = 100_000_000  # bytes: more than all buffers between here and httpd take


def addresses(n: int, distance: int) -> bytes:
    """Eight times, so that one of them is aligned wherever they come to lie."""
    return 8 * (struct.pack(f"<{n}Q", *(ARENA + distance * i for i in range(n))) + b".")


def test_received_bytes_are_no_addresses(system):
    """A client sends addresses of their heaps. httpd takes the first, and no more before it has
    answered; net keeps the rest."""
    parts = urlsplit(system.url())
    with socket.create_connection((parts.hostname, parts.port), timeout=PATIENCE) as client:
        client.sendall(f"GET /bytes/{ANSWER} HTTP/1.1\r\nHost: test\r\n\r\n".encode() +
                       addresses(64, 512))
        assert client.recv(1) == b"H"  # from now on httpd takes nothing
        client.sendall(addresses(1000, 4096))
        unread = "sockets[1] && sockets[1]->inbox && sockets[1]->inbox->used > 32768"
        system.update("net", "/bin/net", unread, "-relocate", "-strict")
        system.update("httpd", "/bin/httpd", None, "-relocate", "-strict")
        system.update("net", "/bin/net", unread, "-relocate", "-strict")
        with client.makefile("rb") as answer:
            while answer.readline() != b"\r\n":
                pass
            assert answer.read(1_000_000) == served.body(1_000_000)


def test_payloads_that_wait_are_no_addresses(tmp_path: Path):
    """Of what is written to a pipe whose server is stopped, busd keeps the second."""
    data = addresses(60, 4096)
    with closing(Pipes(tmp_path)) as pipes:
        system, (reader, writer) = pipes.system, pipes.pair()
        system.suspend("pipe")
        writes = [writer.start_write(data) for _ in range(2)]
        system.wait(lambda: system.status()["pipe"].queued == 1, "the one that is not delivered")
        for _ in range(2):
            system.update("busd", "/bin/busd", None, "-relocate", "-strict")
        system.resume("pipe")
        assert [w.answer().fields("I") for w in writes] == 2 * [(len(data),)]
        assert reader.read(2 * len(data)) == 2 * data


def test_bytes_of_a_pipe_are_no_addresses(tmp_path: Path):
    """It is full, and a writer waits with more."""
    data = addresses(60, 4096)
    with closing(Pipes(tmp_path)) as pipes:
        system, (reader, writer) = pipes.system, pipes.pair()
        sent = 0
        while sent < PIPE_BYTES:
            sent += writer.write(data[:PIPE_BYTES - sent])
        waiting = writer.start_write(data)
        system.wait(lambda: system.status()["pipe"].queued == 0, "the pipe to have it")
        for _ in range(2):
            system.update("pipe", "self", None, "-relocate", "-strict")
        while sent:
            sent -= len(reader.read(sent))
        assert waiting.answer().fields("I") == (len(data),)
        assert reader.read(len(data)) == data


def test_bytes_of_files_are_no_addresses(tmp_path: Path):
    """storage keeps the last payload."""
    data = addresses(60, 4096)
    with Storage(tmp_path, make_image(tmp_path / "disk.img", 64)) as storage:
        handle = storage.filer.open("/f", FILE_READ | FILE_WRITE | FILE_CREATE)
        for n in range(10):
            storage.filer.write(handle, data, n * len(data))
        for _ in range(2):
            storage.system.update("storage", "self", None, "-relocate", "-strict")
        assert storage.filer.read(handle, 10 * len(data), 0) == 10 * data
