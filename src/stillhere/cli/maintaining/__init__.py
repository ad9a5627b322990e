"""What ``stillhere maintain`` does and shows."""
