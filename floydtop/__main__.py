"""`python -m floydtop` is `floydtop`."""

from floydtop.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
