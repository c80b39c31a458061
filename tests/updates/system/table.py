"""The table of real updates: what the tests found out about each."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from typing import Any

from proteos.build import BUILD, SOURCE

from patched import Patch

DOCUMENT = SOURCE / "docs/real-updates.md"
FOLDER = BUILD / "tests/updates/system"
COUNTED = ["lines", "functions", "variables", "types", "annotations", "handler lines"]
HEADING = ["component", "update", "kind", *COUNTED, "filter", "outcome", "held ms"]
KINDS = ("fix", "feature", "redesign")
HOLDING = ("converge", "transfer", "commit")  # the phases in which anything waits


@dataclass(frozen=True)
class Row:
    component: str
    name: str
    kind: str
    counts: dict[str, int]
    filter: str
    outcome: str
    held_ms: float

    @classmethod
    def of(cls, patch: Patch, counts: dict[str, int], record: dict[str, Any]) -> Row:
        held_us = sum(p["took_us"] for p in record["phases"] if p["phase"] in HOLDING)
        return cls(patch.component, patch.name, patch.heading("Kind") or "", counts,
                   patch.heading("Filter") or "", record["outcome"], held_us / 1000)

    def static(self) -> list[str]:
        """The cells that are the same in every run."""
        code = f"`{self.filter}`" if self.filter else ""
        return [self.component, self.name, self.kind, *(str(self.counts[c]) for c in COUNTED), code,
                self.outcome]


def save(row: Row) -> None:
    """Where this user may write to the build directory."""
    path = FOLDER / row.component / f"{row.name}.json"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(row)))
    except PermissionError:
        pass


def rows() -> list[Row]:
    """Of all updates that were made in this build directory."""
    return [Row(**json.loads(path.read_text())) for path in sorted(FOLDER.glob("*/*.json"))]


def render(found: list[Row]) -> str:
    lines = [HEADING, ["---"] * len(HEADING)]
    lines += [[*row.static(), f"{row.held_ms:.1f}"] for row in found]
    totals = {c: sum(row.counts[c] for row in found) for c in COUNTED}
    lines.append(["**all**", str(len(found)), "", *(str(totals[c]) for c in COUNTED), "", "", ""])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def static_columns(text: str) -> dict[tuple[str, str], list[str]]:
    """The rows of a rendered table, without the times."""
    cells = [[cell.strip() for cell in line.strip("| \n").split(" | ")]
             for line in re.findall(r"^\|.*\|$", text, re.MULTILINE)]
    return {(row[0], row[1]): row[:-1] for row in cells
            if len(row) == len(HEADING) and row[2] in KINDS}
