"""A measured figure beside its target, for the terminal and for pages alike."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    name: str
    value: float | None
    """None where nothing could be measured."""
    digits: int = 3
    at_least: float | None = None
    at_most: float | None = None
    note: str = ""

    @property
    def text(self) -> str:
        return "–" if self.value is None else f"{self.value:.{self.digits}f}"

    @property
    def target(self) -> str:
        """`≥ 0.82`; empty without one."""
        if self.at_least is not None:
            return f"≥ {self.at_least:g}"
        return f"≤ {self.at_most:g}" if self.at_most is not None else ""

    @property
    def met(self) -> bool | None:
        """None without a target or without a value."""
        if self.value is None or not self.target:
            return None
        return self.value >= self.at_least if self.at_least is not None else self.value <= (self.at_most or 0.0)


def as_text(figures: Iterable[Figure]) -> str:
    """One line a figure: name, value, target, whether it is met, note."""
    return "\n".join(_line(figure) for figure in figures)


def _line(figure: Figure) -> str:
    verdict = {True: "met", False: "missed", None: ""}[figure.met]
    target = f"{figure.target:<8} {verdict:<7}" if figure.target else ""
    note = f"({figure.note})" if figure.note else ""
    return "  ".join(part for part in (f"{figure.name:<42}", f"{figure.text:>8}", target, note) if part).rstrip()
