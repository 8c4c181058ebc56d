# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.pool import Pool, PoolMeta

# What a request holds of who has made it
PERSONAL = [
    'name', 'birth_date', 'representative', 'street', 'postal_code', 'city',
    'email', 'account_number', 'text', 'answer']


class Replace(metaclass=PoolMeta):
    __name__ = 'party.replace'

    @classmethod
    def fields_to_replace(cls):
        return super().fields_to_replace() + [
            ('coop.meeting.attendance', 'proxy'),
            ('coop.portal.request', 'party'),
            ]


class Erase(metaclass=PoolMeta):
    __name__ = 'party.erase'

    def to_erase(self, party_id):
        Request = Pool().get('coop.portal.request')
        columns = [n for n in PERSONAL if n in Request._fields]
        # Each by itself: the tables are joined without what has none
        return super().to_erase(party_id) + [
            (Request, [(path, '=', party_id)], True, columns,
                [None] * len(columns))
            for path in ['party', 'member.party', 'user.party']]
