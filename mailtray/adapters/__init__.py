"""One vendor each; a vendor's errors are translated here and go no further."""
