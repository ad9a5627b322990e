"""Small applications for the drill to break. They are ordinary programs and know nothing of the lab."""
