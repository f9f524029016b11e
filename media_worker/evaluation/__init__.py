"""Measuring vision on photos, on videos and on the drawn hand, as text, as JSON and as pages to look at.

`stills` measures photos, `videos` a live session's pipeline on videos, `drawn` the same on a hand whose motion is
known; `still_page` and `video_page` show the worst of it. The formulas are in `media_worker.vision.metrics` and beside
it.
"""
