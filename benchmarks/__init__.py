"""What stillhere costs, beside its peers: ``python -m benchmarks``."""
