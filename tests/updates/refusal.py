"""A change, or a value, that must be refused."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass
class Refusal:
    """A pair of programs that differ in the declarations `old` and `new`. The old one runs `build`,
    and the update must be refused with a message that contains `says`. With `fine` instead, if it is
    given, the same pair must update: what is refused is the state, not the change."""

    name: str
    old: str
    new: str
    build: str
    says: str
    fine: str | None = None
    beside: tuple[str, str] | None = None  # a second file of each version

    def program(self, version: int) -> str:
        build = ""
        if version == 1:
            build = f"""static void build(void) {{
  if (getenv("FINE")) {{
    {self.fine or ""};
  }} else {{
    {self.build};
  }}
}}
"""
        fields = ".build = build, " if version == 1 else ""
        return f"""#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "libst/annotate.h"
#include "tests/updates/pair.h"
{self.old if version == 1 else self.new}
{build}static void verify(void) {{}}
PAIR_MAIN({fields}.verify = verify)
"""


def incomplete(report: str) -> str:
    """The first violation that does not name the datum, or does not say what would resolve it; "" """
    for line in report.splitlines():
        if line.startswith("violation: "):
            if not re.match("violation: .*`[^`]+`.*; .", line):
                return line
    return ""
