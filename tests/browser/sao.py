# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""A person at Tryton's web client: clicks, reads and complains of errors."""
import contextlib
import json
import os
import re
from itertools import zip_longest

from playwright.sync_api import TimeoutError

CHROMIUM = os.environ.get('CHROMIUM', '/usr/bin/chromium')
ARGUMENTS = [
    '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update',
    '--disable-sync']
# The dialogs that stop a user, and where the client refuses to go on
ERRORS = (
    '.error-dialog, .warning-dialog, .user-warning-dialog, .message-dialog, '
    '.alert-danger')
MENU = '#menu table.tree > tbody > tr'
# Dialogs move in by a transition that only costs time
NO_TRANSITION = """document.addEventListener('DOMContentLoaded', () => {
    if (window.jQuery) jQuery(() => { jQuery.support.transition = false; });
});"""
# A script that fails leaves the client waiting for ever
FAILED = "window.addEventListener('error', () => { window._failed = true; });"
# No single signal tells that the client has nothing left to do, since it
# chains requests: it must have been quiet for some polls
QUIET = """polls => {
    if (window._failed) return true;
    if (!window.jQuery || jQuery.active) window._quiet = 0;
    else window._quiet = (window._quiet || 0) + 1;
    return window._quiet > polls;
}"""


SCREEN = 'Sao.Tab.tabs.get_current()?.screen'
# What a user should never see: the id of a record, a name of the code or
# nothing where there should be a name
FAULTS = r"""() => {
    let faults = [], seen = e => e.offsetParent !== null;
    let raw = new RegExp(
        '^(\\(-?\\d+\\)|[a-z_]+(\\.[a-z_]+)+(,-?\\d+)?|[a-z]+_[a-z_]+)$');
    let pane = document.querySelector('.modal.in')
        || document.querySelector('#tabcontent > .tab-pane.active');
    if (!pane) return faults;
    for (let label of pane.querySelectorAll(
            'th .header label, .form label, .nav-tabs > li > a, '
            + '.modal-footer button, .form button.btn[name], '
            + '.model-title')) {
        if (!seen(label) || label.closest('.checkbox, .input-group')) continue;
        let text = label.innerText.trim().replace(/:$/, '');
        if ((!text && !label.querySelector('img'))  || raw.test(text))
            faults.push(`label "${text}" of ${label.className}`);
    }
    for (let value of pane.querySelectorAll(
            'td[data-title] .column-many2one, td[data-title] .column-char, '
            + 'td[data-title] .column-selection, '
            + 'td[data-title] .column-reference, '
            + '.form-many2one input, .form-reference input')) {
        if (!seen(value)) continue;
        let text = (value.value || value.innerText || '').trim();
        if (raw.test(text)) faults.push(`value "${text}"`);
    }
    // The views of other modules may be wider; dashboards have no screen
    let screen = %(screen)s;
    if (!screen || screen.model_name.startsWith('coop.')) {
        for (let list of pane.querySelectorAll('.treeview')) {
            let more = list.scrollWidth - list.clientWidth;
            // In forms some are wider by the edge of the last column
            if (!seen(list) || more <= 5) continue;
            let titles = [...list.querySelectorAll('th label')].map(
                label => label.innerText.trim()).filter(title => title);
            faults.push(
                `list wider than its place by ${more}: ${titles.join(', ')}`);
        }
        // A name that is too long is no fault, a number is
        for (let text of pane.querySelectorAll(
                '.treeview th label, .treeview .column-date, '
                + '.treeview .column-time, .treeview .column-integer, '
                + '.treeview .column-float, .treeview .column-selection')) {
            let more = text.scrollWidth - text.clientWidth;
            if (seen(text) && more > 0)
                faults.push(`"${text.innerText}" is cut off by ${more}`);
        }
    }
    return [...new Set(faults)];
}""".replace('%(screen)s', SCREEN)


class ClientError(AssertionError):
    "What the client complains of to its user"


