"""The browser of tests that look at pages."""

import pytest

from tests.browser import MISSING, Browser, find_chromium


@pytest.fixture(scope="module")
def browser():
    if find_chromium() is None:
        pytest.skip(MISSING)
    with Browser() as browser:
        yield browser


@pytest.fixture
def open_page(browser):
    """A function that opens a page; in the end no page may have had any trouble."""
    opened = []

    def open_page(html, **size):
        # A page behind another one is not drawn.
        while opened:
            opened.pop().close()
        opened.append(browser.open(html, **size))
        return opened[-1]

    yield open_page
    for one in opened:
        one.close()
