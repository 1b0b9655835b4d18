"""What `make` needs around the service: environments, locks, generated pages, a cluster to try things on."""
