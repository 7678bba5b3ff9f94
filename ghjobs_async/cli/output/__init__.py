"""One file for each view: tables, lines, progress."""
