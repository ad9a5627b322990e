"""The live page: what servers' connections do now, and why they were lost."""
