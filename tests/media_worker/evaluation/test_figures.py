from __future__ import annotations

from media_worker.evaluation.figures import Figure, as_text


def test_a_figure_beside_its_target() -> None:
    assert Figure("IoU", 0.82, at_least=0.82).met is True
    assert Figure("IoU", 0.8199, at_least=0.82).met is False
    assert Figure("lag", 2.01, at_most=2).met is False
    assert Figure("false", 0.0, at_most=0).met is True
    assert Figure("IoU", None, at_least=0.82).met is None, "nothing measured is neither"
    assert Figure("IoU", 0.1).met is None


def test_text_is_a_line_a_figure() -> None:
    text = as_text([Figure("IoU", 0.5, at_least=0.82, note="of 3"), Figure("jitter", None), Figure("lag", 1.0, 1)])
    first, second, third = text.splitlines()
    assert first.split() == ["IoU", "0.500", "≥", "0.82", "missed", "(of", "3)"]
    assert (second.split(), third.split()) == (["jitter", "–"], ["lag", "1.0"])
