"""The stream wire: frames prefixed by a 32-bit big-endian length, as QEMU and passt speak it."""

from __future__ import annotations

import socket
import struct
import threading
from pathlib import Path
from typing import Iterator

import pytest

from proteos import PATIENCE, Manifest, System, wait_for

OUR_MAC = bytes.fromhex("525400000001")
OUR_IP, SYSTEM_IP = socket.inet_aton("10.0.2.2"), socket.inet_aton("10.0.2.15")
BROADCAST = b"\xff" * 6
ETHERTYPE_IP, ETHERTYPE_ARP = 0x0800, 0x0806


class Peer:
    """The other end of the wire: one frame at a time."""

    def __init__(self, sock: socket.socket):
        self.sock = sock
        self.stream = sock.makefile("rb")
        sock.settimeout(PATIENCE)

    def send(self, frame: bytes) -> None:
        frame = frame.ljust(60, b"\0")
        self.sock.sendall(struct.pack("!I", len(frame)) + frame)

    def receive(self) -> bytes:
        length, = struct.unpack("!I", self.stream.read(4))
        assert 14 <= length <= 1518
        return self.stream.read(length)

    def receive_type(self, ethertype: int) -> bytes:
        """The next frame of a type that is for us; others, such as announcements, are skipped."""
        while True:
            frame = self.receive()
            if frame[:6] == OUR_MAC and struct.unpack("!H", frame[12:14])[0] == ethertype:
                return frame


def checksum(data: bytes) -> int:
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def arp_request() -> bytes:
    return (BROADCAST + OUR_MAC + struct.pack("!HHHBBH", ETHERTYPE_ARP, 1, ETHERTYPE_IP, 6, 4, 1)
            + OUR_MAC + OUR_IP + bytes(6) + SYSTEM_IP)


def arp_answer(to: bytes) -> bytes:
    return (to + OUR_MAC + struct.pack("!HHHBBH", ETHERTYPE_ARP, 1, ETHERTYPE_IP, 6, 4, 2)
            + OUR_MAC + OUR_IP + to + SYSTEM_IP)


def echo_request(to: bytes, sequence: int, data: bytes) -> bytes:
    icmp = struct.pack("!BBHHH", 8, 0, 0, 77, sequence) + data
    icmp = icmp[:2] + struct.pack("!H", checksum(icmp)) + icmp[4:]
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(icmp), sequence, 0, 64, 1, 0,
                     OUR_IP, SYSTEM_IP)
    ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
    return to + OUR_MAC + struct.pack("!H", ETHERTYPE_IP) + ip + icmp


def resolve(peer: Peer) -> bytes:
    """The system's MAC address, asked for by ARP."""
    peer.send(arp_request())
    answer = peer.receive_type(ETHERTYPE_ARP)
    assert answer[20:22] == b"\0\2" and answer[28:32] == SYSTEM_IP
    return answer[22:28]


def ping(peer: Peer, mac: bytes, sequence: int) -> None:
    data = bytes(range(256)) * 4
    peer.send(echo_request(mac, sequence, data))
    while True:
        frame = peer.receive()
        ethertype, = struct.unpack("!H", frame[12:14])
        if ethertype == ETHERTYPE_ARP and frame[20:22] == b"\0\1" and frame[38:42] == OUR_IP:
            peer.send(arp_answer(mac))
        elif ethertype == ETHERTYPE_IP and frame[23] == 1:
            break
    icmp = frame[34:]
    assert icmp[0] == 0 and struct.unpack("!HH", icmp[4:8]) == (77, sequence)
    assert icmp[8:8 + len(data)] == data


def connect_when_there(sock: socket.socket, path: Path) -> None:
    def connected() -> bool:
        try:
            sock.connect(str(path))
            return True
        except (FileNotFoundError, ConnectionRefusedError):
            return False

    wait_for(connected, "the system to listen")


@pytest.fixture(params=["system connects", "system listens"])
def wired(request, tmp_path_factory) -> Iterator[tuple[System, Peer]]:
    path = Path(tmp_path_factory.mktemp("wire"), "wire.sock")
    manifest = Manifest().wire(kind="stream", path=str(path))
    manifest.data["wires"][0].pop("forward", None)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        if request.param == "system connects":
            sock.bind(str(path))
            sock.listen()
            with System(manifest) as system, sock.accept()[0] as accepted:
                yield system, Peer(accepted)
        else:
            manifest.wire(listen=True)  # booting waits for its peer
            plug = threading.Thread(target=connect_when_there, args=(sock, path))
            plug.start()
            with System(manifest) as system:
                plug.join()
                yield system, Peer(sock)


def test_arp_and_ping_over_updates(wired):
    system, peer = wired
    mac = resolve(peer)
    ping(peer, mac, 1)
    system.update("e1000", "/bin/e1000.new")
    ping(peer, mac, 2)
    system.update("net", "/bin/net.new")
    ping(peer, mac, 3)
    assert resolve(peer) == mac
