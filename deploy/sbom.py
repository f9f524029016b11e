"""The bill of materials of what Lacquer ships, CycloneDX in JSON: `make sbom` writes build/sbom.json.

cyclonedx-py describes all that is installed here. Of that, what requirements.lock names is kept, with the licences that
`licences` found; the networks are added, which no package manager knows.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from typing import Any

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from deploy.licences import ROOT, licence, locked
from media_worker.vision import models

WRITTEN = ROOT / "build" / "sbom.json"
WEIGHTS = ROOT / "media_worker" / "vision" / "weights"

Component = dict[str, Any]


def installed() -> Component:
    """What cyclonedx-py says of this environment."""
    command = [sys.executable, "-m", "cyclonedx_py", "environment", "--output-reproducible", "--of", "JSON"]
    command += ["--pyproject", str(ROOT / "pyproject.toml"), "-o", "-", sys.executable]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    bom: Component = json.loads(done.stdout)
    return bom


def shipped(bom: Component) -> Component:
    """The same, without what only development needs, and with the networks."""
    names = {_plain(name) for name in locked()}
    kept = [_with_licence(it) for it in bom["components"] if _plain(it["name"]) in names]
    added = networks()
    refs = {it["bom-ref"] for it in [*kept, *added]} | {bom["metadata"]["component"]["bom-ref"]}
    dependencies = [
        {**it, "dependsOn": [ref for ref in it.get("dependsOn", []) if ref in refs]}
        for it in bom.get("dependencies", [])
        if it["ref"] in refs
    ]
    return {**bom, "components": [*kept, *added], "dependencies": dependencies}


def networks() -> list[Component]:
    ours = [
        _network(path.name, hashlib.sha256(path.read_bytes()).hexdigest(), "trained by media_worker/training")
        for path in sorted(WEIGHTS.glob("*.onnx"))
    ]
    hand = _network(models.FILE_NAME, models.SHA256, "two networks of MediaPipe 0.10.21, fetched by `lacquer models`")
    return [*ours, {**hand, "licenses": [{"license": {"id": "Apache-2.0"}}]}]


def _network(name: str, sha256: str, description: str) -> Component:
    return {
        "type": "machine-learning-model",
        "bom-ref": f"network:{name}",
        "name": name,
        "description": description,
        "hashes": [{"alg": "SHA-256", "content": sha256}],
    }


def _with_licence(component: Component) -> Component:
    return {**component, "licenses": [{"expression": licence(component["name"])}]}


def _plain(name: str) -> str:
    """PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


def check(bom: Component) -> None:
    """Against CycloneDX's own schema. Raises ValueError."""
    schema = SchemaVersion.from_version(bom["specVersion"])
    if error := JsonStrictValidator(schema).validate_str(json.dumps(bom)):
        raise ValueError(f"not CycloneDX {bom['specVersion']}: {error}")


def main() -> None:
    bom = shipped(installed())
    check(bom)
    WRITTEN.parent.mkdir(exist_ok=True)
    WRITTEN.write_text(json.dumps(bom, indent=1), "utf-8")
    print(f"wrote {WRITTEN.relative_to(ROOT)}: {len(bom['components'])} components, CycloneDX {bom['specVersion']}")


if __name__ == "__main__":
    main()
