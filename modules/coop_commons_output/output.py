# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import csv
import datetime as dt
from collections import Counter
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from itertools import groupby

from sql.operators import Equal

from trytond.i18n import gettext
from trytond.model import (
    Exclude, ModelSQL, ModelView, Unique, Workflow, fields)
from trytond.model.exceptions import AccessError
from trytond.modules.company.model import (
    employee_field, reset_employee, set_employee)
from trytond.modules.coop_membership.cancelled import CancelledMixin
from trytond.modules.coop_membership.locking import claim
from trytond.modules.coop_membership.period import period_range
from trytond.pool import Pool
from trytond.pyson import Bool, Eval, If
from trytond.sql.operators import RangeOverlap
from trytond.transaction import Transaction
from trytond.wizard import Button, StateTransition, StateView, Wizard

from . import sharing
from .exceptions import OutputError

CARRIED_DIGITS = (None, 9)


class _UserMixin:
    "Who takes part: a member, a non-member or the cooperative itself"
    __slots__ = ()

    company = fields.Function(
        fields.Many2One('company.company', "Company"),
        'on_change_with_company')
    member = fields.Many2One(
        'coop.member', "Member", ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        states={
            'invisible': Bool(Eval('party')) | Bool(Eval('cost_center')),
            'required': ~Eval('party') & ~Eval('cost_center'),
            })
    party = fields.Many2One(
        'party.party', "Non-member", ondelete='RESTRICT',
        context={
            'company': Eval('company', -1),
            },
        states={
            'invisible': Bool(Eval('member')) | Bool(Eval('cost_center')),
            'required': ~Eval('member') & ~Eval('cost_center'),
            },
        depends={'company'})
    cost_center = fields.Many2One(
        'analytic_account.account', "Cost Centre", ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ('type', '=', 'normal'),
            ],
        states={
            'invisible': Bool(Eval('member')) | Bool(Eval('party')),
            'required': ~Eval('member') & ~Eval('party'),
            },
        help="The analytic account of the cooperative itself that takes "
        "part.")

    @classmethod
    def validate_fields(cls, records, field_names):
        super().validate_fields(records, field_names)
        if field_names is None or field_names & {
                'member', 'party', 'cost_center'}:
            for record in records:
                if sum(map(bool, record.key)) != 1:
                    raise OutputError(gettext(
                            'coop_commons_output.msg_output_user'))

    @property
    def user(self):
        return self.member or self.party or self.cost_center

    @property
    def key(self):
        "The user as a key that can be sorted"
        return tuple(
            u.id if u else 0
            for u in (self.member, self.party, self.cost_center))


def _set_user(record, key):
    record.member, record.party, record.cost_center = (
        id_ or None for id_ in key)


