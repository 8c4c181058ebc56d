# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.model import ModelSingleton, ModelSQL, ModelView, fields
from trytond.modules.company.model import (
    CompanyMultiValueMixin, CompanyValueMixin)
from trytond.pool import Pool
from trytond.pyson import Eval, Id

SEQUENCES = {
    'share_move': "Share Move Sequence",
    'subscription': "Subscription Sequence",
    'transfer': "Transfer Sequence",
    'redemption': "Redemption Sequence",
    'certificate': "Certificate Sequence",
    'dividend': "Dividend Sequence",
    'call': "Call Sequence",
    'revaluation': "Revaluation Sequence",
    }
# The rows of the ledger need no number without gaps, for which all members
# would wait for each other
_NOT_STRICT = {'share_move'}


def sequence_field(name, company):
    return fields.Many2One(
        'ir.sequence' if name in _NOT_STRICT else 'ir.sequence.strict',
        SEQUENCES[name], required=True,
        domain=[
            ('company', 'in', [company, None]),
            ('sequence_type', '=',
                Id('coop_shares', f'sequence_type_{name}')),
            ])


def default_sequence(name):
    @classmethod
    def default(cls, **pattern):
        ModelData = Pool().get('ir.model.data')
        try:
            return ModelData.get_id('coop_shares', f'sequence_{name}')
        except KeyError:
            return None
    return default


_context_company = Eval('context', {}).get('company', -1)
cutover_date = fields.Date("Cut-over Date",
    help="The day on which the opening share moves are posted "
    "and from which the books are compared with the ledger.")
founding_date = fields.Date("Founded on",
    help="The day from which on the percentage of the capital that a member "
    "holds at most is checked: those who found the cooperative subscribe "
    "one after the other.\n"
    "Leave empty to check it always.")
lapse_years = fields.Integer("Lapse", required=True,
    domain=[
        ('lapse_years', '>', 0),
        ],
    help="The number of years after which a claim "
    "that is not collected lapses.")
dividend_resolution = fields.Boolean("Dividend Resolution",
    help="Check to approve share dividends only by "
    "the carried resolution of a meeting.")

member_limit = fields.Numeric("Limit per Member",
    domain=['OR',
        ('member_limit', '=', None),
        ('member_limit', '>', 0),
        ],
    help="The amount of the shares of all classes a member holds at most.\n"
    "Leave empty for no limit.")
member_limit_percent = fields.Numeric(
    "Percentage per Member", digits=(None, 4),
    domain=['OR',
        ('member_limit_percent', '=', None),
        [
            ('member_limit_percent', '>', 0),
            ('member_limit_percent', '<=', 100),
            ],
        ],
    help="The percentage of the capital of all classes a member holds at "
    "most.\n"
    "Leave empty for no limit.")
share_offers = fields.Boolean(
    "Offers of Shares",
    help="Check to offer shares of a class for some time only, up to an "
    "amount in all and to another one per member in the first days.")
share_calls = fields.Boolean(
    "Calls of Shares",
    help="Check to let a part of the shares be due only once it is called, "
    "and to forfeit shares of which a call is not paid.")
redemption_instalments = fields.Boolean(
    "Redemptions in Instalments",
    help="Check to pay redemptions in instalments, or with interest.")
withholding_surcharge = fields.Numeric(
    "Surcharge on the Tax", digits=(14, 10),
    domain=['OR',
        ('withholding_surcharge', '=', None),
        ('withholding_surcharge', '>=', 0),
        ],
    help="The part of the tax, such as a solidarity surcharge, that the "
    "rates of withholding contain besides the tax.\n"
    "Church tax is not charged on it.")


def account_opening(company):
    return fields.Many2One(
        'account.account', "Opening Account",
        domain=[
            ('company', '=', company),
            ('type', '!=', None),
            ('closed', '!=', True),
            ('party_required', '!=', True),
            ],
        help="The counterpart of the opening share moves.\n"
        "Leave empty if the accounts have the capital of each member "
        "already.")


