"""The faults that the lab knows, one file each."""
