"""Those that mailtray is measured beside, each a small program of its own.

A peer is started with the environment of :class:`bench.cloud.BenchCloud`, reads MSAL's token cache
from the first line of its standard input, says ``ready``, and for each further line with a number
polls so many times and says ``done``.
"""
