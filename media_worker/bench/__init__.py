"""`lacquer bench`: how fast Lacquer is on this machine, measured from outside, as people meet it.

A real browser (`browser_run.py`) tells latency and picture; light clients (`capacity.py`) tell how many streams fit.
"""
