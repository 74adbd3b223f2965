"""A real browser for tests: Chromium without a window, driven by the DevTools protocol over two pipes.

Only the standard library is needed: the browser reads commands from its file descriptor 3 and writes answers and
events to 4, as JSON that ends with a zero byte (``--remote-debugging-pipe``).  Mouse and keys are real input events.
What must not happen on a page, errors and requests for anything but the page itself, is noted: `Page.close` then fails.
"""

import base64
import contextlib
import fcntl
import itertools
import json
import os
import select
import shutil
import signal
import tempfile
import time
from pathlib import Path

SECONDS = 60.0  # for an answer: slow machines, not slow pages
MISSING = "there is no Chromium: install one (`apt install chromium`), or set MINIGRAD_CHROMIUM to the path of a Chrome"
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-sync",
    "--hide-scrollbars",
    "--mute-audio",
    "--remote-debugging-pipe",
]
KEYS = {
    "Enter": (13, "\r"),
    "Escape": (27, ""),
    "Tab": (9, ""),
    " ": (32, " "),
    "End": (35, ""),
    "Home": (36, ""),
    "ArrowLeft": (37, ""),
    "ArrowUp": (38, ""),
    "ArrowRight": (39, ""),
    "ArrowDown": (40, ""),
    "Backspace": (8, ""),
}
SHIFT = 8
# What must be shown as text, wherever it stands.
HOSTILE = [
    "</script><script>window.hacked = 1</script>",
    '"><img src=x onerror="window.hacked = 1">',
    "<!--<script>",
    "]]>{{payload}}{{script}}",
    "' onclick='window.hacked = 1",
    "javascript:window.hacked=1",
    "line\u2028separator\u2029 and \x00 zero",
    "half \ud83d a pair \udc80",
    "right \u202eto left",
    "שלום Größe 雪 🎿",
    "&lt;b&gt; &amp; \\u003c",
    "__proto__",
    "${window.hacked = 1} `",
    "w" * 500,
]


def find_chromium():
    """The browser's program, or None."""
    names = [os.environ.get("MINIGRAD_CHROMIUM"), "chromium", "chromium-browser", "google-chrome"]
    return next((found for name in names if name and (found := shutil.which(name))), None)


