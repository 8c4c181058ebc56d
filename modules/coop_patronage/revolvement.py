# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from decimal import Decimal

from trytond.i18n import gettext
from trytond.model import ModelSQL, ModelView, Workflow, fields
from trytond.model.exceptions import AccessError
from trytond.modules.coop_membership.agreement import BooksMixin
from trytond.modules.coop_membership.cancelled import CancelledMixin
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool
from trytond.pyson import Eval, If
from trytond.transaction import Transaction

from .exceptions import RevolvementError
from .revolvement_computation import RevolvementComputation
from .revolvement_posting import RevolvementPosting
from .solvency import SolvencyMixin


class Revolvement(
        RevolvementComputation, RevolvementPosting, CancelledMixin,
        SolvencyMixin, BooksMixin, Workflow, ModelSQL, ModelView):
    __name__ = 'coop.equity.revolvement'
    __string__ = "Equity Revolvement"
    _work = (
        ('computed', 'approve', 'posting_date'),
        ('approved', 'post', 'posting_date'))
    _pending = {'approved': 'posting_date'}

    _states = {
        'readonly': ~Eval('state').in_(['draft', 'computed']),
        }

    company = fields.Many2One('company.company', "Company", required=True,
        states={
            'readonly': _states['readonly'] | Eval('classes', [0]),
            })
    currency = fields.Function(fields.Many2One(
            'currency.currency', "Currency"),
        'on_change_with_currency')
    description = fields.Char("Description", states=_states)
    classes = fields.Many2Many(
        'coop.equity.revolvement-coop.share.class', 'revolvement',
        'share_class', "Classes", required=True,
        domain=[
            ('company', '=', Eval('company', -1)),
            ('kind', '=', 'allocated'),
            ],
        states=_states)
    method = fields.Selection([
            ('fifo', "Oldest First"),
            ('lifo', "Newest First"),
            ('percentage', "Percentage of All"),
            ('hybrid', "Oldest First and Percentage"),
            ('base_capital', "Base Capital"),
            ('estate', "Early at Present Value"),
            ], "Method", required=True, sort=False, states=_states)
    posting_date = fields.Date("Posting Date", required=True, states=_states)
    payment_date = fields.Date("Payment Date", states=_states,
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
            'readonly': _states['readonly'],
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
            'readonly': _states['readonly'],
            'invisible': ~Eval('method').in_(['percentage', 'hybrid']),
            'required': ((Eval('method') == 'hybrid')
                | ((Eval('method') == 'percentage')
                    & ~Eval('budget', 0))),
            },
        help="The part of all balances or, for hybrid, the part of the "
        "budget that pays the oldest first.")
    until_vintage = fields.Integer("Until Vintage",
        states={
            'readonly': _states['readonly'],
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
            'readonly': _states['readonly'],
            'invisible': Eval('method') != 'estate',
            'required': Eval('method') == 'estate',
            },
        help="The rate of interest per year for payments before the end of "
        "the cycle.")
    cycle_years = fields.Integer("Cycle",
        states={
            'readonly': _states['readonly'],
            'invisible': Eval('method') != 'estate',
            'required': Eval('method') == 'estate',
            },
        help="After how many years a vintage is usually paid.")
    required_equity = Monetary(
        "Required Equity", currency='currency', digits='currency',
        states={
            'readonly': _states['readonly'],
            'invisible': Eval('method') != 'base_capital',
            'required': Eval('method') == 'base_capital',
            },
        help="What the members should hold together, "
        "each by the part in the use.")
    use_years = fields.Integer("Years of Use",
        states={
            'readonly': _states['readonly'],
            'invisible': Eval('method') != 'base_capital',
            'required': Eval('method') == 'base_capital',
            },
        help="Over how many years before the posting date "
        "the use is measured.")
    use_categories = fields.Many2Many(
        'coop.equity.revolvement-coop.patronage.category', 'revolvement',
        'category', "Use",
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        states={
            'readonly': _states['readonly'],
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
        states=_states,
        help="Pay only these members.\n"
        "Leave empty for all.")
    only_estates = fields.Boolean("Only Estates", states=_states,
        help="Check to pay only for members who died.")
    member_categories = fields.Many2Many(
        'coop.equity.revolvement-coop.member.category', 'revolvement',
        'category', "Member Categories",
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        states=_states,
        help="Pay only members of these categories on the posting date.\n"
        "Leave empty for all.")
    minimum_age = fields.Integer("Minimum Age",
        domain=['OR',
            ('minimum_age', '=', None),
            ('minimum_age', '>', 0),
            ],
        states=_states,
        help="Pay only members of at least this age on the posting date.")
    resolution = fields.Many2One(
        'coop.meeting.item', "Resolution", ondelete='RESTRICT',
        domain=[
            ('meeting.company', '=', Eval('company', -1)),
            ],
        states=_states)
    lines = fields.One2Many(
        'coop.equity.revolvement.line', 'revolvement', "Lines",
        readonly=True)
    moves = fields.One2Many('account.move', 'origin', "Moves", readonly=True)
    amount = fields.Function(Monetary(
            "Amount", currency='currency', digits='currency'), 'get_amount')
    state = fields.Selection([
            ('draft', "Draft"),
            ('computed', "Computed"),
            ('approved', "Approved"),
            ('posted', "Posted"),
            ('cancelled', "Cancelled"),
            ], "State", required=True, readonly=True, sort=False)

    del _states

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls._order = [
            ('posting_date', 'DESC'),
            ('id', 'DESC'),
            ]
        cls._transitions |= {
            ('draft', 'computed'),
            ('computed', 'computed'),
            ('computed', 'draft'),
            ('computed', 'approved'),
            ('approved', 'draft'),
            ('approved', 'posted'),
            ('draft', 'cancelled'),
            ('computed', 'cancelled'),
            ('posted', 'cancelled'),
            }
        cls._buttons.update({
                'draft': {
                    'invisible': ~Eval('state').in_(['computed', 'approved']),
                    'depends': ['state'],
                    },
                'compute': {
                    'invisible': ~Eval('state').in_(['draft', 'computed']),
                    'depends': ['state'],
                    },
                'approve': {
                    'invisible': Eval('state') != 'computed',
                    'depends': ['state'],
                    },
                'post': {
                    'invisible': Eval('state') != 'approved',
                    'depends': ['state'],
                    },
                'cancel': {
                    'invisible': ~Eval('state').in_(
                        ['draft', 'computed', 'posted']),
                    'depends': ['state'],
                    },
                })

    @classmethod
    def default_company(cls):
        return Transaction().context.get('company')

    @classmethod
    def default_method(cls):
        return 'fifo'

    @classmethod
    def default_state(cls):
        return 'draft'

    @fields.depends('company')
    def on_change_with_currency(self, name=None):
        return self.company.currency if self.company else None

    def get_amount(self, name):
        return sum((line.amount for line in self.lines), Decimal(0))

    def get_rec_name(self, name):
        return ' '.join(filter(
                None, [str(self.posting_date), self.description]))

    @classmethod
    def search_rec_name(cls, name, clause):
        return [('description', *clause[1:])]

    @classmethod
    def copy(cls, revolvements, default=None):
        default = default.copy() if default is not None else {}
        for name in ['lines', 'moves', 'resolution']:
            default.setdefault(name)
        return super().copy(revolvements, default=default)

    @classmethod
    def check_modification(
            cls, mode, revolvements, values=None, external=False):
        super().check_modification(
            mode, revolvements, values=values, external=external)
        for revolvement in revolvements:
            if (mode == 'delete' and revolvement.state != 'draft'
                    or external and (
                        revolvement.state not in {'draft', 'computed'}
                        or 'state' in (values or {}))):
                raise AccessError(gettext(
                        'coop_patronage.msg_revolvement_modify',
                        revolvement=revolvement.rec_name))

    @classmethod
    @ModelView.button
    @Workflow.transition('draft')
    def draft(cls, revolvements):
        pass

    @classmethod
    @ModelView.button
    @Workflow.transition('approved')
    def approve(cls, revolvements):
        pool = Pool()
        Configuration = pool.get('coop.patronage.configuration')
        config = Configuration(1)
        for revolvement in revolvements:
            revolvement.check_solvency(RevolvementError)
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


class RevolvementClass(ModelSQL):
    __name__ = 'coop.equity.revolvement-coop.share.class'

    revolvement = fields.Many2One(
        'coop.equity.revolvement', "Revolvement",
        ondelete='CASCADE', required=True)
    share_class = fields.Many2One(
        'coop.share.class', "Share Class",
        ondelete='RESTRICT', required=True)


class RevolvementCategory(ModelSQL):
    __name__ = 'coop.equity.revolvement-coop.patronage.category'

    revolvement = fields.Many2One(
        'coop.equity.revolvement', "Revolvement",
        ondelete='CASCADE', required=True)
    category = fields.Many2One(
        'coop.patronage.category', "Category",
        ondelete='RESTRICT', required=True)


class RevolvementMember(ModelSQL):
    __name__ = 'coop.equity.revolvement-coop.member'

    revolvement = fields.Many2One(
        'coop.equity.revolvement', "Revolvement",
        ondelete='CASCADE', required=True)
    member = fields.Many2One(
        'coop.member', "Member", ondelete='RESTRICT', required=True)


class RevolvementMemberCategory(ModelSQL):
    __name__ = 'coop.equity.revolvement-coop.member.category'

    revolvement = fields.Many2One(
        'coop.equity.revolvement', "Revolvement",
        ondelete='CASCADE', required=True)
    category = fields.Many2One(
        'coop.member.category', "Category",
        ondelete='RESTRICT', required=True)
