"""Server settings from what was measured: which values, why, at what cost, and how to take them back."""
