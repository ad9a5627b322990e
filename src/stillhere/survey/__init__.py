"""One polite look at a live server: log in once, ask, quit properly. What it shows is judged elsewhere."""
