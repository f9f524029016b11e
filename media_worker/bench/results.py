"""What one run in a browser found, and all runs of a benchmark beside their targets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from media_worker.evaluation.figures import Figure

OURS, ECHO = "lacquer", "echo"

CPU_MS = {"h264": 11.0, "vp8": 14.0}
"""Targets of server processor time a frame, on two cores of an AMD EPYC at 640x480 and 30 fps."""


@dataclass(frozen=True)
class Latency:
    """Milliseconds from a frame's capture until it is shown again."""

    p50: float
    p95: float
    p99: float
    frames: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Latency | None:
        """None without values."""
        if not values:
            return None
        p50, p95, p99 = (float(np.percentile(values, each)) for each in (50, 95, 99))
        return cls(p50, p95, p99, len(values))

    def as_dict(self) -> dict[str, float]:
        return {"p50": round(self.p50, 1), "p95": round(self.p95, 1), "p99": round(self.p99, 1), "frames": self.frames}


@dataclass(frozen=True)
class Stream:
    """What the page saw of one stream."""

    latencies: list[float]
    """Milliseconds, in the order of frames."""
    unread: int
    """Frames shown whose number could not be read, or whose capture was not seen."""
    seconds: float
    taken: int
    """Frames of the camera."""
    sent: int
    """Frames that left the browser's encoder."""
    returned: int
    """Frames that were decoded."""
    up: int
    down: int
    """Bytes of RTP payload."""
    first: float
    """Seconds from asking for the stream until its first picture was shown."""
    sizes: list[tuple[float, str]]
    """Seconds from the same moment, and the size that the returned picture had from then on."""

    @classmethod
    def of(cls, found: dict[str, Any]) -> Stream:
        sizes = [(float(at), str(size)) for at, size in found["sizes"]]
        return cls(**{name: found[name] for name in cls.__annotations__ if name != "sizes"}, sizes=sizes)

    def full_size_after(self, size: str) -> float | None:
        """Seconds until the picture had this size and kept it; None where it has another in the end."""
        if not self.sizes or self.sizes[-1][1] != size:
            return None
        return self.sizes[-1][0]


@dataclass(frozen=True)
class Run:
    """One server, one codec, one number of streams."""

    target: str
    codec: str
    streams: list[Stream]
    cpu_seconds: float | None
    """Of the server, while it was watched."""
    memory_mb: float | None
    likeness: float | None
    """SSIM outside nails."""
    camera_size: str = "640x480"

    @property
    def name(self) -> str:
        return f"{self.target}, {self.codec}, {len(self.streams)} stream{'s' if len(self.streams) > 1 else ''}"

    @property
    def latency(self) -> Latency | None:
        return Latency.of([value for stream in self.streams for value in stream.latencies])

    @property
    def fps(self) -> float:
        """Of a stream, on average."""
        return sum(stream.returned / stream.seconds for stream in self.streams) / len(self.streams)

    @property
    def returned_share(self) -> float | None:
        sent = sum(stream.sent for stream in self.streams)
        return sum(stream.returned for stream in self.streams) / sent if sent else None

    @property
    def cpu_ms(self) -> float | None:
        """Milliseconds of server processor time a frame."""
        frames = sum(stream.returned for stream in self.streams)
        return self.cpu_seconds * 1000 / frames if frames and self.cpu_seconds is not None else None

    @property
    def first(self) -> float:
        """Seconds until the slowest stream showed a picture."""
        return max(stream.first for stream in self.streams)

    @property
    def full_size_after(self) -> float | None:
        """Of the slowest stream; None where one never got there."""
        each = [stream.full_size_after(self.camera_size) for stream in self.streams]
        return None if None in each else max(seconds for seconds in each if seconds is not None)

    def kbps(self, way: Literal["up", "down"]) -> float:
        """Mean of a stream."""
        each = [(stream.up if way == "up" else stream.down) * 8 / stream.seconds for stream in self.streams]
        return sum(each) / len(each) / 1000

    def as_dict(self) -> dict[str, Any]:
        latency = self.latency
        return {
            "target": self.target,
            "codec": self.codec,
            "streams": len(self.streams),
            "latency_ms": latency.as_dict() if latency else None,
            "fps": round(self.fps, 1),
            "camera_fps": round(self.streams[0].taken / self.streams[0].seconds, 1),
            "returned_of_sent": _rounded(self.returned_share, 4),
            "first_picture_after_s": round(self.first, 2),
            "full_size_after_s": _rounded(self.full_size_after, 2),
            "sizes": [[(round(at, 2), size) for at, size in stream.sizes] for stream in self.streams],
            "uplink_kbps": round(self.kbps("up")),
            "downlink_kbps": round(self.kbps("down")),
            "ssim_outside_nails": _rounded(self.likeness, 4),
            "server_cpu_ms_per_frame": _rounded(self.cpu_ms, 2),
            "server_memory_mb": _rounded(self.memory_mb, 0),
            "frames_without_readable_number": sum(stream.unread for stream in self.streams),
        }


