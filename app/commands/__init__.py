"""The commands besides `serve`, one module for each noun."""
