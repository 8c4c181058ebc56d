# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from decimal import Decimal

from trytond.i18n import gettext
from trytond.model import Check, ModelSQL, ModelView, Workflow, fields
from trytond.modules.coop_commons.billed import check_not_rejected
from trytond.modules.coop_commons.slices import SLICE
from trytond.modules.coop_membership.document import DocumentMixin
from trytond.modules.coop_membership.locking import claim
from trytond.pool import Pool
from trytond.pyson import Eval
from trytond.tools import grouped_slice
from trytond.transaction import Transaction

from .exceptions import EngagementError


class Engagement(DocumentMixin, Workflow, ModelSQL, ModelView):
    __name__ = 'coop.commons.engagement'
    __string__ = "Engagement"
    _steps = {
        'cancel': (['draft'], 'cancelled'),
        'draft': (['confirmed', 'cancelled'], 'draft'),
        'confirm': (['draft'], 'confirmed'),
        }

    _search_names = ('member.rec_name', 'cost_pool.rec_name')
    _delete_states = {'draft', 'cancelled'}
    _date_order = (
        ('start_date', 'end_date', 'coop_commons_cost.msg_engagement_dates'),
        )

    cost_pool = fields.Many2One(
        'coop.commons.cost_pool', "Cost Pool", required=True,
        ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ])
    member = fields.Many2One(
        'coop.member', "Member", required=True, ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ])
    unit = fields.Function(
        fields.Many2One('product.uom', "Unit"), 'on_change_with_unit')
    units = fields.Float(
        "Units", digits='unit', required=True,
        domain=[
            ('units', '>', 0),
            ],
        help="The use the member is engaged for in a year.")
    start_date = fields.Date(
        "From", required=True,
        domain=[
            ('start_date', '<=', Eval('end_date', None)),
            ])
    end_date = fields.Date(
        "To", required=True,
        domain=[
            ('end_date', '>=', Eval('start_date', None)),
            ])
    state = fields.Selection([
            ('draft', "Draft"),
            ('confirmed', "Confirmed"),
            ('cancelled', "Cancelled"),
            ], "State", required=True, readonly=True, sort=False)

    @classmethod
    def __setup__(cls):
        super().__setup__()
        t = cls.__table__()
        cls._sql_constraints.append((
                'units_positive', Check(t, t.units > 0),
                'coop_commons_cost.msg_engagement_units_positive'))
        cls._order.insert(0, ('start_date', 'DESC'))

    @fields.depends('cost_pool', '_parent_cost_pool.unit')
    def on_change_with_unit(self, name=None):
        return self.cost_pool.unit if self.cost_pool else None

    def get_rec_name(self, name):
        return '%s @ %s' % (self.member.rec_name, self.cost_pool.rec_name)

    @classmethod
    @ModelView.button
    @Workflow.transition('cancelled')
    def cancel(cls, engagements):
        pass

    @classmethod
    @ModelView.button
    @Workflow.transition('draft')
    def draft(cls, engagements):
        pool = Pool()
        Contract = pool.get('coop.commons.contract')
        Line = pool.get('coop.commons.engagement.billing.line')
        lines = Line.search([
                ('engagement', 'in', [e.id for e in engagements]),
                ], limit=1)
        if lines:
            line, = lines
            raise EngagementError(gettext(
                    'coop_commons_cost.msg_engagement_billed',
                    engagement=line.engagement.rec_name,
                    billing=line.billing.rec_name))
        claim(engagements)
        contracts = Contract.search([
                ('engagement', 'in', [e.id for e in engagements]),
                ('state', '=', 'confirmed'),
                ], limit=1)
        if contracts:
            contract, = contracts
            raise EngagementError(gettext(
                    'coop_commons_cost.msg_engagement_contract',
                    engagement=contract.engagement.rec_name,
                    contract=contract.rec_name))

    @classmethod
    @ModelView.button
    @Workflow.transition('confirmed')
    def confirm(cls, engagements):
        for engagement in engagements:
            check_not_rejected(engagement)

    @property
    def last_date(self):
        "The last day that counts: it ends with the membership"
        return min([self.end_date, *(
                    m.end_date for m in self.member.memberships[-1:]
                    if m.end_date)])

    @classmethod
    def find_unbilled(cls, members):
        "Yield the members with the years they still owe for, what to do"
        pool = Pool()
        FiscalYear = pool.get('account.fiscalyear')
        Line = pool.get('coop.commons.engagement.billing.line')
        by_id = {m.id: m for m in members}
        for sub_members in grouped_slice(list(by_id), SLICE):
            engagements = cls.search([
                    ('member', 'in', list(sub_members)),
                    ('state', '=', 'confirmed'),
                    ], order=[('start_date', 'ASC'), ('id', 'ASC')])
            billed = {
                (l.engagement, l.billing.fiscalyear) for l in Line.search([
                        ('engagement', 'in', [e.id for e in engagements]),
                        ('billing.state', '=', 'posted'),
                        ])}
            for engagement in engagements:
                for fiscalyear in FiscalYear.search([
                            ('company', '=', engagement.company.id),
                            ('start_date', '<=', engagement.last_date),
                            ('end_date', '>=', engagement.start_date),
                            ], order=[('start_date', 'ASC')]):
                    if (engagement, fiscalyear) not in billed:
                        yield by_id[engagement.member.id], gettext(
                            'coop_commons_cost.msg_member_leave_engagement',
                            engagement=engagement.rec_name,
                            fiscalyear=fiscalyear.rec_name)
                        break

    @classmethod
    def end_with_exit(cls, members):
        "End what would run on after the members have left"
        cls._end(members, lambda engagement: engagement.last_date)

    @classmethod
    def end_with_rejection(cls, members):
        "End today what would run on after the members were rejected"
        Date = Pool().get('ir.date')

        def get_last(engagement):
            if engagement.state == 'draft':
                return engagement.start_date - dt.timedelta(days=1)
            with Transaction().set_context(company=engagement.company.id):
                return min(engagement.last_date, Date.today())
        cls._end(members, get_last)

    @classmethod
    def _end(cls, members, get_last):
        to_save, to_cancel = [], []
        for sub_members in grouped_slice(members, SLICE):
            for engagement in cls.search([
                        ('member', 'in', [m.id for m in sub_members]),
                        ('state', 'in', ['draft', 'confirmed']),
                        ]):
                last = get_last(engagement)
                if last < engagement.start_date:
                    to_cancel.append(engagement)
                elif last != engagement.end_date:
                    engagement.end_date = last
                    to_save.append(engagement)
        cls.save(to_save)
        cls.draft([e for e in to_cancel if e.state == 'confirmed'])
        cls.cancel(to_cancel)

    def get_units(self, fiscalyear):
        "Return what is engaged in the fiscal year, for its part of the days"
        days = (
            min(self.last_date, fiscalyear.end_date)
            - max(self.start_date, fiscalyear.start_date)).days + 1
        year = (fiscalyear.end_date - fiscalyear.start_date).days + 1
        return round(Decimal(str(self.units)) * max(days, 0) / year, 6)
