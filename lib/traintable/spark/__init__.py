"""The session, its jars and workers; plans, tasks and errors."""

__all__ = [
    "errors",
    "hadoop_files",
    "jars",
    "plans",
    "progress",
    "session",
    "task_results",
    "tasks",
]
