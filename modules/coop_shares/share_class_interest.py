# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.model import Check, ModelSQL, ModelView, Unique, fields
from trytond.pool import Pool
from trytond.pyson import Bool, Eval

from .quantity import number

_invisible = {
    'invisible': (
        ~Eval('redeemable', False)
        | (~Eval('in_instalments', False)
            & ~Eval('payment_term') & ~Eval('interest_rates', [0]))),
    }
_account_domain = [
    ('company', '=', Eval('company', -1)),
    ('closed', '!=', True),
    ('type', '!=', None),
    ('party_required', '!=', True),
    ]


class ShareClassInterest:
    "In which instalments redemptions are paid, and the interest on them"
    __slots__ = ()

    in_instalments = fields.Function(
        fields.Boolean("In Instalments"), 'on_change_with_in_instalments')
    payment_term = fields.Many2One(
        'account.invoice.payment_term', "Payment Term", ondelete='RESTRICT',
        states=_invisible,
        help="The instalments in which redemptions are paid, from their "
        "payment date on.\n"
        "Leave empty to pay them at once.")
    interest_rates = fields.One2Many(
        'coop.share.class.interest', 'share_class', "Interest Rates",
        states=_invisible,
        help="The simple interest on redemptions for a year of 365 days: "
        "instalments bear it from the end of the holding, what is paid at "
        "once from the day it was due.\n"
        "Leave empty for no interest.")
    interest_withholding_rate = fields.Numeric(
        "Withholding Rate", digits=(14, 10),
        domain=['OR',
            ('interest_withholding_rate', '=', None), [
                ('interest_withholding_rate', '>=', 0),
                ('interest_withholding_rate', '<=', 1),
                ],
            ],
        states={
            'invisible': (
                _invisible['invisible'] | ~Eval('interest_rates', [0])),
            },
        help="The rate of the tax to withhold from the interest.\n"
        "Leave empty to withhold nothing.")
    account_interest = fields.Many2One(
        'account.account', "Account Interest",
        domain=_account_domain + [
            ('type.statement', '=', 'income'),
            ],
        states={
            'invisible': (
                _invisible['invisible'] | ~Eval('interest_rates', [0])),
            'required': Bool(Eval('interest_rates', [])),
            },
        help="The expense account of the interest on redemptions.")
    account_interest_withholding = fields.Many2One(
        'account.account', "Account Interest Withholding",
        domain=_account_domain,
        states={
            'invisible': (
                _invisible['invisible']
                | ~Eval('interest_withholding_rate', 0)),
            },
        help="The account of the tax that is withheld from the interest.")

    @fields.depends('company')
    def on_change_with_in_instalments(self, name=None):
        Configuration = Pool().get('coop.share.configuration')
        if self.company:
            return Configuration(1).get_multivalue(
                'redemption_instalments', company=self.company.id)


class ShareInterest(ModelSQL, ModelView):
    __name__ = 'coop.share.class.interest'
    __string__ = "Interest Rate"

    share_class = fields.Many2One(
        'coop.share.class', "Share Class", required=True, ondelete='CASCADE')
    start_date = fields.Date("From", required=True,
        help="The first day of the rate, which lasts until the next one.")
    rate = fields.Numeric("Rate", digits=(14, 10), required=True,
        domain=[
            ('rate', '>=', 0),
            ],
        help="The rate for a whole year.")

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.__access__.add('share_class')
        t = cls.__table__()
        cls._sql_constraints += [
            ('start_date_unique', Unique(t, t.share_class, t.start_date),
                'coop_shares.msg_interest_rate_unique'),
            ('rate_positive', Check(t, number(t.rate) >= 0),
                'coop_shares.msg_interest_rate_positive'),
            ]
        cls._order = [
            ('start_date', 'ASC'),
            ('id', 'ASC'),
            ]
