"""From nails to painted nails, and from pictures of manicures to designs. Arrays in, arrays out, like `vision`.

Read in the order data flows: `looks` (what five nails wear), `canvas` (the frame, patch by patch), `painter` (paints
a frame), `silhouettes` (a nail filed to a shape and extended), `nail_space` (where a pixel lies on its nail), `scene`
and `light` (how light falls on the hand, and on one nail), `mixing` (a coat in that light) of `patterns` (what colour
lies where) and `surface`, `finishes`, `metals` and `flakes` (how polish answers light), `edges` (where polish ends),
`shadows` and `overlaps` (what a tip darkens, what hides it), `colour` (sRGB and linear light); `extraction` (a picture
of a manicure as a set of nails) and `thumbnail` (a small picture of a look).
"""
