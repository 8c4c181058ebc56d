# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from sql import Cast, Null, Union
from sql.conditionals import Coalesce
from sql.operators import Concat

from trytond.model import ModelSQL, ModelView, fields
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool
from trytond.pyson import Eval


class Withheld(ModelSQL, ModelView):
    __name__ = 'coop.withheld'
    __string__ = "Tax Withheld"

    company = fields.Many2One('company.company', "Company")
    currency = fields.Function(fields.Many2One(
            'currency.currency', "Currency"), 'on_change_with_currency')
    date = fields.Date("Date",
        help="The day on which it is posted.")
    party = fields.Many2One(
        'party.party', "Party",
        context={
            'company': Eval('company', -1),
            },
        depends={'company'})
    amount = Monetary("Amount", currency='currency', digits='currency',
        help="What the party gets, before any exemption.")
    exempt = Monetary("Exempt", currency='currency', digits='currency',
        help="What of the amount the exemption of the party takes.")
    withholding = Monetary(
        "Withholding", currency='currency', digits='currency')
    church_tax = Monetary(
        "Church Tax", currency='currency', digits='currency',
        help="What of the withholding is church tax.")
    origin = fields.Reference("Origin", selection='get_origin')

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls._order = [
            ('date', 'DESC'),
            ('id', 'ASC'),
            ]

    @classmethod
    def _get_origin(cls):
        "Return list of Model names for origin Reference"
        return ['coop.share.dividend', 'coop.share.redemption']

    @classmethod
    def get_origin(cls):
        get_name = Pool().get('ir.model').get_name
        return [(None, '')] + [(n, get_name(n)) for n in cls._get_origin()]

    @fields.depends('company')
    def on_change_with_currency(self, name=None):
        return self.company.currency if self.company else None

    def get_rec_name(self, name):
        return self.origin.rec_name if self.origin else str(self.id)

    @classmethod
    def table_query(cls):
        rows = cls.get_rows(['posted'])
        return rows.select(
            *(getattr(rows, name).as_(name) for name in [
                    'id', 'company', 'date', 'party', 'amount', 'exempt',
                    'withholding', 'church_tax', 'origin']),
            where=(rows.withholding != 0) | (rows.exempt != Null))

    @classmethod
    def get_rows(cls, states):
        "Return the query of what distributions in the states withhold"
        return Union(*cls._get_queries(states), all_=True)

    @classmethod
    def _get_queries(cls, states):
        pool = Pool()
        member = pool.get('coop.member').__table__()
        dividend = pool.get('coop.share.dividend').__table__()
        line = pool.get('coop.share.dividend.line').__table__()
        redemption = pool.get('coop.share.redemption').__table__()
        interest = pool.get('coop.share.redemption.interest').__table__()
        return [
            cls._select(
                'coop.share.dividend', dividend, line, line
                .join(dividend, condition=line.dividend == dividend.id)
                .join(member, condition=line.member == member.id),
                # Until it is known it is taxed as at the end
                Coalesce(dividend.posting_date, dividend.end_date),
                member.party, line.gross,
                where=dividend.state.in_(states)),
            cls._select(
                'coop.share.redemption', redemption, interest, interest
                .join(redemption,
                    condition=interest.redemption == redemption.id)
                .join(member, condition=redemption.member == member.id),
                interest.date, member.party, interest.amount),
            ]

    @classmethod
    def _select(cls, name, document, row, table, date, party, amount,
            where=None):
        "Return the query of the rows of the documents of the name"
        names = cls._get_origin()

        def numeric(column):
            return Cast(column, 'NUMERIC')
        return table.select(
            (Cast(row.id, 'BIGINT') * len(names) + names.index(name)
                ).as_('id'),
            document.company.as_('company'),
            date.as_('date'),
            party.as_('party'),
            numeric(amount).as_('amount'),
            numeric(row.exempt).as_('exempt'),
            numeric(row.withholding).as_('withholding'),
            numeric(row.church_tax).as_('church_tax'),
            Concat(f'{name},', Cast(
                    document.id, cls.origin.sql_type().base)).as_('origin'),
            where=where)
