# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from collections import defaultdict
from decimal import Decimal

from dateutil.relativedelta import relativedelta
from sql.operators import Equal

from trytond.i18n import gettext
from trytond.model import Exclude, ModelSQL, ModelView, Workflow, fields
from trytond.modules.coop_membership.document import DocumentMixin
from trytond.modules.coop_membership.locking import claim
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool
from trytond.pyson import Bool, Eval, If
from trytond.sql.functions import DateRange
from trytond.sql.operators import RangeOverlap
from trytond.tools import grouped_slice

from .billed import BilledMixin, StandingMixin
from .digits import not_negative
from .exceptions import ContractError
from .slices import SLICE

DAY = dt.timedelta(days=1)
MONTH = relativedelta(months=1)


class Contract(DocumentMixin, StandingMixin, ModelSQL, ModelView):
    __name__ = 'coop.commons.contract'
    __string__ = "Contract"
    _search_names = ('member.rec_name', 'resource.rec_name')
    _modify_states = {'confirmed': {'valid_until'}}
    _delete_states = {'draft', 'cancelled'}
    _date_order = (
        ('valid_from', 'valid_until', 'coop_commons.msg_contract_dates'),)

    member = fields.Many2One(
        'coop.member', "Member", required=True, ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ])
    resource = fields.Many2One(
        'coop.commons.resource', "Resource", required=True,
        ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        help="The flat, plot, box or machine that the member has.")
    exclusive = fields.Boolean(
        "Exclusive",
        help="Nobody else can have such a contract for the resource on the "
        "same days.")
    valid_from = fields.Date(
        "Valid from", required=True,
        help="The first day that is charged.")
    valid_until = fields.Date(
        "Valid until",
        domain=[
            If(Eval('valid_until') & Eval('valid_from'),
                ('valid_until', '>=', Eval('valid_from')),
                ()),
            ],
        help="The last day that is charged.\n"
        "It ends with the membership at the latest.")
    product = fields.Many2One(
        'product.product', "Product", required=True, ondelete='RESTRICT',
        domain=[
            ('type', '=', 'service'),
            ],
        context={
            'company': Eval('company', -1),
            },
        depends={'company'},
        help="What is billed, such as rent or a standing charge.")
    amount = Monetary(
        "Amount", currency='currency', digits='currency', required=True,
        domain=[
            ('amount', '>=', 0),
            ],
        help="What is charged for each period, whatever is used.")
    period = fields.Selection([
            ('day', "Day"),
            ('month', "Month"),
            ], "Period", required=True, sort=False,
        help="Of a month in which the contract begins or ends the part of its "
        "days is charged.")
    deposit = Monetary(
        "Deposit", currency='currency', digits='currency',
        domain=[
            ['OR', ('deposit', '=', None), ('deposit', '>', 0)],
            ],
        help="What the member gives as a security and gets back.")
    lines = fields.One2Many(
        'coop.commons.contract.line', 'contract', "Lines", readonly=True)
    state = fields.Selection([
            ('draft', "Draft"),
            ('confirmed', "Confirmed"),
            ('cancelled', "Cancelled"),
            ], "State", required=True, readonly=True, sort=False)

    @classmethod
    def __setup__(cls):
        super().__setup__()
        t = cls.__table__()
        cls._sql_constraints += [
            ('not_negative', not_negative(t, 'amount', 'deposit'),
                'coop_commons.msg_not_negative'),
            ('exclusive', Exclude(t,
                    (t.resource, Equal),
                    (DateRange(t.valid_from, t.valid_until, '[]'),
                        RangeOverlap),
                    where=(t.exclusive == True)  # noqa: E712
                    & (t.state == 'confirmed')),
                'coop_commons.msg_contract_exclusive'),
            ]
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
    def default_exclusive(cls):
        return True

    @classmethod
    def default_period(cls):
        return 'month'

    def get_rec_name(self, name):
        return '%s @ %s' % (self.member.rec_name, self.resource.rec_name)

    @classmethod
    @ModelView.button
    @Workflow.transition('confirmed')
    def confirm(cls, contracts):
        pool = Pool()
        Deposit = pool.get('coop.commons.deposit')
        lang = pool.get('ir.lang').get()
        claim({c.member for c in contracts})
        cls.check_member(contracts)
        for contract in contracts:
            last = contract.last_date
            if last and last < contract.valid_from:
                raise ContractError(gettext(
                        'coop_commons.msg_contract_left',
                        contract=contract.rec_name,
                        date=lang.strftime(last)))
        cls.check_required({c: c.last_date for c in contracts})
        Deposit.ask_contracts(contracts)

    @classmethod
    @ModelView.button
    @Workflow.transition('draft')
    def draft(cls, contracts):
        Deposit = Pool().get('coop.commons.deposit')
        super().draft(contracts)
        Deposit.drop_contracts(contracts)

    @classmethod
    def drop(cls, contracts):
        Deposit = Pool().get('coop.commons.deposit')
        super().drop(contracts)
        Deposit.drop_contracts(contracts)

    @classmethod
    def check_required(cls, contracts):
        """Check that the members have what their contracts ask for

        Until the last day of each, if it is known.
        """

    @classmethod
    def check_modification(
            cls, mode, contracts, values=None, external=False):
        super().check_modification(
            mode, contracts, values=values, external=external)
        if mode == 'write' and external and 'valid_until' in values:
            until = values['valid_until']
            cls.check_required({
                    c: until for c in contracts
                    if c.state == 'confirmed' and c.valid_until
                    and (not until or until > c.valid_until)})

    @property
    def last_date(self):
        "The last day that counts: it ends with the membership"
        dates = [self.valid_until, *(
                m.end_date for m in self.member.memberships[-1:])]
        return min(filter(None, dates), default=None)

    def get_dues(self, end):
        """Return what is due until the end, by the first day of each month

        Each is the first and the last day that count, and the amount.
        """
        last = min(filter(None, [end, self.last_date]))
        dues = {}
        month = self.valid_from.replace(day=1)
        while month <= last:
            following = month + MONTH
            first = max(month, self.valid_from)
            until = min(following - DAY, last)
            days = (until - first).days + 1
            if days > 0:
                amount = self.amount * days
                if self.period == 'month':
                    amount /= (following - month).days
                dues[month] = first, until, self.currency.round(amount)
            month = following
        return dues

    @classmethod
    def charge(cls, contracts, billing):
        "Create the lines of the billing for what is due and not billed yet"
        pool = Pool()
        Line = pool.get('coop.commons.contract.line')
        if not contracts:
            return
        claim(contracts)
        lines = []
        for contract in contracts:
            for start, end, amount in contract.get_differences(billing.end):
                lines.append(Line(
                        contract=contract, billing=billing,
                        start=start, end=end, amount=amount))
        for sub_lines in grouped_slice(lines, SLICE):
            Line.save(list(sub_lines))

    def get_differences(self, end):
        """Yield the days and the amounts that are billed too little

        Or too much, when the contract ends before a day already billed.
        """
        billed, covered = defaultdict(Decimal), {}
        for line in sorted(self.lines, key=lambda l: l.id):
            month = line.start.replace(day=1)
            billed[month] += line.amount
            covered[month] = (
                line.end if line.amount > 0 else line.start - DAY)
            # What is billed in advance is not given back by what comes late
            end = max(end, line.billing.end)
        dues = self.get_dues(end)
        for month in sorted(dues.keys() | billed.keys()):
            begin = max(month, self.valid_from)
            first, until, due = dues.get(
                month, (begin, begin - DAY, Decimal(0)))
            difference = due - billed[month]
            if not difference:
                continue
            last = covered.get(month, first - DAY)
            if last < until:
                first = max(first, last + DAY)
            elif until < last:
                first, until = until + DAY, last
            yield first, until, difference

    @classmethod
    def find_due(cls, contracts, date):
        "Yield the contracts by which something is due, and since when"
        for contract in contracts:
            for start, _, _ in contract.get_differences(date):
                yield contract, start

    @classmethod
    def find_unbilled(cls, members):
        "Yield the members with what they still owe for, and what to do"
        lang = Pool().get('ir.lang').get()
        by_id = {m.id: m for m in members}
        for contract in cls.search([
                    ('member', 'in', list(by_id)),
                    ('state', '=', 'confirmed'),
                    ], order=[('valid_from', 'ASC'), ('id', 'ASC')]):
            last = contract.last_date
            if not last:
                continue
            due = sum(due for _, _, due in contract.get_dues(last).values())
            billed = sum(
                l.amount for l in contract.lines
                if l.billing.state == 'posted')
            if due != billed:
                yield by_id[contract.member.id], gettext(
                    'coop_commons.msg_member_leave_contract',
                    contract=contract.rec_name,
                    date=lang.strftime(last))

    @classmethod
    def end_with_exit(cls, members):
        "End what would run on after the members have left"
        to_save, to_cancel = [], []
        for sub_members in grouped_slice(members, SLICE):
            for contract in cls.search([
                        ('member', 'in', [m.id for m in sub_members]),
                        ('state', 'in', ['draft', 'confirmed']),
                        ]):
                last = contract.last_date
                if contract.state == 'draft' or (
                        last and last < contract.valid_from):
                    to_cancel.append(contract)
                elif last != contract.valid_until:
                    contract.valid_until = last
                    to_save.append(contract)
        cls.save(to_save)
        cls.drop(to_cancel)


class ContractLine(BilledMixin, ModelView):
    __name__ = 'coop.commons.contract.line'
    __string__ = "Contract Line"
    _document = 'contract'
    _search_names = ('contract.rec_name',)

    contract = fields.Many2One(
        'coop.commons.contract', "Contract", required=True,
        ondelete='RESTRICT')

    @fields.depends('contract', '_parent_contract.currency')
    def on_change_with_currency(self, name=None):
        return self.contract.currency if self.contract else None

    def get_description(self, invoice):
        lang = Pool().get('ir.lang').get()
        contract = self.contract
        # In the language of the context
        resource = contract.resource.__class__(contract.resource.id)
        product = contract.product.__class__(contract.product.id)
        return gettext(
            'coop_commons.msg_contract_line',
            resource=resource.rec_name, product=product.name,
            start=lang.strftime(self.start),
            end=lang.strftime(self.end))
