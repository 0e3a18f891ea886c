"""How many charts stand side by side, and how many above each other."""

from __future__ import annotations

MOST_COLUMNS = 6


def grid(panels: int, most_columns: int, most_rows: int) -> tuple[int, int]:
    """Columns and rows for a page: as many as fit, with the fewest holes when all panels do."""
    most_columns, most_rows = max(1, min(most_columns, MOST_COLUMNS)), max(1, most_rows)
    fitting = [
        columns
        for columns in range(1, min(most_columns, max(1, panels)) + 1)
        if -(-panels // columns) <= most_rows and columns > most_columns // 2
    ]
    if not fitting:
        columns = min(most_columns, max(1, panels))
        return columns, max(1, min(most_rows, -(-panels // columns)))
    columns = min(fitting, key=lambda columns: (-panels % columns, -columns))
    return columns, max(1, -(-panels // columns))