class Browser:
    """A browser with a new profile, which is removed in the end.  Use it in a ``with`` statement."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="minigrad-browser-"))
        self.waiting = b""
        self.numbers, self.names = itertools.count(1), itertools.count(1)
        self.pages = {}
        # Far from 3 and 4, where the browser wants them.
        theirs, ours = _pipe()
        self.reader, their_writer = _pipe()
        self.writer = ours
        null = (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)
        errors = (os.POSIX_SPAWN_OPEN, 2, self.folder / "errors.txt", os.O_WRONLY | os.O_CREAT, 0o600)
        ends = [(os.POSIX_SPAWN_DUP2, theirs, 3), (os.POSIX_SPAWN_DUP2, their_writer, 4)]
        command = [find_chromium(), *FLAGS, f"--user-data-dir={self.folder / 'profile'}", "about:blank"]
        environment = {**os.environ, "HOME": str(self.folder)}
        self.pid = os.posix_spawn(command[0], command, environment, file_actions=[null, errors, *ends], setpgroup=0)
        os.close(theirs)
        os.close(their_writer)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """End the browser and everything that it started, and remove what it wrote."""
        os.close(self.writer)
        os.close(self.reader)
        with contextlib.suppress(ProcessLookupError):  # it may have ended by itself
            os.killpg(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        for _ in range(50):  # its last processes may still write
            shutil.rmtree(self.folder, ignore_errors=True)
            if not self.folder.exists():
                return
            time.sleep(0.1)

    def open(self, html, width=1280, height=800, dark=False):
        """A page with this HTML, loaded from a file."""
        path = self.folder / f"page{next(self.names)}.html"
        path.write_text(html, encoding="utf-8")
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = self.pages[session] = Page(self, target, session, path.as_uri())
        page.load(width, height, dark)
        return page

    def send(self, method, session=None, **params):
        """Send a command and wait for its answer."""
        number = next(self.numbers)
        message = {"id": number, "method": method, "params": params, **({"sessionId": session} if session else {})}
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.writer, data) :]
        answer = self.wait(lambda message: message.get("id") == number, f"an answer to {method}")
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def wait(self, wanted, what):
        """The first message that is wanted; events on the way are noted by their pages."""
        end = time.monotonic() + SECONDS
        while True:
            while b"\0" in self.waiting:
                text, self.waiting = self.waiting.split(b"\0", 1)
                message = json.loads(text)
                page = self.pages.get(message.get("sessionId"))
                if page is not None and "method" in message:
                    page.note(message["method"], message["params"])
                if wanted(message):
                    return message
            ready, _, _ = select.select([self.reader], [], [], max(0.0, end - time.monotonic()))
            data = os.read(self.reader, 1 << 20) if ready else b""
            if not data:
                said = (self.folder / "errors.txt").read_text(errors="replace")[-2000:]
                why = "has ended" if ready else f"was silent for {SECONDS:g} s"
                raise RuntimeError(f"the browser {why} before {what} came; it said: {said}")
            self.waiting += data


class Page:
    """A loaded page.  `troubles` lists errors, and requests for anything but the page itself."""

    def __init__(self, browser, target, session, url):
        self.browser, self.target, self.session, self.url = browser, target, session, url
        self.troubles = []

    def send(self, method, **params):
        return self.browser.send(method, self.session, **params)

    def load(self, width, height, dark):
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.send("Emulation.setEmulatedMedia", features=[scheme])
        loaded = []
        self.on_load = lambda: loaded.append(True)
        self.send("Page.navigate", url=self.url)
        if not loaded:
            self.browser.wait(lambda _: bool(loaded), "the end of loading")

    def note(self, event, params):
        """Keep an event if it says that something is wrong."""
        if event == "Page.loadEventFired":
            self.on_load()
        elif event == "Network.requestWillBeSent":
            url = params["request"]["url"]
            if url != self.url and not url.startswith("data:"):
                self.troubles.append(f"request: {url}")
        elif event == "Runtime.exceptionThrown":
            details = params["exceptionDetails"]
            self.troubles.append(f"exception: {details.get('exception', {}).get('description', details['text'])}")
        elif event == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning", "assert"):
            self.troubles.append(f"console: {[x.get('value', x.get('description')) for x in params['args']]}")
        elif event == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            self.troubles.append(f"log: {params['entry']['text']}")
        elif event in ("Page.windowOpen", "Page.javascriptDialogOpening"):
            self.troubles.append(event)

    def close(self):
        """Close the page, and fail if there was any trouble on it."""
        self.settle()
        self.browser.send("Target.closeTarget", targetId=self.target)
        assert not self.troubles, "\n".join(self.troubles)

    def run(self, expression):
        """The value of a JavaScript expression."""
        answer = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"]["exception"].get("description", expression))
        return answer["result"].get("value")

    def settle(self):
        """Wait until what was asked for is drawn."""
        self.run("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")

    # Looking

    def count(self, selector):
        return self.run(f"document.querySelectorAll({json.dumps(selector)}).length")

    def text(self, selector):
        return self.run(f"document.querySelector({json.dumps(selector)}).textContent")

    def texts(self, selector):
        return self.run(f"[...document.querySelectorAll({json.dumps(selector)})].map((x) => x.textContent)")

    def visible(self, selector):
        return self.run(f"document.querySelector({json.dumps(selector)}).checkVisibility()")

    def rectangle(self, selector):
        """Left, top, width and height on the screen."""
        return self.run(
            f"(({{x, y, width, height}}) => [x, y, width, height])"
            f"(document.querySelector({json.dumps(selector)}).getBoundingClientRect())"
        )

    def screenshot(self, path):
        self.settle()
        Path(path).write_bytes(base64.b64decode(self.send("Page.captureScreenshot", format="png")["data"]))

    # Doing

    def mouse(self, kind, x, y, **more):
        self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    def click(self, selector):
        """Click on the middle of an element."""
        x, y, width, height = self.rectangle(selector)
        self.click_at(x + width / 2, y + height / 2)

    def click_at(self, x, y):
        self.mouse("mouseMoved", x, y)
        self.mouse("mousePressed", x, y, button="left", buttons=1, clickCount=1)
        self.mouse("mouseReleased", x, y, button="left", clickCount=1)
        self.settle()

    def drag(self, x, y, dx, dy):
        self.mouse("mouseMoved", x, y)
        self.mouse("mousePressed", x, y, button="left", buttons=1, clickCount=1)
        for part in (0.25, 0.5, 1.0):
            self.mouse("mouseMoved", x + part * dx, y + part * dy, button="left", buttons=1)
        self.mouse("mouseReleased", x + dx, y + dy, button="left", clickCount=1)
        self.settle()

    def wheel(self, x, y, delta):
        self.mouse("mouseWheel", x, y, deltaX=0, deltaY=delta)
        self.settle()

    def press(self, key, modifiers=0):
        code, text = KEYS.get(key, (ord(key.upper()) if len(key) == 1 and key.isalnum() else 0, key))
        about = {"key": key, "windowsVirtualKeyCode": code, "modifiers": modifiers}
        self.send("Input.dispatchKeyEvent", type="keyDown", text=text, **about)
        self.send("Input.dispatchKeyEvent", type="keyUp", **about)
        self.settle()

    def type(self, text):
        for letter in text:
            self.press(letter)


def _pipe():
    """A pipe with both ends at numbers from 10, not inherited."""
    ends = os.pipe()
    high = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in ends]
    for end in ends:
        os.close(end)
    return high