class OutputKey(Workflow, ModelSQL, ModelView):
    __name__ = 'coop.commons.output.key'
    __string__ = "Output Key"

    _states = {
        'readonly': Eval('state') != 'draft',
        }

    company = fields.Many2One(
        'company.company', "Company", required=True, states=_states)
    resource = fields.Many2One(
        'coop.commons.resource', "Resource", required=True,
        ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        states=_states,
        help="The resource whose output is shared, as a solar roof.")
    valid_from = fields.Date(
        "Valid from", required=True, states=_states,
        help="The first day, until the next key of the resource.")
    method = fields.Selection([
            ('static', "Coefficients"),
            ('dynamic', "Consumption of the Interval"),
            ], "Method", required=True, sort=False, states=_states,
        help="The proportion in which the output of each interval is shared."
        "\nBy consumption nobody gets more than he consumes in it.")
    shares = fields.One2Many(
        'coop.commons.output.share', 'output_key', "Shares", states=_states)
    approved_by = employee_field("Approved by", states=['approved'])
    state = fields.Selection([
            ('draft', "Draft"),
            ('approved', "Approved"),
            ], "State", required=True, readonly=True, sort=False)

    del _states

    @classmethod
    def __setup__(cls):
        super().__setup__()
        t = cls.__table__()
        cls._sql_constraints += [
            ('valid_from_unique', Unique(t, t.resource, t.valid_from),
                'coop_commons_output.msg_output_key_unique'),
            ]
        cls._order = [('valid_from', 'DESC'), ('id', 'DESC')]
        cls._transitions |= {
            ('draft', 'approved'),
            ('approved', 'draft'),
            }
        cls._buttons.update({
                'draft': {
                    'invisible': Eval('state') != 'approved',
                    'depends': ['state'],
                    },
                'approve': {
                    'invisible': Eval('state') != 'draft',
                    'depends': ['state'],
                    },
                })

    @classmethod
    def default_company(cls):
        return Transaction().context.get('company')

    @classmethod
    def default_method(cls):
        return 'static'

    @classmethod
    def default_state(cls):
        return 'draft'

    def get_rec_name(self, name):
        return '%s %s' % (self.resource.rec_name, self.valid_from)

    @classmethod
    def search_rec_name(cls, name, clause):
        return [('resource.rec_name', *clause[1:])]

    @classmethod
    def copy(cls, keys, default=None):
        default = default.copy() if default is not None else {}
        default.setdefault('approved_by')
        return super().copy(keys, default=default)

    @classmethod
    def check_modification(cls, mode, keys, values=None, external=False):
        super().check_modification(
            mode, keys, values=values, external=external)
        if mode == 'delete':
            for key in keys:
                if key.state != 'draft':
                    raise AccessError(gettext(
                            'coop_commons_output.msg_output_key_delete',
                            key=key.rec_name))

    @classmethod
    def check_unused(cls, keys, message):
        "Check that nothing is shared since the keys are valid"
        pool = Pool()
        Output = pool.get('coop.commons.output')
        claim(k.resource for k in keys)
        for key in keys:
            outputs = Output.search([
                    ('resource', '=', key.resource.id),
                    ('state', 'in', ['computed', 'posted']),
                    ('end_date', '>=', key.valid_from),
                    ], limit=1)
            if outputs:
                used, = outputs
                raise OutputError(gettext(
                        message, key=key.rec_name, output=used.rec_name))

    @classmethod
    @ModelView.button
    @Workflow.transition('draft')
    @reset_employee('approved_by')
    def draft(cls, keys):
        cls.check_unused(keys, 'coop_commons_output.msg_output_key_used')

    @classmethod
    @ModelView.button
    @Workflow.transition('approved')
    @set_employee('approved_by')
    def approve(cls, keys):
        cls.check_unused(keys, 'coop_commons_output.msg_output_key_late')
        for key in keys:
            total = sum(s.coefficient or 0 for s in key.shares)
            if key.method == 'static' and total != 1:
                raise OutputError(gettext(
                        'coop_commons_output.msg_output_key_sum',
                        key=key.rec_name, total=total))

    def share_out(self, interval, unit, carried):
        "Return the parts of the interval, and what is carried"
        if self.method == 'static':
            return sharing.share_out(
                interval.quantity,
                {s.key: s.coefficient for s in self.shares}, unit, carried)
        consumption = dict.fromkeys((s.key for s in self.shares), Decimal(0))
        for line in interval.consumptions:
            if line.key in consumption:
                consumption[line.key] += line.quantity
        return sharing.share_used(
            interval.quantity, consumption, unit, carried)


