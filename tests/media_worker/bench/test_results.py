from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from media_worker.bench.results import ECHO, OURS, Latency, Results, Run, Stream


def stream(**changes: Any) -> Stream:
    found = {
        **{"latencies": [50.0] * 100, "unread": 0, "seconds": 10.0, "taken": 300, "sent": 300, "returned": 297},
        **{"up": 1_875_000, "down": 1_250_000, "first": 0.4, "sizes": [[0.4, "480x360"], [1.5, "640x480"]]},
    }
    return Stream.of({**found, **changes})


def run(target: str = OURS, codec: str = "h264", *, latency: float = 50, cpu: float = 2.97, streams: int = 1) -> Run:
    return Run(target, codec, [stream(latencies=[latency] * 100)] * streams, cpu, 300.0, 0.97)


def results(*runs: Run) -> Results:
    return Results({"cores": 2}, "drawn hand", 10, list(runs))


def test_percentiles() -> None:
    latency = Latency.of([float(value) for value in range(101)])
    assert latency is not None
    assert (latency.p50, latency.p95, latency.p99, latency.frames) == (50, 95, 99, 101)
    assert Latency.of([]) is None


def test_rates_are_of_the_time_watched() -> None:
    measured = run()
    assert measured.fps == pytest.approx(29.7)
    assert measured.returned_share == pytest.approx(0.99)
    assert measured.cpu_ms == pytest.approx(10.0)
    assert measured.kbps("up") == pytest.approx(1500)
    assert measured.kbps("down") == pytest.approx(1000)


def test_processor_time_is_shared_by_all_streams() -> None:
    assert run(streams=2, cpu=5.94).cpu_ms == pytest.approx(10.0)
    assert dataclasses.replace(run(), cpu_seconds=None).cpu_ms is None


def test_full_size_counts_only_where_it_stays() -> None:
    assert stream().full_size_after("640x480") == 1.5
    shrunk = stream(sizes=[[0.4, "640x480"], [3.0, "480x360"]])
    assert shrunk.full_size_after("640x480") is None
    assert dataclasses.replace(run(), streams=[stream(), shrunk]).full_size_after is None


def test_ratios_are_to_the_echo_of_the_same_codec_and_streams() -> None:
    ours, echo = run(latency=40), run(ECHO, latency=80, cpu=5.94)
    found = results(ours, run(codec="vp8"), echo, run(ECHO, streams=2))
    assert found.as_dict()["compared"] == {"h264 x1": {"latency_p50": 0.5, "cpu": 0.5}}
    names = [figure.name for figure in found.figures(found.runs[1])]
    assert not [name for name in names if "echo" in name]


def test_figures_meet_their_targets_or_miss_them() -> None:
    found = results(run(latency=70), run(ECHO, latency=80))
    figures = {figure.name: figure for figure in found.figures(found.runs[0])}
    assert figures["latency p50 to the stock echo's"].met is False
    assert figures["server CPU a frame, ms"].met is True
    assert figures["640x480 after, s"].met is True
    assert figures["frames returned of frames sent"].met is True


def test_what_is_not_ours_has_no_targets() -> None:
    found = results(run(ECHO), run(streams=2))
    for each in found.runs:
        assert [figure.met for figure in found.figures(each)] == [None] * 11


def test_json_holds_every_run() -> None:
    whole = json.loads(json.dumps(results(run(), run(ECHO)).as_dict()))
    assert [each["target"] for each in whole["runs"]] == [OURS, ECHO]
    assert whole["runs"][0]["latency_ms"] == {"p50": 50, "p95": 50, "p99": 50, "frames": 100}
    assert whole["runs"][0]["sizes"] == [[[0.4, "480x360"], [1.5, "640x480"]]]


def test_a_run_without_a_picture_back_is_told_too() -> None:
    silent = Run(OURS, "vp8", [stream(latencies=[], returned=0, sent=0, sizes=[])], 1.0, None, None)
    assert silent.as_dict()["latency_ms"] is None
    assert [figure.value for figure in results(silent).figures(silent)].count(None) == 8
