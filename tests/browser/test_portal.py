# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""The members' portal, for everybody: each page on a telephone and on a
screen, in two languages; and the way from the application to the use."""
import datetime as dt
import json
import re
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from portal import Visitor
from sao import Sao

from trytond.modules.coop_portal.wsgi import VIEWS

# As the demo has it
VISITOR, PASSWORD = 'member@example.org', 'cooperative'
ZONE = ZoneInfo('America/Los_Angeles')
# What is not a page, but answers with a file or leads to a page
FILES = {
    'account.confirmation', 'account.data', 'account.invoice', 'join.paper',
    'look.colors', 'look.logo', 'meeting.convocation', 'meeting.paper',
    'own.feed', 'shares.certificate', 'shares.code', 'shares.letter',
    'shares.settlement', 'shares.statement',
    }
# What the member has not: a code needs an account of the cooperative
NO_LINKS = {
    'look.colors', 'look.logo', 'own.feed', 'shares.code',
    'shares.settlement'}
# What is for who has not signed in
OPEN = ['door.sign_in', 'door.forgotten', 'door.password', 'door.privacy',
    'join.index']
LINK = re.compile(r'https://\S+?/password\?[^\s"<]+')


def get_rules():
    "Return the addresses of all pages, by their names"
    app = Flask(__name__)
    for views in VIEWS:
        app.register_blueprint(views.blueprint)
    return {
        rule.endpoint: rule.rule for rule in app.url_map.iter_rules()
        if 'GET' in rule.methods and rule.endpoint != 'static'}


@pytest.fixture
def visitor(browser, door, shots, request):
    locale = getattr(request, 'param', 'de-DE')
    with Visitor(browser, door, locale, shots, f'portal-{locale}') as visitor:
        yield visitor


def now(**later):
    "Return the time as forms take it"
    time = dt.datetime.now(ZONE) + dt.timedelta(**later)
    return time.strftime('%Y-%m-%dT%H:%M')


def book(visitor, resource, start, end):
    "Book, and return the address of the booking"
    visitor.go(f'/use/{resource}')
    visitor.fill(start=start, end=end)
    visitor.send('button[name=book]')
    assert urlsplit(visitor.page.url).path == '/bookings', visitor.text()
    return max(
        (a.get_attribute('href') for a in visitor.page.locator(
                'a[href*="/bookings/"]').all()),
        key=lambda href: int(href.rpartition('/')[-1]))


def use(visitor, step, value):
    "Start or finish what is on the page, with the value of the meter"
    with visitor.page.expect_navigation():
        visitor.page.locator(f'a[href$="/{step}"]').click()
    visitor.page.locator('input[name^=meter_]').fill(value)
    visitor.send()


@pytest.mark.parametrize('visitor', ['en-US', 'de-DE'], indirect=True)
def test_pages(visitor, prepared):
    ids = json.loads((prepared / 'door.json').read_text())
    rules = get_rules()
    for name in OPEN:
        visitor.visit(rules.pop(name), name)
    visitor.go('/sign-in')
    visitor.fill(email=VISITOR, password="wrong password")
    visitor.send()
    visitor.look('refused.sign_in')
    visitor.sign_in(VISITOR, PASSWORD)

    # Of each kind that has a page
    running = book(
        visitor, ids['resource'], now(minutes=-1), now(minutes=6))
    visitor.go(running)
    use(visitor, 'start', '1000')
    startable = book(
        visitor, ids['resource'], now(minutes=10), now(minutes=20))
    paths = {
        'join.apply': f'/join/category/{ids["category"]}',
        'meeting.meeting': f'/meetings/{ids["meeting"]}',
        'own.finish': f'{running}/finish',
        'own.move': f'{startable}/move',
        'own.series': f'/use/{ids["resource"]}/series',
        'own.start': f'{startable}/start',
        'use.booking': startable,
        'use.resource': f'/use/{ids["resource"]}',
        }
    rules.pop('requests.new')
    for name, path in rules.items():
        if name not in FILES:
            visitor.visit(paths.get(name, path), name)
    for kind in ['address', 'email', 'shares', 'notice', 'other']:
        visitor.visit(f'/requests/new/{kind}', f'requests.new-{kind}')

    # What comes after a form
    visitor.go(rules['own.calendar'])
    visitor.send()
    visitor.look('sent.calendar')
    visitor.go(paths['join.apply'])
    visitor.send()
    visitor.look('refused.apply')
    visitor.go(paths['use.resource'])
    visitor.fill(start=now(days=1), end=now(days=1, hours=2))
    visitor.send('button[name=price]')
    visitor.look('sent.price')
    visitor.fill(start=now(days=-1), end=now(hours=2))
    visitor.send('button[name=price]')
    visitor.look('refused.book')
    visitor.go(paths['own.series'])
    visitor.fill(
        start=now(days=2), end=now(days=2, hours=1),
        until=now(days=20)[:10])
    visitor.send('button[name=book]')
    visitor.look('sent.series')
    visitor.go(f'/meetings/{ids["meeting"]}')
    visitor.page.locator('input[value=comes]').check()
    visitor.send()
    visitor.look('sent.meeting')
    visitor.visit('/nowhere', 'error', status=404)
    visitor.go(running)
    use(visitor, 'finish', '1012')
    visitor.look('sent.finish')
    visitor.visit('/usage', 'own.usage-used')
    # The van is free again
    visitor.go(startable)
    visitor.send()
    visitor.page.locator('form[action^="/series/"] button').click()
    visitor.look('sent.cancel')
    for name in FILES - NO_LINKS:
        pattern = re.compile(re.sub('<.*?>', r'\\d+', rules[name]) + '$')
        path = next(filter(pattern.match, sorted(visitor.links)), None)
        assert path, name
        response = visitor.context.request.get(visitor.url + path)
        assert response.status == 200, path
        assert 'attachment' in response.headers['content-disposition'], path
    visitor.check()


def test_join_and_use(visitor, browser, url, mail, prepared):
    "From the application to the first drive, on a telephone"
    ids = json.loads((prepared / 'door.json').read_text())
    email = 'newcomer@example.org'
    visitor.go('/join')
    visitor.fill(email=email)
    visitor.send()
    letter = mail.read(email).get_body(('html', 'plain')).get_content()
    link = urlsplit(LINK.search(letter)[0].replace('&amp;', '&'))
    visitor.go(f'{link.path}?{link.query}')
    visitor.fill(password="a long password")
    visitor.send()
    visitor.sign_in(email, "a long password")
    with visitor.page.expect_navigation():
        visitor.page.locator(
            f'a[href="/join/category/{ids["category"]}"]').click()
    visitor.fill(
        name="New Comer", birth_date='1990-05-17', street="First Street 1",
        postal_code='12345', city="Town")
    for box in visitor.page.locator('input[name^=paper_]').all():
        box.check()
    visitor.page.locator('[name=files]').set_input_files({
            'name': "proof.pdf",
            'mimeType': 'application/pdf',
            'buffer': b'%PDF-1.7',
            })
    visitor.send()
    assert "New Comer" in visitor.text()
    assert "Eingegangen" in visitor.text()
    visitor.look('join.sent')

    with Sao(browser, url, 'door') as sao:
        sao.login('admin', PASSWORD)
        sao.open_menu('Cooperative', 'Members', "Members' Requests")
        sao.open_row("New Comer")
        sao.press('accept')
        sao.open_menu('Cooperative', 'Members', 'Members')
        sao.open_all()
        sao.open_row("New Comer")
        sao.press('admit')
        sao.reads('state', "Member")

    visitor.go('/')
    assert "New Comer" in visitor.text()
    visitor.look('joined')
    booking = book(visitor, ids['resource'], now(minutes=30), now(hours=2))
    visitor.go(booking)
    with visitor.page.expect_navigation():
        visitor.page.locator('a[href$="/move"]').click()
    visitor.fill(start=now(minutes=12), end=now(minutes=50))
    visitor.send()
    use(visitor, 'start', '1012')
    use(visitor, 'finish', '1052')
    visitor.go('/usage')
    # From 1,012 to 1,052 kilometres
    assert re.search(r'\b40\b', visitor.text()), visitor.text()
    visitor.look('used')
    visitor.check()
