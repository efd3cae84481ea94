"""The session, its jars and workers; its plans and their progress; tasks and their results; errors; Hadoop files."""

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