class Configuration(
        ModelSingleton, ModelSQL, ModelView, CompanyMultiValueMixin):
    __name__ = 'coop.share.configuration'
    __string__ = "Share Configuration"

    share_move_sequence = fields.MultiValue(
        sequence_field('share_move', _context_company))
    subscription_sequence = fields.MultiValue(
        sequence_field('subscription', _context_company))
    transfer_sequence = fields.MultiValue(
        sequence_field('transfer', _context_company))
    redemption_sequence = fields.MultiValue(
        sequence_field('redemption', _context_company))
    certificate_sequence = fields.MultiValue(
        sequence_field('certificate', _context_company))
    dividend_sequence = fields.MultiValue(
        sequence_field('dividend', _context_company))
    call_sequence = fields.MultiValue(
        sequence_field('call', _context_company))
    revaluation_sequence = fields.MultiValue(
        sequence_field('revaluation', _context_company))
    cutover_date = fields.MultiValue(cutover_date)
    account_opening = fields.MultiValue(account_opening(_context_company))
    founding_date = fields.MultiValue(founding_date)
    lapse_years = fields.MultiValue(lapse_years)
    dividend_resolution = fields.MultiValue(dividend_resolution)
    member_limit = fields.MultiValue(member_limit)
    member_limit_percent = fields.MultiValue(member_limit_percent)
    share_offers = fields.MultiValue(share_offers)
    share_calls = fields.MultiValue(share_calls)
    redemption_instalments = fields.MultiValue(redemption_instalments)
    withholding_surcharge = fields.MultiValue(withholding_surcharge)

    @classmethod
    def multivalue_model(cls, field):
        pool = Pool()
        if field in {f'{name}_sequence' for name in SEQUENCES}:
            return pool.get('coop.share.configuration.sequence')
        elif field in {'cutover_date', 'account_opening', 'founding_date'}:
            return pool.get('coop.share.configuration.opening')
        elif field in {
                'lapse_years', 'dividend_resolution', 'member_limit',
                'member_limit_percent', 'share_offers', 'share_calls',
                'redemption_instalments', 'withholding_surcharge'}:
            return pool.get('coop.share.configuration.rule')
        return super().multivalue_model(field)

    default_share_move_sequence = default_sequence('share_move')
    default_subscription_sequence = default_sequence('subscription')
    default_transfer_sequence = default_sequence('transfer')
    default_redemption_sequence = default_sequence('redemption')
    default_certificate_sequence = default_sequence('certificate')
    default_dividend_sequence = default_sequence('dividend')
    default_call_sequence = default_sequence('call')
    default_revaluation_sequence = default_sequence('revaluation')

    @classmethod
    def default_lapse_years(cls, **pattern):
        return cls.multivalue_model('lapse_years').default_lapse_years()

    @classmethod
    def default_dividend_resolution(cls, **pattern):
        return cls.multivalue_model(
            'dividend_resolution').default_dividend_resolution()

    @classmethod
    def default_share_offers(cls, **pattern):
        return cls.multivalue_model('share_offers').default_share_offers()

    @classmethod
    def default_share_calls(cls, **pattern):
        return cls.multivalue_model('share_calls').default_share_calls()

    @classmethod
    def default_redemption_instalments(cls, **pattern):
        return cls.multivalue_model(
            'redemption_instalments').default_redemption_instalments()

    def has_member_limit(self, company):
        "Return whether there is a limit of what a member holds of all classes"
        return any(self.get_member_limits(company))

    def get_member_limits(self, company):
        "Return what a member holds at most: the amount and the percentage"
        return tuple(
            self.get_multivalue(name, company=company.id)
            for name in ['member_limit', 'member_limit_percent'])


class ConfigurationSequence(ModelSQL, CompanyValueMixin):
    __name__ = 'coop.share.configuration.sequence'

    share_move_sequence = sequence_field('share_move', Eval('company', -1))
    subscription_sequence = sequence_field(
        'subscription', Eval('company', -1))
    transfer_sequence = sequence_field('transfer', Eval('company', -1))
    redemption_sequence = sequence_field('redemption', Eval('company', -1))
    certificate_sequence = sequence_field(
        'certificate', Eval('company', -1))
    dividend_sequence = sequence_field('dividend', Eval('company', -1))
    call_sequence = sequence_field('call', Eval('company', -1))
    revaluation_sequence = sequence_field('revaluation', Eval('company', -1))

    default_share_move_sequence = default_sequence('share_move')
    default_subscription_sequence = default_sequence('subscription')
    default_transfer_sequence = default_sequence('transfer')
    default_redemption_sequence = default_sequence('redemption')
    default_certificate_sequence = default_sequence('certificate')
    default_dividend_sequence = default_sequence('dividend')
    default_call_sequence = default_sequence('call')
    default_revaluation_sequence = default_sequence('revaluation')


class ConfigurationOpening(ModelSQL, CompanyValueMixin):
    __name__ = 'coop.share.configuration.opening'

    cutover_date = cutover_date
    account_opening = account_opening(Eval('company', -1))
    founding_date = founding_date


class ConfigurationRule(ModelSQL, CompanyValueMixin):
    __name__ = 'coop.share.configuration.rule'

    lapse_years = lapse_years
    dividend_resolution = dividend_resolution
    member_limit = member_limit
    member_limit_percent = member_limit_percent
    share_offers = share_offers
    share_calls = share_calls
    redemption_instalments = redemption_instalments
    withholding_surcharge = withholding_surcharge

    @classmethod
    def default_lapse_years(cls):
        return 5

    @classmethod
    def default_dividend_resolution(cls):
        return True

    @classmethod
    def default_share_offers(cls):
        return False

    @classmethod
    def default_share_calls(cls):
        return False

    @classmethod
    def default_redemption_instalments(cls):
        return False
