"""What is promised of a column, and what becomes of a value that breaks it."""