class OutputShare(_UserMixin, ModelSQL, ModelView):
    __name__ = 'coop.commons.output.share'
    __string__ = "Output Share"

    output_key = fields.Many2One(
        'coop.commons.output.key', "Key", required=True, ondelete='CASCADE')
    code = fields.Char(
        "Code",
        help="What identifies the user in the files of the meters.\n"
        "Leave empty for the number of the member.")
    method = fields.Function(
        fields.Selection('get_methods', "Method"), 'on_change_with_method')
    coefficient = fields.Numeric(
        "Coefficient", digits=(None, 6),
        domain=[
            If(Eval('method') == 'static',
                [
                    ('coefficient', '>=', 0),
                    ('coefficient', '<=', 1),
                    ],
                ()),
            ],
        states={
            'required': Eval('method') == 'static',
            'invisible': Eval('method') != 'static',
            },
        help="The part of the output, those of a key sum to 1.")

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.__access__.add('output_key')
        cls.code.search_unaccented = False

    @classmethod
    def get_methods(cls):
        pool = Pool()
        Key = pool.get('coop.commons.output.key')
        return Key.fields_get(['method'])['method']['selection']

    @fields.depends('output_key', '_parent_output_key.method')
    def on_change_with_method(self, name=None):
        return self.output_key.method if self.output_key else None

    @fields.depends('output_key', '_parent_output_key.company')
    def on_change_with_company(self, name=None):
        return self.output_key.company if self.output_key else None

    def get_rec_name(self, name):
        return '%s @ %s' % (self.user.rec_name, self.output_key.rec_name)

    @classmethod
    def search_rec_name(cls, name, clause):
        return ['OR',
            ('member.rec_name', *clause[1:]),
            ('party.rec_name', *clause[1:]),
            ('cost_center.rec_name', *clause[1:]),
            ]

    @classmethod
    def check_modification(cls, mode, shares, values=None, external=False):
        super().check_modification(
            mode, shares, values=values, external=external)
        for share in shares:
            if share.output_key.state == 'approved':
                raise AccessError(gettext(
                        'coop_commons_output.msg_output_key_modify',
                        key=share.output_key.rec_name))

    @property
    def file_code(self):
        return self.code or (
            self.member.number if self.member else self.user.code)


