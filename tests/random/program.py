"""Programs: some pairs together, built with the project's flags and instrumented."""

from __future__ import annotations

import sys
from pathlib import Path
from random import Random

sys.path.append(str(Path(__file__).resolve().parents[1] / "updates"))

from case import Case  # noqa: E402
from emit import Source  # noqa: E402
from tools import Tools  # noqa: E402

HEAD = """#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "libst/annotate.h"
#include "tests/random/values.h"
#include "tests/updates/pair.h"
"""


class Program:
    """The pairs `seeds`, in two files. How they are built depends on `group` alone."""

    def __init__(self, group: int, seeds: list[int], per_program: int):
        rng = Random(f"program {group}")
        self.compiler = rng.choice(["gcc", "clang-19"])
        self.flags = rng.choice([("-O0",)] * 6 + [("-O2",)] * 3 + [("-O2", "-DRANDOM_OPTIMISE_ALL")])
        if self.compiler == "gcc":  # what libst does not look at, and half of the time
            self.flags += ("-fno-var-tracking",)
        private = rng.random() < 0.5  # the files use the same names for different things
        self.cases, self.files = [], {"a.c": [], "b.c": []}
        first = 1
        for seed in seeds:
            index = seed % per_program
            name = "ab"[index % 2]
            prefix = f"c{index // 2}" if private else f"{name}{index // 2}"
            case = Case(seed, prefix, private)
            self.cases.append((case, f"{name}.c", first))
            self.files[f"{name}.c"].append((case, first))
            first += len(case.model.choices)

    def write(self, folder: Path) -> None:
        self.lines: dict[int, dict[str, int]] = {}
        for version in ("v1", "v2"):
            (folder / version).mkdir(parents=True)
            calls: dict[str, list[str]] = {"build": [], "verify": []}
            for name, members in self.files.items():
                text = HEAD.splitlines()
                for case, first in members:
                    text += ["", f"/* pair {case.seed} */"]
                    source = Source(case, version == "v2", first)
                    start = len(text)
                    text += source.write()
                    if version == "v1":
                        self.lines[case.seed] = {b: start + n
                                                 for b, n in source.alloc_lines.items()}
                for what in calls:
                    text.append(f"void {name[0]}_{what}(void) {{")
                    if what == "verify":
                        text.append("  random_in_file(__FILE__);")
                    if what == "verify" or version == "v1":
                        text += [f"  {case.prefix}_{what}();" for case, _ in members]
                    text.append("}")
                if name == "b.c":
                    text += ["void a_build(void);", "void a_verify(void);",
                             "static void build(void) { a_build(); b_build(); random_free_now(); }",
                             "static void verify(void) "
                             "{ a_verify(); b_verify(); random_end_checks(); }",
                             "PAIR_MAIN(.build = build, .verify = verify)"]
                (folder / version / name).write_text("\n".join(text) + "\n")

    def build(self, tools: Tools, folder: Path) -> None:
        for version in ("v1", "v2"):
            here = folder / version
            tools.program(folder / version[1:], here, [Path(name) for name in self.files],
                          self.compiler, self.flags[0], "random", self.flags[1:])
