"""floydtop: a terminal monitor for machine-learning training jobs that are already running."""

__version__ = "0.1.0"
