"""The shop's own tests: `python -m unittest discover`, in the folder of a release."""

from __future__ import annotations

import json
import unittest

from .__main__ import revision
from .health import health
from .page import page
from .views import Views


class TheShop(unittest.IsolatedAsyncioTestCase):
    """Every path once."""

    async def test_its_page_names_the_release_and_every_item(self) -> None:
        answer = await Views("v0").answer("/")
        text = answer.body.decode()
        self.assertEqual(answer.status, 200)
        self.assertIn("릴리스 v0", text)
        self.assertIn("머그컵", text)

    async def test_its_items_are_json_with_prices(self) -> None:
        answer = await Views("v0").answer("/api/items")
        self.assertTrue(all(each["price"] > 0 for each in json.loads(answer.body)["items"]))

    async def test_what_there_is_not_is_not_found(self) -> None:
        self.assertEqual((await Views("v0").answer("/../VERSION")).status, 404)

    def test_names_are_no_markup(self) -> None:
        self.assertIn("&lt;b&gt;", page("v0", [{"name": "<b>", "price": 1}]))

    def test_it_knows_how_it_is(self) -> None:
        self.assertTrue(all(health(revision())))
