"""Facts about servers, without I/O."""
