"""A long upload by curl, fed at a given pace: its answer comes when the server has it on the disk."""

from __future__ import annotations

import subprocess

from .transfer import Transfer

PIECE = 1 << 16


class Upload(Transfer):
    """Sends `data` by PUT in the background for as long as the `with` lasts."""

    stdin = subprocess.PIPE

    def __init__(self, url: str, data: bytes, rate: float | None = None):
        super().__init__(["curl", "--silent", "--show-error", "--output", "-", "--write-out",
                          "%{http_code}", "--header", f"Content-Length: {len(data)}",
                          "--header", "Transfer-Encoding:", "--header", "Expect:",
                          "--upload-file", "-", url], rate)
        self.data = data
        self.sent = 0
        self.answer = ""

    def _move(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin and process.stdout
        try:
            while self.sent < len(self.data):
                process.stdin.write(self.data[self.sent:self.sent + PIECE])
                process.stdin.flush()
                self.sent = min(self.sent + PIECE, len(self.data))
                self._pace.wait(self.sent)
            process.stdin.close()
        except BrokenPipeError:
            pass  # curl has ended, and says why
        self.answer = process.stdout.read().decode(errors="replace")

    def kept(self) -> bool:
        """Whether the server has said that it has all of it, on the disk."""
        return self.status == 0 and self.answer.endswith("201")