class Output(CancelledMixin, Workflow, ModelSQL, ModelView):
    __name__ = 'coop.commons.output'
    __string__ = "Shared Output"

    _states = {
        'readonly': Eval('state') != 'draft',
        }

    company = fields.Many2One(
        'company.company', "Company", required=True, states=_states)
    resource = fields.Many2One(
        'coop.commons.resource', "Resource", required=True,
        ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        states=_states,
        help="The resource whose output is shared, as a solar roof.")
    unit = fields.Function(
        fields.Many2One('product.uom', "Unit"), 'on_change_with_unit')
    start_date = fields.Date(
        "From", required=True,
        domain=[
            ('start_date', '<=', Eval('end_date', None)),
            ],
        states=_states,
        help="The first day in the time zone of the resource.")
    end_date = fields.Date(
        "To", required=True,
        domain=[
            ('end_date', '>=', Eval('start_date', None)),
            ],
        states=_states,
        help="The last day in the time zone of the resource.")
    interval = fields.TimeDelta(
        "Interval", required=True,
        domain=[
            ('interval', '>', dt.timedelta()),
            ],
        states=_states,
        help="The time between two values of the meter.")
    intervals = fields.One2Many(
        'coop.commons.output.interval', 'output', "Intervals",
        states=_states)
    lines = fields.One2Many(
        'coop.commons.output.line', 'output', "Lines", readonly=True)
    quantity = fields.Function(fields.Numeric(
            "Output", digits='unit'),
        'get_quantities')
    shared = fields.Function(fields.Numeric(
            "Shared", digits='unit',
            help="What the users get."),
        'get_quantities')
    rest = fields.Function(fields.Numeric(
            "Rest", digits='unit',
            help="What nobody gets, as the power fed into the grid."),
        'get_quantities')
    posted_by = employee_field("Posted by", states=['posted', 'cancelled'])
    state = fields.Selection([
            ('draft', "Draft"),
            ('computed', "Computed"),
            ('posted', "Posted"),
            ('cancelled', "Cancelled"),
            ], "State", required=True, readonly=True, sort=False)

    del _states

    @classmethod
    def __setup__(cls):
        super().__setup__()
        t = cls.__table__()
        cls._sql_constraints += [
            ('dates_overlap', Exclude(t,
                    (t.resource, Equal),
                    (period_range(t), RangeOverlap),
                    where=t.state != 'cancelled'),
                'coop_commons_output.msg_output_overlap'),
            ]
        cls._order = [('start_date', 'DESC'), ('id', 'DESC')]
        cls._transitions |= {
            ('draft', 'computed'),
            ('computed', 'draft'),
            ('computed', 'posted'),
            ('draft', 'cancelled'),
            ('posted', 'cancelled'),
            }
        cls._buttons.update({
                'cancel': {
                    'invisible': ~Eval('state').in_(['draft', 'posted']),
                    'depends': ['state'],
                    },
                'draft': {
                    'invisible': Eval('state') != 'computed',
                    'depends': ['state'],
                    },
                'import_': {
                    'invisible': Eval('state') != 'draft',
                    'depends': ['state'],
                    },
                'compute': {
                    'invisible': Eval('state') != 'draft',
                    'depends': ['state'],
                    },
                'post': {
                    'invisible': Eval('state') != 'computed',
                    'depends': ['state'],
                    },
                })

    @classmethod
    def default_company(cls):
        return Transaction().context.get('company')

    @classmethod
    def default_interval(cls):
        return dt.timedelta(hours=1)

    @classmethod
    def default_state(cls):
        return 'draft'

    @fields.depends('resource', '_parent_resource.unit')
    def on_change_with_unit(self, name=None):
        return self.resource.unit if self.resource else None

    @classmethod
    def get_quantities(cls, outputs, names):
        result = {name: {} for name in names}
        for record in outputs:
            quantity = sum(
                (i.quantity for i in record.intervals), Decimal(0))
            shared = sum((l.quantity for l in record.lines), Decimal(0))
            values = {
                'quantity': quantity,
                'shared': shared,
                'rest': quantity - shared,
                }
            for name in names:
                result[name][record.id] = values[name]
        return result

    def get_rec_name(self, name):
        return '%s %s – %s' % (
            self.resource.rec_name, self.start_date, self.end_date)

    @classmethod
    def search_rec_name(cls, name, clause):
        return [('resource.rec_name', *clause[1:])]

    @classmethod
    def copy(cls, outputs, default=None):
        default = default.copy() if default is not None else {}
        default.setdefault('lines')
        default.setdefault('posted_by')
        return super().copy(outputs, default=default)

    @classmethod
    def check_modification(cls, mode, outputs, values=None, external=False):
        super().check_modification(
            mode, outputs, values=values, external=external)
        if mode == 'delete':
            for record in outputs:
                if record.state not in {'draft', 'cancelled'}:
                    raise AccessError(gettext(
                            'coop_commons_output.msg_output_delete',
                            output=record.rec_name))

    @classmethod
    def claim_resources(cls, outputs):
        claim(o.resource for o in outputs)

    def check_order(self):
        "Check that what is carried goes from one output to the next"
        others = self.__class__.search([
                ('resource', '=', self.resource.id),
                ['OR', [
                        ('end_date', '<', self.start_date),
                        ('state', 'in', ['draft', 'computed']),
                        ], [
                        ('start_date', '>', self.end_date),
                        ('state', 'in', ['computed', 'posted']),
                        ]],
                ], limit=1)
        if others:
            other, = others
            raise OutputError(gettext(
                    'coop_commons_output.msg_output_order',
                    output=self.rec_name, other=other.rec_name))

    @classmethod
    @ModelView.button_action('coop_commons_output.wizard_output_import')
    def import_(cls, outputs):
        pass

    @classmethod
    @ModelView.button
    @Workflow.transition('draft')
    def draft(cls, outputs):
        pool = Pool()
        Line = pool.get('coop.commons.output.line')
        Line.delete([l for o in outputs for l in o.lines])

    @classmethod
    @ModelView.button
    @Workflow.transition('computed')
    def compute(cls, outputs):
        pool = Pool()
        Line = pool.get('coop.commons.output.line')
        cls.claim_resources(outputs)
        lines = []
        for record in outputs:
            record.check_order()
            record.check_intervals()
            lines.extend(record.get_lines())
        Line.save(lines)

    @property
    def days(self):
        days = (self.end_date - self.start_date).days + 1
        return [
            self.start_date + dt.timedelta(days=day) for day in range(days)]

    def check_intervals(self):
        "Check that each interval of each day has its value"
        expected = {
            start.replace(tzinfo=None)
            for day in self.days
            for start in sharing.intervals(
                day, self.resource.zone, self.interval)}
        found = {i.start for i in self.intervals}
        if found != expected:
            first = min(found ^ expected)
            raise OutputError(gettext(
                    'coop_commons_output.msg_output_interval_missing'
                    if first in expected
                    else 'coop_commons_output.msg_output_interval_unexpected',
                    output=self.rec_name,
                    time=self.resource.get_local(first).strftime(
                        '%Y-%m-%d %H:%M %Z'),
                    found=len(found),
                    expected=len(expected)))

    def get_lines(self):
        pool = Pool()
        Key = pool.get('coop.commons.output.key')
        Line = pool.get('coop.commons.output.line')
        keys = Key.search([
                ('resource', '=', self.resource.id),
                ('state', '=', 'approved'),
                ('valid_from', '<=', self.end_date),
                ], order=[('valid_from', 'DESC')])
        unit = Decimal(1).scaleb(-self.unit.digits)
        carried = self.get_carried()
        for day, intervals in groupby(
                self.intervals,
                key=lambda i: self.resource.get_local(i.start).date()):
            total = Counter()
            # Before the first key there is nobody to share with
            for key in [k for k in keys if k.valid_from <= day][:1]:
                for interval in intervals:
                    parts, carried = key.share_out(interval, unit, carried)
                    total.update(parts)
            for user in sorted(total.keys() | carried):
                line = Line(
                    output=self,
                    date=day,
                    quantity=Decimal(total[user]),
                    carried=_decimal(carried.get(user, 0)))
                _set_user(line, user)
                yield line

    def get_carried(self):
        "Return what the last output has left to each user"
        pool = Pool()
        Line = pool.get('coop.commons.output.line')
        previous = self.__class__.search([
                ('resource', '=', self.resource.id),
                ('state', '=', 'posted'),
                ('end_date', '<', self.start_date),
                ], order=[('end_date', 'DESC')], limit=1)
        if not previous:
            return {}
        previous, = previous
        return {
            line.key: Fraction(line.carried)
            for line in Line.search([
                    ('output', '=', previous.id),
                    ('date', '=', previous.end_date),
                    ])}

    @classmethod
    @ModelView.button
    @Workflow.transition('posted')
    @set_employee('posted_by')
    def post(cls, outputs):
        pool = Pool()
        Line = pool.get('coop.commons.output.line')
        Usage = pool.get('coop.commons.usage')
        cls.claim_resources(outputs)
        lines = []
        for record in outputs:
            record.check_order()
            lines.extend(l for l in record.lines if l.quantity)
        for line in lines:
            line.usage = line.get_usage()
        Usage.save([l.usage for l in lines])
        Line.save(lines)
        Usage.confirm(Usage.browse([l.usage for l in lines]))

    @classmethod
    @ModelView.button
    @Workflow.transition('cancelled')
    def cancel(cls, outputs):
        """Cancel the outputs

        The usages of those that are posted are taken back.
        """
        pool = Pool()
        Usage = pool.get('coop.commons.usage')
        cls.claim_resources(outputs)
        usages = []
        for record in outputs:
            if record.state == 'posted':
                record.check_order()
                usages.extend(
                    l.usage for l in record.lines
                    if l.usage and not l.usage.corrections)
        if usages:
            Usage._take_back(Usage.browse(usages))


