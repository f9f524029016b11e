"""Grafana's files. Debian has no Grafana, so this checks what it would object to; test_running.py asks its queries."""

from __future__ import annotations

import json
from itertools import combinations
from typing import Any

import yaml

from tests.deploy.files import DEPLOY, compose

FOLDER = DEPLOY / "grafana"
DASHBOARD: dict[str, Any] = json.loads((FOLDER / "dashboards" / "lacquer.json").read_text("utf-8"))
PANELS: list[dict[str, Any]] = DASHBOARD["panels"]
SHOWN = [panel for panel in PANELS if panel["type"] != "row"]
UNITS = {"short", "percentunit", "s", "bytes", "reqps"}


def test_ids_are_unique() -> None:
    ids = [panel["id"] for panel in PANELS]
    assert len(set(ids)) == len(ids)
    assert len({panel["title"] for panel in PANELS}) == len(PANELS)


def test_no_panels_overlap() -> None:
    def touches(a: dict[str, int], b: dict[str, int]) -> bool:
        beside = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
        above = a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"]
        return not (beside or above)

    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in PANELS)
    assert not [(a["title"], b["title"]) for a, b in combinations(PANELS, 2) if touches(a["gridPos"], b["gridPos"])]


def test_panels_explain_themselves() -> None:
    for panel in SHOWN:
        assert panel["description"].endswith("."), panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"] in UNITS, panel["title"]
        letters = [target["refId"] for target in panel["targets"]]
        assert len(set(letters)) == len(letters) > 0, panel["title"]


def test_every_query_goes_to_the_source_that_is_provisioned() -> None:
    (source,) = yaml.safe_load((FOLDER / "provisioning" / "datasources" / "prometheus.yml").read_text())["datasources"]
    asked = {target["datasource"]["uid"] for panel in SHOWN for target in panel["targets"]}
    asked |= {panel["datasource"]["uid"] for panel in SHOWN}
    asked |= {note["datasource"]["uid"] for note in DASHBOARD["annotations"]["list"]}
    assert asked == {source["uid"]}
    assert source["url"] == "http://prometheus:9090"
    assert "--web.listen-address=0.0.0.0:9090" in compose()["services"]["prometheus"]["command"]


def test_dashboards_lie_where_grafana_looks() -> None:
    (provider,) = yaml.safe_load((FOLDER / "provisioning" / "dashboards" / "lacquer.yml").read_text())["providers"]
    grafana = compose()["services"]["grafana"]
    mounts = dict(volume.split(":")[:2] for volume in grafana["volumes"])
    assert mounts["./grafana/dashboards"] == provider["options"]["path"]
    assert mounts["./grafana/provisioning"] == "/etc/grafana/provisioning"
    home = grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert home == f"{provider['options']['path']}/lacquer.json"
