"""The components of docs/component.md, built from the page, start and stop in order."""

from __future__ import annotations

import pytest

from proteos import Manifest, System


@pytest.mark.parametrize("name", ["template", "example"])
def test_component_of_the_page_runs(name):
    with System(Manifest.empty().add(name)) as system:
        system.wait(lambda: system.status()[name].state == "running", "its start")
        pid = system.status()[name].pid
        system.update(name, f"/bin/{name}")
        status = system.status()[name]
        assert status.updates == 1 and status.pid != pid


def test_template_is_under_40_lines():
    from proteos.build import BUILD

    page = (BUILD / ".." / "docs" / "component.md").resolve().read_text()
    template = page.split("```c template\n")[1].split("```")[0]
    assert len(template.splitlines()) < 40
