# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from sql import Literal
from sql.aggregate import Sum
from sql.conditionals import Case, Coalesce

from trytond.model import fields
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool, PoolMeta
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

    @fields.depends('company')
    def on_change_with_currency(self, name=None):
        return self.company.currency if self.company else None

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
        - it: Codice civile, art. 2421 n. 1: the number of the shares and what
          was paid
        - uk: Co-operative and Community Benefit Societies Act 2014,
          section 30 (2): the shares held and the amount paid on them
        """
        presets = super().get_presets()
        for name, columns in [
                ('generic', ['share_quantity', 'share_amount']),
                ('be', ['share_quantity', 'share_paid_amount']),
                ('de', ['further_shares']),
                ('es', ['share_amount']),
                ('it', [
                        'share_quantity', 'share_amount',
                        'share_paid_amount']),
                ('uk', ['share_quantity', 'share_paid_amount'])]:
            presets[name].extend(columns)
        return presets
