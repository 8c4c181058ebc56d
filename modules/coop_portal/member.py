# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from decimal import Decimal

from trytond.model import Model
from trytond.pool import Pool, PoolMeta


def as_data(records, names):
    "Return the values of the records by name, for a file of JSON"
    return [
        {name: _as_data(getattr(record, name)) for name in names}
        for record in records]


def _as_data(value):
    if isinstance(value, Model):
        return value.rec_name
    elif isinstance(value, (dt.date, dt.datetime)):
        return value.isoformat()
    elif isinstance(value, Decimal):
        return str(value)
    return value


class Member(metaclass=PoolMeta):
    __name__ = 'coop.member'

    @property
    def personal_data(self):
        """What is kept about the member, by names

        As the General Data Protection Regulation of the European Union asks
        for in its articles 15 and 20.
        """
        Request = Pool().get('coop.portal.request')
        party = self.party
        member, = as_data([self], [
                'number', 'company', 'category', 'application_date',
                'admission_date', 'notice_date', 'exit_date', 'state'])
        return {
            **member,
            'name': party.name,
            'addresses': as_data(party.addresses, [
                    'street', 'postal_code', 'city', 'country']),
            'contacts': as_data(
                party.contact_mechanisms, ['type', 'value']),
            'memberships': as_data(self.memberships, [
                    'category', 'start_date', 'end_date', 'exit_reason']),
            'consents': as_data(
                self.consents, ['document', 'date', 'method']),
            'requests': as_data(
                Request.search([('member', '=', self.id)]),
                ['kind', 'date', 'text', 'answer', 'state']),
            }
