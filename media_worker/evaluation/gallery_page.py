"""The gallery as a folder that works from any disk or web server: index.html, WebP pictures, no script."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from html import escape
from pathlib import Path

from media_worker import images
from media_worker.evaluation import page
from media_worker.evaluation.gallery import Section, sections
from media_worker.evaluation.gallery_photos import PhotoStrip, strips
from media_worker.files import Progress
from media_worker.polish.thumbnail import hand_picture
from media_worker.vision.arrays import Pixels
from protocol.messages import ImageFormat

WIDTH = 800
"""Pixels of a picture of the drawn hand: a tile is half of that on a fine screen, and a click shows all of it."""

QUALITY = 86

STYLE = """
:root { color-scheme: light dark; --paper: #fbf7f4; --card: #fff; --ink: #2a1b1f; --soft: #75636a; --line: #2a1b1f1f; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #150d0f; --card: #221719; --ink: #fbf5ee; --soft: #c3b3ac; --line: #fbf5ee24; }
}
* { box-sizing: border-box; }
html { scroll-behavior: smooth; scroll-padding-top: 64px; }
body { margin: 0 auto; max-width: 1480px; padding: 28px clamp(14px, 3vw, 40px) 80px; background: var(--paper);
  color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif; }
h1, h2 { font-family: "Iowan Old Style", Palatino, Georgia, "Liberation Serif", serif; font-weight: 500; }
h1 { margin: 0; font-size: clamp(28px, 5vw, 42px); }
h2 { margin: 52px 0 2px; font-size: 25px; overflow-wrap: anywhere; }
p { margin: 4px 0 14px; color: var(--soft); max-width: 80ch; }
nav { position: sticky; top: 0; z-index: 1; display: flex; gap: 6px; overflow-x: auto; padding: 10px 0;
  margin-top: 12px; background: var(--paper); border-bottom: 1px solid var(--line); scrollbar-width: thin; }
nav a { padding: 4px 12px; border: 1px solid var(--line); border-radius: 99px; color: inherit; text-decoration: none;
  white-space: nowrap; }
nav a:hover, nav a:focus-visible { background: var(--card); border-color: currentColor; }
.sheet { display: grid; gap: 14px; grid-template-columns: repeat(auto-fill, minmax(min(240px, 44vw), 1fr)); }
.sheet.rows-3 { grid-template-columns: repeat(3, 1fr); }
.sheet.rows-4 { grid-template-columns: repeat(4, 1fr); }
.sheet.large { grid-template-columns: repeat(auto-fit, minmax(min(420px, 90vw), 1fr)); margin-bottom: 14px; }
figure { margin: 0; border-radius: 12px; overflow: hidden; background: var(--card); border: 1px solid var(--line); }
figure a { display: block; }
figure img { display: block; width: 100%; height: auto; }
.large img { max-height: 78vh; object-fit: contain; }
figcaption { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 10px; justify-content: space-between;
  padding: 7px 12px 9px; }
@media (max-width: 700px) {
  .sheet { gap: 8px; }
  .sheet.rows-4 { grid-template-columns: repeat(2, 1fr); }
  figcaption { padding: 5px 8px 7px; font-size: 14px; }
}
figcaption span { color: var(--soft); font-size: 13px; }
"""


def write(folder: Path, photos: Sequence[Path], skin: str, model: Path | None, bar: Callable[[str], Progress]) -> Path:
    """Writes the gallery; returns its page. `model` is the hand model, needed for photos alone.

    The folder is made if need be. Raises BadImage, VisionFailed, OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    shown = sections()
    parts = [*_drawn(shown, skin, folder, bar("drawing hands"))]
    titles = [section.title for section in shown]
    if photos and model:
        shown_photos = strips(photos, model, bar("painting photos"))
        parts += [_photo(strip, name, folder) for strip, name in zip(shown_photos, names(photos), strict=True)]
        titles += names(photos)
    said = (
        f"Everything painted by the engine itself, on a drawn hand of {skin} skin. Click a picture for its full size."
    )
    return page.write(folder, "Lacquer: gallery", said, [_contents(titles), *parts], style=STYLE)


def _drawn(shown: Sequence[Section], skin: str, folder: Path, progress: Progress) -> Iterable[str]:
    done, total = 0, sum(len(section.tiles) for section in shown)
    for section in shown:
        figures = []
        for tile in section.tiles:
            picture = hand_picture(tile.look, WIDTH, skin)
            file = _save(picture, folder, f"{section.title} {tile.name} {tile.note}")
            figures.append(_figure(file, tile.name, tile.note, picture))
            done += 1
            progress(done, total)
        yield _section(
            section.title, section.explanation, _sheet(figures, f"rows-{section.columns}" if section.columns else "")
        )


def names(photos: Sequence[Path]) -> list[str]:
    """The files' names; of those whose `slug` is the same, the later ones are numbered."""
    seen: Counter[str] = Counter()
    titles = []
    for photo in photos:
        name = slug(photo.name)
        seen[name] += 1
        titles.append(photo.name if seen[name] == 1 else f"{photo.name} ({seen[name]})")
    return titles


def _photo(strip: PhotoStrip, title: str, folder: Path) -> str:
    whole, close = (
        [_figure(_save(each.picture, folder, f"{title} {each.name}"), each.name, "", each.picture) for each in part]
        for part in (strip.whole, strip.close)
    )
    said = f"{strip.nails} nails found." if strip.nails else "No nails found, so nothing is painted."
    return _section(title, said, _sheet(whole, "large") + _sheet(close))


def _section(title: str, explanation: str, content: str) -> str:
    return f'<section id="{slug(title)}">{page.heading(title, explanation)}\n{content}</section>'


def _contents(titles: Iterable[str]) -> str:
    links = "".join(f'<a href="#{slug(title)}">{escape(title)}</a>' for title in titles)
    return f'<nav aria-label="Contents">{links}</nav>'


def _sheet(figures: Iterable[str], kind: str = "") -> str:
    return f'<div class="{f"sheet {kind}".strip()}">{"".join(figures)}</div>'


def _figure(file: str, name: str, note: str, picture: Pixels) -> str:
    height, width = picture.shape[:2]
    alt = escape(f"{name}, {note}" if note else name)
    image = f'<img src="{file}" alt="{alt}" width="{width}" height="{height}" loading="lazy">'
    caption = f"<figcaption>{escape(name)}<span>{escape(note)}</span></figcaption>"
    return f'<figure><a href="{file}">{image}</a>{caption}</figure>'


def _save(picture: Pixels, folder: Path, name: str) -> str:
    """Writes a WebP; returns its name."""
    file = f"{slug(name)}.webp"
    (folder / file).write_bytes(images.encode(picture, ImageFormat.WEBP, quality=QUALITY))
    return file


def slug(text: str) -> str:
    """Fit for a file and for a link: letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
