# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import re
from base64 import b64decode
from pathlib import Path

import trytond.modules.coop_portal
from trytond.modules.coop_membership.tests.player import savepoint
from trytond.modules.coop_portal import color
from trytond.modules.coop_portal.exceptions import ColorError
from trytond.modules.coop_portal.tests.door import PortalTestCase
from trytond.tests.test_tryton import with_transaction

CSS = Path(trytond.modules.coop_portal.__file__).parent / 'static/portal.css'
# One white pixel
PIXEL = b64decode(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGP6DwABBQEC'
    'Zw9BYgAAAABJRU5ErkJggg==')


class LookTestCase(PortalTestCase):
    "Test the logo and the colors of the cooperative"

    def test_contrast(self):
        "Test the contrast as examples of the WCAG have it"
        for one, other, ratio in [
                ('#000000', '#ffffff', 21),
                ('#ffffff', '#ffffff', 1),
                # The greys before and after the border of 4.5
                ('#767676', '#ffffff', 4.54),
                ('#777777', '#ffffff', 4.48),
                ]:
            with self.subTest(one=one):
                self.assertAlmostEqual(
                    color.contrast(one, other), ratio, places=2)

    def test_stylesheet(self):
        "Test the colors that are checked are those of the stylesheet"
        colors = dict(re.findall(r'--(\w+): (#\w+);', CSS.read_text()))
        self.assertEqual(colors['ink'], color.INK)
        self.assertEqual(colors['paper'], '#fff')
        self.assertEqual(colors['strong'], color.STRONG)
        self.assertEqual(colors['soft'], color.SOFT)

    @with_transaction()
    def test_colors(self):
        "Test the pages have the colors of their cooperative"
        alpha, beta = self.open(), self.open("Beta")
        alpha.portal.color = ' #7A1F1F '
        alpha.portal.background_color = '#f4ecec'
        alpha.portal.save()

        for cooperative, colors in [
                (alpha, ':root {--strong: #7a1f1f;--soft: #f4ecec;}\n'),
                (beta, ':root {}\n'),
                ]:
            browser = self.browser(cooperative, user=None)
            self.assertIn('/colors.css', browser.text('/sign-in'))
            response = browser.get('/colors.css')
            self.assertEqual(response.mimetype, 'text/css')
            self.assertEqual(response.get_data(as_text=True), colors)

    @with_transaction()
    def test_unreadable(self):
        "Test colors are refused that not everybody can read"
        portal = self.open().portal
        for values, message in [
                ({'color': 'green'}, "is not a color"),
                ({'color': '#fff;}body{}'}, "is not a color"),
                ({'color': '#777777'}, '"#777777" on "#ffffff"'),
                # Readable on white only
                ({'color': '#767676'}, '"#767676" on "#eef3f0"'),
                ({'background_color': '#14532d'}, '"#14532d" on "#14532d"'),
                ]:
            with self.subTest(**values), \
                    self.assertRaisesRegex(ColorError, message), savepoint():
                portal.__class__.write([portal], values)

    @with_transaction()
    def test_logo(self):
        "Test the pages have the logo of their company"
        alpha, beta = self.open(), self.open("Beta")
        alpha.company.logo = PIXEL
        alpha.company.save()

        browser = self.browser(alpha, user=None)
        self.assertIn('src="/logo.png"', browser.text('/sign-in'))
        response = browser.get('/logo.png')
        self.assertEqual(response.mimetype, 'image/png')
        self.assertEqual(response.data[:8], PIXEL[:8])
        browser = self.browser(beta, user=None)
        self.assertNotIn('/logo.png', browser.text('/sign-in'))
        self.assertEqual(browser.get('/logo.png').status_code, 404)


del PortalTestCase
