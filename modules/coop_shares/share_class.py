# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from decimal import Decimal

from sql import Null

from trytond.i18n import gettext
from trytond.model import (
    Check, DeactivableMixin, ModelSQL, ModelView, Unique, fields)
from trytond.model.exceptions import AccessError
from trytond.modules.coop_membership.document import SearchMixin
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool
from trytond.pyson import Bool, Eval, If
from trytond.transaction import Transaction, inactive_records

from .exceptions import ShareClassValidationError
from .quantity import QUANTITY_DIGITS, number
from .share_class_budget import ShareClassBudget
from .share_class_interest import ShareClassInterest
from .share_class_limits import ShareClassLimits

_account_domain = [
    ('company', '=', Eval('company', -1)),
    ('closed', '!=', True),
    ]
_equity_domain = _account_domain + [
    ('type.statement', '=', 'balance'),
    ('type.assets', '!=', True),
    ('type.receivable', '!=', True),
    ('type.payable', '!=', True),
    ('party_required', '=', True),
    ]
_other_domain = _account_domain + [
    ('type', '!=', None),
    ('party_required', '!=', True),
    ]


class ShareClass(
        ShareClassLimits, ShareClassBudget, ShareClassInterest, SearchMixin,
        DeactivableMixin, ModelSQL, ModelView):
    __name__ = 'coop.share.class'
    __string__ = "Share Class"
    _search_names = ('code', 'name')
    # The accounts by the name of their template
    _chart_accounts = {
        f'account_{name}': ('coop_shares', f'account_template_{name}')
        for name in [
            'capital', 'subscribed', 'redemption', 'premium', 'loss',
            'deduction', 'lapsed']}

    name = fields.Char("Name", required=True, translate=True)
    code = fields.Char("Code", required=True,
        help="The short name of the class, unique in the company.")
    company = fields.Many2One('company.company', "Company", required=True)
    currency = fields.Function(fields.Many2One(
            'currency.currency', "Currency"), 'on_change_with_currency')
    par_value = Monetary(
        "Par Value", currency='currency', digits='currency', required=True,
        help="The nominal value of a share.")
    quantity_digits = fields.Integer("Quantity Digits", required=True,
        domain=[
            ('quantity_digits', '>=', 0),
            ('quantity_digits', '<=', QUANTITY_DIGITS),
            ],
        help="The number of decimals of the quantities, "
        "0 for whole shares.")
    kind = fields.Selection([
            ('membership', "Membership"),
            ('additional', "Additional"),
            ('allocated', "Allocated"),
            ], "Kind", required=True, sort=False,
        help="Membership shares are held by every member, additional ones "
        "by choice and allocated ones come from patronage.")
    categories = fields.Many2Many(
        'coop.share.class-coop.member.category', 'share_class', 'category',
        "Categories",
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        help="The categories whose members may hold the shares.\n"
        "Leave empty for all.")
    minimum = fields.Numeric(
        "Minimum", digits=(None, Eval('quantity_digits', 0)),
        domain=['OR',
            ('minimum', '=', None),
            ('minimum', '>=', 0),
            ],
        help="The quantity a member holds at least, if any.")
    minimum_steps = fields.One2Many(
        'coop.share.class.minimum', 'share_class', "Steps of the Minimum",
        help="From when on members hold more than the minimum at least.")
    offers = fields.One2Many(
        'coop.share.offer', 'share_class', "Offers",
        states={
            'invisible': ~Eval('offered', False) & ~Eval('offers', [0]),
            },
        help="When the shares are subscribed, and how many.\n"
        "Leave empty if they always are.")
    offered = fields.Function(
        fields.Boolean("Offers of Shares"), 'on_change_with_offered')
    maximum = fields.Numeric(
        "Maximum", digits=(None, Eval('quantity_digits', 0)),
        domain=['OR',
            ('maximum', '=', None),
            If(Eval('minimum', None) == None,  # noqa: E711
                ('maximum', '>=', 0),
                ('maximum', '>=', Eval('minimum', 0))),
            ],
        help="The quantity a member holds at most.")
    maximum_percent = fields.Numeric("Maximum Percentage", digits=(None, 4),
        domain=['OR',
            ('maximum_percent', '=', None),
            [
                ('maximum_percent', '>', 0),
                ('maximum_percent', '<=', 100),
                ],
            ],
        help="The percentage of the capital of the class "
        "a member holds at most.")
    member_limited = fields.Function(
        fields.Boolean("Limit per Member"), 'on_change_with_member_limited')
    outside_limit = fields.Boolean("Outside the Limit per Member",
        states={
            'invisible': ~Eval('member_limited', False),
            },
        help="Check if the shares do not count in the limit of what a member "
        "holds of all classes.")
    entry_fee = Monetary(
        "Entry Fee", currency='currency', digits='currency',
        domain=['OR',
            ('entry_fee', '=', None),
            ('entry_fee', '>', 0),
            ],
        help="What a member pays once with the first subscription and does "
        "not get back.")
    liability_sum = Monetary(
        "Liability Sum", currency='currency', digits='currency',
        domain=['OR',
            ('liability_sum', '=', None),
            ('liability_sum', '>', 0),
            ],
        help="What a member is liable for with each share beyond the share "
        "itself, as the papers tell.")
    transferable = fields.Boolean("Transferable",
        help="Check if members can transfer the shares.\n"
        "They are inherited in any case.")
    redeemable = fields.Boolean("Redeemable",
        help="Check if the cooperative takes the shares back.")
    keep_last = fields.Boolean("Keep Last Share",
        states={
            'invisible': (
                ~Eval('redeemable', False) | (Eval('kind') != 'membership')),
            },
        help="Check to redeem the last share of a member only when the "
        "member leaves.")
    lock_in_months = fields.Integer("Lock-in",
        domain=['OR',
            ('lock_in_months', '=', None),
            ('lock_in_months', '>=', 0),
            ],
        help="The number of months a share is held at least.")
    participates = fields.Boolean("Participates",
        help="Check if share dividends are paid on the shares.")
    dividend_use = fields.Selection([
            ('pay', "Pay Out"),
            ('fill', "Fill Unpaid Shares"),
            ('choice', "Choice of the Member"),
            ], "Use of Dividends", required=True, sort=False,
        states={
            'invisible': ~Eval('participates', False),
            },
        help="Pay Out: the member gets share dividends in money.\n"
        "Fill Unpaid Shares: they pay what is unpaid of the shares of the "
        "class before anything is paid out.\n"
        "Choice of the Member: they do so, or buy new shares, if the member "
        "has chosen it.")
    due_percent = fields.Numeric("Due at Once", digits=(None, 4),
        domain=['OR',
            ('due_percent', '=', None),
            [
                ('due_percent', '>=', 0),
                ('due_percent', '<=', 100),
                ],
            ],
        states={
            'invisible': ~Eval('called', False) | (
                Eval('effective') != 'confirmation'),
            },
        help="The percentage of the par value that is due with the "
        "subscription. The rest is due once it is called.\n"
        "Leave empty if all is due.")
    called = fields.Function(
        fields.Boolean("Calls of Shares"), 'on_change_with_called')
    effective = fields.Selection([
            ('confirmation', "Confirmation"),
            ('payment', "Payment"),
            ], "Effective on", required=True, sort=False,
        help="When a subscribed share counts: "
        "from its confirmation or from its full payment.")
    redemption_cap = fields.Numeric("Redemption Cap", digits=(None, 4),
        domain=['OR',
            ('redemption_cap', '=', None),
            [
                ('redemption_cap', '>=', 0),
                ('redemption_cap', '<=', 100),
                ],
            ],
        states={
            'invisible': ~Eval('redeemable', False),
            },
        help="The percentage of the capital of the class at the start of "
        "a fiscal year that is redeemed in it at most.")
    minimum_capital = Monetary(
        "Minimum Capital", currency='currency', digits='currency',
        states={
            'invisible': ~Eval('redeemable', False),
            },
        help="The capital of the class below which nothing is redeemed.")
    presented_equity = fields.Selection([
            ('all', "All"),
            ('minimum', "Minimum Capital"),
            ('none', "None"),
            ], "Presented as Equity", required=True, sort=False,
        states={
            'invisible': ~Eval('redeemable', False),
            },
        help="Which part of the capital is shown as equity where the accounts "
        "follow IFRIC 2. The rest is shown as a liability, without a "
        "posting.\n"
        "All: the cooperative may refuse to redeem.\n"
        "Minimum Capital: it may as far as that would not be left.\n"
        "None: it may not.")
    redemption_order = fields.Selection([
            ('request_date', "Request Date"),
            ('pro_rata', "Pro Rata"),
            ], "Redemption Order", required=True, sort=False,
        states={
            'invisible': ~Eval('redeemable', False),
            },
        help="How the requests share what can be redeemed in a year.")
    payment_months = fields.Integer("Payment after", required=True,
        domain=[
            ('payment_months', '>=', 0),
            ],
        states={
            'invisible': ~Eval('redeemable', False),
            },
        help="The number of months after the end of the holding "
        "when a redemption is paid.")
    repaid_premium = Monetary(
        "Repaid Premium", currency='currency', digits='currency',
        domain=['OR',
            ('repaid_premium', '=', None),
            ('repaid_premium', '>=', 0),
            ],
        states={
            'invisible': ~Eval('redeemable', False),
            },
        help="The part of the premium of a share that is paid back "
        "when it is redeemed.\n"
        "Leave empty to keep the premium.")
    account_capital = fields.Many2One(
        'account.account', "Account Capital", required=True,
        domain=_equity_domain,
        help="The equity account of the capital, per member.")
    account_subscribed = fields.Many2One(
        'account.account', "Account Subscribed", required=True,
        domain=_account_domain + [
            ('type.receivable', '=', True),
            ('party_required', '=', True),
            ('reconcile', '=', True),
            ],
        help="The receivable account of what members have still to pay.")
    account_unpaid = fields.Many2One(
        'account.account', "Account Unpaid",
        domain=_equity_domain + [
            ('id', '!=', Eval('account_capital', -1)),
            ],
        states={
            'required': Eval('effective') == 'payment',
            },
        help="The account of the capital that is subscribed but not paid, "
        "if it is kept apart from the capital.")
    account_redemption = fields.Many2One(
        'account.account', "Account Redemption",
        domain=_account_domain + [
            ('type.payable', '=', True),
            ('party_required', '=', True),
            ('reconcile', '=', True),
            ],
        states={
            'required': Eval('redeemable', False),
            },
        help="The payable account of what is due to leaving members.")
    account_premium = fields.Many2One(
        'account.account', "Account Premium", domain=_other_domain,
        help="The account of what is paid above the par value.")
    account_entry_fee = fields.Many2One(
        'account.account', "Account Entry Fee", domain=_other_domain,
        states={
            'invisible': ~Eval('entry_fee', None),
            'required': Bool(Eval('entry_fee', None)),
            },
        help="The account of the entry fees: a revenue, or the reserve that "
        "the law names.")
    account_loss = fields.Many2One(
        'account.account', "Account Loss", domain=_other_domain,
        help="The account of the losses that redeemed shares bear.")
    account_deduction = fields.Many2One(
        'account.account', "Account Deduction", domain=_other_domain,
        help="The account of what is deducted from redemptions.")
    account_forfeited = fields.Many2One(
        'account.account', "Account Forfeited", domain=_other_domain,
        states={
            'invisible': ~Eval('called', False),
            },
        help="The account of what was paid of forfeited shares: the reserve "
        "that the statutes name.")
    account_lapsed = fields.Many2One(
        'account.account', "Account Lapsed", domain=_other_domain,
        help="The account of the claims that were not collected in time.")

    @classmethod
    def __setup__(cls):
        cls.code.search_unaccented = False
        super().__setup__()
        t = cls.__table__()
        cls._sql_constraints += [
            ('code_unique', Unique(t, t.company, t.code),
                'coop_shares.msg_class_code_unique'),
            ('par_value_positive', Check(t, number(t.par_value) > 0),
                'coop_shares.msg_class_par_value_positive'),
            ('maximum', Check(t,
                    (t.minimum == Null) | (t.maximum == Null)
                    | (number(t.minimum) <= number(t.maximum))),
                'coop_shares.msg_class_maximum'),
            ]
        cls._order.insert(0, ('code', 'ASC'))
        # The books would not agree with the ledger any more
        cls._modify_unused = {
            'company', 'kind', 'effective', 'account_capital',
            'account_subscribed', 'account_unpaid', 'account_redemption'}

    @classmethod
    def default_company(cls):
        return Transaction().context.get('company')

    @classmethod
    def default_quantity_digits(cls):
        return 0

    @classmethod
    def default_kind(cls):
        return 'membership'

    @classmethod
    def default_outside_limit(cls):
        return False

    @classmethod
    def default_transferable(cls):
        return True

    @classmethod
    def default_redeemable(cls):
        return True

    @classmethod
    def default_participates(cls):
        return True

    @classmethod
    def default_dividend_use(cls):
        return 'pay'

    @classmethod
    def default_effective(cls):
        return 'confirmation'

    @classmethod
    def default_presented_equity(cls):
        return 'all'

    def get_liability(self, capital):
        "Return what of the capital of the class is shown as a liability"
        if not self.redeemable or self.presented_equity == 'all':
            return capital * 0
        elif self.presented_equity == 'minimum':
            return max(capital - (self.minimum_capital or 0), capital * 0)
        return capital

    @classmethod
    def default_redemption_order(cls):
        return 'request_date'

    @classmethod
    def default_payment_months(cls):
        return 0

    @fields.depends('company')
    def on_change_with_currency(self, name=None):
        return self.company.currency if self.company else None

    @fields.depends('company')
    def on_change_with_member_limited(self, name=None):
        Configuration = Pool().get('coop.share.configuration')
        if self.company:
            return Configuration(1).has_member_limit(self.company)

    @fields.depends('company')
    def on_change_with_offered(self, name=None):
        Configuration = Pool().get('coop.share.configuration')
        if self.company:
            return Configuration(1).get_multivalue(
                'share_offers', company=self.company.id)

    @fields.depends('company')
    def on_change_with_called(self, name=None):
        Configuration = Pool().get('coop.share.configuration')
        if self.company:
            return Configuration(1).get_multivalue(
                'share_calls', company=self.company.id)

    def get_rec_name(self, name):
        return f'[{self.code}] {self.name}'

    @property
    def unit(self):
        "The smallest quantity"
        return Decimal(1).scaleb(-self.quantity_digits)

    def liability(self, quantity):
        "Return what a member is liable for with the quantity"
        return self.currency.round(quantity * (self.liability_sum or 0))

    def get_account(self, name):
        "Return the account or raise an error that names it"
        account = getattr(self, f'account_{name}')
        if not account:
            raise ShareClassValidationError(gettext(
                    'coop_shares.msg_class_account_missing',
                    share_class=self.rec_name,
                    **self.__names__(f'account_{name}')))
        return account

    @classmethod
    def check_modification(
            cls, mode, classes, values=None, external=False):
        pool = Pool()
        Move = pool.get('coop.share.move')
        Subscription = pool.get('coop.share.subscription')
        super().check_modification(
            mode, classes, values=values, external=external)
        if mode == 'write' and values.keys() & cls._modify_unused:
            changed = [
                c for c in classes
                if any(
                    _value(getattr(c, f)) != _value(values[f])
                    for f in values.keys() & cls._modify_unused)]
            used = (
                Move.search([('share_class', 'in', changed)], limit=1)
                or Subscription.search([
                        ('share_class', 'in', changed),
                        ('state', '!=', 'draft'),
                        ], limit=1))
            if used:
                raise AccessError(gettext(
                        'coop_shares.msg_class_modify_used',
                        share_class=used[0].share_class.rec_name))

    @classmethod
    def copy(cls, classes, default=None):
        default = default.copy() if default is not None else {}
        default.setdefault('code', cls._get_copy_code)
        copies = []
        # The code of each depends on the others
        for class_ in classes:
            copies.extend(super().copy([class_], default=default))
        return copies

    @classmethod
    def _get_copy_code(cls, data):
        "Return a code that no other class of the company has"
        with inactive_records():
            codes = {
                c.code for c in cls.search([
                        ('company', '=', data['company']),
                        ])}
        code, count = f"{data['code']} (copy)", 1
        while code in codes:
            count += 1
            code = f"{data['code']} (copy {count})"
        return code


def _value(value):
    return value.id if isinstance(value, ModelSQL) else value