class Sao:

    def __init__(self, browser, url, database, locale='en-US'):
        self.browser = browser
        self.url = url
        self.database = database
        self.locale = locale
        self.complaints = []

    def __enter__(self):
        self.context = self.browser.new_context(
            viewport={'width': 1440, 'height': 900}, locale=self.locale,
            accept_downloads=True)
        self.page = self.context.new_page()
        self.page.set_default_timeout(60_000)
        self.page.add_init_script(NO_TRANSITION)
        self.page.add_init_script(FAILED)
        self.page.on('pageerror', lambda error: self.complaints.append(
                error.stack or str(error)))
        self.page.on('console', self.read_console)
        return self

    def __exit__(self, *_):
        self.context.close()

    def read_console(self, message):
        # The client asks for translations of English and does without them;
        # it cleans rich text in a frame which refuses our scripts above
        if (message.type == 'error'
                and '/locale/' not in message.location['url']
                and not message.text.startswith('Blocked script execution')):
            self.complaints.append(
                f"{message.text} {message.location['url']}")

    # What the user waits for

    def wait(self):
        self.page.evaluate('() => { window._quiet = 0; }')
        self.page.wait_for_function(
            QUIET, arg=6, polling=30, timeout=120_000)

    def check(self):
        "Raise what the client complains of"
        dialog = self.page.locator(ERRORS).filter(visible=True)
        if dialog.count():
            self.complaints.append(dialog.last.inner_text())
        if self.complaints:
            complaints, self.complaints = self.complaints, []
            raise ClientError('\n'.join(complaints))

    def do(self, action):
        action()
        self.wait()
        self.check()

    def faults(self):
        "Return what should not be read on the screen"
        return self.page.evaluate(FAULTS)

    @contextlib.contextmanager
    def refused(self, text):
        "The client refuses what is done here, with an error of this text"
        try:
            yield
        except ClientError as error:
            if not re.search(text, str(error)):
                raise
            self.do_dialog(ERRORS, '.btn-primary, button')
        else:
            raise ClientError(f"not refused: {text}")

    @contextlib.contextmanager
    def warned(self, text):
        "The client warns of what is done here, with this text; go on"
        try:
            yield
        except ClientError as error:
            if not re.search(text, str(error)):
                raise
            self.do_dialog('.user-warning-dialog', '.btn-primary')
        else:
            raise ClientError(f"not warned: {text}")

    def do_dialog(self, dialog, button):
        dialog = self.page.locator(dialog).filter(visible=True).last
        self.do(lambda: dialog.locator(button).filter(
                visible=True).last.click())

    # Session

    def login(self, user, password):
        # Start from nothing, even after a failure: the client goes on with
        # the session that it remembers
        self.page.goto(self.url)
        self.page.evaluate('() => localStorage.clear()')
        self.page.goto('about:blank')
        self.page.goto(f'{self.url}/#{self.database}')
        dialog = self.page.locator('.login-dialog')
        dialog.wait_for()
        self.wait()
        dialog.locator('input[name=login]').fill(user)
        dialog.locator('button[type=submit]').click()
        ask = self.page.locator('.ask-dialog')
        ask.locator('input[type=password]').fill(password)
        ask.locator('.btn-primary').click()
        # The first user is asked to configure before there is a menu
        self.page.locator(
            '#user-preferences > a, .wizard-dialog, .wizard-form').filter(
            visible=True).first.wait_for()
        self.wait()
        # The client opens the tab again when it writes the address itself
        self.page.evaluate('() => { window.onhashchange = null; }')

    # Menu

    def menu(self):
        "Return the rows of the menu: index, depth, label, is open"
        rows = self.page.evaluate("""rows => [
            ...document.querySelectorAll(rows)].map((tr, index) => ({
                index,
                depth: parseFloat(
                    tr.querySelector('.expander img')?.style.marginLeft) || 0,
                label: tr.querySelector('.column-char').innerText.trim(),
            }))""", MENU)
        for row, following in zip_longest(rows, rows[1:]):
            row['open'] = following and following['depth'] > row['depth']
        return rows

    def unfold_menu(self, *path):
        "Open all the entries below the entry; return the paths of them all"
        seen = set()
        while True:
            paths, current = [], []
            for row in self.menu():
                current = [
                    r for r in current if r['depth'] < row['depth']] + [row]
                labels = tuple(r['label'] for r in current)
                size = min(len(path), len(labels))
                if labels[:size] != path[:size]:
                    continue
                if len(labels) >= len(path):
                    paths.append(labels)
                if labels not in seen:
                    seen.add(labels)
                    expander = self.row(row['index']).locator('.expander')
                    if not row['open'] and expander.is_visible():
                        self.do(expander.click)
                        break
            else:
                return paths

    def row(self, index):
        return self.page.locator(MENU).nth(index)

    def open_menu(self, *path):
        "Open an entry such as 'Cooperative', 'Members', 'Register'"
        self.unfold_menu(*path[:-1])
        current = []
        for row in self.menu():
            current = [
                r for r in current if r['depth'] < row['depth']] + [row]
            if tuple(r['label'] for r in current) == path:
                break
        else:
            raise LookupError(' / '.join(path))
        self.do(self.row(row['index']).locator('.column-char').click)

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

    def wizard(self):
        "Return the title of the wizard in which the user is, if any"
        title = self.page.locator(
            '.wizard-dialog, .wizard-form').filter(visible=True).last.locator(
            '.model-title')
        return title.first.inner_text() if title.count() else ''

    def has_tab(self):
        return bool(self.tab.count())

    def is_board(self):
        "Return whether the tab is a dashboard, which has no records itself"
        return self.page.evaluate(f'() => !{SCREEN}')

    def open_all(self):
        "Let the list show all its records"
        filters = self.tab.locator('.nav-tabs > li > a').filter(visible=True)
        if filters.count():
            self.do(filters.last.click)

    def open_first(self):
        "Open the first record of the list; return whether there is one"
        rows = self.tab.locator('table.tree > tbody > tr')
        if not rows.count():
            return False
        cell = rows.first.locator('td[data-title]').filter(visible=True).first
        self.do(lambda: cell.dblclick(position={'x': 3, 'y': 3}))
        return True

    def views(self):
        "Show each other view of the tab in turn; yield its type"
        count = self.page.evaluate(f"""() => {{
            let screen = {SCREEN};
            return screen.views.length + screen.view_to_load.length;
            }}""")
        for _ in range(count - 1):
            # No form is shown for a list without records
            if self.tab.locator(
                    'nav.toolbar button#switch_').first.is_disabled():
                break
            self.tool('switch_')
            yield self.page.evaluate(f'() => {SCREEN}.current_view.view_type')

    def pages(self):
        "Open each page of the form in turn; yield its label"
        tabs = self.tab.locator(
            '.form .nav-tabs > li > a').filter(visible=True)
        for i in range(tabs.count()):
            self.do(tabs.nth(i).click)
            yield tabs.nth(i).inner_text()

    def entries(self, kind):
        "Return the entries of a menu of the tab: action, relate, print"
        return [
            text.strip() for text in self.tab.locator(
                f'ul[aria-labelledby={kind}] > li > a').all_inner_texts()]

    def run(self, kind, label):
        "Run the entry of a menu of the tab: action, relate, print"
        self.do(self.tab.locator(f'nav.toolbar button#{kind}').first.click)
        self.do(self.tab.locator(
                f'ul[aria-labelledby={kind}]').get_by_text(
                label, exact=True).first.click)

    def cancel(self):
        "Leave the wizard, which does not hear as long as it opens"
        top = self.top.element_handle()
        button = self.top.locator('.modal-footer button').filter(visible=True)
        for _ in range(10):
            self.do(button.first.click)
            if not top.is_visible():
                break
        else:
            raise ClientError("the wizard can not be left")

    def close(self):
        self.do(self.page.locator(
                '#tablist li.active button.close').first.click)

    # Forms

    def field(self, name):
        return self.top.locator(f'[name="{name}"]').filter(
            visible=True).first

    def has_field(self, name):
        return bool(self.top.locator(f'[name="{name}"]').filter(
                visible=True).count())

    def entry(self, name):
        "The field once it can be filled in"
        return self.top.locator(
            f'[name="{name}"]:enabled:not([readonly])').filter(
            visible=True).first

    def set(self, name, value):
        field = self.entry(name)
        if field.evaluate('e => e.tagName') == 'SELECT':
            field.select_option(label=value)
        elif field.get_attribute('type') == 'checkbox':
            field.set_checked(value)
        else:
            # The focus swaps the display of a number for its entry
            field.focus()
            field = self.entry(name)
            field.fill(str(value))
        self.do(lambda: field.press('Tab'))

    def complete(self, field, text, label):
        "Type the text and choose from what completes it"
        item = self.page.locator('.dropdown-menu li a:visible').filter(
            has_text=label).first
        # Keys would go to where the client may move the cursor by itself
        for _ in range(3):
            field.fill(text)
            if field.input_value() == text:
                with contextlib.suppress(TimeoutError):
                    item.wait_for(timeout=20_000)
                    break
            self.wait()
        self.do(item.click)

    def choose(self, name, text, label=None):
        "Choose the record for a link to another record, if it is not there"
        if text not in (self.get(name) or ''):
            self.complete(self.entry(name), text, label or text)

    def create(self, name, text, choices=None):
        "Create the record that a link to another record does not find"
        modals = self.page.locator('.modal').filter(visible=True)
        count = modals.count()
        self.complete(self.entry(name), text, 'Create...')
        modals.nth(count).wait_for()
        self.wait()
        for key, value in (choices or {}).items():
            self.choose(key, value)
        self.accept()
        modals.nth(count).wait_for(state='hidden')

    def get(self, name):
        return self.field(name).evaluate(
            "e => e.tagName == 'SELECT' ? e.selectedOptions[0]?.text"
            " : e.value")

    def reads(self, name, text):
        "Wait until the field reads the text; complain if it does not"
        for _ in range(100):
            if text in (self.get(name) or ''):
                return
            self.page.wait_for_timeout(100)
        raise AssertionError(f"{name} is {self.get(name)!r}, not {text!r}")

    def page_(self, label):
        "Open the page of the form"
        self.do(self.top.locator('.nav-tabs > li > a').filter(
                has_text=re.compile(rf'^\s*{re.escape(label)}')).filter(
                visible=True).first.click)

    def tool(self, name):
        self.do(self.tab.locator(f'nav.toolbar button#{name}').first.click)

    def new(self):
        self.tool('new_')
        # The last that the client does is to set the cursor
        self.page.wait_for_function(
            "() => document.activeElement.closest('.form')")

    def save(self):
        self.tool('save')
        # What the client tells lies over the toolbar
        for bar in self.tab.locator('.infobar .alert button.close').all():
            bar.click()

    def press(self, name):
        "Press a button of the form"
        self.do(lambda: self.top.locator(f'button[name="{name}"]').filter(
                visible=True).first.click())
        dialog = self.page.locator('.confirmation-dialog').filter(visible=True)
        if dialog.count():
            self.do(dialog.locator('.btn-primary').click)

    def answer(self, label):
        "Press a button at the foot of the dialog"
        self.do(self.foot(label).click)

    def foot(self, label):
        return self.top.locator('.modal-footer button').filter(
            has_text=label).filter(visible=True).first

    def accept(self):
        "Press the button at the foot of the dialog that is for Enter"
        self.do(self.top.locator('.modal-footer .btn-primary').filter(
                visible=True).first.click)

    # Lists

    def table(self, label=None):
        "The list of the tab, or that of the field with the label"
        if label is None:
            return self.top
        return self.top.locator('.form-one2many, .form-many2many').filter(
            has=self.page.locator(
                ':scope > [class*="2many-menu"] > label').filter(
                has_text=re.compile(rf'^{re.escape(label)}:?$'))).filter(
            visible=True).first

    def add(self, label, text=None):
        "Add a new line to the field with the label, or the one of the text"
        table = self.table(label)
        menu = table.locator(':scope > [class*="2many-menu"]')
        if text is None:
            self.do(menu.locator('button[aria-label=New]').first.click)
        else:
            self.complete(menu.locator('input').first, text, text)

    def rows(self, label=None, text=''):
        "Return the cells of the rows with the text, once there is one"
        rows = self.table(label).locator('table.tree > tbody > tr').filter(
            has_text=text)
        if text:
            rows.first.wait_for()
        return rows.evaluate_all("""rows => rows.map(
                tr => [...tr.querySelectorAll('td[data-title]')].filter(
                    td => td.style.display != 'none').map(td => {
                        let input = td.querySelector('input, select');
                        return (td.innerText
                            || (input && input.value) || '').trim(); }))""")

    def open_row(self, text, label=None):
        row = self.table(label).locator('table.tree > tbody > tr').filter(
            has_text=text).first
        cell = row.locator('td[data-title]').filter(visible=True).first
        self.do(lambda: cell.dblclick(position={'x': 3, 'y': 3}))

    def edit_row(self, text, label, name, value):
        "Set a field in the row of an editable list"
        row = self.table(label).locator('table.tree > tbody > tr').filter(
            has_text=text).first
        self.do(lambda: row.locator('td[data-title]').filter(
                visible=True).first.dblclick(position={'x': 3, 'y': 3}))
        self.set(name, value)

    def search(self, text):
        box = self.tab.locator('.filter-box input').filter(visible=True).first
        box.fill(text)
        self.do(lambda: box.press('Enter'))

    # Papers

    def upload(self, path):
        "Choose the file for the first field that takes one"
        field = self.top.locator('input[type=file]').first
        self.do(lambda: field.set_input_files(path))

    def get_file(self, directory):
        "Return the file of the first field that has one"
        return self.download(
            self.top.locator('.form-binary button').filter(
                visible=True).first.click, directory)

    def download(self, action, directory):
        "Return the file that the client gets by the action"
        with self.page.expect_download(timeout=120_000) as download:
            action()
        path = directory / download.value.suggested_filename
        download.value.save_as(path)
        return path

    def shot(self, path):
        self.page.screenshot(path=path)
