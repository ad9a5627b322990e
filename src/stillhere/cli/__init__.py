"""The command line: ``stillhere VERB``."""
