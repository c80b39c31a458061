"""Programs that st-instrument is run on, and what st-meta prints of them."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).parent
SUBJECTS = HERE / "subjects"
INSTRUMENT = os.environ["ST_INSTRUMENT"]
META = os.environ["ST_META"]

# As in libst/meson.build, which passes them.
STATE_FLAGS = {"gcc": os.environ["GCC_FLAGS"].split(), "clang-19": os.environ["CLANG_FLAGS"].split()}
LINK_FLAGS = ["-pie", "-Wl,--build-id=sha1"]

COMPILERS = [c for c in STATE_FLAGS if shutil.which(c)]
VARIANTS = [(c, o) for c in COMPILERS for o in ("-O0", "-O2")]
ALL_VARIANTS = [(c, o) for c in COMPILERS for o in ("-O0", "-O1", "-O2", "-O3", "-Os")]


def run(*command, **kwargs):
    return subprocess.run([str(c) for c in command], capture_output=True, text=True,
                          errors="replace", **kwargs)


class Program:
    """Sources, compiled and instrumented in a folder."""

    def __init__(self, folder, compiler, flags, sources, link=()):
        self.folder, self.exe, self.out = folder, folder / "program", folder / "instrumented"
        commands, objects = [], []
        for source in sources:
            objects.append(folder / (Path(source).stem + ".o"))
            command = [compiler, *flags, "-c", str(source), "-o", str(objects[-1])]
            done = run(*command, cwd=folder)
            assert done.returncode == 0, done.stderr
            commands.append({"directory": str(folder), "file": str(source), "arguments": command})
        (folder / "compile_commands.json").write_text(json.dumps(commands))
        done = run(compiler, *flags, *(link or LINK_FLAGS), *objects, "-o", self.exe, cwd=folder)
        assert done.returncode == 0, done.stderr

    def instrument(self, *options):
        return run(INSTRUMENT, "--compile-commands", self.folder / "compile_commands.json",
                   "--component", "subject", *options, "-o", self.out, self.exe)

    def dump(self):
        done = self.instrument()
        assert done.returncode == 0, done.stderr
        done = run(META, "dump", self.out)
        assert done.returncode == 0, done.stderr
        return Dump(done.stdout)


class Dump:
    """What st-meta prints, taken apart."""

    def __init__(self, text):
        self.text = text
        self.types, self.variables, self.functions, self.sites = {}, [], [], []
        members = None
        for line in text.splitlines():
            if m := re.match(r"type (\w+ \w*)#(\d+) (\d+) bytes", line):
                members = []
                self.types.setdefault(m[1].strip(), []).append((int(m[3]), members))
            elif m := re.match(r"  (\d+(?:\.\d+:\d+)?) (\w*): (.*)", line):
                members.append((m[1], m[2], re.sub(r"#\d+", "", m[3])))
            elif m := re.match(r"variable (\w+) (\d+) (\w+): (.*) \((.*)\)$", line):
                self.variables.append(dict(address=int(m[1], 16), bytes=int(m[2]), name=m[3],
                                           type=re.sub(r"#\d+", "", m[4]), about=m[5]))
            elif m := re.match(r"function (\w+) (\d+) (\S+) \((.*)\)$", line):
                self.functions.append(dict(low=int(m[1], 16), bytes=int(m[2]), name=m[3],
                                           wrapper="allocator wrapper" in m[4]))
            elif m := re.match(r"site (\S+):(\d+):(\d+) in (\w+): (.*?)((?: \(\w+,\w+\])+)$", line):
                ranges = re.findall(r"\((\w+),(\w+)\]", m[6])
                self.sites.append(dict(file=m[1], line=int(m[2]), column=int(m[3]), function=m[4],
                                       type=re.sub(r"#\d+", "", m[5]),
                                       ranges=[(int(a, 16), int(b, 16)) for a, b in ranges]))

    def variable(self, name, about=""):
        found = [v for v in self.variables if v["name"] == name and about in v["about"]]
        assert len(found) == 1, f"{name}: {found}"
        return found[0]

    def site_at(self, address):
        found = [s for s in self.sites if any(lo < address <= hi for lo, hi in s["ranges"])]
        assert len(found) <= 1
        return found[0] if found else None

    def site_of(self, addresses):
        """The first caller that decides, as the run-time looks for it."""
        for address in addresses:
            site = self.site_at(address)
            if not site or site["type"] != "its caller's":
                return site
        return None
