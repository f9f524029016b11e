"""Measuring vision on photos, on videos and on the drawn hand, as text, as JSON and as pages to look at.

`stills` measures photos, `videos` a live session's pipeline on videos, `drawn` the same on a hand whose motion is
known; `polish` measures paint on that hand's true nails. `still_page`, `video_page` and `polish_page` show the worst of
it, and `gallery_page` all that can be worn. The formulas are in `media_worker.vision.metrics` and beside it, and in
`colour_difference`.
"""
