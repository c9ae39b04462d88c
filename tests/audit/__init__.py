"""Judges written by others, on the platform and its policies; docs/audit.md says what stays, and why."""
