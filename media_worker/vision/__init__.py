"""From a camera picture to a picture with painted nails. Arrays in, arrays out: no aiortc, no aiohttp, no sockets.

Read in the order data flows: `models` (the hand model's file), `hands` (21 landmarks a hand), `tracking` (steady over
time), `nails` (outlines), `designs` (what they wear), `render` (paint), `pipeline` (all of it, one object a stream).
`metrics` says how good the outlines are. How to swap the nail finder: media_worker/README.md.
"""