def _decimal(fraction):
    fraction = Fraction(fraction)
    return Decimal(fraction.numerator) / Decimal(fraction.denominator)


class OutputInterval(ModelSQL, ModelView):
    __name__ = 'coop.commons.output.interval'
    __string__ = "Output Interval"

    output = fields.Many2One(
        'coop.commons.output', "Output", required=True, ondelete='CASCADE')
    start = fields.DateTime("Start", required=True)
    local_time = fields.Function(
        fields.Char(
            "Local Time",
            help="The time in the time zone of the resource."),
        'on_change_with_local_time')
    unit = fields.Function(
        fields.Many2One('product.uom', "Unit"), 'on_change_with_unit')
    quantity = fields.Numeric(
        "Output", digits='unit', required=True,
        domain=[
            ('quantity', '>=', 0),
            ],
        help="What the resource has made in the interval.")
    consumptions = fields.One2Many(
        'coop.commons.output.consumption', 'interval', "Consumptions")

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.__access__.add('output')
        t = cls.__table__()
        cls._sql_constraints += [
            ('start_unique', Unique(t, t.output, t.start),
                'coop_commons_output.msg_output_interval_unique'),
            ]
        cls._order = [('start', 'ASC'), ('id', 'ASC')]

    @fields.depends('output', '_parent_output.resource', 'start')
    def on_change_with_local_time(self, name=None):
        if self.output and self.output.resource and self.start:
            return self.output.resource.get_local(self.start).strftime(
                '%Y-%m-%d %H:%M %Z')

    @fields.depends('output', '_parent_output.unit')
    def on_change_with_unit(self, name=None):
        return self.output.unit if self.output else None

    def get_rec_name(self, name):
        return '%s %s' % (self.output.resource.rec_name, self.local_time)

    @classmethod
    def check_modification(cls, mode, intervals, values=None, external=False):
        super().check_modification(
            mode, intervals, values=values, external=external)
        for interval in intervals:
            if interval.output.state in {'computed', 'posted'}:
                raise AccessError(gettext(
                        'coop_commons_output.msg_output_modify',
                        output=interval.output.rec_name))


