"""The small web pages on the loopback: messages, settings, doctor, first run, trouble.

They run in a process of their own, which ends when nobody looks at them any more: the resident
program never loads what they need, and pages work where the program does not.
"""
