"""MongoDB and Redis: addresses, connections, indexes, transactions, files, probes and readiness."""
