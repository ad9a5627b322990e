"""Real servers, a wire that can be cut, the faults that cut it, applications, and the drill that strikes them."""
