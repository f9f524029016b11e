"""From a camera picture to a picture with painted nails. Arrays in, arrays out: no aiortc, no aiohttp, no sockets.

Read in the order data flows: `models` (the hand model's file), `watching` (a stream, frame by frame: `schedule`,
`tracking` of hands, `following` of nails by `flow`, and their `shapes`), `hands` (21 landmarks a hand), `nails` (what a
nail is), `finder` (where nails are in one picture), `network_finder` and `still_finder` (the learned ones, made of
`networks`, `crops` and `masks`). `metrics` says how good the outlines are. `media_worker.polish` paints what is found;
`media_worker.pipeline` does both, one object a stream. How to swap the nail finder: media_worker/README.md.
"""
