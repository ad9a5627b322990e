"""Real servers, ways to cut them off, applications to cut them off from, and the drill that does it."""
