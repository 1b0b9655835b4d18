"""What `make` needs around the service: its environments and its locks."""
