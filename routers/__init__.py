"""The routers: one module for each resource."""
