"""First paint of the form on a bad link, beside the same form made with Bootstrap.

    python tests/bench/first_paint.py

Chromium is held to 400 ms and 400 kbit/s. Each page is opened five times with an empty cache,
turn by turn, and the medians are compared; ends with 1 when ours takes more than a third of
Bootstrap's. Bootstrap comes from npm into a temporary folder (npm has to be there). Told beside it:
largest paint, blocking time (what of each task is over 50 ms), with a processor four times slower,
and weight.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

import brotli
from playwright.sync_api import Browser, Page

from reporter.demo.mailbox import LOOPBACK

sys.path.append(str(Path(__file__).parents[1]))
sys.path.append(str(Path(__file__).parents[1] / "functional"))

from browser import chromium
from figures import Figure, at_most, middle
from pages import bytes_on_the_line
from sites import running

START, FORM, THEIRS = "start page", "form", "Bootstrap's form"
ROUNDS = 5
GOAL = 1 / 3
LINK = {
    "offline": False,
    "latency": 400,  # ms
    "downloadThroughput": 400_000 / 8,  # bytes a second
    "uploadThroughput": 400_000 / 8,
}
FIRST_PAINT = """() => new Promise((resolve) => {
  const take = () => performance.getEntriesByName("first-contentful-paint")[0]?.startTime;
  const look = () => take() ? resolve(take()) : setTimeout(look, 20);
  look();
})"""


def bootstrap(folder: Path) -> Path:
    command = ["npm", "install", "--silent", "--no-audit", "--no-fund", "bootstrap@5"]
    try:
        subprocess.run(command, cwd=folder, check=True, timeout=180)
    except (OSError, subprocess.SubprocessError) as error:
        sys.exit(f"Bootstrap could not be installed with npm: {error}")
    return folder / "node_modules/bootstrap/dist"


# What a page has cost once it is there, in ms.
COST = """() => new Promise((resolve) => {
  let largest = 0, blocked = 0;
  const watch = (type, see) => new PerformanceObserver((list) => list.getEntries().forEach(see))
    .observe({ type, buffered: true });
  watch("largest-contentful-paint", (paint) => (largest = paint.startTime));
  watch("longtask", (task) => (blocked += task.duration - 50));
  const tell = () => resolve([
    performance.getEntriesByName("first-contentful-paint")[0].startTime, largest, blocked,
  ]);
  const settle = () => setTimeout(tell, 2000);
  document.readyState === "complete" ? settle() : addEventListener("load", settle);
})"""
SLOWER = 4


def dressed(page: str) -> str:
    """Our page in Bootstrap's clothes: its stylesheet and script in place of ours, its classes."""
    page = re.sub(
        r"<style>.*?</style>", '<link rel="stylesheet" href="/bootstrap.min.css">', page, flags=re.S
    )
    page = re.sub(
        r'<script type="module".*?</script>',
        '<script src="/bootstrap.bundle.min.js" defer></script>',
        page,
    )
    for ours, theirs in {
        "option": "form-check",
        "question": "mb-3",
        "label": "form-label",
        "hint": "form-text",
        "primary": "btn btn-primary",
        "link": "btn btn-link",
    }.items():
        page = page.replace(f'class="{ours}"', f'class="{theirs}"')
    return page.replace("<textarea", '<textarea class="form-control"')


@contextmanager
def serving(files: dict[str, tuple[str, bytes]]) -> Iterator[str]:
    """A server of compressed files."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            kind, content = files.get(self.path, ("text/plain", b""))
            packed = brotli.compress(content)
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Encoding", "br")
            self.send_header("Content-Length", str(len(packed)))
            self.end_headers()
            self.wfile.write(packed)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer((LOOPBACK, 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://{LOOPBACK}:{server.server_port}/"
        finally:
            server.shutdown()


def first_paint(browser: Browser, url: str) -> float:
    """Milliseconds from the request to the first content, with an empty cache."""
    with _on_a_bad_link(browser) as page:
        page.goto(url, wait_until="commit")
        return float(page.evaluate(FIRST_PAINT))


class Cost(NamedTuple):
    """Of a page with an empty cache and all that it loads: milliseconds, and bytes on the line,
    headers and all."""

    first_paint: float
    largest_paint: float
    blocked: float
    weight: float


def cost(browser: Browser, url: str) -> Cost:
    with _on_a_bad_link(browser, SLOWER) as page:
        weights = bytes_on_the_line(page)
        page.goto(url, wait_until="commit")
        return Cost(*page.evaluate(COST), sum(weights.values()))


@contextmanager
def _on_a_bad_link(browser: Browser, slower: int = 1) -> Iterator[Page]:
    context = browser.new_context(locale="es-ES", service_workers="block")
    try:
        page = context.new_page()
        link = context.new_cdp_session(page)
        link.send("Network.enable")
        link.send("Network.emulateNetworkConditions", LINK)
        link.send("Emulation.setCPUThrottlingRate", {"rate": slower})
        yield page
    finally:
        context.close()


def source(browser: Browser, url: str) -> str:
    page = browser.new_page(locale="es-ES")
    html = page.goto(url).text()
    page.close()
    return html


def measured(rounds: int) -> tuple[dict[str, list[float]], dict[str, list[Cost]]]:
    """First paints, and what else each page costs, by page; *rounds* of both, turn by turn."""
    with tempfile.TemporaryDirectory() as name, chromium() as browser:
        folder = Path(name)
        dist = bootstrap(folder)
        with running(folder) as site:
            ours = f"{site.url}/report/failure"
            files = {
                "/": ("text/html; charset=utf-8", dressed(source(browser, ours)).encode()),
                "/bootstrap.min.css": (
                    "text/css",
                    (dist / "css/bootstrap.min.css").read_bytes(),
                ),
                "/bootstrap.bundle.min.js": (
                    "text/javascript",
                    (dist / "js/bootstrap.bundle.min.js").read_bytes(),
                ),
            }
            with serving(files) as theirs:
                pages = {START: f"{site.url}/", FORM: ours, THEIRS: theirs}
                taken: dict[str, list[float]] = {title: [] for title in pages}
                spent: dict[str, list[Cost]] = {title: [] for title in pages}
                for _ in range(rounds):
                    for title, url in pages.items():
                        taken[title].append(first_paint(browser, url))
                        spent[title].append(cost(browser, url))
    return taken, spent


def figures(rounds: int = ROUNDS) -> list[Figure]:
    taken, spent = measured(rounds)
    found = [
        Figure(f"{title}: first paint, ms", f"{middle(times):.0f} ({_range(times)})")
        for title, times in taken.items()
    ]
    ratio = middle(taken[FORM]) / middle(taken[THEIRS])
    found.append(at_most("first paint, form ÷ Bootstrap's", ratio, GOAL))
    for title, costs in spent.items():
        _first, largest, blocked, weight = zip(*costs, strict=True)
        found += [
            Figure(f"{title}: largest paint, ms", f"{middle([*largest]):.0f} ({_range(largest)})"),
            Figure(f"{title}: blocked, ms", f"{middle([*blocked]):.0f} ({_range(blocked)})"),
            Figure(f"{title}: weight on the line, bytes", f"{middle([*weight]):.0f}"),
        ]
    return found


def _range(values: Sequence[float]) -> str:
    return f"{min(values):.0f}–{max(values):.0f}"


def main() -> int:
    found = figures()
    for figure in found:
        print(f"{figure.what:48} {figure.found:>16}  {figure.goal} {figure.mark}")
    return int(any(figure.met is False for figure in found))


if __name__ == "__main__":
    raise SystemExit(main())
