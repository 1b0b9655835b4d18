"""What every package uses: settings, errors, time, limits, and how values are read, sealed and compared."""
