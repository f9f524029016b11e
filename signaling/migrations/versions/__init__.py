"""One step each, in order. A step that was released is never changed: databases out there have taken it.

While servers are replaced one by one, the version before works on the tables of this one. So a step only adds; what is
not used any more goes with the release after.
"""
