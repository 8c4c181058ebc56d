# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from decimal import Decimal

from sql.operators import Equal

from trytond.i18n import gettext
from trytond.model import Check, Exclude, ModelSQL, ModelView, Workflow, fields
from trytond.modules.coop_membership.books import save_records
from trytond.modules.coop_membership.locking import claim
from trytond.modules.coop_membership.period import period_range
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool
from trytond.pyson import Bool, Eval, If
from trytond.sql.operators import RangeOverlap

from .exceptions import RetainError
from .inputs import RetainInputs, RetainSettings
from .part import number
from .retain_computation import retain
from .retain_posting import RetainPosting
from .run import PatronageRunMixin


class Retain(RetainPosting, PatronageRunMixin, ModelSQL, ModelView):
    __name__ = 'coop.equity.retain'
    __string__ = "Per-Unit Retain"
    _search_names = ('description', 'category.rec_name')
    _date_order = (
        ('start_date', 'end_date', 'coop_patronage.msg_retain_dates'),
        ('end_date', 'posting_date',
            'coop_patronage.msg_retain_posting_date'),
        )

    description = fields.Char("Description")
    category = fields.Many2One(
        'coop.patronage.category', "Category", required=True,
        ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ('source', 'in', ['supplier_invoice', 'entry']),
            ],
        help="What the members deliver.")
    start_date = fields.Date("Start Date", required=True,
        domain=[
            If(Eval('start_date') & Eval('end_date'),
                ('start_date', '<=', Eval('end_date')),
                ()),
            ],
        help="The first day of the deliveries.")
    end_date = fields.Date("End Date", required=True,
        domain=[
            If(Eval('start_date') & Eval('end_date'),
                ('end_date', '>=', Eval('start_date')),
                ()),
            ],
        help="The last day of the deliveries, of which year the equity is.")
    posting_date = fields.Date("Posting Date", required=True)
    method = fields.Selection([
            ('unit', "Amount per Unit"),
            ('value', "Part of the Value"),
            ], "Method", required=True, sort=False,
        help="Retain an amount of each unit or a part of the price.")
    rate = fields.Numeric("Rate", required=True,
        domain=[
            ('rate', '>', 0),
            If(Eval('method') == 'value',
                ('rate', '<=', 1),
                ()),
            ],
        help="The amount of each unit, or the part of the price.")
    share_class = fields.Many2One(
        'coop.share.class', "Share Class", required=True,
        ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ('kind', '=', 'allocated'),
            ],
        help="The class of the equity that the members get for it.")
    qualified = fields.Boolean("Qualified",
        help="Check if the members consented to be taxed on the equity when "
        "it is retained.")
    lines = fields.One2Many(
        'coop.equity.retain.line', 'retain', "Lines", readonly=True)
    amount = fields.Function(Monetary(
            "Amount", currency='currency', digits='currency'), 'get_amount')

    @classmethod
    def __setup__(cls):
        super().__setup__()
        t = cls.__table__()
        cls.company.states['readonly'] = Bool(Eval('category'))
        cls._sql_constraints += [
            ('rate_positive', Check(t, number(t.rate) > 0),
                'coop_patronage.msg_retain_rate'),
            ('deliveries_exclude', Exclude(t,
                    (t.category, Equal),
                    (period_range(t), RangeOverlap),
                    where=t.state.in_(['approved', 'posted'])),
                'coop_patronage.msg_retain_twice'),
            ]
        cls._order = [
            ('posting_date', 'DESC'),
            ('id', 'DESC'),
            ]

    @classmethod
    def default_method(cls):
        return 'unit'

    def get_amount(self, name):
        return sum((line.amount for line in self.lines), Decimal(0))

    def get_rec_name(self, name):
        return ' '.join(filter(None, [
                    self.category.rec_name, str(self.posting_date),
                    self.description]))

    @classmethod
    @ModelView.button
    @Workflow.transition('computed')
    def compute(cls, retains):
        pool = Pool()
        Line = pool.get('coop.equity.retain.line')
        cls.lock(retains)
        Line.delete([line for r in retains for line in r.lines])
        for retain_ in retains:
            inputs = retain_.get_inputs()
            rows = retain(inputs)
            if not rows:
                raise RetainError(gettext(
                        'coop_patronage.msg_retain_nothing',
                        retain=retain_.rec_name))
            retain_.set_inputs(inputs)
            save_records([Line(retain=retain_, **r) for r in rows])
        cls.save(retains)

    def is_as_computed(self, inputs):
        return retain(inputs) == [
            line.row for line in sorted(self.lines, key=int)]

    def get_inputs(self):
        pool = Pool()
        Activity = pool.get('coop.patronage.activity')
        class_ = self.share_class
        return RetainInputs(
            settings=RetainSettings(
                self.currency.rounding, self.method, self.rate,
                self.posting_date, class_.id, class_.par_value,
                class_.quantity_digits, self.qualified),
            activity=sorted(
                Activity.get_sums(
                    self.company, [self.category], self.start_date,
                    self.end_date),
                key=lambda row: (row[0], row[1] or 0)))

    @classmethod
    @ModelView.button
    @Workflow.transition('approved')
    def approve(cls, retains):
        claim(r.category for r in retains)
        for retain_ in retains:
            retain_._check_period(retains)
            retain_.check_inputs(RetainError)

    def _check_period(self, approved):
        "Check that nothing is retained twice, nor by what is approved with it"
        others = self.search([
                ('company', '=', self.company.id),
                ('category', '=', self.category.id),
                ['OR',
                    ('state', 'in', ['approved', 'posted']),
                    ('id', 'in', [r.id for r in approved]),
                    ],
                ('start_date', '<=', self.end_date),
                ('end_date', '>=', self.start_date),
                ('id', '!=', self.id),
                ], limit=1)
        if others:
            other, = others
            raise RetainError(gettext(
                    'coop_patronage.msg_retain_overlap',
                    retain=self.rec_name,
                    other=other.rec_name))