class OutputConsumption(_UserMixin, ModelSQL, ModelView):
    __name__ = 'coop.commons.output.consumption'
    __string__ = "Output Consumption"

    interval = fields.Many2One(
        'coop.commons.output.interval', "Interval", required=True,
        ondelete='CASCADE')
    unit = fields.Function(
        fields.Many2One('product.uom', "Unit"), 'on_change_with_unit')
    quantity = fields.Numeric(
        "Quantity", digits='unit', required=True,
        domain=[
            ('quantity', '>=', 0),
            ],
        help="What the user has consumed in the interval.")

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.__access__.add('interval')

    @fields.depends('interval', '_parent_interval.output')
    def on_change_with_company(self, name=None):
        if self.interval and self.interval.output:
            return self.interval.output.company

    @fields.depends('interval', '_parent_interval.unit')
    def on_change_with_unit(self, name=None):
        return self.interval.unit if self.interval else None

    def get_rec_name(self, name):
        return '%s @ %s' % (self.user.rec_name, self.interval.rec_name)

    @classmethod
    def check_modification(cls, mode, lines, values=None, external=False):
        super().check_modification(
            mode, lines, values=values, external=external)
        for line in lines:
            if line.interval.output.state in {'computed', 'posted'}:
                raise AccessError(gettext(
                        'coop_commons_output.msg_output_modify',
                        output=line.interval.output.rec_name))


class OutputLine(_UserMixin, ModelSQL, ModelView):
    __name__ = 'coop.commons.output.line'
    __string__ = "Output Line"

    output = fields.Many2One(
        'coop.commons.output', "Output", required=True, ondelete='CASCADE')
    date = fields.Date(
        "Date", required=True,
        help="The day in the time zone of the resource.")
    unit = fields.Function(
        fields.Many2One('product.uom', "Unit"), 'on_change_with_unit')
    quantity = fields.Numeric(
        "Quantity", digits='unit', required=True,
        help="The part of the output of the day.")
    carried = fields.Numeric(
        "Carried", digits=CARRIED_DIGITS, required=True,
        help="What the rounding has given the user too little, and the next "
        "interval makes up for.\n"
        "It is negative when it was too much.")
    usage = fields.Many2One(
        'coop.commons.usage', "Usage", readonly=True, ondelete='RESTRICT')

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.__access__.add('output')
        cls._order = [('date', 'ASC'), ('id', 'ASC')]

    @fields.depends('output', '_parent_output.company')
    def on_change_with_company(self, name=None):
        return self.output.company if self.output else None

    @fields.depends('output', '_parent_output.unit')
    def on_change_with_unit(self, name=None):
        return self.output.unit if self.output else None

    def get_rec_name(self, name):
        return '%s %s @ %s' % (
            self.user.rec_name, self.date, self.output.resource.rec_name)

    def get_usage(self):
        pool = Pool()
        Quantity = pool.get('coop.commons.usage.quantity')
        Usage = pool.get('coop.commons.usage')
        resource = self.output.resource
        return Usage(
            company=self.output.company,
            resource=resource,
            member=self.member,
            party=self.party,
            cost_center=self.cost_center,
            start=resource.get_instant(self.date),
            end=resource.get_instant(self.date + dt.timedelta(days=1)),
            quantities=[Quantity(unit=self.unit, quantity=self.quantity)],
            source=self.output.__name__,
            external_id=str(self.id))


