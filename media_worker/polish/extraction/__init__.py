"""From a picture of a manicure to a design: what each nail in it wears, flat and in neutral light.

Read in the order data flows: `sets` (the whole way), `tips` (loose tips, where there is no hand), `albedo` (one nail)
with its steps `snapping` and `contours` (where its paint ends), `rectify` and `rims` (laid out flat), `burnt`,
`relight` and `filling` (its light taken away); then `surface` (which finish it seems to have) and `fingers` (who wears
what).
"""

from media_worker.polish.extraction.sets import extract

__all__ = ["extract"]
