# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from sql import Literal, Null, Union
from sql.functions import Extract

from trytond.model import ModelSQL, ModelView, fields
from trytond.pool import Pool
from trytond.transaction import Transaction


class Anniversary(ModelSQL, ModelView):
    __name__ = 'coop.member.anniversary'
    __string__ = "Birthday and Anniversary"

    company = fields.Many2One('company.company', "Company")
    member = fields.Many2One('coop.member', "Member")
    kind = fields.Selection([
            ('birthday', "Birthday"),
            ('membership', "Membership"),
            ], "Kind", sort=False)
    date = fields.Date("Date",
        help="The day of birth, or of the admission.")
    day = fields.Integer("Day", help="The day of the month.")
    years = fields.Function(fields.Integer("Years",
            help="How many years it is this year."), 'get_years')
    email = fields.Function(fields.Char("E-Mail"), 'get_contact')
    phone = fields.Function(fields.Char("Phone"), 'get_contact')

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls._order = [
            ('day', 'ASC'),
            ('id', 'ASC'),
            ]

    @classmethod
    def table_query(cls):
        pool = Pool()
        Date = pool.get('ir.date')
        Member = pool.get('coop.member')
        Membership = pool.get('coop.membership')
        Party = pool.get('party.party')
        today = Date.today()
        member, party = Member.__table__(), Party.__table__()
        membership = Membership.__table__()
        current = (
            (membership.start_date <= today)
            & ((membership.end_date == Null)
                | (membership.end_date >= today)))

        def select(tables, kind, date, offset):
            return tables.select(
                (member.id * 2 + offset).as_('id'),
                member.company.as_('company'),
                member.id.as_('member'),
                Literal(kind).as_('kind'),
                date.as_('date'),
                Extract('DAY', date).as_('day'),
                where=cls._where(member, date) & current)
        tables = membership.join(
            member, condition=membership.member == member.id)
        return Union(
            select(
                tables.join(party, condition=member.party == party.id),
                'birthday', party.birth_date, 0),
            select(tables, 'membership', membership.admission_date, 1),
            all_=True)

    @classmethod
    def _where(cls, member, date):
        context = Transaction().context
        where = date != Null
        if context.get('company'):
            where &= member.company == context['company']
        if context.get('month'):
            month = Pool().get('ir.calendar.month')(context['month'])
            where &= Extract('MONTH', date) == month.index
        return where

    def get_years(self, name):
        return Pool().get('ir.date').today().year - self.date.year

    def get_contact(self, name):
        return getattr(self.member, name)


class AnniversaryContext(ModelView):
    __name__ = 'coop.member.anniversary.context'
    __string__ = "Birthday and Anniversary Context"

    company = fields.Many2One('company.company', "Company", required=True)
    month = fields.Many2One('ir.calendar.month', "Month",
        help="Leave empty for all the year.")

    @classmethod
    def default_company(cls):
        return Transaction().context.get('company')

    @classmethod
    def default_month(cls):
        pool = Pool()
        Date = pool.get('ir.date')
        Month = pool.get('ir.calendar.month')
        month, = Month.search([('index', '=', Date.today().month)])
        return month.id
