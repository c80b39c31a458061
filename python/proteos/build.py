"""Where the built programs are."""

from __future__ import annotations

import os
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("PROTEOS_BUILD", SOURCE / "build")).resolve()

PRCTL = BUILD / "cli" / "prctl"
COMPONENTS = BUILD / "root" / "bin"
LOAD = BUILD / "bench" / "load"
