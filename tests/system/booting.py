"""Boots that must fail."""

from __future__ import annotations

import pytest

from proteos import CommandFailed, Manifest, System


def refused(manifest: Manifest) -> str:
    """What prctl prints of a manifest that cannot be booted; nothing may be left running."""
    system = System(manifest)
    with pytest.raises(CommandFailed) as failure:
        system.__enter__()
    assert system.leftovers == []
    return failure.value.output
