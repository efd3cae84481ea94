"""The session, its jars and workers; plans, tasks and errors."""