class ImportOutputStart(ModelView):
    __name__ = 'coop.commons.output.import.start'
    __string__ = "Import Output"

    file_ = fields.Binary(
        "File", required=True,
        help="A CSV file in UTF-8 with a row for each interval: its start, "
        "the output, and a column for the consumption of each user that has "
        "the code of the share as title.\n"
        "A time without offset is meant in the time zone of the resource.")


class ImportOutput(Wizard):
    __name__ = 'coop.commons.output.import'
    __string__ = "Import Output"
    start = StateView(
        'coop.commons.output.import.start',
        'coop_commons_output.output_import_start_view_form', [
            Button("Cancel", 'end', 'tryton-cancel'),
            Button("Import", 'import_', 'tryton-ok', default=True),
            ])
    import_ = StateTransition()

    def transition_import_(self):
        "Replace the intervals by those of the file"
        pool = Pool()
        Interval = pool.get('coop.commons.output.interval')
        Consumption = pool.get('coop.commons.output.consumption')
        shares = self.get_shares()
        seen, intervals = set(), []
        for line, row in self.get_rows():
            interval = Interval(output=self.record, consumptions=[])
            for name, cell in row.items():
                try:
                    if name == 'start':
                        interval.start = self.get_instant(cell, seen)
                        seen.add(interval.start)
                    elif name == 'output':
                        interval.quantity = Decimal(cell)
                    else:
                        consumption = Consumption(quantity=Decimal(cell))
                        _set_user(consumption, shares[name])
                        interval.consumptions += (consumption,)
                except (InvalidOperation, KeyError, TypeError,
                        ValueError) as error:
                    raise OutputError(gettext(
                            'coop_commons_output.msg_output_import_cell',
                            line=line, column=name, value=cell)) from error
            intervals.append(interval)
        Interval.delete(self.record.intervals)
        Interval.save(intervals)
        return 'end'

    def get_shares(self):
        pool = Pool()
        Key = pool.get('coop.commons.output.key')
        keys = Key.search([
                ('resource', '=', self.record.resource.id),
                ('state', '=', 'approved'),
                ('valid_from', '<=', self.record.end_date),
                ], order=[('valid_from', 'ASC')])
        return {s.file_code: s.key for k in keys for s in k.shares}

    def get_rows(self):
        "Yield the number of each row and its cells"
        try:
            text = self.start.file_.decode('utf-8-sig')
        except UnicodeDecodeError as error:
            raise OutputError(gettext(
                    'coop_commons_output.msg_output_import_file')) from error
        reader = csv.DictReader(text.splitlines())
        names = reader.fieldnames or []
        if not {'start', 'output'} <= set(names):
            raise OutputError(gettext(
                    'coop_commons_output.msg_output_import_file'))
        for row in reader:
            yield reader.line_num, row

    def get_instant(self, cell, seen):
        instant = dt.datetime.fromisoformat(cell)
        if not instant.tzinfo:
            # The hour that comes twice when the clock is set back
            zone = self.record.resource.zone
            instant = instant.replace(tzinfo=zone)
            if _utc(instant) in seen:
                instant = instant.replace(fold=1)
        return _utc(instant)


def _utc(instant):
    return instant.astimezone(dt.timezone.utc).replace(tzinfo=None)
