# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""Prepare the databases of the tests in the browser: an empty one, the demo
cooperative with few members before and after its general meeting, and the
same with a portal."""
import datetime as dt
import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / 'demo'))

from chapters import Story, copy
from play import DATABASE, START, VISITOR, Demo, open_portal
from proteus import Model, Wizard

from trytond.pool import Pool
from trytond.transaction import Transaction

ROOT = Path(__file__).parents[2]
CUSTOMERS = 60
SUBSCRIBED = dt.date(1998, 6, 1)
PAPER = b'%PDF-1.4'
LANGUAGE = 'de'
# Whose texts the portal shows
TRANSLATED = ['coop_membership', 'coop_shares', 'coop_commons', 'coop_portal']


class Cooperative(Demo):

    @property
    def chapters(self):
        return [
            self.install, self.keep_empty, self.found, self.admit, self.trade,
            self.share_room, self.share_computer, self.give_notice,
            self.settle, self.close, self.keep_before, self.decide, self.pay,
            self.keep_after, self.open_door]

    def keep(self, name):
        copy(self.directory / f'{DATABASE}.sqlite',
            self.directory / f'{name}.sqlite')

    def keep_empty(self):
        "The database is kept: empty, but for the currencies"
        self.keep('empty')
        subprocess.run([
                Path(sys.executable).with_name('trytond_import_currencies'),
                '-c', self.configuration, '-d', 'empty'],
            check=True, stdout=subprocess.DEVNULL)

    def keep_before(self):
        "The database is kept: before the meeting"
        self.keep('before')

    def keep_after(self):
        "The database is kept: after the meeting"
        self.keep('after')

    def open_door(self):
        "The database is kept: with the portal of a member who has it all"
        self.connect()
        open_portal()
        translate_portal()
        ids = fill_portal()
        (self.directory / 'door.json').write_text(json.dumps(ids))
        self.keep('door')
        # With the content of what is attached
        os.replace(self.directory / DATABASE, self.directory / 'door')


def fill_portal():
    """Give the member one of all that the portal shows

    Return the ids of what has a page of its own, by the model.
    """
    Attachment = Model.get('ir.attachment')
    Attendance = Model.get('coop.meeting.attendance')
    Category = Model.get('coop.member.category')
    Document = Model.get('coop.membership.document')
    Meeting = Model.get('coop.meeting')
    Member = Model.get('coop.member')
    Portal = Model.get('coop.portal.configuration')
    Request = Model.get('coop.portal.request')
    User = Model.get('web.user')

    user, = User.find([('email', '=', VISITOR)])
    member, = Member.find([('party', '=', user.party.id)])
    portal, = Portal.find()
    portal.privacy = "We keep what the statutes and the law ask us to keep."
    portal.save()
    document = Document(name="Statutes", valid_from=START, required=True)
    document.save()
    Attachment(
        name="statutes.pdf", resource=document, data=PAPER).save()
    Request(member=member, kind='other', text="Please call me.").save()
    subscribe(member)

    meeting = Meeting(
        date=dt.date.today() + dt.timedelta(days=30), place="Town hall")
    meeting.items.new(
        subject="Report of the board", kind='information',
        text="What was done, and what is planned.")
    meeting.items.new(
        subject="New statutes", kind='resolution', majority='simple')
    meeting.save()
    attachment = Attachment(
        name="statutes-draft.pdf", resource=meeting, data=PAPER)
    attachment.save()
    meeting.papers.append(attachment)
    meeting.save()
    meeting.click('convene')
    attendance, = Attendance.find([
            ('meeting', '=', meeting.id),
            ('member', '=', member.id),
            ])
    category, *_ = Category.find([], order=[('id', 'ASC')])
    return {
        'category': category.id,
        'meeting': attendance.id,
        'resource': make_van().id,
        }


def translate_portal():
    "Let the pages be read in German"
    # An update of the modules takes long, and brings a chart of accounts
    with Transaction().start(DATABASE, 0):
        pool = Pool(DATABASE)
        Lang = pool.get('ir.lang')
        Translation = pool.get('ir.translation')
        Lang.write(
            Lang.search([('code', '=', LANGUAGE)]), {'translatable': True})
        for module in TRANSLATED:
            path = ROOT / 'modules' / module / 'locale' / f'{LANGUAGE}.po'
            Translation.translation_import(LANGUAGE, module, [str(path)])
        Transaction().commit()


def subscribe(member):
    "Let the member have shares that are paid, and others that are not"
    ShareClass = Model.get('coop.share.class')
    Subscription = Model.get('coop.share.subscription')
    shares, = ShareClass.find([('kind', '!=', 'allocated')])
    for quantity in [2, 3]:
        subscription = Subscription(
            member=member, share_class=shares, quantity=Decimal(quantity),
            date=SUBSCRIBED)
        subscription.click('confirm')
        if quantity == 2:
            pay = Wizard('coop.share.subscription.pay', [subscription])
            pay.form.date = SUBSCRIBED
            pay.execute('pay')
            subscription.reload()
            subscription.click('certify')


def make_van():
    "Share a van, of which each kilometre costs"
    Meter = Model.get('coop.commons.meter')
    Resource = Model.get('coop.commons.resource')
    Tariff = Model.get('coop.commons.tariff')
    Uom = Model.get('product.uom')
    room, = Resource.find([('code', '=', 'ROOM')])
    km, = Uom.find([('symbol', '=', 'km')])
    van = Resource(
        name="Van", code='VAN', bookable=True, unit=km, product=room.product)
    van.save()
    Meter(name="Odometer", resource=van, unit=km).save()
    tariff = Tariff(name="Van", resource=van, valid_from=START)
    component = tariff.components.new(
        name="Kilometres", kind='metered', unit=km)
    component.unit_price = Decimal('0.30')
    tariff.click('approve')
    return van


def main(directory):
    directory.mkdir(parents=True, exist_ok=True)
    demo = Cooperative(directory, CUSTOMERS)
    Story(directory / f'{DATABASE}.sqlite', demo.chapters).play()


if __name__ == '__main__':
    main(Path(sys.argv[1]))
