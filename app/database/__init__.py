"""How MongoDB and Redis are reached: their addresses, what is tried of them, and why they refuse."""
