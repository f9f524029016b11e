"""From nails to painted nails, and from pictures of manicures to designs. Arrays in, arrays out, like `vision`.

Read in the order data flows: `looks` (what five nails wear), `canvas` (the frame, patch by patch), `painter` (paints
a frame), `silhouettes` (a nail filed to a shape and extended), `shadows` and `overlaps` (what a tip darkens, what hides
it), `nail_space` (where a pixel lies on its nail), `light` (how light falls there), `patterns` (what colour lies where),
`finishes` (how polish answers light), `colour` (sRGB and linear light); `extraction` (a picture of a manicure as a set
of nails) and `thumbnail` (a small picture of a look).
"""
