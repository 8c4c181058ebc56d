# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from decimal import Decimal

from sql import Null

from trytond import backend
from trytond.model import Check, ModelSQL, ModelView, fields
from trytond.pool import Pool
from trytond.pyson import Eval, If
from trytond.tools import sqlite_apply_types
from trytond.transaction import Transaction

from .document import PartMixin, SearchMixin


class Suspension(SearchMixin, PartMixin, ModelSQL, ModelView):
    __name__ = 'coop.member.suspension'
    __string__ = "Suspension"
    _document = 'member'
    _search_names = ('member.rec_name',)

    member = fields.Many2One(
        'coop.member', "Member", required=True, ondelete='CASCADE')
    start_date = fields.Date("Start Date", required=True,
        domain=[
            If(Eval('end_date', None),
                ('start_date', '<=', Eval('end_date', None)),
                ()),
            ],
        help="The first day without vote and bookings.")
    end_date = fields.Date("End Date",
        domain=[
            If(Eval('start_date', None) & Eval('end_date', None),
                ('end_date', '>=', Eval('start_date', None)),
                ()),
            ],
        help="The last day without vote and bookings.\n"
        "Leave empty if it is not known.")
    reason = fields.Selection([
            ('arrears', "Arrears"),
            ('conduct', "Conduct"),
            ('other', "Other"),
            ], "Reason", required=True, sort=False)
    note = fields.Char("Note",
        help="What was decided, by whom and when.")
    automatic = fields.Boolean("Automatic", readonly=True,
        help="The scheduled task has suspended the member for arrears, and "
        "ends it when nothing is overdue any more.")

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.__access__.add('member')
        t = cls.__table__()
        cls._sql_constraints += [
            ('dates_order',
                Check(t, (t.end_date == Null) | (t.start_date <= t.end_date)),
                'coop_membership.msg_suspension_dates'),
            ]
        cls._order = [
            ('start_date', 'DESC'),
            ('id', 'DESC'),
            ]

    @classmethod
    def default_reason(cls):
        return 'other'

    @classmethod
    def default_automatic(cls):
        return False

    def get_rec_name(self, name):
        return f'{self.member.rec_name} @ {self.start_date}'

    @staticmethod
    def at_date(table, date):
        "Return the clause for the suspensions in force at the date"
        return (
            (table.start_date <= date)
            & ((table.end_date == Null) | (table.end_date >= date)))


class SuspensionMixin:
    "Take the vote and the bookings of a member for some time"
    __slots__ = ()

    suspended = fields.Function(fields.Boolean("Suspended",
            states={
                'invisible': ~Eval('suspended', False),
                },
            help="The member has neither vote nor bookings today."),
        'get_suspended', searcher='search_suspended')
    suspensions = fields.One2Many(
        'coop.member.suspension', 'member', "Suspensions",
        states={
            'invisible': (
                ~Eval('suspending', False) & ~Eval('suspensions', [0])),
            })
    suspending = fields.Function(
        fields.Boolean("Suspensions of Members"),
        'on_change_with_suspending')

    @fields.depends('company')
    def on_change_with_suspending(self, name=None):
        Configuration = Pool().get('coop.membership.configuration')
        if self.company:
            return Configuration(1).get_multivalue(
                'suspensions', company=self.company.id)

    @classmethod
    def get_suspended(cls, members, name):
        Date = Pool().get('ir.date')
        today = Date.today()
        return {
            m.id: bool(m.suspension_at(today, today)) for m in members}

    @classmethod
    def search_suspended(cls, name, clause):
        pool = Pool()
        Date = pool.get('ir.date')
        Suspension = pool.get('coop.member.suspension')
        table = Suspension.__table__()
        query = table.select(
            table.member, where=Suspension.at_date(table, Date.today()))
        _, operator, value = clause
        if operator in {'in', 'not in'}:
            positive = True in value
            if positive and False in value:
                return [('id', '>=' if operator == 'in' else '<', 0)]
        else:
            positive = bool(value)
        if operator in {'!=', 'not in'}:
            positive = not positive
        return [('id', 'in' if positive else 'not in', query)]

    def suspension_at(self, start, end):
        "Return the suspension that is in force on one of the days, if any"
        for suspension in self.suspensions:
            if (suspension.start_date <= end
                    and (not suspension.end_date
                        or suspension.end_date >= start)):
                return suspension

    @classmethod
    def suspend_arrears(cls):
        """Suspend the members who are in arrears for too long

        And let those vote and book again who have nothing overdue any more.
        """
        pool = Pool()
        Company = pool.get('company.company')
        Configuration = pool.get('coop.membership.configuration')
        Date = pool.get('ir.date')
        Suspension = pool.get('coop.member.suspension')
        company = Company(Transaction().context['company'])
        configuration = Configuration(1)
        suspending, days = (
            configuration.get_multivalue(name, company=company.id)
            for name in ['suspensions', 'suspension_days'])
        today = Date.today()
        open_ = Suspension.search([
                ('member.company', '=', company.id),
                ('automatic', '=', True),
                ('end_date', '=', None),
                ])
        if open_:
            # Also when nobody is to be suspended any more
            overdue = cls._overdue_before(company, today)
            over = [s for s in open_ if s.member.id not in overdue]
            for suspension in over:
                suspension.end_date = max(
                    suspension.start_date, today - dt.timedelta(1))
            Suspension.save(over)
        if not suspending or days is None:
            return
        late = cls._overdue_before(company, today - dt.timedelta(days))
        late -= {s.member.id for s in open_}
        Suspension.save([
                Suspension(
                    member=member, start_date=today, reason='arrears',
                    automatic=True)
                for member in cls.search([
                        ('id', 'in', sorted(late)),
                        ('state', 'in', ['member', 'leaving']),
                        ])])

    @classmethod
    def _overdue_before(cls, company, date):
        "Return the ids of the members with debts due before the date"
        cursor = Transaction().connection.cursor()
        query = cls._open_amounts(
            ['overdue'], date=date, company=company)
        if backend.name == 'sqlite':
            sqlite_apply_types(query, [None, 'NUMERIC'])
        cursor.execute(*query)
        return {
            id_ for id_, amount in cursor
            if company.currency.round(Decimal(amount)) > 0}
