"""What makes packages of the program: bundles, a Debian package, and what goes into them."""
