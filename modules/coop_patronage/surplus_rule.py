# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.model import ModelSQL, ModelView, fields, sequence_ordered
from trytond.pool import Pool
from trytond.pyson import Eval

from .part import SurplusPartMixin

_limits = [
    'capital', 'lines', 'rates', 'member_result', 'first_years', 'cash',
    'employees']
_lines = [
    ('reserve', "Reserve"),
    ('other', "Other"),
    ('reserves', "Reserve and Other"),
    ('fund', "Fund"),
    ('share_dividend', "Share Dividend"),
    ('patronage', "Patronage"),
    ]


def _only(*kinds):
    return {
        'invisible': ~Eval('kind').in_(list(kinds)),
        'required': Eval('kind').in_(list(kinds)),
        }


class RuleMixin(sequence_ordered()):
    "A rule of law that an appropriation must keep"
    __slots__ = ()

    kind = fields.Selection([
            ('capital', "Part of the Paid Capital"),
            ('lines', "Part of Other Lines"),
            ('rates', "Multiple of the Rate of Interest"),
            ('member_result', "Part of the Result with Members"),
            ('first_years', "Minimum in the First Years"),
            ('cash', "Minimum in Money"),
            ('deadline', "Time of Payment"),
            ('non_members', "Non-Members Are Paid"),
            ('employees', "Employees Are Paid"),
            ], "Kind", required=True, sort=False,
        help="How the lines are limited:\n"
        "- Part of the Paid Capital: by a rate of it, which is added to the "
        "reference rate of the year if there is one\n"
        "- Part of Other Lines: by a part of what other lines take\n"
        "- Multiple of the Rate of Interest: what is given of the activity, "
        "by what is given of the paid capital\n"
        "- Part of the Result with Members: by a part of it\n"
        "- Minimum in the First Years: not less than a part of the result, "
        "in the years after the registration\n"
        "- Minimum in Money: of what each patron gets by a qualified notice\n"
        "- Time of Payment: after the end of the fiscal year\n"
        "- Non-Members Are Paid: like the members\n"
        "- Employees Are Paid: all who were there for some months of the "
        "year, or have been there for some, members or not, and with a "
        "coefficient of their years of at most the rate")
    line_kind = fields.Selection(
        _lines, "Lines", required=True, sort=False,
        help="The lines the rule is about.")
    other_kind = fields.Selection(
        [(None, ""), *_lines], "Other Lines", sort=False,
        states=_only('lines'))
    rate = fields.Numeric("Rate", states=_only(*_limits))
    months = fields.Integer("Months",
        states=_only('deadline', 'employees'))
    seniority_months = fields.Integer("Months of Seniority",
        states=_only('employees'))
    days = fields.Integer("Days",
        states={
            'invisible': Eval('kind') != 'deadline',
            },
        help="The days after the months.")
    years = fields.Integer("Years", states=_only('first_years'))
    source = fields.Char("Source", required=True,
        help="The law, with its article.")
    source_date = fields.Date("Date of Source",
        help="Of which day the source is.")

    @classmethod
    def default_line_kind(cls):
        return 'patronage'


class PlanRule(RuleMixin, ModelSQL, ModelView):
    __name__ = 'coop.surplus.plan.rule'
    __string__ = "Surplus Plan Rule"

    plan = fields.Many2One(
        'coop.surplus.plan', "Plan", required=True, ondelete='CASCADE')
    name = fields.Char("Name", required=True, translate=True)
    reference = fields.Char("Reference", translate=True,
        states={
            'invisible': Eval('kind') != 'capital',
            },
        help="The rate of each year to which the rate is added.")

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.__access__.add('plan')

    def get_surplus_rule(self):
        "Return the unsaved rule of an appropriation"
        pool = Pool()
        SurplusRule = pool.get('coop.surplus.rule')
        return SurplusRule(**{
                name: getattr(self, name) for name in [
                    'sequence', 'name', 'kind', 'line_kind', 'other_kind',
                    'rate', 'reference', 'months', 'seniority_months', 'days',
                    'years',
                    'source', 'source_date']})


class SurplusRule(SurplusPartMixin, RuleMixin, ModelSQL, ModelView):
    __name__ = 'coop.surplus.rule'
    __string__ = "Surplus Rule"

    name = fields.Char("Name", required=True)
    reference = fields.Char("Reference",
        states={
            'invisible': Eval('kind') != 'capital',
            },
        help="The rate of the year to which the rate is added.")
    reference_rate = fields.Numeric("Reference Rate",
        states={
            'invisible': ~Eval('reference'),
            },
        help="The reference rate of the year.")
    reference_date = fields.Date("Date of Reference",
        states={
            'invisible': ~Eval('reference'),
            'required': Eval('reference_rate', None) != None,  # noqa: E711
            },
        help="When the reference rate was published.")
    reference_source = fields.Char("Source of Reference",
        states={
            'invisible': ~Eval('reference'),
            'required': Eval('reference_rate', None) != None,  # noqa: E711
            },
        help="Where the reference rate was published.")
