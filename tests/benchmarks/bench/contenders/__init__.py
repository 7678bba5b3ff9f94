"""
Who is measured, one module each.

A contender has any of the functions that a row's ``work`` names: ``audit``, ``logs``, ``lines``,
``lines_text``, ``grep``. Each takes a `bench.work.Setting` and gives proof of what it did.
``PACKAGES`` names the distributions whose versions the report tells.
"""
