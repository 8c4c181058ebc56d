# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from decimal import Decimal
from functools import cached_property

from trytond.i18n import gettext
from trytond.modules.coop_membership.chart import get_templates
from trytond.pool import Pool
from trytond.transaction import inactive_records

from .assembly_table import Table
from .figures import Row

# The types of liquid funds in the charts of Tryton, by module
LIQUID = {
    'account': [
        'account_type_template_cash', 'account_type_template_petty_cash'],
    'account_fr': ['disponibilites'],
    }
OPERATING = [
    'result', 'depreciation', 'receivables', 'payables', 'other_assets']
INVESTING = ['investment']
FINANCING = ['paid_in', 'paid_back', 'distributed']


class CashFigures:
    """The cash flow by the indirect method

    Each account of the balance sheet belongs to one line, so that the lines
    add up to the change of the liquid funds.
    """

    @cached_property
    def liquid_accounts(self):
        pool = Pool()
        Account = pool.get('account.account')
        Data = pool.get('ir.model.data')
        Method = pool.get('account.invoice.payment.method')
        templates = []
        for module, names in LIQUID.items():
            for name in names:
                templates.extend(get_templates(
                        module, name, 'account.account.type.template'
                        ).values())
                templates.extend(
                    d.db_id for d in Data.search([
                            ('module', '=', module),
                            ('fs_id', '=', name),
                            ]))
        accounts = set()
        with inactive_records():
            for method in Method.search([
                        ('company', '=', self.company.id),
                        ]):
                accounts |= {method.debit_account, method.credit_account}
        types = {a.type.id for a in accounts if not (
                a.type.receivable or a.type.payable or a.party_required)}
        with inactive_records():
            return Account.search([
                    ('company', '=', self.company.id),
                    ['OR',
                        ('type.template', 'in', templates),
                        ('type', 'in', list(types)),
                        ],
                    ])

    @cached_property
    def liquid_funds(self):
        "What the ledger has of liquid funds before and after the year"
        changes = self.get_changes(self.liquid_accounts)
        opening = closing = Decimal(0)
        for by_model in changes.values():
            opening -= by_model[None]
            closing -= sum(by_model.values())
        return Row(opening=opening, closing=closing)

    @cached_property
    def cash_flow(self):
        "The amounts by line, which are positive for what comes in"
        pool = Pool()
        Account = pool.get('account.account')
        with inactive_records():
            accounts = Account.search([
                    ('company', '=', self.company.id),
                    ('type.statement', '=', 'balance'),
                    ])
        flow = Row(**dict.fromkeys(
                [*OPERATING, *INVESTING, *FINANCING], Decimal(0)))

        def add(name, amount):
            setattr(flow, name, getattr(flow, name) + amount)
        members = self._get_member_lines()
        liquid, equity = set(self.liquid_accounts), set(self.equity_accounts)
        changes = self.get_changes(accounts)
        for account in accounts:
            by_model = dict(changes[account.id])
            by_model.pop(None, None)
            if account in liquid:
                continue
            for model, amount in by_model.items():
                if model == 'account.fiscalyear':
                    # The result itself is the first line
                    continue
                elif account.type.fixed_asset:
                    add('depreciation' if model == 'account.asset.line'
                        else 'investment', amount)
                elif account in members:
                    add(members[account], amount)
                elif account in equity:
                    add({
                            'coop.share.subscription': 'paid_in',
                            'coop.share.redemption': 'paid_back',
                            'coop.equity.revolvement': 'paid_back',
                            }.get(model, 'distributed'), amount)
                elif account.type.receivable:
                    add('receivables', amount)
                elif account.type.payable:
                    add('payables', amount)
                else:
                    add('other_assets', amount)
        result = self._get_income_changes()
        result.pop(None, None)
        closing = sum(
            by_model['account.fiscalyear'] for id_, by_model
            in changes.items())
        flow.result = sum(result.values()) + closing
        return flow

    def _get_member_lines(self):
        "Return the line of each account of what is owed by or to members"
        pool = Pool()
        Configuration = pool.get('coop.patronage.configuration')
        Fund = pool.get('coop.fund')
        lines = {}
        for share_class in self.share_classes:
            lines[share_class.account_subscribed] = 'paid_in'
            lines[share_class.account_unpaid] = 'paid_in'
            lines[share_class.account_redemption] = 'paid_back'
        configuration = Configuration(1)
        for name in [
                'share_dividend', 'patronage', 'patronage_accrued',
                'patronage_payable', 'patronage_withholding', 'savings']:
            account = configuration.get_multivalue(
                f'account_{name}', company=self.company.id)
            lines.setdefault(account, 'distributed')
        for fund in Fund.search([('company', '=', self.company.id)]):
            lines.setdefault(fund.account, 'distributed')
        lines.pop(None, None)
        return lines

    @property
    def cash_table(self):
        money = self.formats['money']
        table = Table([
                ('amount', money, self.fiscalyear.name),
                ('previous', money,
                    self.previous.fiscalyear.name if self.previous else ''),
                ])
        before = self.previous

        def add(name, get, style='normal'):
            row = Row(
                amount=get(self), previous=get(before) if before else None)
            if row.amount or row.previous or style == 'total':
                table.add(
                    gettext(f'coop.msg_assembly_cash_{name}'), row, style)

        def get_sum(names):
            return lambda year: sum(
                getattr(year.cash_flow, n) for n in names)

        for names, name in [
                (OPERATING, 'operating'), (INVESTING, 'investing'),
                (FINANCING, 'financing')]:
            for line in names:
                add(line, get_sum([line]))
            add(name, get_sum(names), 'total')
        add('change', get_sum([*OPERATING, *INVESTING, *FINANCING]), 'total')
        add('opening', lambda year: year.liquid_funds.opening)
        add('closing', lambda year: year.liquid_funds.closing, 'total')
        return table
