"""What builds and updates pairs of programs, by the flags that the build left."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path


class Broken(Exception):
    """A tool failed; the text is its output."""


def call(command: list, **kwargs) -> str:
    done = subprocess.run([str(c) for c in command], stdin=subprocess.DEVNULL, text=True,
                          errors="replace", stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          **kwargs)
    if done.returncode != 0:
        raise Broken(f"{' '.join(map(str, command))}\n{done.stdout}")
    return done.stdout


class Tools:
    """What the build told about itself; $PROTEOS_BUILD is its directory.

    `libraries` are those that programs are linked with besides libst and the pairs' driver, relative
    to the build directory."""

    def __init__(self, *libraries: str):
        build = Path(os.environ["PROTEOS_BUILD"]).resolve()
        flags = json.loads((build / "tests/updates/flags.json").read_text())
        self.source, self.build = Path(flags["source"]), build
        self.flags = {"gcc": flags["gcc"], "clang-19": flags["clang"]}
        self.common = ["-std=gnu11", "-D_GNU_SOURCE", "-fno-strict-aliasing", "-w",
                       f"-I{self.source}"]
        self.instrument = build / "libst/instrument/st-instrument"
        self.update_pair = build / "tests/updates/update-pair"
        self.st_diff = build / "libst/diff/st-diff"
        linked = [build / l for l in (*libraries, "tests/updates/libpair.so", "libst/libst.so")]
        self.link = ["-pie", "-Wl,-z,now", "-Wl,--build-id=sha1", "-Wl,--no-as-needed",
                     *map(str, linked), *(f"-Wl,-rpath,{p.parent}" for p in linked)]

    def program(self, out: Path, folder: Path, sources: list[Path], compiler: str, level: str,
                component: str, defines: tuple[str, ...] = ()) -> None:
        """Compiles, links and instruments one version.
        @param out  the executable
        @param folder  for what comes in between; made when it is missing"""
        folder.mkdir(parents=True, exist_ok=True)
        flags = [*self.common, *self.flags[compiler], level, *defines]
        commands, objects = [], []
        for source in sources:
            objects.append(f"{source.name}.o")
            command = [compiler, *flags, "-c", str(source), "-o", objects[-1]]
            call(command, cwd=folder)
            commands.append({"directory": str(folder), "file": str(source), "arguments": command})
        (folder / "compile_commands.json").write_text(json.dumps(commands))
        call([compiler, *objects, *self.link, "-o", "raw"], cwd=folder)
        call([self.instrument, "--compile-commands", folder / "compile_commands.json",
              "--component", component, "-o", out, folder / "raw"], cwd=folder)
