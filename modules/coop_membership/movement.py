# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt

from dateutil.relativedelta import relativedelta
from sql import Literal, Null, Select, Union
from sql.aggregate import Sum
from sql.conditionals import Case, Coalesce

from trytond.model import ModelSQL, ModelView, fields
from trytond.pool import Pool
from trytond.pyson import Eval, If
from trytond.transaction import Transaction


class Movement(ModelSQL, ModelView):
    __name__ = 'coop.member.movement'
    __string__ = "Member Movement"

    month = fields.Date("Month", help="The first day of the month.")
    company = fields.Many2One('company.company', "Company")
    category = fields.Many2One('coop.member.category', "Category")
    opening = fields.Integer("Opening",
        help="The members at the start of the first day.")
    joined = fields.Integer("Joined")
    left = fields.Integer("Left",
        help="The members whose last day is in the month.")
    changed_in = fields.Integer("Changed in",
        help="The members who came from another category.")
    changed_out = fields.Integer("Changed out",
        help="The members who went to another category.")
    closing = fields.Integer("Closing",
        help="The members at the end of the last day, "
        "without those who left on it.")

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls._order = [
            ('month', 'ASC'),
            ('category', 'ASC'),
            ('id', 'ASC'),
            ]

    @classmethod
    def table_query(cls):
        pool = Pool()
        Category = pool.get('coop.member.category')
        Membership = pool.get('coop.membership')
        category = Category.__table__()
        membership = Membership.__table__()
        months = cls._months()

        def count(condition):
            return Coalesce(Sum(Case((condition, 1), else_=0)), 0)

        starts = (
            (membership.start_date >= months.start_date)
            & (membership.start_date <= months.end_date))
        first = membership.start_date == membership.admission_date
        # The exit date is empty when another category follows
        last = (
            Coalesce(membership.exit_date, dt.date.max)
            == membership.end_date)
        # Who leaves does it on the last day but who changes on the day after,
        # as the same member is counted in the other category
        leaves = (last
            & (membership.end_date >= months.start_date)
            & (membership.end_date <= months.end_date))
        changes = (~last
            & (membership.end_date >= months.day_before)
            & (membership.end_date < months.end_date))
        stays = (
            (membership.end_date == Null)
            | (membership.end_date > months.end_date)
            | (~last & (membership.end_date == months.end_date)))
        return (months
            .join(category,
                condition=category.company
                == Transaction().context.get('company', -1))
            .join(membership,
                condition=(membership.category == category.id)
                & (membership.start_date <= months.end_date)
                & (leaves | changes | stays))
            .select(
                (category.id * 100000 + months.index).as_('id'),
                months.start_date.as_('month'),
                category.company.as_('company'),
                category.id.as_('category'),
                count(membership.start_date < months.start_date
                    ).as_('opening'),
                count(starts & first).as_('joined'),
                count(leaves).as_('left'),
                count(starts & ~first).as_('changed_in'),
                count(changes).as_('changed_out'),
                count(stays).as_('closing'),
                group_by=[
                    months.index, months.start_date, category.id,
                    category.company]))

    @classmethod
    def _months(cls):
        "Return a query of the months of the context"
        Context = Pool().get('coop.member.movement.context')
        context = Transaction().context
        start_date = context.get('from_date') or Context.default_from_date()
        to_date = context.get('to_date') or Context.default_to_date()
        date = start_date.replace(day=1)
        months = []
        while date <= to_date or not months:
            months.append(Select([
                        Literal(date.year * 12 + date.month).as_('index'),
                        Literal(date - dt.timedelta(days=1)).as_(
                            'day_before'),
                        Literal(date).as_('start_date'),
                        Literal(date + relativedelta(day=31)).as_('end_date'),
                        ]))
            date += relativedelta(months=1)
        if len(months) == 1:
            return months[0]
        return Union(*months, all_=True)


class MovementContext(ModelView):
    __name__ = 'coop.member.movement.context'
    __string__ = "Member Movement Context"

    company = fields.Many2One('company.company', "Company", required=True)
    from_date = fields.Date("From Date", required=True,
        domain=[
            If(Eval('from_date', None) & Eval('to_date', None),
                ('from_date', '<=', Eval('to_date', None)),
                ()),
            ])
    to_date = fields.Date("To Date", required=True,
        domain=[
            If(Eval('from_date', None) & Eval('to_date', None),
                ('to_date', '>=', Eval('from_date', None)),
                ()),
            ])

    @classmethod
    def default_company(cls):
        return Transaction().context.get('company')

    @classmethod
    def default_from_date(cls):
        context = Transaction().context
        return (context.get('from_date')
            or cls.default_to_date() - relativedelta(months=11, day=1))

    @classmethod
    def default_to_date(cls):
        context = Transaction().context
        return context.get('to_date') or Pool().get('ir.date').today()
