"""The unread messages as a list in a terminal that keeps itself up to date."""
