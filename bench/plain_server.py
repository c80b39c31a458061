"""/bytes/N on the kernel's own TCP: the peer of the throughput bench, and a check of the clients."""

from __future__ import annotations

import socketserver
import threading
from typing import Any

from proteos.bytes import PERIOD, body

BLOCK = PERIOD * 16


class _Handler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        block = body(BLOCK)
        while line := self.rfile.readline():
            while self.rfile.readline() not in (b"\r\n", b""):
                pass
            n = int(line.split()[1].rsplit(b"/", 1)[1])
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % n)
            for _ in range(n // BLOCK):
                self.wfile.write(block)
            self.wfile.write(body(n % BLOCK))


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no error."""


class PlainServer:
    """Serves on a loopback port for as long as the `with` lasts."""

    def __enter__(self) -> str:
        self._server = _Server(("127.0.0.1", 0), _Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __exit__(self, *exception: Any) -> None:
        self._server.shutdown()
        self._server.server_close()


if __name__ == "__main__":
    with PlainServer() as url:
        print(url, flush=True)
        threading.Event().wait()
