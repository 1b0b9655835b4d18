"""The HTTP layer between Uvicorn, the routers and the packages below."""
