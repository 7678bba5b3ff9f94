"""The browser, for tests of what the audit draws."""

from browser import chromium

__all__ = ["chromium"]
