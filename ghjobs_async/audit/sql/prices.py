"""
What a minute on GitHub's runners costs, and since when.

https://docs.github.com/en/billing/reference/actions-runner-pricing

The table ``prices`` of an audit starts with this list. Users edit it: a label of theirs, ``self`` for
all self-hosted runners, a discount.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final

_STANDARD: Final = date(2019, 11, 13)
_LARGER: Final = date(2023, 6, 21)
_MACOS: Final = date(2023, 10, 2)
_ARM: Final = date(2024, 9, 3)
_GPU: Final = date(2024, 7, 8)
_SLIM: Final = date(2025, 10, 28)
#: On this day nearly every price went down.
_LOWER: Final = date(2026, 1, 1)
_STANDARD_ARM: Final = date(2026, 1, 29)

#: The day of the first price, that price, and the price since `_LOWER`.
_CHANGED: Final = {
    "actions_linux": (_STANDARD, 0.008, 0.006),
    "actions_windows": (_STANDARD, 0.016, 0.010),
    "actions_macos": (_STANDARD, 0.080, 0.062),
    "linux_2_core_advanced": (_LARGER, 0.008, 0.006),
    "linux_4_core": (_LARGER, 0.016, 0.012),
    "linux_8_core": (_LARGER, 0.032, 0.022),
    "linux_16_core": (_LARGER, 0.064, 0.042),
    "linux_32_core": (_LARGER, 0.128, 0.082),
    "linux_64_core": (_LARGER, 0.256, 0.162),
    "linux_96_core": (_LARGER, 0.384, 0.252),
    "windows_4_core": (_LARGER, 0.032, 0.022),
    "windows_8_core": (_LARGER, 0.064, 0.042),
    "windows_16_core": (_LARGER, 0.128, 0.082),
    "windows_32_core": (_LARGER, 0.256, 0.162),
    "windows_64_core": (_LARGER, 0.512, 0.322),
    "windows_96_core": (_LARGER, 0.768, 0.552),
    "macos_l": (_MACOS, 0.120, 0.077),
    "macos_xl": (_MACOS, 0.160, 0.102),
    "linux_4_core_arm": (_ARM, 0.010, 0.008),
    "linux_8_core_arm": (_ARM, 0.020, 0.014),
    "linux_16_core_arm": (_ARM, 0.040, 0.026),
    "linux_32_core_arm": (_ARM, 0.080, 0.050),
    "linux_64_core_arm": (_ARM, 0.160, 0.098),
    "windows_2_core_arm": (_ARM, 0.010, 0.008),
    "windows_4_core_arm": (_ARM, 0.020, 0.014),
    "windows_8_core_arm": (_ARM, 0.040, 0.026),
    "windows_16_core_arm": (_ARM, 0.080, 0.050),
    "windows_32_core_arm": (_ARM, 0.160, 0.098),
    "windows_64_core_arm": (_ARM, 0.320, 0.194),
    "linux_4_core_gpu": (_GPU, 0.070, 0.052),
    "windows_4_core_gpu": (_GPU, 0.140, 0.102),
}
_UNCHANGED: Final = {
    "actions_linux_slim": (_SLIM, 0.002),
    "actions_linux_arm": (_STANDARD_ARM, 0.005),
    "actions_windows_arm": (_STANDARD_ARM, 0.010),
    "linux_2_core_arm": (_ARM, 0.005),
}


def list_prices() -> Iterator[tuple[str, date, float]]:
    """Return GitHub's list: the billing SKU, the day its price began, and US dollars a minute."""
    for sku, (began, first, now) in _CHANGED.items():
        yield sku, began, first
        yield sku, _LOWER, now
    for sku, (began, price) in _UNCHANGED.items():
        yield sku, began, price
