"""A page for modules of JavaScript."""

import pytest

from tests.export.in_browser import START


@pytest.fixture(scope="module")
def page(browser):
    page = browser.open(f"<!DOCTYPE html><title>numbers</title><script>{START}</script>")
    yield page
    page.close()
