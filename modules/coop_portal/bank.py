# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from stdnum import iban

from trytond.i18n import gettext
from trytond.model import fields
from trytond.pool import Pool, PoolMeta
from trytond.pyson import Eval

from .application import for_kind
from .exceptions import RequestError


class Request(metaclass=PoolMeta):
    __name__ = 'coop.portal.request'

    account_number = fields.Char(
        "IBAN",
        states={
            **for_kind('account', 'application'),
            'required': Eval('kind') == 'account',
            },
        help="The account to which the cooperative pays.")

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.kind.selection.insert(3, ('account', "Change of Bank Account"))

    @classmethod
    def preprocess_values(cls, mode, values):
        values = super().preprocess_values(mode, values)
        if values.get('account_number'):
            values['account_number'] = iban.format(values['account_number'])
        return values

    @classmethod
    def validate_fields(cls, requests, field_names):
        super().validate_fields(requests, field_names)
        if field_names and 'account_number' not in field_names:
            return
        for request in requests:
            number = request.account_number
            if number and not iban.is_valid(number):
                raise RequestError(gettext(
                        'coop_portal.msg_request_iban', number=number))

    def accept_application(self):
        super().accept_application()
        if self.account_number and self.account_number not in {
                n.number for a in self.member.party.bank_accounts_used
                for n in a.numbers}:
            self.accept_account()

    def accept_account(self):
        "Let the new account take the place of those of the party alone"
        pool = Pool()
        Account = pool.get('bank.account')
        Number = pool.get('bank.account.number')
        party = self.member.party
        former = [a for a in party.bank_accounts_used if len(a.owners) == 1]
        Number.write(
            [n for a in former for n in a.numbers], {'active': False})
        Account.write(former, {'active': False})
        known = Number.search([
                ('type', '=', 'iban'),
                ('number', '=', self.account_number),
                ], limit=1)
        if known:
            raise RequestError(gettext(
                    'coop_portal.msg_request_iban_known',
                    number=self.account_number,
                    owners=', '.join(
                        o.rec_name for o in known[0].account.owners)))
        Account.create([{
                    'owners': [('add', [party.id])],
                    'numbers': [('create', [{
                                    'type': 'iban',
                                    'number': self.account_number,
                                    }])],
                    }])
