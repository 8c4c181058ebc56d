# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from decimal import Decimal

from dateutil.relativedelta import relativedelta
from sql import Null

from trytond.i18n import gettext
from trytond.model import Check, ModelSQL, ModelView, fields
from trytond.model.exceptions import AccessError
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool, PoolMeta
from trytond.pyson import Eval, If

from .category import MONTHS

MONTHS_OF = {
    'month': 1,
    'quarter': 3,
    'half_year': 6,
    'year': 12,
    }

membership_fees = fields.Boolean(
    "Membership Fees",
    help="Check to invoice recurring fees to the members of categories.")


class Configuration(metaclass=PoolMeta):
    __name__ = 'coop.membership.configuration'

    membership_fees = fields.MultiValue(membership_fees)

    @classmethod
    def multivalue_model(cls, field):
        if field == 'membership_fees':
            return Pool().get('coop.membership.configuration.rule')
        return super().multivalue_model(field)

    @classmethod
    def default_membership_fees(cls, **pattern):
        return cls.multivalue_model(
            'membership_fees').default_membership_fees()


class ConfigurationRule(metaclass=PoolMeta):
    __name__ = 'coop.membership.configuration.rule'

    membership_fees = membership_fees

    @classmethod
    def default_membership_fees(cls):
        return False


class Category(metaclass=PoolMeta):
    __name__ = 'coop.member.category'

    fees = fields.One2Many(
        'coop.member.category.fee', 'category', "Fees",
        states={
            'invisible': ~Eval('with_fees', False) & ~Eval('fees', [0]),
            },
        help="What the members pay for each period.")
    with_fees = fields.Function(
        fields.Boolean("Membership Fees"), 'on_change_with_with_fees')

    @fields.depends('company')
    def on_change_with_with_fees(self, name=None):
        Configuration = Pool().get('coop.membership.configuration')
        if self.company:
            return Configuration(1).get_multivalue(
                'membership_fees', company=self.company.id)


