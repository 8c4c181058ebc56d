# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from decimal import Decimal

from dateutil.relativedelta import relativedelta
from sql import Null
from sql.aggregate import Sum

from trytond import backend
from trytond.i18n import gettext
from trytond.model import DeactivableMixin, ModelSQL, ModelView, fields
from trytond.model.exceptions import AccessError
from trytond.modules.coop_membership.document import SearchMixin
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool
from trytond.pyson import Eval, If
from trytond.tools import sqlite_apply_types
from trytond.transaction import Transaction

# What tells where it has what it has
_MODIFY_UNUSED = {'company', 'kind', 'account', 'payee'}


def _value(value):
    return getattr(value, 'id', value)


class Fund(SearchMixin, DeactivableMixin, ModelSQL, ModelView):
    __name__ = 'coop.fund'
    __string__ = "Fund"
    _search_names = ('name', 'payee.rec_name')

    company = fields.Many2One('company.company', "Company", required=True)
    name = fields.Char("Name", required=True, translate=True)
    kind = fields.Selection([
            ('reserve', "Reserve"),
            ('liability', "Liability"),
            ('expense', "Expense"),
            ], "Kind", required=True, sort=False,
        help="Reserve: it stays in the equity.\n"
        "Liability: the surplus pays for it, and the payee gets it.\n"
        "Expense: the result of the year bears it, and the payee gets it.")
    account = fields.Many2One(
        'account.account', "Account", required=True, ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ('type.statement', '=', 'balance'),
            ('closed', '!=', True),
            If(Eval('kind') == 'reserve',
                [
                    ('deferral', '=', True),
                    ('party_required', '!=', True),
                    ],
                [
                    ('type.payable', '=', True),
                    ('party_required', '=', True),
                    ('reconcile', '=', True),
                    ]),
            ],
        help="The account that holds what the fund has.")
    expense_account = fields.Many2One(
        'account.account', "Expense Account", ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ('type.statement', '=', 'income'),
            ('party_required', '!=', True),
            ('closed', '!=', True),
            ],
        states={
            'invisible': Eval('kind') != 'expense',
            'required': Eval('kind') == 'expense',
            },
        help="The account of the result that bears the fund.")
    payee = fields.Many2One(
        'party.party', "Payee", ondelete='RESTRICT',
        states={
            'invisible': Eval('kind') == 'reserve',
            'required': Eval('kind') != 'reserve',
            },
        context={
            'company': Eval('company', -1),
            },
        depends={'company'},
        help="Who gets the money: a federation, a foundation, the tax "
        "authority, or the cooperative itself where it spends it.")
    due_months = fields.Integer(
        "Due after Months",
        domain=['OR',
            ('due_months', '=', None),
            ('due_months', '>=', 0),
            ],
        states={
            'invisible': Eval('kind') == 'reserve',
            },
        help="How many months after the posting the money is due.")
    due_day = fields.Integer(
        "Due on Day",
        domain=['OR',
            ('due_day', '=', None),
            [
                ('due_day', '>=', 1),
                ('due_day', '<=', 31),
                ],
            ],
        states={
            'invisible': Eval('kind') == 'reserve',
            },
        help="The day of that month on which the money is due.\n"
        "Leave empty for the day of the posting.")
    balance = fields.Function(Monetary(
            "Balance", currency='currency', digits='currency',
            help="What the fund has and has not used or paid."),
        'get_balance')
    uses = fields.One2Many(
        'coop.fund.use', 'fund', "Uses", readonly=True,
        states={
            'invisible': ~Eval('uses', []),
            })
    currency = fields.Function(fields.Many2One(
            'currency.currency', "Currency"), 'on_change_with_currency')

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls._order = [('name', 'ASC'), ('id', 'ASC')]

    @classmethod
    def default_company(cls):
        return Transaction().context.get('company')

    @classmethod
    def default_kind(cls):
        return 'reserve'

    @fields.depends('company')
    def on_change_with_currency(self, name=None):
        return self.company.currency if self.company else None

    @property
    def is_debt(self):
        return self.kind != 'reserve'

    @classmethod
    def get_balance(cls, funds, name):
        return {f.id: f.get_balance_at() for f in funds}

    def get_balance_at(self, date=None):
        "Return what the fund has, at the end of the date if there is one"
        debit, credit = self.sum_lines(end=date)
        return credit - debit

    def sum_lines(self, start=None, end=None):
        "Return debit and credit of the fund from the start to the end"
        pool = Pool()
        Line = pool.get('account.move.line')
        Move = pool.get('account.move')
        line, move = Line.__table__(), Move.__table__()
        where = (move.state == 'posted') & (line.account == self.account.id)
        if self.is_debt:
            where &= line.party == self.payee.id
        else:
            where &= line.party == Null
        if start:
            where &= move.date >= start
        if end:
            where &= move.date <= end
        query = (line
            .join(move, condition=line.move == move.id)
            .select(
                Sum(line.debit).as_('debit'), Sum(line.credit).as_('credit'),
                where=where))
        if backend.name == 'sqlite':
            sqlite_apply_types(query, ['NUMERIC', 'NUMERIC'])
        cursor = Transaction().connection.cursor()
        cursor.execute(*query)
        return [
            self.currency.round(amount or Decimal(0))
            for amount in cursor.fetchone()]

    def get_due_date(self, date):
        "Return when is due what is posted on the date"
        if self.is_debt:
            return date + relativedelta(
                months=self.due_months or 0,
                **{'day': self.due_day} if self.due_day else {})

    def holds(self, line):
        "Return whether the line is of what the fund has"
        party = self.payee if self.is_debt else None
        return line.account == self.account and line.party == party

    def get_line(self, books, amount, date=None, **values):
        """Return an unsaved line: a positive amount is a debit

        What is due falls due from the date.
        """
        return books.line(
            self.account, amount, party=self.payee,
            maturity_date=self.get_due_date(date) if date else None, **values)

    @classmethod
    def check_modification(cls, mode, funds, values=None, external=False):
        pool = Pool()
        FundUse = pool.get('coop.fund.use')
        SurplusLine = pool.get('coop.surplus.line')
        super().check_modification(
            mode, funds, values=values, external=external)
        if mode != 'write':
            return
        names = values.keys() & _MODIFY_UNUSED
        changed = [
            f for f in funds
            if any(
                _value(getattr(f, name)) != _value(values[name])
                for name in names)]
        if not changed:
            return
        # What they were given or have used would be where they are not
        used = (
            FundUse.search([
                    ('fund', 'in', [f.id for f in changed]),
                    ('state', '=', 'posted'),
                    ], limit=1)
            or SurplusLine.search([
                    ('fund', 'in', [f.id for f in changed]),
                    ['OR',
                        ('surplus.state', 'in', ['approved', 'posted']),
                        [
                            ('surplus.state', '!=', 'cancelled'),
                            ('surplus.accrual_move', '!=', None),
                            ],
                        ],
                    ], limit=1))
        if used:
            raise AccessError(gettext(
                    'coop_patronage.msg_fund_modify_used',
                    fund=used[0].fund.rec_name))

    @classmethod
    def copy(cls, funds, default=None):
        default = default.copy() if default is not None else {}
        default.setdefault('uses')
        return super().copy(funds, default=default)
