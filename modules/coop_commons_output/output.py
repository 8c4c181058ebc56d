# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from collections import Counter, defaultdict
from decimal import Decimal
from fractions import Fraction
from itertools import groupby

from sql.operators import Equal

from trytond.i18n import gettext
from trytond.model import Exclude, ModelSQL, ModelView, Workflow, fields
from trytond.modules.company.model import employee_field, set_employee
from trytond.modules.coop_commons.profile import write_profile
from trytond.modules.coop_membership.locking import claim
from trytond.modules.coop_membership.period import period_range
from trytond.modules.coop_membership.run import ComputedMixin
from trytond.pool import Pool
from trytond.pyson import Eval
from trytond.sql.operators import RangeOverlap

from . import output_sharing
from .exceptions import OutputError
from .output_file import read_intervals
from .output_user import set_user


class Output(ComputedMixin, ModelSQL, ModelView):
    __name__ = 'coop.commons.output'
    __string__ = "Shared Output"
    _steps = {
        'draft': (['computed'], 'draft'),
        'compute': (['draft'], 'computed'),
        'post': (['computed'], 'posted'),
        'cancel': (['draft', 'posted'], 'cancelled'),
        'import_': (['draft'], None),
        }

    _search_names = ('resource.rec_name',)
    _delete_states = {'draft', 'cancelled'}
    _date_order = (
        ('start_date', 'end_date', 'coop_commons_output.msg_output_dates'),
        )

    resource = fields.Many2One(
        'coop.commons.resource', "Resource", required=True,
        ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        help="The resource whose output is shared, as a solar roof.")
    unit = fields.Function(
        fields.Many2One('product.uom', "Unit"), 'on_change_with_unit')
    start_date = fields.Date(
        "From", required=True,
        domain=[
            ('start_date', '<=', Eval('end_date', None)),
            ],
        help="The first day in the time zone of the resource.")
    end_date = fields.Date(
        "To", required=True,
        domain=[
            ('end_date', '>=', Eval('start_date', None)),
            ],
        help="The last day in the time zone of the resource.")
    interval = fields.TimeDelta(
        "Interval", required=True,
        domain=[
            ('interval', '>', dt.timedelta()),
            ],
        help="The time between two values of the meter.")
    intervals = fields.One2Many(
        'coop.commons.output.interval', 'output', "Intervals")
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

    @classmethod
    def default_interval(cls):
        return dt.timedelta(hours=1)

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

    def set_intervals(self, content):
        "Replace the intervals by those in the content of a file"
        pool = Pool()
        Interval = pool.get('coop.commons.output.interval')
        intervals = read_intervals(self, content)
        Interval.delete(self.intervals)
        Interval.save(intervals)

    def get_file_users(self):
        "Return the users by the code that files have for them"
        pool = Pool()
        Key = pool.get('coop.commons.output.key')
        keys = Key.search([
                ('resource', '=', self.resource.id),
                ('state', '=', 'approved'),
                ('valid_from', '<=', self.end_date),
                ], order=[('valid_from', 'ASC')])
        return {s.file_code: s.key for k in keys for s in k.shares}

    @classmethod
    @ModelView.button
    @Workflow.transition('computed')
    def compute(cls, outputs):
        cls.claim_resources(outputs)
        for record in outputs:
            record.check_order()
            record.check_intervals()
        super().compute(outputs)

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
            for start in output_sharing.intervals(
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
            total, profiles = Counter(), defaultdict(list)
            # Before the first key there is nobody to share with
            for key in [k for k in keys if k.valid_from <= day][:1]:
                for interval in intervals:
                    parts, carried = key.share_out(interval, unit, carried)
                    total.update(parts)
                    end = interval.start + self.interval
                    for user, part in parts.items():
                        if part:
                            profiles[user].append((
                                    interval.start, end, Decimal(part)))
            for user in sorted(total.keys() | carried):
                line = Line(
                    output=self,
                    date=day,
                    quantity=Decimal(total[user]),
                    profile=write_profile(profiles[user]) or None,
                    carried=_decimal(carried.get(user, 0)))
                set_user(line, user)
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
