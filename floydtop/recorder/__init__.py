"""The recorder: it watches one job and writes what it sees to a session file."""
