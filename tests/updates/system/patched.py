"""Components as a patch makes them: built beside the tree, with the tree's own commands.

A mirror of the source tree has links to all files but those that the patch changes, and one of the
build tree has links to all but what is built; there the component's commands run again. Their paths
lead from the build tree to the source, so the mirrors lie to each other as the trees do."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
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
    mirror.mkdir(parents=True, exist_ok=True)
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


def _ninja_commands(build: Path, target: str) -> list[str]:
    return _run(["ninja", "-C", str(build), "-t", "commands", target], build).splitlines()


class Linked:
    """What is linked into a component from its own folder: its objects, and libraries of them."""

    def __init__(self, build: Path, raw: str):
        """@param raw  the executable that is not instrumented yet"""
        self.raw = Path(raw)
        self.commands = _ninja_commands(build, raw)
        self.objects = [c for c in self.commands if self._folder(c)]
        self.folders = {Path(self._folder(c)) for c in self.objects}
        self.libraries = {f.with_suffix("") for f in self.folders} - {self.raw}

    def _folder(self, command: str) -> str:
        """Where the object goes that a command makes; "" if it is no such command."""
        made = re.search(r" -o (\S+\.p)/[^/ ]+\.o ", command)
        return made[1] if made and Path(made[1]).parent == self.raw.parent else ""

    def archiving(self) -> list[str]:
        return [c for c in self.commands if any(f" {name} " in c and c.startswith("rm -f ")
                                                for name in self.libraries)]

    def has(self, output: str) -> bool:
        return Path(output).parent in self.folders


class Tree:
    """The patched tree; `source` is complete, `build` has what one component needs."""

    def __init__(self, patch: Patch, top: Path, build: Path = BUILD):
        """@param top  a folder that is made and filled. @param build  the tree's build directory"""
        above = os.path.commonpath([SOURCE, build])
        self.patch = patch
        self.built = build
        self.source = top / "tree" / SOURCE.relative_to(above)
        self.build = top / "tree" / build.relative_to(above)
        self.executable = top / f"{patch.component}.{patch.name}"

    def make(self) -> Path:
        """@return the instrumented executable"""
        instrument = _ninja_commands(self.built, f"root/bin/{self.patch.component}")[-1]
        linked = Linked(self.built, instrument.split()[-1])
        self._mirror_source()
        _mirror(self.built, self.build, {linked.raw.parent},
                {*linked.folders, *linked.libraries, linked.raw, Path("compile_commands.json"),
                 Path("tests")})
        for folder in linked.folders:
            (self.build / folder).mkdir()
        self._compile(linked)
        self._instrument(instrument, linked)
        return self.executable

    def _mirror_source(self) -> None:
        changed = {Path(name) for name in self.patch.files}
        inside = self.built.is_relative_to(SOURCE)
        _mirror(SOURCE, self.source, changed,
                {self.built.relative_to(SOURCE)} if inside else set())
        _run(["patch", "--strip=1", "--silent", "--fuzz=0", f"--input={self.patch.path}"],
             self.source)

    def _compile(self, linked: Linked) -> None:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(lambda command: _run(command, self.build), linked.objects))
        for command in [*linked.archiving(), linked.commands[-1]]:
            _run(command, self.build)

    def _instrument(self, command: str, linked: Linked) -> None:
        commands = self.built / "compile_commands.json"
        own = [dict(e, directory=str(self.build)) for e in json.loads(commands.read_text())
               if linked.has(e["output"])]
        (self.build / "compile_commands.json").write_text(json.dumps(own))
        _run(command.replace(str(commands), "compile_commands.json")
             .replace(f"-o root/bin/{self.patch.component} ", f"-o {self.executable} "), self.build)


# ---- what a patch changes ----

FUNCTION = re.compile(r"^[a-zA-Z_][^\n;={}]*\([^;{}]*\) \{\n.*?^\}$", re.MULTILINE | re.DOTALL)
ANNOTATION = re.compile(r"^\+.*\bST_(?!\w*HANDLER)[A-Z_]+\(", re.MULTILINE)
CHANGED = ("converted", "added", "removed")
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
