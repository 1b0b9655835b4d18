"""Two tiers: unit tests on mongomock-motor, integration tests on real servers."""
