"""`make fuzz`: the served OpenAPI document held against the service that serves it."""
