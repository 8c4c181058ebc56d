# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.model import fields
from trytond.pool import Pool, PoolMeta


class BalanceNonDeferralStart(metaclass=PoolMeta):
    "Propose to close the result of a year to the undivided surplus"
    __name__ = 'account.fiscalyear.balance_non_deferral.start'

    @classmethod
    def default_journal(cls):
        Journal = Pool().get('account.journal')
        journals = Journal.search([('type', '=', 'situation')], limit=2)
        if len(journals) == 1:
            return journals[0].id

    @fields.depends('fiscalyear')
    def on_change_fiscalyear(self):
        Configuration = Pool().get('coop.patronage.configuration')
        if not self.fiscalyear:
            self.period = self.credit_account = self.debit_account = None
            return
        periods = [
            p for p in self.fiscalyear.periods if p.type == 'adjustment']
        self.period = periods[0] if len(periods) == 1 else None
        self.credit_account = self.debit_account = (
            Configuration(1).get_multivalue(
                'account_surplus', company=self.fiscalyear.company.id))
