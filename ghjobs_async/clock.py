"""Time and chance, passed in so that tests need not wait."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable

import attrs


@attrs.frozen
class Clock:
    """
    The sources of time and chance that this library uses.

    Args:
        now: Returns the seconds since the epoch.
        sleep: Waits for a number of seconds.
        random: Returns a number from 0 up to, but not including, 1.
    """

    now: Callable[[], float] = time.time
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    random: Callable[[], float] = random.random
