# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""A person at Tryton's web client: clicks, reads and complains of errors."""
import json
import os

from playwright.sync_api import sync_playwright

CHROMIUM = os.environ.get('CHROMIUM', '/usr/bin/chromium')
ARGUMENTS = [
    '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update',
    '--disable-sync']
ERRORS = '.error-dialog, .warning-dialog, .message-dialog'
MENU = '#menu table.tree > tbody > tr'
# Dialogs move in by a transition that only costs time
NO_TRANSITION = """document.addEventListener('DOMContentLoaded', () => {
    if (window.jQuery) jQuery(() => { jQuery.support.transition = false; });
});"""
# No single signal tells that the client has nothing left to do, since it
# chains requests: it must have been quiet for some polls
QUIET = """polls => {
    if (!window.jQuery || jQuery.active) window._quiet = 0;
    else window._quiet = (window._quiet || 0) + 1;
    return window._quiet > polls;
}"""


class ClientError(AssertionError):
    "What the client complains of to its user"


class Sao:

    def __init__(self, url, database, locale='en-US'):
        self.url = url
        self.database = database
        self.locale = locale
        self.complaints = []

    def __enter__(self):
        self.playwright = sync_playwright().start()
        self.browser = self.playwright.chromium.launch(
            executable_path=CHROMIUM, args=ARGUMENTS)
        self.context = self.browser.new_context(
            viewport={'width': 1440, 'height': 900}, locale=self.locale,
            accept_downloads=True)
        self.page = self.context.new_page()
        self.page.set_default_timeout(20_000)
        self.page.add_init_script(NO_TRANSITION)
        self.page.on('pageerror', lambda error: self.complaints.append(
                error.stack or str(error)))
        return self

    def __exit__(self, *_):
        self.browser.close()
        self.playwright.stop()

    # What the user waits for

    def wait(self):
        self.page.evaluate('() => { window._quiet = 0; }')
        self.page.wait_for_function(QUIET, arg=6, polling=30)

    def check(self):
        "Raise what the client complains of"
        dialog = self.page.locator(ERRORS).filter(visible=True)
        if dialog.count():
            self.complaints.append(
                dialog.last.locator('.modal-body').inner_text())
        if self.complaints:
            complaints, self.complaints = self.complaints, []
            raise ClientError('\n'.join(complaints))

    def do(self, action):
        action()
        self.wait()
        self.check()

    # Session

    def login(self, user, password):
        self.page.goto(f'{self.url}/#{self.database}')
        dialog = self.page.locator('.login-dialog')
        dialog.wait_for()
        self.wait()
        dialog.locator('input[name=login]').fill(user)
        dialog.locator('button[type=submit]').click()
        ask = self.page.locator('.ask-dialog')
        ask.locator('input[type=password]').fill(password)
        ask.locator('.btn-primary').click()
        self.page.locator('#user-preferences > a').wait_for()
        self.wait()
        # The client opens the tab again when it writes the address itself
        self.page.evaluate('() => { window.onhashchange = null; }')

    # Menu

    def menu(self):
        "Return the rows of the menu: index, depth, label, is open"
        return self.page.evaluate("""rows => [
            ...document.querySelectorAll(rows)].map((tr, index) => {
                let image = tr.querySelector('.expander img');
                return {
                    index,
                    depth: parseFloat(image ? image.style.marginLeft : 0) || 0,
                    label: tr.querySelector('.column-char').innerText.trim(),
                    open: !!image && image.dataset.open == 'true',
                };
            })""", MENU)

    def unfold_menu(self, label):
        "Open all the entries below the entry; return them"
        seen = set()
        while True:
            entries, path, inside = [], [], None
            for row in self.menu():
                if inside is not None and row['depth'] <= inside:
                    inside = None
                if inside is None and row['label'] == label and not path:
                    inside = row['depth']
                if inside is not None:
                    path = [
                        p for p in path if p['depth'] < row['depth']] + [row]
                    row['path'] = tuple(p['label'] for p in path)
                    entries.append(row)
            for row in entries:
                if row['path'] not in seen:
                    seen.add(row['path'])
                    expander = self.row(row['index']).locator('.expander')
                    if not row['open'] and expander.is_visible():
                        self.do(expander.click)
                        break
            else:
                return entries

    def row(self, index):
        return self.page.locator(MENU).nth(index)

    def open_entry(self, entry):
        self.do(self.row(entry['index']).locator('.column-char').click)

    # Tabs

    def open(self, path, **parameters):
        "Open an address such as model/coop.member/1 or wizard/coop.check"
        address = f'{self.database}/{path}' + ''.join(
            f';{key}={json.dumps(value)}'
            for key, value in parameters.items())
        self.do(lambda: self.page.evaluate(
                'address => Sao.open_url(address)', address))

    @property
    def tab(self):
        return self.page.locator('#tabcontent > .tab-pane.active')

    @property
    def dialog(self):
        return self.page.locator('.modal').filter(visible=True).last

    @property
    def top(self):
        "Where the user works: the dialog if there is one, else the tab"
        return self.dialog if self.has_dialog() else self.tab

    def has_dialog(self):
        return bool(self.page.locator('.modal').filter(visible=True).count())

    def has_tab(self):
        return bool(self.tab.count())

    def open_first(self):
        """Open the first record of all those of the list, if any, and return
        whether there is one"""
        filters = self.tab.locator('.nav-tabs > li > a').filter(visible=True)
        if filters.count():
            self.do(filters.last.click)
        rows = self.tab.locator('table.tree > tbody > tr')
        if not rows.count():
            return False
        cell = rows.first.locator('td[data-title]').filter(visible=True).first
        self.do(lambda: cell.dblclick(position={'x': 3, 'y': 3}))
        return True

    def pages(self):
        "Open each page of the form in turn"
        tabs = self.tab.locator(
            '.form .nav-tabs > li > a').filter(visible=True)
        for i in range(tabs.count()):
            self.do(tabs.nth(i).click)
            yield tabs.nth(i).inner_text()

    def cancel(self):
        "Leave the wizard"
        button = self.top.locator('.modal-footer button').filter(visible=True)
        self.do(button.first.click)

    def close(self):
        self.do(self.page.locator(
                '#tablist li.active button.close').first.click)

    # Forms

    def field(self, name):
        return self.top.locator(f'[name="{name}"]').filter(
            visible=True).first

    def set(self, name, value):
        field = self.field(name)
        if field.evaluate('e => e.tagName') == 'SELECT':
            field.select_option(label=value)
        else:
            # A click swaps the display of a number for its entry
            field.click()
            field = self.field(name)
            field.fill(str(value))
        self.do(lambda: field.press('Tab'))

    def choose(self, name, text):
        "Complete the text of a link to another record"
        field = self.field(name)
        field.click()
        field.fill('')
        field.press_sequentially(text, delay=15)
        item = self.page.locator('.dropdown-menu li a:visible').filter(
            has_text=text).first
        item.wait_for()
        self.do(item.click)

    def get(self, name):
        return self.field(name).evaluate(
            "e => e.tagName == 'SELECT' ? e.selectedOptions[0]?.text"
            " : e.value")

    def tool(self, name):
        self.do(self.tab.locator(f'nav.toolbar button#{name}').first.click)

    def press(self, name, confirm=True):
        "Press a button of the form"
        self.do(lambda: self.top.locator(f'button[name="{name}"]').filter(
                visible=True).first.click())
        dialog = self.page.locator('.confirmation-dialog').filter(visible=True)
        if confirm and dialog.count():
            self.do(dialog.locator('.btn-primary').click)

    def answer(self, label):
        "Press a button at the foot of the dialog"
        self.do(self.top.locator('.modal-footer button').filter(
                has_text=label).filter(visible=True).first.click)

    def shot(self, path):
        self.page.screenshot(path=path)