@dataclass(frozen=True)
class Results:
    machine: dict[str, Any]
    camera: str
    seconds: float
    runs: list[Run]

    def as_dict(self) -> dict[str, Any]:
        return {
            "machine": self.machine,
            "camera": self.camera,
            "seconds": self.seconds,
            "runs": [run.as_dict() for run in self.runs],
            "compared": {f"{run.codec} x{len(run.streams)}": self._ratios(run) for run in self._compared()},
        }

    def figures(self, run: Run) -> list[Figure]:
        """A run's figures; single streams of ours have targets."""
        ours = run.target == OURS and len(run.streams) == 1
        figures = _figures(run) if ours else [_free(figure) for figure in _figures(run)]
        if ratios := self._ratios(run):
            at_most = 0.85 if run.codec == "h264" else None
            figures.append(Figure("latency p50 to the stock echo's", ratios["latency_p50"], 2, at_most=at_most))
            figures.append(Figure("CPU a frame to the stock echo's", ratios["cpu"], 2))
        return figures

    def _compared(self) -> list[Run]:
        return [run for run in self.runs if self._ratios(run)]

    def _ratios(self, run: Run) -> dict[str, float | None]:
        """Of ours to the stock echo in the same benchmark; empty without one."""
        same = [other for other in self.runs if (other.target, other.codec) == (ECHO, run.codec)]
        same = [other for other in same if len(other.streams) == len(run.streams)]
        if run.target != OURS or not same or not run.latency or not same[0].latency:
            return {}
        cpu = run.cpu_ms / same[0].cpu_ms if run.cpu_ms and same[0].cpu_ms else None
        return {"latency_p50": round(run.latency.p50 / same[0].latency.p50, 3), "cpu": _rounded(cpu, 3)}


def _figures(run: Run) -> list[Figure]:
    latency = run.latency
    p50, p95, p99 = (latency.p50, latency.p95, latency.p99) if latency else (None, None, None)
    bound = p50 or 0.0
    return [
        Figure("glass to glass p50, ms", p50, 1),
        Figure("glass to glass p95, ms", p95, 1, at_most=round(1.25 * bound + 10, 1)),
        Figure("glass to glass p99, ms", p99, 1, at_most=round(1.5 * bound + 10, 1)),
        Figure("frames a second, of each stream", run.fps, 1),
        Figure("frames returned of frames sent", run.returned_share, 4, at_least=0.99),
        Figure("first picture after, s", run.first, 2),
        Figure(f"{run.camera_size} after, s", run.full_size_after, 2, at_most=2, note=_sizes(run)),
        Figure("SSIM outside nails", run.likeness, 3, at_least=0.95, note=f"at {run.kbps('down'):.0f} kbit/s down"),
        Figure("uplink, kbit/s", run.kbps("up"), 0),
        Figure("server CPU a frame, ms", run.cpu_ms, 1, at_most=CPU_MS[run.codec]),
        Figure("server memory, MB", run.memory_mb, 0),
    ]


def _sizes(run: Run) -> str:
    return ", ".join(f"{size} from {at:.1f} s" for at, size in run.streams[0].sizes[:6])


def _free(figure: Figure) -> Figure:
    """Without its target."""
    return Figure(figure.name, figure.value, figure.digits, note=figure.note)


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
