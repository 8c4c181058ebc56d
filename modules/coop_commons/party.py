# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.i18n import gettext
from trytond.modules.party.exceptions import EraseError
from trytond.pool import Pool, PoolMeta

from .booking_availability import BLOCKING


class Replace(metaclass=PoolMeta):
    __name__ = 'party.replace'

    @classmethod
    def fields_to_replace(cls):
        return super().fields_to_replace() + [
            ('coop.commons.billing-party.party', 'party'),
            ('coop.commons.booking', 'party'),
            ('coop.commons.booking', 'person'),
            ('coop.commons.deposit', 'party'),
            ('coop.commons.pack', 'party'),
            ('coop.commons.reading', 'party'),
            ('coop.commons.series', 'party'),
            ('coop.commons.series', 'person'),
            ('coop.commons.usage', 'party'),
            ('coop.commons.usage', 'person'),
            ]


class Erase(metaclass=PoolMeta):
    __name__ = 'party.erase'

    def check_erase_company(self, party, company):
        pool = Pool()
        Booking = pool.get('coop.commons.booking')
        Deposit = pool.get('coop.commons.deposit')
        Pack = pool.get('coop.commons.pack')
        Usage = pool.get('coop.commons.usage')
        super().check_erase_company(party, company)

        def refuse(name, records):
            for record in records:
                raise EraseError(gettext(
                        f'coop_commons.msg_erase_party_{name}',
                        party=party.rec_name, **{name: record.rec_name}))
        domain = [
            ('company', '=', company.id),
            ['OR',
                ('party', '=', party.id),
                ('member.party', '=', party.id),
                ],
            ]
        refuse('booking', Booking.search([
                    domain, ('state', 'in', ['request', *BLOCKING]),
                    ], limit=1))
        refuse('usage', Usage.search([
                    domain, ('state', 'in', ['draft', 'confirmed', 'rated']),
                    ], limit=1))
        refuse('deposit', Deposit.search([
                    ('company', '=', company.id),
                    ('party', '=', party.id),
                    ('state', 'in', ['draft', 'taken']),
                    ], limit=1))
        refuse('pack', [
                p for p in Pack.search([
                        ('company', '=', company.id),
                        ('party', '=', party.id),
                        ('state', '=', 'sold'),
                        ])
                if p.remaining])

    def to_erase(self, party_id):
        pool = Pool()
        Booking = pool.get('coop.commons.booking')
        Series = pool.get('coop.commons.series')
        Usage = pool.get('coop.commons.usage')
        # Each by itself: the tables are joined without what has no member
        return super().to_erase(party_id) + [
            (Model, [(path, '=', party_id)], True, [column], [None])
            for Model, column in [
                (Booking, 'purpose'), (Series, 'purpose'),
                (Usage, 'description')]
            for path in ['party', 'member.party']]