class CategoryFee(ModelSQL, ModelView):
    __name__ = 'coop.member.category.fee'
    __string__ = "Membership Fee"
    # What decides on what was invoiced
    _fixed = {
        'category', 'amount', 'period', 'first_month', 'pro_rata',
        'start_date'}

    category = fields.Many2One(
        'coop.member.category', "Category", required=True,
        ondelete='CASCADE')
    company = fields.Function(
        fields.Many2One('company.company', "Company"),
        'on_change_with_company')
    currency = fields.Function(
        fields.Many2One('currency.currency', "Currency"),
        'on_change_with_currency')
    product = fields.Many2One(
        'product.product', "Product", required=True, ondelete='RESTRICT',
        domain=[
            ('type', '=', 'service'),
            ],
        context={
            'company': Eval('company', -1),
            },
        depends={'company'},
        help="What is invoiced, with its account and its taxes.")
    amount = Monetary(
        "Amount", currency='currency', digits='currency', required=True,
        help="What a whole period costs, without taxes.")
    period = fields.Selection([
            ('month', "Month"),
            ('quarter', "Quarter"),
            ('half_year', "Half-Year"),
            ('year', "Year"),
            ], "Period", required=True, sort=False)
    first_month = fields.Selection(
        MONTHS[1:], "First Month", required=True, sort=False,
        states={
            'invisible': Eval('period') == 'month',
            },
        help="The month in which a period begins.")
    pro_rata = fields.Selection([
            ('none', "Whole Periods"),
            ('month', "Begun Months"),
            ('day', "Days"),
            ], "Pro Rata", required=True, sort=False,
        help="What is paid by who is a member for a part of the period "
        "only.")
    refund = fields.Boolean(
        "Refund",
        states={
            'invisible': Eval('pro_rata') == 'none',
            },
        help="Check to credit what was invoiced already for the time after "
        "an exit.")
    start_date = fields.Date(
        "Start Date", required=True,
        domain=[
            If(Eval('end_date', None),
                ('start_date', '<=', Eval('end_date', None)),
                ()),
            ],
        help="The fee is paid for the periods that begin on this day or "
        "later.")
    end_date = fields.Date(
        "End Date",
        domain=[
            If(Eval('start_date', None) & Eval('end_date', None),
                ('end_date', '>=', Eval('start_date', None)),
                ()),
            ],
        help="The fee is not paid any more for periods that begin after this "
        "day.\n"
        "To change the amount, end the fee and add another one.")

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.__access__.add('category')
        t = cls.__table__()
        cls._sql_constraints += [
            ('amount_positive', Check(t, t.amount > 0),
                'coop_membership.msg_fee_amount_positive'),
            ('dates_order',
                Check(t, (t.end_date == Null) | (t.start_date <= t.end_date)),
                'coop_membership.msg_fee_dates'),
            ]
        cls._order = [
            ('start_date', 'DESC'),
            ('id', 'DESC'),
            ]

    @fields.depends('category', '_parent_category.company')
    def on_change_with_company(self, name=None):
        return self.category.company if self.category else None

    @fields.depends(
        'category', '_parent_category.company',
        '_parent_category._parent_company.currency')
    def on_change_with_currency(self, name=None):
        if self.category and self.category.company:
            return self.category.company.currency

    @classmethod
    def default_period(cls):
        return 'year'

    @classmethod
    def default_first_month(cls):
        return '1'

    @classmethod
    def default_pro_rata(cls):
        return 'none'

    @classmethod
    def default_refund(cls):
        return False

    def get_rec_name(self, name):
        return f'{self.category.rec_name} @ {self.product.rec_name}'

    @classmethod
    def check_modification(cls, mode, fees, values=None, external=False):
        Fee = Pool().get('coop.member.fee')
        super().check_modification(
            mode, fees, values=values, external=external)
        if mode == 'delete' or (
                mode == 'write' and values.keys() & cls._fixed):
            used = Fee.search([
                    ('fee', 'in', [f.id for f in fees]),
                    ], limit=1)
            if used:
                raise AccessError(gettext(
                        'coop_membership.msg_fee_used',
                        fee=used[0].fee.rec_name))

    def periods(self, start, end):
        """Yield the first and the last day of the periods of the fee

        Of those that begin on the days, and while the fee is in force.
        """
        months = MONTHS_OF[self.period]
        begin = max(self.start_date, start or self.start_date)
        end = min(end, self.end_date or end)
        day = dt.date(begin.year - 1, int(self.first_month), 1)
        while day <= end:
            following = day + relativedelta(months=months)
            if day >= begin:
                yield day, following - dt.timedelta(1)
            day = following

    def units(self, start, end):
        "Return the days on which the parts begin that the period has"
        if self.pro_rata == 'day':
            return [
                start + dt.timedelta(i) for i in range((end - start).days + 1)]
        elif self.pro_rata == 'month':
            return [
                start + relativedelta(months=i)
                for i in range(MONTHS_OF[self.period])]
        return [start]

    def owed(self, memberships, start, end, invoiced):
        """Return what is to be invoiced for the period, or credited

        What was invoiced for the time after an exit is kept unless it is
        refunded, but not after a change of the category.  Who was invoiced
        less, or more, gets back as much less, or more.
        """
        due = self.due(memberships, start, end)
        if due >= invoiced.computed:
            return due - invoiced.computed
        if not self.refund:
            due = self.due([
                    (first, None if last == exit_ else last, admission, exit_)
                    for first, last, admission, exit_ in memberships],
                start, end)
        return min(
            self.currency.round(due * invoiced.ratio) - invoiced.amount,
            Decimal(0))

    def due(self, memberships, start, end):
        """Return what the period costs for the memberships of a member

        They are first and last day, and first and last day of the stay.  A
        part of the period is paid in the category in which the member begins
        it.
        """
        units = self.units(start, end)
        lasts = [u - dt.timedelta(1) for u in units[1:]] + [end]
        paid = sum(
            any(max(first, unit) <= min(last or unit_end, unit_end)
                and max(first, unit) == max(admission, unit)
                for first, last, admission, _ in memberships)
            for unit, unit_end in zip(units, lasts))
        return self.currency.round(self.amount * paid / len(units))
