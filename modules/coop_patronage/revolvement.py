# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from decimal import Decimal

from trytond.i18n import gettext
from trytond.model import Check, ModelSQL, ModelView, Workflow, fields
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool
from trytond.pyson import Bool, Eval, If

from .exceptions import RevolvementError
from .part import RelationMixin, is_part, number
from .revolvement_computation import RevolvementComputation
from .revolvement_posting import RevolvementPosting
from .revolvement_requests import RevolvementRequests
from .run import PatronageRunMixin


class Revolvement(
        RevolvementComputation, RevolvementPosting, RevolvementRequests,
        PatronageRunMixin, ModelSQL, ModelView):
    __name__ = 'coop.equity.revolvement'
    __string__ = "Equity Revolvement"
    _search_names = ('description', 'members.rec_name')
    _date_order = (
        ('posting_date', 'payment_date',
            'coop_patronage.msg_revolvement_payment_date'),
        )

    description = fields.Char("Description")
    classes = fields.Many2Many(
        'coop.equity.revolvement-coop.share.class', 'revolvement',
        'share_class', "Classes", required=True,
        domain=[
            ('company', '=', Eval('company', -1)),
            ('kind', '=', 'allocated'),
            ])
    method = fields.Selection([
            ('fifo', "Oldest First"),
            ('lifo', "Newest First"),
            ('percentage', "Percentage of All"),
            ('hybrid', "Oldest First and Percentage"),
            ('base_capital', "Base Capital"),
            ('estate', "Early at Present Value"),
            ], "Method", required=True, sort=False)
    posting_date = fields.Date("Posting Date", required=True)
    payment_date = fields.Date("Payment Date",
        help="The maturity of what is payable.\n"
        "Leave empty for the posting date.")
    budget = Monetary(
        "Budget", currency='currency', digits='currency',
        domain=[
            If(Eval('budget', None),
                ('budget', '>', 0),
                ()),
            ],
        states={
            'invisible': Eval('method') == 'estate',
            'required': Eval('method') == 'hybrid',
            },
        help="What is paid out at most.")
    rate = fields.Numeric("Rate",
        domain=[
            ['OR',
                ('rate', '=', None),
                [('rate', '>', 0), ('rate', '<=', 1)],
                ],
            ],
        states={
            'invisible': ~Eval('method').in_(['percentage', 'hybrid']),
            'required': ((Eval('method') == 'hybrid')
                | ((Eval('method') == 'percentage')
                    & ~Eval('budget', 0))),
            },
        help="The part of all balances or, for hybrid, the part of the "
        "budget that pays the oldest first.")
    minimum = Monetary(
        "Minimum", currency='currency', digits='currency',
        domain=['OR',
            ('minimum', '=', None),
            ('minimum', '>', 0),
            ],
        states={
            'invisible': Eval('payout') == 'credit',
            },
        help="Who would get less money than this keeps the equity.")
    set_off = fields.Boolean("Set Off",
        help="Check to pay the overdue debts of the members first.")
    payout = fields.Selection([
            ('money', "Money"),
            ('credit', "Credit on Account"),
            ], "Payout", required=True, sort=False,
        help="Pay money, or credit it to what the members are billed.")
    until_vintage = fields.Integer("Until Vintage",
        states={
            'invisible': ~Eval('method').in_(['fifo', 'lifo']),
            },
        help="The last vintage that is paid.")
    discount_rate = fields.Numeric("Discount Rate",
        domain=[
            ['OR',
                ('discount_rate', '=', None),
                ('discount_rate', '>=', 0),
                ],
            ],
        states={
            'invisible': Eval('method') != 'estate',
            'required': Eval('method') == 'estate',
            },
        help="The rate of interest per year for payments before the end of "
        "the cycle.")
    cycle_years = fields.Integer("Cycle",
        states={
            'invisible': Eval('method') != 'estate',
            'required': Eval('method') == 'estate',
            },
        help="After how many years a vintage is usually paid.")
    required_equity = Monetary(
        "Required Equity", currency='currency', digits='currency',
        states={
            'invisible': Eval('method') != 'base_capital',
            'required': Eval('method') == 'base_capital',
            },
        help="What the members should hold together, "
        "each by the part in the use.")
    use_years = fields.Integer("Years of Use",
        states={
            'invisible': Eval('method') != 'base_capital',
            },
        help="Over how many years before the posting date "
        "the use is measured.\n"
        "Leave empty for all.")
    use_categories = fields.Many2Many(
        'coop.equity.revolvement-coop.patronage.category', 'revolvement',
        'category', "Use",
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        states={
            'invisible': Eval('method') != 'base_capital',
            'required': Eval('method') == 'base_capital',
            },
        help="The activity by which the use is measured.")
    members = fields.Many2Many(
        'coop.equity.revolvement-coop.member', 'revolvement', 'member',
        "Members",
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        help="Pay only these members.\n"
        "Leave empty for all.")
    only_estates = fields.Boolean("Only Estates",
        help="Check to pay only for members who died.")
    member_categories = fields.Many2Many(
        'coop.equity.revolvement-coop.member.category', 'revolvement',
        'category', "Member Categories",
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        help="Pay only members of these categories on the posting date.\n"
        "Leave empty for all.")
    minimum_age = fields.Integer("Minimum Age",
        domain=['OR',
            ('minimum_age', '=', None),
            ('minimum_age', '>', 0),
            ],
        help="Pay only members of at least this age on the posting date.")

    lines = fields.One2Many(
        'coop.equity.revolvement.line', 'revolvement', "Lines",
        readonly=True)
    amount = fields.Function(Monetary(
            "Amount", currency='currency', digits='currency'), 'get_amount')

    @classmethod
    def __setup__(cls):
        super().__setup__()
        t = cls.__table__()
        cls.company.states['readonly'] = Bool(Eval('classes', [0]))
        cls._sql_constraints += [
            ('budget_positive', Check(t, number(t.budget) > 0),
                'coop_patronage.msg_revolvement_budget'),
            ('rate_part', Check(t, is_part(t.rate, positive=True)),
                'coop_patronage.msg_part'),
            ]
        cls._order = [
            ('posting_date', 'DESC'),
            ('id', 'DESC'),
            ]

    @classmethod
    def default_method(cls):
        return 'fifo'

    @classmethod
    def default_payout(cls):
        return 'money'

    def get_amount(self, name):
        return sum((line.amount for line in self.lines), Decimal(0))

    def get_rec_name(self, name):
        return ' '.join(filter(
                None, [str(self.posting_date), self.description]))

    @classmethod
    @ModelView.button
    @Workflow.transition('approved')
    def approve(cls, revolvements):
        pool = Pool()
        Configuration = pool.get('coop.patronage.configuration')
        config = Configuration(1)
        for revolvement in revolvements:
            revolvement.check_solvency(RevolvementError)
            revolvement.check_inputs(RevolvementError)
            resolution = revolvement.resolution
            if not config.get_multivalue(
                    'resolution_required', company=revolvement.company.id):
                continue
            if (not resolution
                    or resolution.result != 'carried'
                    or resolution.meeting.state != 'closed'):
                raise RevolvementError(gettext(
                        'coop_patronage.msg_revolvement_resolution',
                        revolvement=revolvement.rec_name))


