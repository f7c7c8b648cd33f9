"""Every page and state, in both languages, by day and by night, for everybody."""

from __future__ import annotations

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import chromium
from pages import DESKTOP, PHONE, person
from tour import tour, toured

# By night nothing is different but the colours.
RULES = {
    "light": {"resultTypes": ["violations"]},
    "dark": {"resultTypes": ["violations"], "runOnly": ["color-contrast"]},
}


@pytest.mark.parametrize("language", ["es", "en"])
def test_every_page_can_be_used_by_everybody_and_fits_a_phone(
    tmp_path: Path, language: str
) -> None:
    """axe finds nothing, and nothing has to be scrolled sideways in a window of 320 pixels."""
    address = "203.0.113.7"
    seen, found = [], []
    with (
        toured(tmp_path) as (service, smtp),
        chromium() as browser,
        person(browser, service, language, address=address) as customer,
    ):
        for name in tour(customer, service, smtp, address):
            seen.append(name)
            assert customer.page.locator("html").get_attribute("lang") == language
            for colors, rules in RULES.items():
                customer.page.emulate_media(color_scheme=colors)
                for violation in Axe().run(customer.page, options=rules).response["violations"]:
                    where = " ".join(node["html"] for node in violation["nodes"])
                    found.append(f"{name}, {colors}: {violation['id']}: {where}")
            customer.page.set_viewport_size(PHONE)
            if customer.overflow > 0:
                found.append(f"{name}: wider than a phone by {customer.overflow} pixels")
            customer.page.set_viewport_size(DESKTOP)
    assert not found, "\n".join(found)
    assert len(seen) == 24
