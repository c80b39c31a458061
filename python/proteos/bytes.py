"""The bytes that httpd answers /bytes/N with (apps/httpd/bytes.h)."""

from __future__ import annotations

import functools
import hashlib

PERIOD = 65521


@functools.cache
def _period() -> bytes:
    return bytes((i * 2654435761 % 2**32) >> 24 for i in range(PERIOD))


def body(n: int) -> bytes:
    """What /bytes/n answers with."""
    return (_period() * (n // PERIOD + 1))[:n]


def sha256(n: int) -> str:
    """Its SHA-256, without building it whole."""
    digest = hashlib.sha256()
    whole = _period() * 64
    for _ in range(n // len(whole)):
        digest.update(whole)
    digest.update(body(n % len(whole)))
    return digest.hexdigest()
