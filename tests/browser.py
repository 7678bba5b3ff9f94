"""
Headless Chromium, for tests of what people see: texts as they are laid out, and what goes wrong.

One browser serves all tests of a process: the fixture `chromium` starts it. `shown` opens a page in
it, over the DevTools protocol, below the content security policy that our pages promise to need.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any, Literal

import aiohttp
import attrs
import pytest
from aiohttp import web

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--hide-scrollbars", "--remote-debugging-port=0", "--remote-allow-origins=*"),
)
#: The system ends the browser even if these tests are killed.
ENDS_WITH_US = ("setpriv", "--pdeathsig", "TERM") if shutil.which("setpriv") else ()
#: No script, no image, no font, nothing from elsewhere.
POLICY = "default-src 'none'; style-src 'unsafe-inline'"
#: Where the pictures go that people look at; git ignores it.
PICTURES = Path(__file__).parent.parent / "build/pictures"
#: Boxes of neighbours may touch, by so many pixels.
TOUCH = 1.5
SECONDS = 60.0
#: No picture is taller, in pixels.
TALLEST = 16_000

# Each text with its box, its colour and the colour below it; whether something cuts or covers it.
MEASURE = """
(() => {
  const rgba = text => {
    const found = (text.match(/[\\d.]+/g) || []).map(Number);
    return found.length < 3 ? [0, 0, 0, 0] : [...found.slice(0, 3), found[3] ?? 1];
  };
  const over = (top, below) => [0, 1, 2].map(i => top[i] * top[3] + below[i] * (1 - top[3]));
  const paint = element => {
    const style = getComputedStyle(element);
    if (element instanceof SVGElement && !(element instanceof SVGSVGElement)) {
      if (!(element instanceof SVGGeometryElement) || style.fill === 'none') return [0, 0, 0, 0];
      const [r, g, b, a] = rgba(style.fill);
      return [r, g, b, a * style.fillOpacity * style.opacity];
    }
    return rgba(style.backgroundColor);
  };
  const inside = (box, edge) => box.left >= edge.left - 1 && box.right <= edge.right + 1
    && box.top >= edge.top - 1 && box.bottom <= edge.bottom + 1;
  const texts = [];
  const walker = document.createTreeWalker(document, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode, parent = node.parentElement;
    if (!node.data.trim() || parent.closest('title, desc, style, script, head')) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const box of range.getClientRects()) {
      if (box.width < 0.5 || getComputedStyle(parent).visibility !== 'visible') continue;
      let cut = box.left < -1 || box.right > innerWidth + 1 || box.top < -1;
      for (let at = parent; at; at = at.parentElement) {
        const clips = at instanceof SVGSVGElement || getComputedStyle(at).overflow !== 'visible';
        if (clips && at !== document.body && !inside(box, at.getBoundingClientRect())) cut = true;
      }
      const stack = document.elementsFromPoint(box.left + box.width / 2, box.top + box.height / 2);
      const at = stack.findIndex(one => one === parent || one.contains(parent));
      const covered = stack.slice(0, Math.max(at, 0)).some(one => paint(one)[3] > 0.1);
      const below = stack.slice(Math.max(at, 0)).reverse()
        .reduce((colour, one) => over(paint(one), colour), [255, 255, 255]);
      const style = getComputedStyle(parent);
      const own = rgba(parent instanceof SVGElement ? style.fill : style.color);
      texts.push({
        text: node.data, left: box.left, top: box.top, right: box.right, bottom: box.bottom,
        cut, covered, colour: over(own, below), below,
      });
    }
  }
  const root = document.documentElement;
  return {texts, scrolls: root.scrollWidth > innerWidth};
})()
"""


@attrs.frozen
class Text:
    """A line of text on a page: its box in pixels, and its colour on what is below it."""

    text: str
    left: float
    top: float
    right: float
    bottom: float
    cut: bool
    covered: bool
    colour: list[float]
    below: list[float]

    @property
    def contrast(self) -> float:
        """The contrast of text and ground: https://www.w3.org/TR/WCAG21/#dfn-contrast-ratio ."""
        light, dark = sorted(map(_luminance, (self.colour, self.below)), reverse=True)
        return (light + 0.05) / (dark + 0.05)

    def overlaps(self, other: Text) -> bool:
        across = min(self.right, other.right) - max(self.left, other.left)
        down = min(self.bottom, other.bottom) - max(self.top, other.top)
        return across > TOUCH and down > TOUCH


def _luminance(colour: list[float]) -> float:
    parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in _unit(colour)]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def _unit(colour: list[float]) -> list[float]:
    return [part / 255 for part in colour]


