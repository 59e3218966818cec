"""How fast the page of the web map is in a headless Chromium: first map, and steps of the time slider.

Start ``pyland view RUN --no-browser`` first, for instance of the run that ``tools/benchmarks/web_view.py`` writes:

    python tools/benchmarks/web_page.py http://127.0.0.1:8760/ [--state swipe=1] [--steps 40]

The first map counts from the start of the navigation, a step from the event of the slider, both until two frames after
the map was drawn. A third of the steps goes far, to records that were not read ahead.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics

from playwright.sync_api import sync_playwright

STEP = """async (far) => {
  const slider = document.querySelector(".time-slider");
  const drawn = () => performance.getEntriesByName("pyland:map").length;
  const [before, here, last] = [drawn(), Number(slider.value), Number(slider.max)];
  slider.value = String(far ? (here + Math.floor(last / 3)) % (last + 1) : here > 0 ? here - 1 : last);
  const started = performance.now();
  slider.dispatchEvent(new Event("input"));
  while (drawn() === before && performance.now() - started < 20000) await new Promise((done) => setTimeout(done, 2));
  return performance.now() - started;
}"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("address")
    parser.add_argument("--state", default="", help="part of the address behind #")
    parser.add_argument("--steps", type=int, default=40)
    given = parser.parse_args()
    program = os.environ.get("PYLAND_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(f"{given.address}#{given.state}" if given.state else given.address)
        page.wait_for_selector(".map-figure[data-drawn]")
        first = page.evaluate(
            "performance.getEntriesByName('pyland:map').map((one) => one.startTime + one.duration)[0]")
        page.wait_for_timeout(2000)
        steps = []
        for count in range(given.steps):
            steps.append(page.evaluate(STEP, count % 3 == 2))
            page.wait_for_timeout(100)
        browser.close()
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(f"first map {first:.0f} ms after the start of the navigation")
    near, far = [one for place, one in enumerate(steps) if place % 3 != 2], steps[2::3]
    for name, values in (("to the neighbour", near), ("far away", far)):
        print(f"step {name}: median {statistics.median(values):.0f} ms, largest {max(values):.0f} ms")


if __name__ == "__main__":
    main()
