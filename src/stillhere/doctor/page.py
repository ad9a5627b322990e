"""A doctor's report as one HTML page that fetches nothing."""
