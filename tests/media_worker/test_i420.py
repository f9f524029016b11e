from __future__ import annotations

import av
import numpy as np
import pytest

from media_worker import i420


@pytest.mark.parametrize(("size", "becomes"), [((64, 48), (64, 48)), ((63, 49), (62, 48)), ((64, 50), (64, 50))])
def test_planes_have_even_sides_and_make_the_same_picture(size: tuple[int, int], becomes: tuple[int, int]) -> None:
    grey = av.VideoFrame.from_ndarray(np.full((size[1], size[0], 3), 90, np.uint8), format="rgb24")
    planes = i420.planes_of(grey)
    assert planes.shape == (becomes[1] * 3 // 2, becomes[0])
    frame = i420.frame_of(planes)
    assert (frame.width, frame.height) == becomes
    assert (frame.to_ndarray() == planes).all()
