"""Numbers to characters: scales, columns, braille rows and framed charts; knows nothing of jobs."""
