"""The sections of a profile that follow from what the scans have learned: no rows, no pass over data."""
