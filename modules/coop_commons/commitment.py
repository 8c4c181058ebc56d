# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from collections import defaultdict
from decimal import Decimal

from dateutil.relativedelta import relativedelta
from sql import Literal
from sql.aggregate import Sum

from trytond.i18n import gettext
from trytond.model import ModelSQL, ModelView, Workflow, fields
from trytond.modules.coop_membership.document import DocumentMixin
from trytond.modules.coop_membership.locking import claim
from trytond.modules.coop_membership.query import fetch_sums
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool
from trytond.pyson import Bool, Eval, If
from trytond.tools import grouped_slice

from . import rating
from .billed import BilledMixin, StandingMixin
from .digits import not_negative
from .exceptions import CommitmentError
from .slices import SLICE

MONTHS = {
    'month': 1,
    'quarter': 3,
    'year': 12,
    }


class Commitment(DocumentMixin, StandingMixin, ModelSQL, ModelView):
    __name__ = 'coop.commons.commitment'
    __string__ = "Commitment"
    _search_names = (
        'member.rec_name', 'resource.rec_name', 'category.rec_name')
    _modify_states = {'confirmed': {'valid_until'}}
    _delete_states = {'draft', 'cancelled'}
    _date_order = (
        ('valid_from', 'valid_until', 'coop_commons.msg_commitment_dates'),)

    member = fields.Many2One(
        'coop.member', "Member", required=True, ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ])
    resource = fields.Many2One(
        'coop.commons.resource', "Resource", ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        states={
            'invisible': Bool(Eval('category')),
            },
        help="The resource whose use counts.\n"
        "Leave empty, and the category too, for all resources.")
    category = fields.Many2One(
        'coop.commons.category', "Resource Category", ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        states={
            'invisible': Bool(Eval('resource')),
            },
        help="The resources whose use counts.")
    period = fields.Selection([
            ('month', "Month"),
            ('quarter', "Quarter"),
            ('year', "Year"),
            ], "Period", required=True, sort=False)
    valid_from = fields.Date(
        "Valid from", required=True,
        help="Of a period that has begun before, only the days from here on "
        "count.")
    valid_until = fields.Date(
        "Valid until",
        domain=[
            If(Eval('valid_until') & Eval('valid_from'),
                ('valid_until', '>=', Eval('valid_from')),
                ()),
            ],
        help="Of a period that ends later, only the days up to here count.")
    minimum = Monetary(
        "Minimum", currency='currency', digits='currency',
        domain=[
            ['OR', ('minimum', '=', None), ('minimum', '>=', 0)],
            ],
        help="What lacks to it is charged by the last billing of the "
        "period.")
    maximum = Monetary(
        "Maximum", currency='currency', digits='currency',
        domain=[
            ['OR', ('maximum', '=', None), ('maximum', '>=', 0)],
            If(Bool(Eval('minimum')) & Bool(Eval('maximum')),
                ('maximum', '>=', Eval('minimum', 0)),
                ()),
            ],
        help="What is charged beyond it is taken off.")
    product = fields.Many2One(
        'product.product', "Product", required=True, ondelete='RESTRICT',
        domain=[
            ('type', '=', 'service'),
            ],
        context={
            'company': Eval('company', -1),
            },
        depends={'company'},
        help="What is billed for the difference.")
    lines = fields.One2Many(
        'coop.commons.commitment.line', 'commitment', "Lines", readonly=True)
    state = fields.Selection([
            ('draft', "Draft"),
            ('confirmed', "Confirmed"),
            ('cancelled', "Cancelled"),
            ], "State", required=True, readonly=True, sort=False)

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls._sql_constraints.append((
                'not_negative', not_negative(
                    cls.__table__(), 'minimum', 'maximum'),
                'coop_commons.msg_not_negative'))
        cls._order = [('valid_from', 'DESC'), ('id', 'DESC')]
        cls._transitions |= {
            ('draft', 'confirmed'),
            ('confirmed', 'draft'),
            }
        cls._buttons.update({
                'draft': {
                    'invisible': (
                        (Eval('state') == 'draft')
                        | Bool(Eval('lines', []))),
                    'depends': ['state', 'lines'],
                    },
                'confirm': {
                    'invisible': Eval('state') != 'draft',
                    'depends': ['state'],
                    },
                })

    @classmethod
    def default_period(cls):
        return 'month'

    def get_rec_name(self, name):
        return '%s @ %s' % (
            self.member.rec_name,
            (self.resource or self.category or self.company).rec_name)

    @classmethod
    @ModelView.button
    @Workflow.transition('confirmed')
    def confirm(cls, commitments):
        cls.check_member(commitments)
        for commitment in commitments:
            if commitment.minimum is None and commitment.maximum is None:
                raise CommitmentError(gettext(
                        'coop_commons.msg_commitment_empty',
                        commitment=commitment.rec_name))

    @property
    def last_date(self):
        "The last day that counts: it ends with the membership"
        dates = [self.valid_until, *(
                m.end_date for m in self.member.memberships[-1:])]
        return min(filter(None, dates), default=None)

    def get_periods(self, end):
        """Return the periods that have begun until the end

        Each is the first and the last day that count, and which part of the
        period they are.
        """
        months = MONTHS[self.period]
        start = self.valid_from.replace(
            month=(self.valid_from.month - 1) // months * months + 1, day=1)
        last_date = self.last_date
        last = min(end, last_date or end)
        periods = []
        while start <= last:
            following = start + relativedelta(months=months)
            first = max(start, self.valid_from)
            until = following - dt.timedelta(days=1)
            if last_date:
                until = min(until, last_date)
            part = (
                Decimal((until - first).days + 1)
                / Decimal((following - start).days))
            if part > 0:
                periods.append((first, until, part))
            start = following
        return periods

    def match(self, resource, category):
        return (
            (not self.resource or self.resource.id == resource)
            and (not self.category or self.category.id == category))

    @classmethod
    def true_up(cls, commitments, billing):
        "Create the lines of the billing for what lacks or is too much"
        pool = Pool()
        Line = pool.get('coop.commons.commitment.line')
        if not commitments:
            return
        claim(commitments)
        lines = [
            Line(
                commitment=commitment, billing=billing, start=start, end=end,
                charged=commitment.currency.round(charged), amount=amount)
            for commitment, start, end, charged, amount
            in cls._get_differences({c: billing.end for c in commitments})]
        for sub_lines in grouped_slice(lines, SLICE):
            Line.save(list(sub_lines))

    @classmethod
    def _get_differences(cls, ends, posted=False):
        """Yield what is to be charged more, or less, until the day of each

        They are the commitment, the days, what is charged for the use and
        the amount.  With `posted` what is charged by billings that are not
        does not count.
        """
        if not ends:
            return
        charges = cls._get_charges(list(ends), posted)
        for commitment, last in ends.items():
            trued = defaultdict(Decimal)
            final = {}
            for line in commitment.lines:
                if posted and line.billing.state != 'posted':
                    continue
                trued[line.start] += line.amount
                final[line.start] = max(
                    line.billing.end, final.get(line.start, dt.date.min))
            for start, end, part in commitment.get_periods(last):
                charged = sum(
                    (amount for resource, category, date, amount
                        in charges[commitment.member.id]
                        if start <= date <= end
                        and commitment.match(resource, category)),
                    Decimal(0))
                # What lacks is known only once the period is over
                over = max(last, final.get(start, dt.date.min)) >= end
                amount = commitment.currency.round(rating.true_up(
                        charged, commitment.minimum if over else None,
                        commitment.maximum, part)) - trued[start]
                if amount:
                    yield commitment, start, end, charged, amount

    @classmethod
    def find_due(cls, commitments, date):
        "Yield the commitments by which something is due, and since when"
        by_company = defaultdict(dict)
        for commitment in commitments:
            by_company[commitment.company][commitment] = date
        for ends in by_company.values():
            for commitment, _, end, _, _ in cls._get_differences(ends):
                yield commitment, end

    @classmethod
    def find_unbilled(cls, members):
        "Yield the members with what they still owe for, and what to do"
        lang = Pool().get('ir.lang').get()
        by_id = {m.id: m for m in members}
        by_company = defaultdict(dict)
        for commitment in cls.search([
                    ('member', 'in', list(by_id)),
                    ('state', '=', 'confirmed'),
                    ], order=[('valid_from', 'ASC'), ('id', 'ASC')]):
            if commitment.last_date:
                by_company[commitment.company][commitment] = (
                    commitment.last_date)
        for ends in by_company.values():
            for commitment in dict.fromkeys(
                    c for c, *_ in cls._get_differences(ends, posted=True)):
                yield by_id[commitment.member.id], gettext(
                    'coop_commons.msg_member_leave_commitment',
                    commitment=commitment.rec_name,
                    date=lang.strftime(commitment.last_date))

    @classmethod
    def end_with_exit(cls, members):
        "End what would run on after the members have left"
        to_save, to_cancel = [], []
        for sub_members in grouped_slice(members, SLICE):
            for commitment in cls.search([
                        ('member', 'in', [m.id for m in sub_members]),
                        ('state', 'in', ['draft', 'confirmed']),
                        ]):
                last = commitment.last_date
                if last and last < commitment.valid_from:
                    to_cancel.append(commitment)
                elif last != commitment.valid_until:
                    commitment.valid_until = last
                    to_save.append(commitment)
        cls.save(to_save)
        cls.drop(to_cancel)

    @classmethod
    def _get_charges(cls, commitments, posted=False):
        "Return by member the billed amounts by resource and day"
        pool = Pool()
        Billing = pool.get('coop.commons.billing')
        Charge = pool.get('coop.commons.usage.charge')
        Component = pool.get('coop.commons.tariff.component')
        Resource = pool.get('coop.commons.resource')
        Tariff = pool.get('coop.commons.tariff')
        Usage = pool.get('coop.commons.usage')
        billing = Billing.__table__()
        charge = Charge.__table__()
        component = Component.__table__()
        resource = Resource.__table__()
        tariff = Tariff.__table__()
        usage = Usage.__table__()
        columns = [
            usage.member, usage.resource, resource.category, usage.date]
        charges = defaultdict(list)
        currency = commitments[0].currency.id
        start = min(c.valid_from for c in commitments)
        members = sorted({c.member.id for c in commitments})
        billings = billing.select(
            billing.id,
            where=billing.state == 'posted' if posted else Literal(True))
        for sub_members in grouped_slice(members, 500):
            query = (charge
                .join(usage, condition=charge.usage == usage.id)
                .join(resource, condition=usage.resource == resource.id)
                .join(component, condition=charge.component == component.id)
                .join(tariff, condition=component.tariff == tariff.id)
                .select(
                    *columns, Sum(charge.amount).as_('amount'),
                    where=fields.SQL_OPERATORS['in'](
                        usage.member, list(sub_members))
                    & (usage.date >= start)
                    & charge.billing.in_(billings)
                    & (tariff.currency == currency),
                    group_by=columns))
            for member, *row in fetch_sums(query):
                charges[member].append(row)
        return charges


class CommitmentLine(BilledMixin, ModelView):
    __name__ = 'coop.commons.commitment.line'
    __string__ = "Commitment Line"
    _document = 'commitment'
    _search_names = ('commitment.rec_name',)

    commitment = fields.Many2One(
        'coop.commons.commitment', "Commitment", required=True,
        ondelete='RESTRICT')
    charged = Monetary(
        "Charged", currency='currency', digits='currency', required=True,
        help="What was charged for the use of the period.")

    @fields.depends('commitment', '_parent_commitment.currency')
    def on_change_with_currency(self, name=None):
        return self.commitment.currency if self.commitment else None

    def get_description(self, invoice):
        lang = Pool().get('ir.lang').get()
        commitment = self.commitment
        of = commitment.resource or commitment.category
        return gettext(
            'coop_commons.msg_commitment_minimum' if self.amount > 0
            else 'coop_commons.msg_commitment_maximum',
            of=(of.__class__(of.id).rec_name if of
                else commitment.product.name),
            start=lang.strftime(self.start),
            end=lang.strftime(self.end),
            charged=lang.currency(
                self.charged, invoice.currency, grouping=True))