@attrs.frozen
class Shown:
    """
    A page as it is shown.

    Attributes:
        texts: Its texts.
        problems: What failed to load or to run, was refused, or is wider than the page.
        picture: Where its screenshot is.
    """

    texts: tuple[Text, ...]
    problems: tuple[str, ...]
    picture: Path

    @property
    def faults(self) -> list[str]:
        """Everything that a reader would complain of, in words."""
        faults = [*self.problems]
        faults += [f"cut: {one.text!r}" for one in self.texts if one.cut]
        faults += [f"covered: {one.text!r}" for one in self.texts if one.covered]
        faults += [
            f"contrast {one.contrast:.2f}: {one.text!r}" for one in self.texts if one.contrast < 4.5
        ]
        near: list[Text] = []
        for one in sorted(self.texts, key=lambda one: one.top):
            near = [other for other in near if other.bottom > one.top]
            faults += [
                f"overlap: {other.text!r} and {one.text!r}" for other in near if one.overlaps(other)
            ]
            near.append(one)
        return faults


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start Chromium; the address at which it is driven."""
    with started(CHROMIUM, tmp_path_factory.mktemp("chromium")) as address:
        yield address


@contextmanager
def started(program: str | None, folder: Path) -> Iterator[str]:
    """Start the browser with a new profile in *folder*, and end it; skip where there is none."""
    if program is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    command = [*ENDS_WITH_US, program, *FLAGS, f"--user-data-dir={folder}"]
    silent = subprocess.DEVNULL
    with subprocess.Popen(command, stdout=silent, stderr=silent) as process:
        try:
            yield _address(process, folder / "DevToolsActivePort")
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=10)
            process.kill()


def _address(process: subprocess.Popen[bytes], file: Path) -> str:
    end = time.monotonic() + SECONDS
    while time.monotonic() < end and process.poll() is None:
        with suppress(OSError, ValueError):
            port, path = file.read_text().split()
            return f"ws://127.0.0.1:{port}{path}"
        time.sleep(0.05)
    pytest.fail(f"Chromium did not start within {SECONDS:.0f} s")


async def shown(
    chromium: str,
    content: str,
    name: str,
    *,
    width: int = 1400,
    scheme: Literal["light", "dark"] = "light",
    media: Literal["screen", "print"] = "screen",
) -> Shown:
    """Show *content*, SVG or HTML, and measure it; its screenshot is named after *name*."""
    async with asyncio.timeout(SECONDS), _served(content) as url, _session(chromium) as page:
        await page.send("Emulation.setEmulatedMedia", media=media, features=[_feature(scheme)])
        await page.resize(width, 900)
        await page.open(url)
        # The whole page is the view, so that every text can be asked for what is below it.
        height = "Math.ceil(document.documentElement.getBoundingClientRect().height)"
        tall = max(200, await page.evaluate(height))
        await page.resize(width, tall)
        measured = await page.evaluate(MEASURE)
        await page.resize(width, min(TALLEST, tall))
        problems = [*page.problems]
        if page.requests != 1:
            problems.append(f"{page.requests} requests instead of one")
        if measured["scrolls"]:
            problems.append(f"wider than {width} pixels")
        PICTURES.mkdir(parents=True, exist_ok=True)
        picture = PICTURES / f"{name}-{width}-{scheme}.png"
        answer = await page.send("Page.captureScreenshot", format="png")
        picture.write_bytes(base64.b64decode(answer["data"]))
        texts = tuple(Text(**one) for one in measured["texts"])
        return Shown(texts, tuple(problems), picture)


def _feature(scheme: str) -> dict[str, str]:
    return {"name": "prefers-color-scheme", "value": scheme}


@asynccontextmanager
async def _served(content: str) -> AsyncIterator[str]:
    """Serve *content* on this machine, with the policy that it promises to need."""
    kind = "image/svg+xml" if content.lstrip().startswith("<svg") else "text/html"

    async def page(_: web.Request) -> web.Response:
        headers = {"Content-Security-Policy": POLICY}
        return web.Response(text=content, content_type=kind, charset="utf-8", headers=headers)

    app = web.Application()
    app.router.add_get("/page", page)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/page"
    finally:
        await runner.cleanup()


@attrs.define
class _Page:
    """A page of the browser, driven by one command after the other."""

    _socket: aiohttp.ClientWebSocketResponse
    _session: str | None = None
    problems: list[str] = attrs.field(factory=list)
    requests: int = 0
    _numbers: Iterator[int] = attrs.field(factory=lambda: itertools.count(1))
    _loaded: bool = False

    async def send(self, method: str, **params: Any) -> dict[str, Any]:
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": params}
        if self._session is not None:
            message["sessionId"] = self._session
        await self._socket.send_json(message)
        while True:
            answer = await self._socket.receive_json()
            if answer.get("id") == number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                result: dict[str, Any] = answer["result"]
                return result
            self._note(answer.get("method", ""), answer.get("params", {}))

    async def attach(self) -> str:
        """Make a page of its own; the id of it."""
        target = (await self.send("Target.createTarget", url="about:blank"))["targetId"]
        attached = await self.send("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            await self.send(f"{domain}.enable")
        return str(target)

    async def resize(self, width: int, height: int) -> None:
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        await self.send("Emulation.setDeviceMetricsOverride", **size)

    async def open(self, url: str) -> None:
        self._loaded = False
        answer = await self.send("Page.navigate", url=url)
        assert "errorText" not in answer, answer
        while not self._loaded:
            event = await self._socket.receive_json()
            self._note(event.get("method", ""), event.get("params", {}))

    async def evaluate(self, script: str) -> Any:
        answer = await self.send("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"]["value"]

    def _note(self, method: str, params: dict[str, Any]) -> None:
        if method == "Page.loadEventFired":
            self._loaded = True
        elif method == "Network.requestWillBeSent":
            self.requests += 1
        elif method == "Network.loadingFailed":
            self.problems.append(f"not loaded: {params.get('errorText')}")
        elif method == "Runtime.exceptionThrown":
            self.problems.append(f"failed: {params['exceptionDetails'].get('text')}")
        elif method == "Runtime.consoleAPICalled":
            self.problems.append(f"a script ran: {params.get('args')}")
        elif method == "Log.entryAdded":
            self.problems.append(f"{params['entry']['level']}: {params['entry']['text']}")


@asynccontextmanager
async def _session(chromium: str) -> AsyncIterator[_Page]:
    # A screenshot of a long page is one message.
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(chromium, max_msg_size=0) as socket,
    ):
        page = _Page(socket)
        target = await page.attach()
        try:
            yield page
        finally:
            page._session = None
            await page.send("Target.closeTarget", targetId=target)
