# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from decimal import Decimal

from trytond.i18n import gettext
from trytond.modules.coop_membership.agreement import Difference
from trytond.pool import Pool

from .balance import get_balances


class SurplusAgreement:
    "Check that appropriations leave nothing on the accounts they clear"
    __slots__ = ()

    @classmethod
    def check_books(cls, company, date):
        pool = Pool()
        Pool_ = pool.get('coop.patronage.pool')
        differences = super().check_books(company, date)
        for surplus in cls.search([
                    ('company', '=', int(company)),
                    ('state', '=', 'posted'),
                    ('posting_date', '<=', date),
                    ]):
            origins = [str(surplus), str(surplus.fiscalyear)]
            left = get_balances(
                surplus.company, [surplus.account_surplus],
                lambda move, origins=origins: move.origin.in_(origins)
                & (move.state == 'posted'))[surplus.account_surplus.id]
            if left:
                differences.append(Difference(
                        surplus,
                        gettext('coop_patronage.msg_check_surplus',
                            surplus=surplus.rec_name,
                            account=surplus.account_surplus.rec_name),
                        Decimal(0), left))
            differences.extend(Pool_.check_clearing(surplus))
        differences.extend(cls._check_share_dividends(company, date))
        return differences

    @classmethod
    def _check_share_dividends(cls, company, date):
        "Yield what is left of the surpluses for dividends on shares"
        pool = Pool()
        Company = pool.get('company.company')
        Dividend = pool.get('coop.share.dividend')
        Line = pool.get('coop.surplus.line')
        company = Company(int(company))
        latest = {}
        for line in Line.search([
                    ('surplus.company', '=', company.id),
                    ('surplus.state', '=', 'posted'),
                    ('surplus.posting_date', '<=', date),
                    ('kind', '=', 'share_dividend'),
                    ('computed_amount', '!=', 0),
                    ], order=[('surplus.posting_date', 'ASC')]):
            latest[line.account] = line.surplus
        if not latest:
            return
        distributed = {
            d.debit_account: d for d in Dividend.search([
                    ('company', '=', company.id),
                    ('state', '=', 'posted'),
                    ('posting_date', '<=', date),
                    ], order=[('posting_date', 'ASC')])}
        balances = get_balances(
            company, latest,
            lambda move: (move.date <= date) & (move.state == 'posted'))
        for account, surplus in latest.items():
            dividend = distributed.get(account)
            if balances[account.id]:
                # It waits for its dividend
                waits = (not dividend
                    or dividend.posting_date < surplus.posting_date)
                yield Difference(
                    surplus,
                    gettext('coop_patronage.msg_check_share_dividend',
                        surplus=surplus.rec_name,
                        account=account.rec_name),
                    Decimal(0), balances[account.id],
                    kind='timing' if waits else 'error')
