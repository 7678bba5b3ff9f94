"""A timeline as a page of its own."""

from __future__ import annotations

from typing import Final
from xml.sax.saxutils import escape

from ghjobs_async.audit.gantt.chart import Chart
from ghjobs_async.audit.gantt.labels import name
from ghjobs_async.audit.gantt.svg import draw

# The page says itself that nothing in it may run or be loaded.
_PAGE: Final = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" \
content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<style>
body {{ margin: 0; background: #fff }}
svg {{ display: block }}
@media (prefers-color-scheme: dark) {{ body {{ background: #0d1117 }} }}
</style>
</head>
<body>
{svg}
</body>
</html>
"""


def page(chart: Chart) -> str:
    """Return *chart* as HTML, which needs nothing but itself."""
    title = escape(name(", ".join(chart.titles)))
    return _PAGE.format(title=title, svg=draw(chart))
