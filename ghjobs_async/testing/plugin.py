"""The pytest plugin: the fixture ``fake_github``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ghjobs_async.testing import FakeGitHub


@pytest.fixture
def fake_github() -> Iterator[FakeGitHub]:
    """Give a fake GitHub that serves in a thread of its own, for sync and async clients."""
    # Imported here, since pytest loads this file in every session of every user.
    from ghjobs_async.testing import FakeGitHub  # noqa: PLC0415

    with FakeGitHub() as fake:
        yield fake
