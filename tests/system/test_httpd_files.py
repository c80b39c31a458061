"""httpd serves files of storage and takes uploads, while what is below it is replaced or dies."""

from __future__ import annotations

import hashlib
import socket
import subprocess
from pathlib import Path
from typing import Iterator
from urllib.parse import urlsplit

import pytest

from filing import check_image, debugfs, make_image, storage_manifest
from machine import made_with
from proteos import PATIENCE, Manifest, System
from proteos import bytes as known

FILES = {"www/index.html": "<p>hello</p>\n", "www/a.txt": "text\n", "www/empty": "", "www/dir/index.html": "inner",
         "www/a b%.bin": b"\0\1\2", "www/big": known.body(20_000_000), "secret": "no",
         "www/in/x": ""}


class Site:
    """A system whose httpd serves /www of a disk."""

    def __init__(self, folder: Path):
        self.image = make_image(folder / "disk.img", 128, "-d", str(made_with(folder / "files", FILES)))
        manifest, default = storage_manifest(self.image, [], 8 << 20), Manifest()
        manifest.data["regions"] += default.data["regions"]
        manifest.data["wires"] += default.data["wires"]
        manifest.data["components"] += [c for c in default.data["components"]
                                        if c["name"] in ("e1000-model", "e1000", "net")]
        manifest.add("httpd", args=["root=/www", "upload=/www/in"], restart="always",
                     calls=[{"to": "net"}, {"to": "storage"}])
        self.system = System(manifest)

    def __enter__(self) -> Site:
        self.system.__enter__()
        return self

    def __exit__(self, *failure: object) -> None:
        self.system.__exit__(*failure)

    def end(self) -> None:
        self.system.shutdown()
        check_image(self.image)

    def curl(self, path: str, *options: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(["curl", "--silent", "--show-error", "--max-time", str(PATIENCE), "--path-as-is", *options,
                               self.system.url(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def get(self, path: str) -> bytes:
        done = self.curl(path, "--fail")
        assert done.returncode == 0, done.stderr
        return done.stdout

    def status(self, path: str, *options: str) -> str:
        return self.curl(path, "-o", "/dev/null", "-w", "%{http_code}", *options).stdout.decode()

    def connect(self) -> socket.socket:
        parts = urlsplit(self.system.url())
        return socket.create_connection((parts.hostname, parts.port), timeout=PATIENCE)

    def update(self, *names: str) -> None:
        for name in names:
            relocate = [] if name == "net" else ["-relocate"]  # its data may look like addresses
            self.system.update(name, "self", None, *relocate)

    def restart(self, name: str) -> None:
        before = self.system.status()[name].restarts
        self.system.kill(name)
        self.system.wait_for_restart(name, before + 1)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with Site(tmp_path_factory.mktemp("site")) as running:
        yield running


@pytest.fixture
def own_site(tmp_path: Path) -> Iterator[Site]:
    with Site(tmp_path) as running:
        yield running


def test_files(site: Site):
    assert site.get("/") == b"<p>hello</p>\n"
    assert site.get("/a.txt") == b"text\n"
    assert site.get("/empty") == b""
    assert site.get("/a%20b%25.bin") == b"\0\1\2"
    assert site.get("/dir/") == b"inner"
    assert site.get("/big") == known.body(20_000_000)
    assert site.get("/bytes/5") == known.body(5)
    assert b"\nrequests: " in site.get("/status")


def test_head_and_types(site: Site):
    head = site.curl("/index.html", "--head").stdout.decode()
    assert head.startswith("HTTP/1.1 200 OK\r\n")
    assert "Content-Type: text/html; charset=utf-8\r\n" in head and "Content-Length: 13\r\n" in head


def test_directory_without_its_slash(site: Site):
    head = site.curl("/dir", "--include").stdout.decode()
    assert head.startswith("HTTP/1.1 301 ") and "Location: /dir/\r\n" in head
    assert site.curl("/dir", "--location", "--fail").stdout == b"inner"


@pytest.mark.parametrize("path, status", [
    ("/none.txt", "404"), ("/none/", "404"), ("/a.txt/x", "404"), ("/a.txt/", "404"), ("/../secret", "400"),
    ("/%2e%2e/secret", "400"), ("/dir/..%2f..%2fsecret", "400"), ("/a%00", "400"), ("/%", "400"),
    ("/" + "x" * 300, "404"), ("/" + "x/" * 700, "404"), ("/bytes/x", "400")])
def test_refused(site: Site, path: str, status: str):
    assert site.status(path) == status
    assert site.get("/a.txt") == b"text\n"


def test_many_requests_on_one_connection(site: Site):
    with site.connect() as sock, sock.makefile("rb") as stream:
        sock.sendall(b"GET /a.txt HTTP/1.1\r\nHost: x\r\n\r\nGET /none HTTP/1.1\r\nHost: x\r\n\r\n"
                     b"HEAD /big HTTP/1.1\r\nHost: x\r\n\r\nGET /dir/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answers = stream.read()
    assert answers.count(b"HTTP/1.1 200 OK\r\n") == 3 and answers.count(b"HTTP/1.1 404 ") == 1
    assert answers.endswith(b"\r\n\r\ninner")


def test_more_downloads_than_calls_in_flight(site: Site):
    socks = [site.connect() for _ in range(40)]
    for sock in socks:
        sock.sendall(b"GET /big HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert site.get("/a.txt") == b"text\n"  # they do not read, and hold nobody up
    for sock in socks[10:]:
        sock.close()
    for sock in socks[:10]:
        with sock, sock.makefile("rb") as stream:
            assert hashlib.sha256(stream.read().partition(b"\r\n\r\n")[2]).hexdigest() == known.sha256(20_000_000)


# -- uploads -------------------------------------------------------------------------------------


def put(site: Site, name: str, data: bytes, *options: str) -> str:
    done = subprocess.run(["curl", "--silent", "--show-error", "--max-time", str(PATIENCE), "-o", "/dev/null", "-w", "%{http_code}",
                           *options, "--upload-file", "-", "-H", f"Content-Length: {len(data)}", "-H",
                           "Transfer-Encoding:", site.system.url(f"/upload/{name}")],
                          input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return done.stdout.decode()


def test_upload(site: Site):
    for data in (b"", b"x", known.body(65536), known.body(1_000_000)):
        assert put(site, "new", data) == "201"
        assert site.get("/in/new") == data
    assert put(site, "new", b"shorter") == "201"
    assert site.get("/in/new") == b"shorter"


@pytest.mark.parametrize("name, status", [("", "403"), (".hidden", "403"), ("a/b", "403"), ("%2e%2e", "403|400")])
def test_upload_refused(site: Site, name: str, status: str):
    assert put(site, name, b"data") in status.split("|")


def test_upload_without_length(site: Site):
    with site.connect() as sock:
        sock.sendall(b"PUT /upload/x HTTP/1.1\r\nHost: x\r\n\r\n")
        assert sock.recv(100).startswith(b"HTTP/1.1 411 ")


def test_upload_waits_for_continue(site: Site):
    with site.connect() as sock:
        sock.sendall(b"PUT /upload/x HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
        assert sock.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(b"abc")
        assert sock.recv(100).startswith(b"HTTP/1.1 201 ")
    assert site.get("/in/x") == b"abc"


def test_upload_that_is_given_up_leaves_nothing(own_site: Site):
    for _ in range(5):
        with own_site.connect() as sock:
            sock.sendall(b"PUT /upload/half HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 100_000)
    own_site.system.wait(lambda: b"\nconnections: 1\n" in own_site.get("/status"), "their end")
    assert put(own_site, "whole", b"whole") == "201"
    assert own_site.status("/in/half") == "404"
    own_site.end()
    assert ".part" not in debugfs(own_site.image, "ls -l /www/in")


def test_upload_to_a_full_disk(own_site: Site):
    assert put(own_site, "much", bytes(150_000_000)) == "507"
    assert own_site.get("/a.txt") == b"text\n"
    assert put(own_site, "little", b"little") == "201"
    own_site.end()


# -- while things change -------------------------------------------------------------------------


def paused_download(site: Site) -> socket.socket:
    """One that has begun, and that the client does not read on for now."""
    sock = site.connect()
    sock.sendall(b"GET /big HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    return sock


def rest_of(sock: socket.socket) -> bytes:
    with sock, sock.makefile("rb") as stream:
        return stream.read().partition(b"\r\n\r\n")[2]


def test_updates_in_the_middle_of_transfers(own_site: Site):
    downloads = [paused_download(own_site) for _ in range(3)]
    body = known.body(3_000_000)
    upload = own_site.connect()
    upload.sendall(b"PUT /upload/long HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n" + body[:500_000])
    own_site.update("storage", "httpd", "net", "nvme", "e1000")
    upload.sendall(body[500_000:1_500_000])
    own_site.system.update("httpd", "/bin/httpd.new")
    own_site.system.update("net", "/bin/net.new")
    own_site.update("storage")
    own_site.system.update("httpd", "/bin/httpd")
    upload.sendall(body[1_500_000:])
    assert upload.recv(100).startswith(b"HTTP/1.1 201 ")
    for sock in downloads:
        assert rest_of(sock) == known.body(20_000_000)
    assert own_site.get("/in/long") == body
    assert all(c.restarts == 0 for c in own_site.system.status().values())


def test_downloads_go_on_after_a_restart_of_storage(own_site: Site):
    downloads = [paused_download(own_site) for _ in range(3)]
    heads = [sock.recv(1000) for sock in downloads]
    own_site.restart("storage")
    for head, sock in zip(heads, downloads):
        with sock, sock.makefile("rb") as stream:
            assert (head + stream.read()).partition(b"\r\n\r\n")[2] == known.body(20_000_000)
    assert own_site.get("/a.txt") == b"text\n"


def part_of_upload(site: Site) -> bool:
    return any(site.curl(f"/in/.{number}.part", "--fail").stdout for number in range(1, 20))


def test_uploads_fail_when_storage_is_restarted(own_site: Site):
    with own_site.connect() as sock:
        sock.sendall(b"PUT /upload/lost HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 300_000)
        own_site.system.wait(lambda: part_of_upload(own_site), "some of it in its file")
        own_site.restart("storage")
        sock.sendall(b"x" * 300_000)
        assert sock.recv(100).startswith(b"HTTP/1.1 503 ")
    own_site.system.wait(lambda: put(own_site, "again", b"again") == "201", "an upload")
    assert own_site.status("/in/lost") == "404"


def test_uploads_under_way_leave_nothing_at_the_end(own_site: Site):
    with own_site.connect() as sock:
        sock.sendall(b"PUT /upload/lost HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 300_000)
        own_site.system.wait(lambda: part_of_upload(own_site), "some of it in its file")
        own_site.end()
    assert ".part" not in debugfs(own_site.image, "ls -l /www/in")


def test_upload_that_was_answered_survives_a_crash(own_site: Site):
    data = known.body(2_000_000)
    assert put(own_site, "kept", data) == "201"
    own_site.system.kill("nvme-model")
    own_site.system.kill("storage")
    own_site.system.wait_for_restart("storage")
    own_site.system.wait(lambda: own_site.status("/a.txt") == "200", "storage")
    assert own_site.get("/in/kept") == data


def test_httpd_without_storage(tmp_path: Path):
    manifest = Manifest()
    manifest.component("httpd")["args"] = ["root=/www"]
    with System(manifest) as system:
        done = subprocess.run(["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", system.url("/x")],
                              stdout=subprocess.PIPE)
        assert done.stdout == b"503"
