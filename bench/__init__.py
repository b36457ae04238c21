"""What mailtray costs, measured beside what people would run instead of it.

``make bench`` runs all of it; :mod:`bench.__main__` tells the parts. Every comparison is of
processes that ran in turns in the same run, against the same Microsoft 365 on the loopback, over
TLS.
"""
