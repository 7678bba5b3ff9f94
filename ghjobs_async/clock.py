"""Time and chance, passed in, so that tests wait for nothing."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable

import attrs


@attrs.frozen
class Clock:
    """
    Where this library takes time and chance from.

    Args:
        now: Seconds since the epoch.

        sleep: Waits that many seconds.

        random: A number from 0 up to, but not including, 1.
    """

    now: Callable[[], float] = time.time
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    random: Callable[[], float] = random.random
