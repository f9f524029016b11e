"""A report's HTML: one file that needs nothing but the pictures beside it, and works from a disk."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from media_worker.evaluation.figures import Figure
from media_worker.evaluation.panels import SCALE

STYLE = """
:root { color-scheme: dark; --ink: #150d0f; --card: #221719; --line: #fbf5ee24; --ivory: #fbf5ee; --soft: #d9ccc4;
  --good: #7fd6a2; --poor: #ff9a86; --rose: #e9b9ae; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1240px; padding: 32px 24px 64px; background: var(--ink); color: var(--ivory);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif; }
h1, h2 { font-family: "Iowan Old Style", Palatino, Georgia, "Liberation Serif", serif; font-weight: 500; }
h1 { margin: 0; font-size: 32px; }
h2 { margin: 44px 0 12px; font-size: 23px; overflow-wrap: anywhere; }
p { margin: 6px 0; color: var(--soft); max-width: 90ch; }
.tables { display: flex; flex-wrap: wrap; gap: 16px; align-items: start; margin-top: 16px; }
table { border-collapse: collapse; background: var(--card); border-radius: 10px; overflow: hidden; }
td, th { padding: 6px 14px; text-align: left; border-top: 1px solid var(--line); font-weight: 400; }
thead th { border: 0; color: var(--soft); font-size: 13px; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
.soft { color: var(--soft); font-size: 13px; }
.met { color: var(--good); } .missed { color: var(--poor); }
.track { display: inline-block; width: 90px; background: var(--line); border-radius: 3px; }
.bar { display: block; height: 9px; border-radius: 3px; background: var(--rose); }
.legend { display: flex; flex-wrap: wrap; gap: 18px; align-items: center; margin: 12px 0; }
.ramp { display: inline-block; width: 130px; height: 10px; border-radius: 5px; margin: 0 8px; vertical-align: middle; }
.white { display: inline-block; width: 22px; border-top: 3px solid #fff; margin-right: 8px; vertical-align: middle; }
.case { background: var(--card); border-radius: 12px; padding: 14px; margin-top: 16px; }
.case header { display: flex; flex-wrap: wrap; gap: 4px 18px; align-items: baseline; margin-bottom: 10px; }
.case strong { font-weight: 600; overflow-wrap: anywhere; }
.panels { display: grid; grid-template-columns: repeat(auto-fit, minmax(250px, 1fr)); gap: 12px; }
.sheet { display: grid; grid-template-columns: repeat(auto-fill, minmax(270px, 1fr)); gap: 12px; margin-top: 16px; }
figure { margin: 0; }
figure img { display: block; width: 100%; height: 300px; object-fit: contain; border-radius: 8px; background: #0c0708; }
.sheet img { height: auto; max-height: 480px; }
figcaption { padding-top: 5px; color: var(--soft); font-size: 13px; }
svg { display: block; width: 100%; height: 96px; background: var(--card); border-radius: 10px; margin-top: 16px; }
"""


@dataclass(frozen=True)
class Picture:
    file: str
    """Beside the page."""
    caption: str


def write(folder: Path, title: str, introduction: str, parts: Iterable[str], *, style: str = STYLE) -> Path:
    """Writes index.html; `parts` are HTML. Returns its path."""
    body = f"<h1>{escape(title)}</h1>\n<p>{escape(introduction)}</p>\n" + "\n".join(parts)
    path = folder / "index.html"
    path.write_text(
        f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{style}</style>\n<body>\n{body}\n</body>\n</html>\n",
        "utf-8",
    )
    return path


def heading(text: str, explanation: str = "") -> str:
    return f"<h2>{escape(text)}</h2>" + (f"\n<p>{escape(explanation)}</p>" if explanation else "")


def side_by_side(*tables: str) -> str:
    return f'<div class="tables">{"".join(tables)}</div>'


def figure_table(figures: Iterable[Figure]) -> str:
    rows = "".join(_row(figure) for figure in figures)
    return f"<table><thead><tr><th>figure<th><th>target<th></tr></thead><tbody>{rows}</tbody></table>"


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Cells are HTML; the columns' names are text."""
    head = "".join(f"<th>{escape(column)}" for column in columns)
    body = "".join("<tr>" + "".join(f'<td class="number">{cell}' for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def bar(share: float) -> str:
    """A bar for a share, 0–1."""
    return f'<span class="track"><span class="bar" style="width: {100 * share:.0f}%"></span></span>'


def legend(*, truth: bool) -> str:
    """What the outlines' colours mean."""
    stops = ", ".join(f"rgb{colour}" for colour in SCALE)
    ramp = f'<span class="ramp" style="background: linear-gradient(90deg, {stops})"></span>'
    white = '<span><span class="white"></span>true outline</span>' if truth else ""
    return f'<div class="legend soft">{white}<span>found, by confidence: 0{ramp}1</span></div>'


def case(name: str, remarks: str, pictures: Iterable[Picture]) -> str:
    """Pictures of one photo side by side."""
    panels = "".join(_picture(picture) for picture in pictures)
    header = f'<header><strong>{escape(name)}</strong><span class="soft">{escape(remarks)}</span></header>'
    return f'<article class="case">{header}<div class="panels">{panels}</div></article>'


def sheet(pictures: Iterable[Picture]) -> str:
    """A contact sheet."""
    return f'<div class="sheet">{"".join(_picture(picture) for picture in pictures)}</div>'


def curve(values: Sequence[float | None], marks: Iterable[int], what: str) -> str:
    """A line of values 0–1 over frames, gaps where there is none, and a tick below at each of `marks`."""
    runs: list[list[str]] = [[]]
    for index, value in enumerate(values):
        if value is None:
            runs.append([])
        else:
            runs[-1].append(f"{index},{100 - 100 * value:.1f}")
    width = max(len(values) - 1, 1)
    thin = 'fill="none" vector-effect="non-scaling-stroke"'
    lines = "".join(f'<polyline points="{" ".join(run)}" stroke="#e9b9ae" {thin}/>' for run in runs if len(run) > 1)
    ticks = "".join(f'<path d="M{mark} 104V112" stroke="#ff9a86" stroke-width="2" {thin}/>' for mark in marks)
    return (
        f'<svg viewBox="0 -6 {width} 120" preserveAspectRatio="none" role="img" aria-label="{escape(what)}">'
        f'<path d="M0 0H{width}M0 100H{width}" stroke="#fbf5ee24" {thin}/>{lines}{ticks}</svg>'
        f'<p class="soft">{escape(what)}</p>'
    )


def _row(figure: Figure) -> str:
    verdict = {True: "met", False: "missed", None: ""}[figure.met]
    return (
        f'<tr><td>{escape(figure.name)}<td class="number {verdict}">{figure.text}<td>{escape(figure.target)} '
        f'<span class="{verdict}">{verdict}</span><td class="soft">{escape(figure.note)}</tr>'
    )


def _picture(picture: Picture) -> str:
    image = f'<img src="{escape(picture.file)}" alt="{escape(picture.caption)}" loading="lazy">'
    link = f'<a href="{escape(picture.file)}">{image}</a>'
    return f"<figure>{link}<figcaption>{escape(picture.caption)}</figcaption></figure>"
