"""The application: settings, wiring, and one module per noun of what can be done."""
