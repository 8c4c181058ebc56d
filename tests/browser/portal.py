# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""A visitor of the members' portal, who looks at each page: can everybody
use it, on a telephone and on a screen?"""
import os
from pathlib import Path

AXE = Path(__file__).parents[2] / '.cache' / 'axe' / 'axe.min.js'
TELEPHONE, SCREEN = {'width': 360, 'height': 740}, {
    'width': 1280, 'height': 800}
# All rules of axe, those of WCAG 2.2 that it leaves out by default too
VIOLATIONS = """async () => {
    let results = await axe.run(
        document, {rules: {'target-size': {enabled: true}}});
    return results.violations.map(v => `${v.id}: ${v.help}: `
        + v.nodes.map(n => `${n.html} ${n.failureSummary}`).join('; '));
}"""
# Where something is wider than the page or than its own place
WIDE = """() => {
    let root = document.documentElement;
    let wide = [...document.querySelectorAll('body *')].filter(e =>
        e.getBoundingClientRect().right > root.clientWidth + 1
        || (e.scrollWidth > e.clientWidth + 1 && e.clientWidth
            && !['INPUT', 'SELECT'].includes(e.tagName)
            && getComputedStyle(e).display != 'inline'));
    return wide.map(e => `wider than its place: ${e.outerHTML.slice(0, 99)}`);
}"""
LINKS = """() => [...document.querySelectorAll('main a')].map(
    a => a.getAttribute('href'))"""


class Visitor:

    def __init__(self, browser, url, locale, shots, name):
        self.browser = browser
        self.url = url
        self.locale = locale
        self.shots = shots
        self.name = name
        self.complaints = []
        self.links = set()

    def __enter__(self):
        self.context = self.browser.new_context(
            viewport=TELEPHONE, locale=self.locale)
        self.page = self.context.new_page()
        self.page.set_default_timeout(30_000)
        self.page.add_init_script(path=AXE)
        self.page.on('console', self.read_console)
        return self

    def __exit__(self, *_):
        self.context.close()

    def read_console(self, message):
        # That a page is not there is what the test asks for
        if message.type == 'error' and 'status of' not in message.text:
            self.complaints.append(f'{message.text} at {self.page.url}')

    def go(self, path, status=200):
        response = self.page.goto(self.url + path)
        assert response.status == status, f'{path}: {response.status}'
        return response

    def look(self, name, sizes=(TELEPHONE, SCREEN)):
        "Complain of what keeps somebody from using the page"
        page = self.page
        lang = page.locator('html').get_attribute('lang')
        faults = []
        if lang != self.locale[:2]:
            faults.append(f'is in {lang}')
        for size in sizes:
            page.set_viewport_size(size)
            faults.extend(
                f'{size["width"]}: {fault}'
                for fault in page.evaluate(VIOLATIONS) + page.evaluate(WIDE))
            if faults or 'COOP_SHOTS' in os.environ:
                page.screenshot(full_page=True, path=self.shots / (
                        f'{self.name}-{name}-{size["width"]}.png'))
        self.links.update(page.evaluate(LINKS))
        page.set_viewport_size(TELEPHONE)
        self.complaints.extend(
            f'{name} {page.url}: {fault}' for fault in faults)

    def visit(self, path, name, **kwargs):
        self.go(path, **kwargs)
        self.look(name)

    def check(self):
        assert not self.complaints, '\n'.join(self.complaints)

    def sign_in(self, email, password):
        self.go('/sign-in')
        self.page.locator('input[name=email]').fill(email)
        self.page.locator('input[name=password]').fill(password)
        self.send()

    def send(self, button='main form button'):
        "Press the button, whatever the browser itself thinks of the form"
        self.page.evaluate("""() => {
            for (let form of document.forms) form.noValidate = true;
        }""")
        with self.page.expect_navigation():
            self.page.locator(button).last.click()

    def fill(self, **values):
        for name, value in values.items():
            self.page.locator(f'[name={name}]').fill(value)

    def text(self):
        return self.page.locator('main').inner_text()
