"""Components as a patch makes them: built beside the tree, with the tree's own commands.

A mirror of the source tree has links to all files but those that the patch changes, and one of the
build tree has links to all but what is built; there the component's commands run again."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from proteos.build import BUILD, SOURCE

PATCHES = Path(__file__).resolve().parent


class BuildFailed(Exception):
    """The patch does not fit the tree, or what it makes cannot be built."""


@dataclass(frozen=True)
class Patch:
    """A file COMPONENT/NAME.patch: a heading of `Key: value` lines, an empty line, what the change is
    for, and a unified diff.

    Kind     fix, feature or redesign
    Filter   the state filter of the update; may be missing
    """
    path: Path

    @property
    def component(self) -> str:
        return self.path.parent.name

    @property
    def name(self) -> str:
        return self.path.stem

    @property
    def text(self) -> str:
        return self.path.read_text()

    def heading(self, key: str) -> str | None:
        found = re.search(rf"^{key}: (.*)$", self.text.split("\n\n")[0], re.MULTILINE)
        return found[1] if found else None

    @property
    def files(self) -> list[str]:
        """What it changes, from the top of the tree."""
        return re.findall(r"^\+\+\+ b/(\S+)$", self.text, re.MULTILINE)


def patches() -> list[Patch]:
    return [Patch(path) for path in sorted(PATCHES.glob("*/*.patch"))]


def _run(command: str | list[str], cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, shell=isinstance(command, str), text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        raise BuildFailed(f"{command}:\n{done.stdout}")
    return done.stdout


def _mirror(original: Path, mirror: Path, real: set[Path], left_out: set[Path]) -> None:
    """Makes `mirror` of links, and of real folders on the way to the paths in `real`."""
    mirror.mkdir(parents=True)
    for entry in original.iterdir():
        below = {path.relative_to(entry.name) for path in real if path.parts[0] == entry.name}
        hidden = {path.relative_to(entry.name) for path in left_out
                  if path.parts[0] == entry.name}
        if Path() in hidden:
            continue
        if not below and not hidden:
            (mirror / entry.name).symlink_to(entry)
        elif entry.is_dir():
            _mirror(entry, mirror / entry.name, below - {Path()}, hidden)
        else:
            shutil.copy(entry, mirror / entry.name)


def _ninja_commands(target: str) -> list[str]:
    return _run(["ninja", "-C", str(BUILD), "-t", "commands", target], BUILD).splitlines()


class Tree:
    """The patched tree; `source` is complete, `build` has what one component needs."""

    def __init__(self, patch: Patch, top: Path):
        """@param top  a folder that is made and filled"""
        self.patch = patch
        self.top = top
        self.source = self.top / "source"
        self.build = self.source / BUILD.relative_to(SOURCE)
        self.executable = self.top / f"{patch.component}.{patch.name}"

    def make(self) -> Path:
        """@return the instrumented executable"""
        instrument = _ninja_commands(f"root/bin/{self.patch.component}")[-1]
        raw = instrument.split()[-1]
        private = f"{raw}.p"
        self._mirror_source()
        _mirror(BUILD, self.build, {Path(private).parent},
                {Path(private), Path(raw), Path("compile_commands.json"), Path("tests")})
        (self.build / private).mkdir()
        self._compile(raw, private)
        self._instrument(instrument, private)
        return self.executable

    def _mirror_source(self) -> None:
        changed = {Path(name) for name in self.patch.files}
        _mirror(SOURCE, self.source, changed, {BUILD.relative_to(SOURCE)})
        _run(["patch", "--strip=1", "--silent", "--fuzz=0", f"--input={self.patch.path}"],
             self.source)

    def _compile(self, raw: str, private: str) -> None:
        commands = _ninja_commands(raw)
        running = [subprocess.Popen(c, shell=True, cwd=self.build, text=True,
                                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
                   for c in commands if f"-o {private}/" in c]
        failed = "".join(output for one in running
                         if (output := one.communicate()[0]) and one.returncode != 0)
        if failed:
            raise BuildFailed(failed)
        _run(commands[-1], self.build)

    def _instrument(self, command: str, private: str) -> None:
        entries = json.loads((BUILD / "compile_commands.json").read_text())
        own = [dict(e, directory=str(self.build)) for e in entries
               if e["output"].startswith(f"{private}/")]
        (self.build / "compile_commands.json").write_text(json.dumps(own))
        _run(command.replace(str(BUILD / "compile_commands.json"), "compile_commands.json")
             .replace(f"-o root/bin/{self.patch.component} ", f"-o {self.executable} "), self.build)


# ---- what a patch changes ----

FUNCTION = re.compile(r"^[a-zA-Z_][^\n;={}]*\([^;{}]*\) \{\n.*?^\}$", re.MULTILINE | re.DOTALL)
ANNOTATION = re.compile(r"^\+.*\bST_(?!\w*HANDLER)[A-Z_]+\(", re.MULTILINE)
CHANGED = ("converted", "added", "removed", "replaced")
HANDLER = re.compile(r"\.live_update = (\w+)|ST_(?:VAR|TYPE)_HANDLER\((\w+)")


def _functions(root: Path, files: list[str]) -> dict[str, str]:
    """Every function's text, by the name in front of its parameters."""
    found = {}
    for name in files:
        path = root / name
        for match in FUNCTION.finditer(path.read_text() if path.exists() else ""):
            handler = HANDLER.match(match[0])
            head = handler[2] if handler else match[0].split("(")[0].split()[-1].lstrip("*")
            found[f"{name}:{head}"] = match[0]
    return found


def _lines_added(old: str, new: str) -> int:
    before = old.splitlines()
    return sum(line not in before and line.strip() not in ("", "{", "}")
               for line in new.splitlines())


def count(tree: Tree, plan: dict) -> dict[str, int]:
    """What changed. @param plan  st-diff's"""
    old = _functions(SOURCE, tree.patch.files)
    new = _functions(tree.source, tree.patch.files)
    text = "".join((tree.source / name).read_text() for name in tree.patch.files)
    handlers = {name for pair in HANDLER.findall(text) for name in pair if name}
    return {
        "lines": len(re.findall(r"^[+-](?![+-]{2} )", tree.patch.text, re.MULTILINE)),
        "functions": sum(old.get(name) != new.get(name) for name in old.keys() | new.keys()),
        "variables": sum(v["fate"] in CHANGED for v in plan["variables"]),
        "types": sum(t["fate"] in CHANGED for t in plan["types"]),
        "annotations": len(ANNOTATION.findall(tree.patch.text)),
        "handler lines": sum(_lines_added(old.get(name, ""), new[name]) for name in new
                             if name.split(":")[1] in handlers),
    }


def plan_of(old: Path, new: Path) -> dict:
    """st-diff's plan."""
    done = subprocess.run([BUILD / "libst/diff/st-diff", "--json", old, new], text=True,
                          stdout=subprocess.PIPE)
    return json.loads(done.stdout)
