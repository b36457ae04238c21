"""Decides when things happen; knows the ports and no vendor."""
