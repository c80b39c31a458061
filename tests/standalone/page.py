"""docs/standalone.md: its code, and the shells in which its commands run."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

PAGE = Path(os.environ["SOURCE"]) / "docs/standalone.md"
TREE = Path(os.environ["TREE"])


def block(language, name):
    return re.search(rf"^```{language} {name}\n(.*?)^```$", PAGE.read_text(), re.M | re.S).group(1)


def shell(text, where, **variables):
    done = subprocess.run(["sh", "-eu"], input=text, cwd=where, capture_output=True, text=True,
                          env={**os.environ, **variables})
    assert done.returncode == 0, done.stdout + done.stderr


def installed(where):
    """Environment of a shell in which libst is installed."""
    where = where / "dest"
    done = subprocess.run(["meson", "install", "-C", TREE, "--no-rebuild", "--destdir", where],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    pc = next(where.rglob("libst.pc"))
    prefix = where / re.search(r"prefix=/(.*)", pc.read_text()).group(1)
    # What moves a package to another prefix: its tools find their library by themselves.
    pc.write_text(re.sub("^prefix=.*", f"prefix={prefix}", pc.read_text(), flags=re.M))
    return {"PKG_CONFIG_LIBDIR": str(pc.parent), "PATH": f"{prefix}/bin:{os.environ['PATH']}",
            "LD_LIBRARY_PATH": ""}


def uninstalled(_):
    tools = ":".join(str(TREE / d) for d in ("libst", "libst/diff", "libst/instrument"))
    return {"PKG_CONFIG_LIBDIR": f"{TREE}/meson-uninstalled", "PATH": f"{tools}:{os.environ['PATH']}"}
