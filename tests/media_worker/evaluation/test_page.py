from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

from media_worker.evaluation import page
from media_worker.evaluation.figures import Figure


class Links(HTMLParser):
    """Whatever a page asks for, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.tags: set[str] = set()
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.asked += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_names_of_files_cannot_become_markup(tmp_path: Path) -> None:
    name = '<script>alert("x")</script> & hand.jpg'
    picture = page.Picture("001.jpg", name)
    parts = [page.heading(name), page.case(name, name, [picture]), page.figure_table([Figure(name, 1.0, note=name)])]
    path = page.write(tmp_path, name, name, [*parts, page.curve([0.5, 1.0], [1], name), page.table([name], [["1"]])])
    seen = Links(path.read_text("utf-8"))
    assert "script" not in seen.tags
    assert seen.text.count(name) == 11
    assert set(seen.asked) == {"001.jpg"}


def test_curves_break_where_nothing_was_measured() -> None:
    svg = page.curve([1.0, 0.5, None, 0.0, 0.25, 0.5], [3], "agreement")
    assert 'points="0,0.0 1,50.0"' in svg and 'points="3,100.0 4,75.0 5,50.0"' in svg
    assert svg.count("<polyline") == 2 and 'd="M3 104V112"' in svg
    assert page.curve([], [], "nothing").count("<polyline") == 0
