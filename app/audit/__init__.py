"""What is written with each change, what reads it, and the log of sign-ins."""
