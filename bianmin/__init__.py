"""The front gate: settings, wiring, the command line and the supervisor of child processes."""
