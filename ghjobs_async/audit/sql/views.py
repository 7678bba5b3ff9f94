"""The views and macros that an audit's database has beside its tables: SQL, as text. Pure."""

from __future__ import annotations

from typing import Final

from ghjobs_async.audit.sql.findings import FINDINGS, PARTS
from ghjobs_async.audit.sql.schema import Macro, View

#: They are made, or replaced, when a file that has others is opened for writing. DuckDB 1.4 must be
#: able to read them. Macros come first, and each may use those above it.
MACROS: Final[tuple[Macro, ...]] = ()
VIEWS: Final[tuple[View, ...]] = (*PARTS, *FINDINGS)
