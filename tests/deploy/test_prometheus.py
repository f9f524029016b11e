"""Prometheus' files, by promtool: configuration, rules, and the alerts raised one by one."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from tests.deploy.files import DEPLOY, compose
from tests.deploy.programs import check, run
from tests.deploy.promql import metric_names, rule_expressions

PACKAGE = "the Debian package prometheus"
TESTS = Path(__file__).parent / "alerts.test.yml"
RULES = yaml.safe_load((DEPLOY / "alerts.yml").read_text("utf-8"))["groups"]
ALERTS = [rule for group in RULES for rule in group["rules"] if "alert" in rule]


def test_promtool_takes_the_configuration() -> None:
    check("promtool", PACKAGE, "check", "config", DEPLOY / "prometheus.yml")


def test_promtool_takes_the_rules() -> None:
    check("promtool", PACKAGE, "check", "rules", "--lint=all", "--lint-fatal", DEPLOY / "alerts.yml")


def test_alerts_are_raised_when_they_should_be() -> None:
    check("promtool", PACKAGE, "test", "rules", TESTS)


def test_they_are_not_raised_by_anything(tmp_path: Path) -> None:
    """The test of the tests: with one threshold changed, promtool objects."""
    changed = (
        (DEPLOY / "alerts.yml")
        .read_text("utf-8")
        .replace("lacquer:slots_used:ratio > 0.85", "lacquer:slots_used:ratio > 2")
    )
    (tmp_path / "alerts.yml").write_text(changed)
    tests = TESTS.read_text("utf-8").replace("../../deploy/alerts.yml", "alerts.yml")
    (tmp_path / "tests.yml").write_text(tests)
    assert (
        "SlotsNearlyTaken" in run("promtool", PACKAGE, "test", "rules", tmp_path / "tests.yml", environment={}).stderr
    )


def test_every_alert_is_tested_and_says_what_to_do() -> None:
    tests = TESTS.read_text("utf-8")
    for alert in ALERTS:
        assert re.search(rf"\b{alert['alert']}\b", tests), alert["alert"]
        assert alert["labels"]["severity"] in ("page", "ticket"), alert["alert"]
        assert {"summary", "action"} == alert["annotations"].keys(), alert["alert"]
        assert "for" in alert, alert["alert"]


def test_names_are_read_out_of_expressions() -> None:
    expression = (
        'sum by (le, stage) (rate(a_bucket{x=~"b|c", y="d(e)"}[5m])) / (max(f:g:h) > 0.5) or absent(up) unless k'
    )
    assert metric_names(expression) == {"a_bucket", "f:g:h", "up", "k"}
    assert all(metric_names(expression) for _, expression in rule_expressions())


def test_it_asks_the_aliases_of_compose() -> None:
    jobs = yaml.safe_load((DEPLOY / "prometheus.yml").read_text("utf-8"))["scrape_configs"]
    services = compose()["services"]
    aliases = {
        name
        for said in services.values()
        if isinstance(said.get("networks"), dict)
        for net in said["networks"].values()
        for name in net.get("aliases", ())
    }
    asked = {name: found["port"] for job in jobs for found in job.get("dns_sd_configs", ()) for name in found["names"]}
    assert asked == {"signaling": 8000, "worker": 8001}
    assert asked.keys() == aliases
    ports = {job["job_name"]: job["static_configs"][0]["targets"] for job in jobs if "static_configs" in job}
    assert ports["node"] == ["node-exporter:9100"]
