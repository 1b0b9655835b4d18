"""HTTP in, HTTP out: what stands between Uvicorn, the routers and the rooms below."""
