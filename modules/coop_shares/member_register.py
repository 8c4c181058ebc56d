# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from decimal import Decimal

from sql import Literal
from sql.aggregate import Sum
from sql.conditionals import Case, Coalesce

from trytond.model import fields
from trytond.modules.coop_membership.books import SLICE
from trytond.modules.coop_membership.date import context_date
from trytond.modules.coop_membership.query import fetch_sums
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool, PoolMeta
from trytond.tools import grouped_slice
from trytond.transaction import Transaction


class Register(metaclass=PoolMeta):
    __name__ = 'coop.member.register'

    currency = fields.Function(fields.Many2One(
            'currency.currency', "Currency"), 'on_change_with_currency')
    # Lazy, so that a search does not add up what everybody holds
    share_quantity = fields.Numeric(
        "Shares", loading='lazy',
        help="The number of the shares, without allocated equity.")
    further_shares = fields.Numeric(
        "Further Shares", loading='lazy',
        help="The shares beyond the first one.")
    share_amount = Monetary(
        "Capital", currency='currency', digits='currency', loading='lazy')
    share_paid_amount = Monetary(
        "Paid Capital", currency='currency', digits='currency',
        loading='lazy')
    loan_amount = fields.Function(Monetary(
            "Loans and Deposits", currency='currency', digits='currency',
            help="What the accounts for loans of members owe to the party."),
        'get_loan_amount')

    @fields.depends('company')
    def on_change_with_currency(self, name=None):
        return self.company.currency if self.company else None

    @classmethod
    def get_loan_amount(cls, entries, name):
        pool = Pool()
        account = pool.get('account.account').__table__()
        line = pool.get('account.move.line').__table__()
        move = pool.get('account.move').__table__()
        parties = {e.party.id for e in entries}
        amounts = {}
        for sub_parties in grouped_slice(sorted(parties), SLICE):
            amounts.update(fetch_sums(line
                    .join(move, condition=line.move == move.id)
                    .join(account, condition=line.account == account.id)
                    .select(
                        line.party,
                        Sum(line.credit - line.debit).as_('amount'),
                        where=(account.member_loan == Literal(True))
                        & (account.company
                            == Transaction().context.get('company', -1))
                        & (move.state == 'posted')
                        & (move.date <= context_date())
                        & fields.SQL_OPERATORS['in'](
                            line.party, list(sub_parties)),
                        group_by=line.party)))
        return {
            e.id: e.currency.round(Decimal(amounts.get(e.party.id, 0)))
            for e in entries}

    @classmethod
    def _joins(cls):
        pool = Pool()
        Holding = pool.get('coop.share.holding')
        ShareClass = pool.get('coop.share.class')
        from_item, tables = super()._joins()
        holding = Holding.table_query()
        class_ = ShareClass.__table__()
        shares = Case(
            (class_.kind != 'allocated', holding.quantity), else_=Literal(0))
        tables['holding'] = holding = holding.join(class_,
            condition=holding.share_class == class_.id).select(
            holding.member.as_('member'),
            Sum(shares).as_('quantity'),
            Sum(holding.amount).as_('amount'),
            Sum(holding.paid_amount).as_('paid_amount'),
            group_by=holding.member)
        from_item = from_item.join(holding, 'LEFT',
            condition=holding.member == tables['member'].id)
        return from_item, tables

    @classmethod
    def _columns(cls, tables):
        holding = tables['holding']
        quantity = Coalesce(holding.quantity, Literal(0))
        return super()._columns(tables) + [
            quantity.as_('share_quantity'),
            Case((quantity > 1, quantity - 1), else_=Literal(0)).as_(
                'further_shares'),
            Coalesce(holding.amount, Literal(0)).as_('share_amount'),
            Coalesce(holding.paid_amount, Literal(0)).as_(
                'share_paid_amount'),
            ]

    @classmethod
    def read(cls, ids, fields_names):
        # Add up only what the members hold that are read
        with Transaction().set_context(holding_members=ids):
            return super().read(ids, fields_names)

    @classmethod
    def get_presets(cls):
        """Add what the presets print of the shares.

        The sources are those of the presets themselves:

        - de: Genossenschaftsgesetz, § 30 (2): the number of further shares
        - es: Ley 27/1999, art. 60.1 b): the contributions, with their changes
        - fr: Code de commerce, art. R. 228-8: the titles of each
        - it: Codice civile, art. 2421 n. 1: the number of the shares and what
          was paid
        - uk: Co-operative and Community Benefit Societies Act 2014,
          section 30 (2): the shares held, the amount paid on them and other
          property in the society, in loans, deposits or otherwise
        """
        presets = super().get_presets()
        for name, columns in [
                ('generic', ['share_quantity', 'share_amount']),
                ('be', ['share_quantity', 'share_paid_amount']),
                ('de', ['further_shares']),
                ('es', ['share_amount', 'share_paid_amount']),
                ('fr', ['share_quantity', 'share_amount']),
                ('it', [
                        'share_quantity', 'share_amount',
                        'share_paid_amount']),
                ('uk', [
                        'share_quantity', 'share_paid_amount',
                        'loan_amount'])]:
            presets[name].extend(columns)
        return presets
