"""
The contenders, one module each.

A contender has any of the functions ``audit``, ``logs``, ``lines``, ``lines_text`` and ``grep``, as
named by the ``work`` of a row. Each takes a `bench.work.Setting` and returns proof of what it did.
``PACKAGES`` names the distributions whose versions the report lists.
"""
