"""Real servers, a wire that can be cut, and the faults that cut it."""
