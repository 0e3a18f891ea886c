"""What floydtop costs: `python -m tests.benchmarks` prints the figures of this machine."""
