"""What ``stillhere tune`` does and shows."""
