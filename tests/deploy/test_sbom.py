from __future__ import annotations

from typing import Any

import pytest

from deploy import sbom


@pytest.fixture(scope="module")
def bom() -> dict[str, Any]:
    """As cyclonedx-py makes it, which takes long where much is installed: two packages that are shipped, one that is
    not."""
    names = {"aiohttp": "3.14.5", "Mako": "1.4.3", "pytest": "9.0.0"}
    components = [
        {"type": "library", "bom-ref": f"{name}=={version}", "name": name, "version": version}
        for name, version in names.items()
    ]
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "metadata": {"component": {"type": "application", "bom-ref": "root-component", "name": "lacquer"}},
        "components": components,
        "dependencies": [
            {"ref": "root-component", "dependsOn": ["aiohttp==3.14.5", "pytest==9.0.0"]},
            {"ref": "pytest==9.0.0"},
        ],
    }


def test_only_what_is_shipped_with_its_licences_and_the_networks(bom: dict[str, Any]) -> None:
    made = sbom.shipped(bom)
    sbom.check(made)
    names = [component["name"] for component in made["components"]]
    assert names == ["aiohttp", "Mako", "nail_crops.onnx", "nail_map.onnx", "hand_landmarker.task"]
    assert made["components"][0]["licenses"] == [{"expression": "Apache-2.0 AND MIT"}]
    assert all(len(it["hashes"][0]["content"]) == 64 for it in made["components"][2:])
    assert made["dependencies"] == [{"ref": "root-component", "dependsOn": ["aiohttp==3.14.5"]}]


def test_what_is_no_bill_is_refused(bom: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="not CycloneDX"):
        sbom.check({**bom, "components": [{"name": "nameless kind"}]})
