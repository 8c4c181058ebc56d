# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.

from sql import Null

from trytond.model import Check, ModelSQL, ModelView, fields, sequence_ordered
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool
from trytond.pyson import Bool, Eval

from .inputs import LineInputs
from .part import SurplusPartMixin

# The configured account of the lines of each kind
ACCOUNTS = {
    'loss_carried': 'account_carry_forward',
    'loss_cover': 'account_reserve',
    'reserve': 'account_reserve',
    'fund': 'account_fund',
    'share_dividend': 'account_share_dividend',
    'patronage': 'account_patronage',
    'carry_forward': 'account_carry_forward',
    'other': 'account_other_reserve',
    }


def account_field(company):
    return fields.Many2One(
        'account.account', "Account",
        domain=[
            ('type.statement', '=', 'balance'),
            ('deferral', '=', True),
            ('closed', '!=', True),
            ('party_required', '!=', True),
            ('company', '=', company),
            ],
        help="The account the line goes to.")


def target_account_field(company):
    return fields.Many2One(
        'account.account', "Target Account",
        domain=[
            ('type.statement', '=', 'balance'),
            ('closed', '!=', True),
            ('company', '=', company),
            ],
        help="The account whose balance the target is a part of.")


class LineMixin(sequence_ordered()):
    "The rule of a line of an appropriation"
    __slots__ = ()

    name = fields.Char("Name", required=True, translate=True)
    kind = fields.Selection([
            ('loss_carried', "Loss Carried Forward"),
            ('loss_cover', "Cover of Loss"),
            ('reserve', "Reserve"),
            ('fund', "Fund"),
            ('share_dividend', "Share Dividend"),
            ('patronage', "Patronage"),
            ('carry_forward', "Carry Forward"),
            ('other', "Other"),
            ], "Kind", required=True, sort=False,
        help="Only the covers of loss and what is carried forward take part "
        "in a loss: a cover bears what its account holds or, with a pool, "
        "what the members bear.")
    basis = fields.Selection([
            ('result', "Result"),
            ('result_before_tax', "Result before Tax"),
            ('member_result', "Result with Members"),
            ('member_result_before_tax', "Result with Members before Tax"),
            ('non_member_result', "Result with Non-Members"),
            ('remainder', "Remainder"),
            ('previous_line', "Previous Line"),
            ], "Basis", required=True, sort=False,
        help="What the rate applies to.\n"
        "The remainder is what the lines before leave. Lines of the "
        "remainder that follow each other share the same remainder, and "
        "the last of them takes the rest.\n"
        "The results before tax are taken after the losses of earlier "
        "years.")
    rate = fields.Numeric("Rate",
        help="The part of the basis.\n"
        "Leave empty for all of it.")
    minimum_amount = fields.Numeric("Minimum Amount",
        help="The line takes at least this, as far as there is as much.")
    minimum_rate = fields.Numeric("Minimum",
        help="The line is refused below this part of the basis.")
    maximum_rate = fields.Numeric("Maximum",
        help="The line is refused above this part of the basis.")
    target = fields.Numeric("Target",
        help="The line stops when its account reaches this part "
        "of the balance of the target account.")
    source = fields.Char("Source",
        help="The law or the statutes that set the minimum and the maximum.")

    @classmethod
    def default_basis(cls):
        return 'result'


class SurplusLine(SurplusPartMixin, LineMixin, ModelSQL, ModelView):
    __name__ = 'coop.surplus.line'
    __string__ = "Surplus Line"

    name = fields.Char("Name", required=True)
    amount = Monetary(
        "Amount", currency='currency', digits='currency',
        states={
            'readonly': Bool(Eval('rate', 0)),
            },
        help="A fixed amount instead of a part of the basis.")
    fund = fields.Many2One(
        'coop.fund', "Fund", ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        states={
            'invisible': Eval('kind') != 'fund',
            },
        help="The fund that gets the line.\n"
        "Leave empty to let it go to the account.")
    account = account_field(Eval('company', -1))
    target_account = target_account_field(Eval('company', -1))
    computed_amount = Monetary(
        "Computed Amount", currency='currency', digits='currency',
        readonly=True)

    @classmethod
    def __setup__(cls):
        super().__setup__()
        t = cls.__table__()
        cls.account.states['readonly'] = (
            (Eval('kind') == 'fund') & Bool(Eval('fund')))
        cls.target_account.states['invisible'] = ~Eval('target', 0)
        cls.target_account.states['required'] = Bool(Eval('target', 0))
        cls.rate.states['readonly'] = Bool(Eval('amount', 0))
        cls._sql_constraints += [
            ('rate_amount', Check(t, (t.rate == Null) | (t.amount == Null)),
                'coop_patronage.msg_surplus_line_rate_amount'),
            ]

    @fields.depends('kind', 'surplus', '_parent_surplus.company')
    def on_change_kind(self):
        if self.kind and self.surplus and self.surplus.company:
            self.account = self.get_account(self.kind, self.surplus.company)
        if self.kind != 'fund':
            self.fund = None

    @fields.depends('fund', methods=['on_change_kind'])
    def on_change_fund(self):
        if not self.fund:
            self.on_change_kind()
        else:
            # What is owed to somebody is no account without a party
            self.account = (
                None if self.fund.is_debt else self.fund.account)

    def get_section(self):
        "Return the section of the business that the line is about"

    def set_section(self, section):
        "Set the section by its id"

    def get_inputs(self):
        def get_id(record):
            return record.id if record else None

        return LineInputs(
            self.id, self.kind, self.basis, self.rate, self.amount,
            self.minimum_amount, self.minimum_rate, self.maximum_rate,
            self.target, get_id(self.account), get_id(self.target_account),
            get_id(self.get_section()))

    def set_computed(self, allocated):
        "Set what the line takes of what is allocated"
        self.computed_amount = allocated.amounts[self.id]

    @property
    def given_fund(self):
        "The fund that gets the line"
        return self.fund if self.kind == 'fund' else None

    @classmethod
    def get_account(cls, kind, company):
        "Return the configured account of the lines of the kind"
        pool = Pool()
        Configuration = pool.get('coop.patronage.configuration')
        return Configuration(1).get_multivalue(
            ACCOUNTS[kind], company=company.id)
