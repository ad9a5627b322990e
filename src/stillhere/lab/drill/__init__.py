"""The drill: every fault, on the same application in three arms, under load, and what came of it."""
