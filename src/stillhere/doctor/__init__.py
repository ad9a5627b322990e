"""What will cut the next connection: checks over one look at each server, and at the application's own pools."""
