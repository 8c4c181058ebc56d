# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from sql.aggregate import Max
from sql.conditionals import Case
from sql.functions import CharLength

from trytond.model import ModelSQL, ModelView, fields
from trytond.pool import Pool
from trytond.pyson import Eval
from trytond.transaction import Transaction

from .date import context_date
from .membership import EXIT_REASONS


class Register(ModelSQL, ModelView):
    __name__ = 'coop.member.register'
    __string__ = "Member Register"

    member = fields.Many2One('coop.member', "Member")
    number = fields.Char("Number")
    company = fields.Many2One('company.company', "Company")
    party = fields.Many2One(
        'party.party', "Party",
        context={
            'company': Eval('company', -1),
            },
        depends={'company'})
    category = fields.Many2One('coop.member.category', "Category")
    admission_date = fields.Date("Admission Date")
    exit_date = fields.Date("Exit Date")
    exit_reason = fields.Selection(EXIT_REASONS, "Exit Reason", sort=False)
    exit_reason_string = exit_reason.translated('exit_reason')
    votes = fields.Integer("Votes")
    address = fields.Function(fields.Text("Address"), 'get_address')
    email = fields.Function(fields.Char("E-Mail"), 'get_email')
    identifier = fields.Function(fields.Char("Identifier"), 'get_identifier')

    @classmethod
    def __setup__(cls):
        cls.number.search_unaccented = False
        super().__setup__()
        cls._order.insert(0, ('number', 'ASC'))

    @classmethod
    def table_query(cls):
        from_item, tables = cls._joins()
        return from_item.select(
            *cls._columns(tables),
            where=cls._where(tables))

    @classmethod
    def _joins(cls):
        pool = Pool()
        Category = pool.get('coop.member.category')
        Member = pool.get('coop.member')
        Membership = pool.get('coop.membership')
        tables = {}
        tables['member'] = member = Member.__table__()
        tables['membership'] = membership = Membership.__table__()
        tables['category'] = category = Category.__table__()
        from_item = (member
            .join(membership, condition=membership.member == member.id)
            .join(category, condition=membership.category == category.id))
        return from_item, tables

    @classmethod
    def _columns(cls, tables):
        pool = Pool()
        Membership = pool.get('coop.membership')
        Suspension = pool.get('coop.member.suspension')
        member = tables['member']
        membership = tables['membership']
        category = tables['category']
        suspension = Suspension.__table__()
        suspended = suspension.select(
            suspension.member,
            where=Suspension.at_date(suspension, context_date()))
        # The reason is that of the last category
        last = Membership.__table__()
        exit_reason = Case((
                membership.end_date != membership.exit_date,
                last.select(last.exit_reason,
                    where=(last.member == membership.member)
                    & (last.end_date == membership.exit_date))),
            else_=membership.exit_reason)
        return [
            member.id.as_('id'),
            member.id.as_('member'),
            member.number.as_('number'),
            member.company.as_('company'),
            member.party.as_('party'),
            membership.category.as_('category'),
            membership.admission_date.as_('admission_date'),
            membership.exit_date.as_('exit_date'),
            exit_reason.as_('exit_reason'),
            Case((category.voting & ~member.id.in_(suspended),
                    category.votes), else_=0).as_('votes'),
            ]

    @classmethod
    def _where(cls, tables):
        pool = Pool()
        Membership = pool.get('coop.membership')
        context = Transaction().context
        member = tables['member']
        membership = tables['membership']
        date = context_date()
        where = member.company == context.get('company', -1)
        if context.get('with_left'):
            # The last membership of those who left before the date
            last = Membership.__table__()
            where &= membership.start_date == last.select(
                Max(last.start_date),
                where=(last.member == member.id)
                & (last.start_date <= date))
        else:
            where &= Membership.at_date(membership, date)
        if context.get('category'):
            where &= membership.category == context['category']
        return where

    @classmethod
    def order_number(cls, tables):
        table, _ = tables[None]
        return [CharLength(table.number), table.number]

    @property
    def _holder(self):
        "The first who holds the membership on the date"
        return self.member.holders_at(context_date())[0]

    def get_address(self, name):
        address = self._holder.address_get()
        return address.full_address if address else ''

    def get_email(self, name):
        return self._holder.email

    def get_identifier(self, name):
        identifier = self._holder.tax_identifier
        return identifier.code if identifier else None

    @classmethod
    def get_presets(cls):
        """Return the names of the fields that each preset prints.

        Each starts with the three wide columns of the number, the name and
        the address.

        The sources of the presets are:

        - be: Code des sociétés et des associations, art. 6:25
        - de: Genossenschaftsgesetz, § 30 (2): the name, the address, the day
          of the admission and the exit
        - es: Ley 27/1999 de Cooperativas, art. 60.1 a) asks for the register
          of the members but leaves its columns open
        - fr: Code de commerce, art. R. 228-8: who holds the titles and where
          they live; the movements follow
        - it: Codice civile, art. 2421 n. 1: the holders, as of art. 2519 also
          of cooperatives
        - uk: Co-operative and Community Benefit Societies Act 2014,
          section 30 (2): the name, the postal and electronic address and the
          dates of entry and cessation; the officers follow
        """
        return {
            'generic': [
                'number', 'party', 'address', 'category', 'admission_date',
                'exit_date', 'votes'],
            'be': [
                'number', 'party', 'address', 'identifier', 'category',
                'admission_date', 'exit_date', 'exit_reason'],
            'de': [
                'number', 'party', 'address', 'admission_date', 'exit_date',
                'exit_reason'],
            'es': [
                'number', 'party', 'address', 'identifier', 'category',
                'admission_date', 'exit_date'],
            'fr': [
                'number', 'party', 'address', 'category', 'admission_date',
                'exit_date'],
            'it': [
                'number', 'party', 'address', 'identifier', 'category',
                'admission_date', 'exit_date'],
            'uk': [
                'number', 'party', 'address', 'email', 'admission_date',
                'exit_date'],
            }

    def get_rec_name(self, name):
        return self.member.rec_name

    @classmethod
    def search_rec_name(cls, name, clause):
        return [('member.rec_name', *clause[1:])]


class RegisterContext(ModelView):
    __name__ = 'coop.member.register.context'
    __string__ = "Member Register Context"

    company = fields.Many2One('company.company', "Company", required=True)
    date = fields.Date("Date", required=True)
    category = fields.Many2One(
        'coop.member.category', "Category",
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        help="Leave empty for all the categories.")
    with_left = fields.Boolean("With Left",
        help="Check to include the members who left before the date.")

    @classmethod
    def default_company(cls):
        return Transaction().context.get('company')

    @classmethod
    def default_date(cls):
        return context_date()

    @classmethod
    def default_category(cls):
        return Transaction().context.get('category')

    @classmethod
    def default_with_left(cls):
        return Transaction().context.get('with_left', False)
