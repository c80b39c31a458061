"""Whether st-diff foretells the plan that an update makes."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

REFUSED = 3  # update-pair --plan


def disagreement(update_pair: Path, st_diff: Path, old: Path, new: Path) -> str:
    """@return what st-diff says otherwise than the update's own report, or "" """
    plan = subprocess.run([update_pair, "--plan", old, new], capture_output=True, text=True)
    if plan.returncode not in (0, REFUSED):
        return f"no plan: {plan.stderr}"
    done = subprocess.run([st_diff, "--json", old, new], capture_output=True, text=True)
    if done.returncode not in (0, 1):
        return f"st-diff fails: {done.stderr}"
    told, lines = json.loads(done.stdout), plan.stdout.splitlines()
    if told["refused"] != (plan.returncode == REFUSED) or (told["refused"] and not done.returncode):
        return f"st-diff: refused is {told['refused']}, update-pair --plan ends with {plan.returncode}"
    count = len(told["violations"]) + len(told["notes"])
    if lines and lines[-1].startswith("... more lines"):  # the report has a limit, st-diff has none
        lines.pop()
        if len(lines) >= count:
            return f"st-diff has {count} lines, the cut report {len(lines)}"
    elif len(lines) != count:
        return f"st-diff has {count} lines, the report {len(lines)}"
    for kind in ("violation", "note"):
        planned = [line[len(kind) + 2:] for line in lines if line.startswith(kind + ": ")]
        if told[kind + "s"][:len(planned)] != planned:
            return f"{kind}s: {told[kind + 's']} instead of {planned}"
    return ""
