"""How a timeline looks: the signs and colours of states, and the style sheet of its SVG."""

from __future__ import annotations

from typing import Final

_SIGNS: Final = {
    "success": "\u2713",
    **dict.fromkeys(("failure", "timed_out", "startup_failure"), "\u2717"),
    "cancelled": "\u2298",
    "in_progress": "\u25cf",
    **dict.fromkeys(("queued", "waiting", "requested", "pending"), "\u25cb"),
    **dict.fromkeys(("skipped", "neutral"), "-"),
}
_UNKNOWN: Final = "\u2022"
#: The class of a state; every other one is muted.
_CLASSES: Final = {
    "success": "ok",
    **dict.fromkeys(("failure", "timed_out", "startup_failure"), "bad"),
    **dict.fromkeys(("cancelled", "action_required"), "odd"),
    "in_progress": "now",
}

#: The pixels above the rows, below them, and from row to row: names left of bars, or above them.
HEAD, FOOT, PITCH, PHONE_PITCH = 122, 92, 20, 34
#: The room of a name, of what stands behind a row, and of a row as a whole, in pixels.
LABEL, AFTER, PHONE = 260.0, 64.0, 344.0
#: Before the bars, and beside them, in pixels; and above which width they stand beside names.
_LEFT, _MARGINS, WIDE = 284, 360, 800

# Bars lie between margins in pixels, and their places there are parts of 1: --x and --w.
STYLE: Final = f"""\
.timeline{{--l:{_LEFT}px;--m:{_MARGINS}px;width:100%;height:var(--h);font:12px system-ui,sans-serif}}
.timeline text{{fill:#1f2328;unicode-bidi:isolate;white-space:pre}}
.timeline .back{{fill:#fff}}
.timeline .title{{font-size:15px;font-weight:600}}
.timeline .crit{{font-weight:600}}
.timeline .m,.timeline .else{{fill:#59636e;color:#59636e}}
.timeline .ok{{fill:#1a7f37;color:#1a7f37}}
.timeline .bad{{fill:#cf222e;color:#cf222e}}
.timeline .odd{{fill:#8a5a00;color:#8a5a00}}
.timeline .now{{fill:#0969da;color:#0969da}}
.timeline a:hover text{{text-decoration:underline}}
.timeline .b rect{{x:calc(var(--l) + (100% - var(--m))*var(--x));\
width:max(1px,calc((100% - var(--m))*var(--w)))}}
.timeline .b text{{transform:translateX(calc(var(--l) + (100% - var(--m))*var(--x)))}}
.timeline .line,.timeline .edge{{fill:#e1e6eb;--w:0}}
.timeline .b .edge{{width:4px}}
.timeline .grid rect{{height:calc(var(--h) - {HEAD + FOOT - 6}px)}}
.timeline .cut{{fill:#eaeef2}}
.timeline .wait{{fill:#afb8c1}}
.timeline .work{{fill:currentColor;fill-opacity:.6}}
.timeline .b g g rect{{y:3px;height:12px;fill:currentColor;fill-opacity:0}}
.timeline .b g g .e{{fill-opacity:.4}}
.timeline .b g g .f{{fill-opacity:1;stroke:currentColor}}
.timeline .path{{fill:#8250df}}
.timeline .z{{fill:#818b98;fill-opacity:.09}}
@media(prefers-color-scheme:dark){{
.timeline text{{fill:#e6edf3}}
.timeline .back{{fill:#0d1117}}
.timeline .m,.timeline .else{{fill:#9198a1;color:#9198a1}}
.timeline .ok{{fill:#3fb950;color:#3fb950}}
.timeline .bad{{fill:#ff6a61;color:#ff6a61}}
.timeline .odd{{fill:#d29922;color:#d29922}}
.timeline .now{{fill:#4493f8;color:#4493f8}}
.timeline .line,.timeline .edge{{fill:#21262d}}
.timeline .cut{{fill:#21262d}}
.timeline .wait{{fill:#656c76}}
.timeline .path{{fill:#ab7df8}}
}}
@media(max-width:{WIDE}px){{
.timeline{{--l:8px;--m:16px;height:var(--p)}}
.timeline .r{{transform:translateY(calc(var(--i)*{PHONE_PITCH}px + {HEAD}px))}}
.timeline .r .b{{transform:translateY(15px)}}
.timeline .z{{height:{PHONE_PITCH}px}}
.timeline .axis{{transform:translateY(calc(var(--i)*{PHONE_PITCH}px + {HEAD + 12}px))}}
.timeline .axis .b{{transform:none}}
.timeline .grid rect{{height:calc(var(--p) - {HEAD + FOOT - 6}px)}}
.timeline .w{{display:none}}
}}
"""


def sign_of(state: str) -> str:
    """Return the sign of a state."""
    return _SIGNS.get(state, _UNKNOWN)


def class_of(state: str) -> str:
    """Return the class that colours a state."""
    return _CLASSES.get(state, "else")