class RevolvementClass(RelationMixin, ModelSQL):
    __name__ = 'coop.equity.revolvement-coop.share.class'
    _document = 'revolvement'

    revolvement = fields.Many2One(
        'coop.equity.revolvement', "Revolvement",
        ondelete='CASCADE', required=True)
    share_class = fields.Many2One(
        'coop.share.class', "Share Class",
        ondelete='RESTRICT', required=True)


class RevolvementCategory(RelationMixin, ModelSQL):
    __name__ = 'coop.equity.revolvement-coop.patronage.category'
    _document = 'revolvement'

    revolvement = fields.Many2One(
        'coop.equity.revolvement', "Revolvement",
        ondelete='CASCADE', required=True)
    category = fields.Many2One(
        'coop.patronage.category', "Category",
        ondelete='RESTRICT', required=True)


class RevolvementMember(RelationMixin, ModelSQL):
    __name__ = 'coop.equity.revolvement-coop.member'
    _document = 'revolvement'

    revolvement = fields.Many2One(
        'coop.equity.revolvement', "Revolvement",
        ondelete='CASCADE', required=True)
    member = fields.Many2One(
        'coop.member', "Member", ondelete='RESTRICT', required=True)


class RevolvementMemberCategory(RelationMixin, ModelSQL):
    __name__ = 'coop.equity.revolvement-coop.member.category'
    _document = 'revolvement'

    revolvement = fields.Many2One(
        'coop.equity.revolvement', "Revolvement",
        ondelete='CASCADE', required=True)
    category = fields.Many2One(
        'coop.member.category', "Category",
        ondelete='RESTRICT', required=True)
