# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.i18n import gettext
from trytond.model import ModelSingleton, ModelSQL, ModelView, fields
from trytond.modules.account.exceptions import AccountMissing
from trytond.modules.company.model import (
    CompanyMultiValueMixin, CompanyValueMixin)
from trytond.modules.coop_membership.chart import default_account
from trytond.pool import Pool
from trytond.pyson import Eval

_balance = [
    ('type.statement', '=', 'balance'),
    ('deferral', '=', True),
    ('party_required', '!=', True),
    ]
_payable = [
    ('type.payable', '=', True),
    ('party_required', '=', True),
    ('reconcile', '=', True),
    ]
_income = [
    ('type.statement', '=', 'income'),
    ('party_required', '!=', True),
    ]


def _accounts(company):
    "Return the fields of the accounts"
    def account(string, domain, help):
        return fields.Many2One(
            'account.account', string,
            domain=[
                ('closed', '!=', True),
                ('company', '=', company),
                *domain,
                ],
            help=help)

    return {
        'account_surplus': account("Undivided Surplus", _balance,
            "The account to which the result of the year is closed."),
        'account_carry_forward': account("Carried Forward", _balance,
            "The account of the surplus or the loss carried forward."),
        'account_reserve': account("Reserve", _balance,
            "The account of the reserve the law asks for."),
        'account_other_reserve': account("Other Reserves", _balance,
            "The account of the reserves the cooperative chooses."),
        'account_fund': account("Fund", _balance,
            "The account of the funds for education and the community."),
        'account_share_dividend': account(
            "Share Dividends to Distribute", _balance,
            "The account that clears the dividends on shares."),
        'account_patronage': account("Patronage to Distribute", _balance,
            "The account that clears the patronage dividends."),
        'account_patronage_accrued': account("Patronage Accrued", _balance,
            "The account of the patronage dividends owed at year end."),
        'account_patronage_expense': account("Patronage Expense", _income,
            "The account of patronage dividends recognised as expense."),
        'account_patronage_reduction': account(
            "Patronage Reduction of Revenue", _income,
            "The account of patronage dividends deducted from revenue."),
        'account_patronage_payable': account("Patronage Payable", _payable,
            "The account of what is paid to the patrons."),
        'account_toward_shares': account("Held Toward Shares", _payable,
            "The account of what is held toward shares or membership."),
        'account_savings': account("Member Savings", _payable,
            "The account of what members elect to save."),
        'account_donation': account("Donations of Members", _balance,
            "The account of what members elect to give."),
        'account_unclaimed': account("Unclaimed", _balance,
            "The account of the money that nobody claimed: a reserve, or "
            "what is remitted to an authority."),
        'account_patronage_withholding': account(
            "Tax Withheld", _balance,
            "The account of the tax withheld from patronage dividends."),
        }


# The templates of the accounts
_TEMPLATES = {
    f'account_{name}': ('coop_patronage', f'account_template_{template}')
    for name, template in {
        **{name: name for name in [
                'surplus', 'carry_forward', 'reserve', 'other_reserve', 'fund',
                'share_dividend', 'patronage', 'patronage_accrued',
                'patronage_expense', 'patronage_reduction',
                'patronage_payable', 'toward_shares', 'patronage_withholding',
                'savings']},
        'donation': 'fund',
        'unclaimed': 'other_reserve',
        }.items()}


resolution_required = fields.Boolean("Resolution Required",
    help="Check to approve a surplus only after the general meeting "
    "has carried the accounts and the appropriation.")
other_approver = fields.Boolean("Other Approver",
    help="Check to refuse that who prepared a surplus approves it.")

solvency_required = fields.Boolean("Statement of Solvency Required",
    help="Check to approve what is paid out only with the board's statement "
    "of solvency.")
registration_date = fields.Date("Registration Date",
    help="When the cooperative was registered, after which the law may ask "
    "for more in the first years.")
unclaimed_years = fields.Integer("Unclaimed after", required=True,
    domain=[
        ('unclaimed_years', '>', 0),
        ],
    help="The number of years after which money that was not paid counts as "
    "unclaimed.")


def _withholding_fund(company):
    return fields.Many2One(
        'coop.fund', "Fund of the Tax Withheld",
        domain=[
            ('company', '=', company),
            ('kind', '=', 'liability'),
            ],
        help="The fund of which the payee is the tax authority: the tax is "
        "owed to it, with the day it is due.\n"
        "Leave empty to keep the tax on its account.")


class Configuration(
        ModelSingleton, ModelSQL, ModelView, CompanyMultiValueMixin):
    __name__ = 'coop.patronage.configuration'
    __string__ = "Patronage Configuration"

    resolution_required = fields.MultiValue(resolution_required)
    other_approver = fields.MultiValue(other_approver)
    solvency_required = fields.MultiValue(solvency_required)
    registration_date = fields.MultiValue(registration_date)
    unclaimed_years = fields.MultiValue(unclaimed_years)
    withholding_fund = fields.MultiValue(_withholding_fund(
            Eval('context', {}).get('company', -1)))
    for _name, _field in _accounts(
            Eval('context', {}).get('company', -1)).items():
        locals()[_name] = fields.MultiValue(_field)
    del _name, _field

    _chart_accounts = _TEMPLATES
    for _name, _template in _TEMPLATES.items():
        locals()[f'default_{_name}'] = default_account(*_template)
    del _name, _template

    @classmethod
    def multivalue_model(cls, field):
        pool = Pool()
        if field.startswith('account_'):
            return pool.get('coop.patronage.configuration.account')
        elif field in {
                'resolution_required', 'other_approver', 'solvency_required',
                'registration_date', 'unclaimed_years', 'withholding_fund'}:
            return pool.get('coop.patronage.configuration.approval')
        return super().multivalue_model(field)

    @classmethod
    def get_account(cls, name, company):
        "Return the account of the company, which must be configured"
        account = cls(1).get_multivalue(name, company=company.id)
        if not account:
            raise AccountMissing(gettext(
                    'coop_patronage.msg_account_missing',
                    company=company.rec_name,
                    **cls.__names__(name)))
        return account

    @classmethod
    def default_resolution_required(cls, **pattern):
        return cls.multivalue_model(
            'resolution_required').default_resolution_required()

    @classmethod
    def default_other_approver(cls, **pattern):
        return cls.multivalue_model('other_approver').default_other_approver()

    @classmethod
    def default_solvency_required(cls, **pattern):
        return cls.multivalue_model(
            'solvency_required').default_solvency_required()

    @classmethod
    def default_unclaimed_years(cls, **pattern):
        return cls.multivalue_model(
            'unclaimed_years').default_unclaimed_years()


class ConfigurationAccount(ModelSQL, CompanyValueMixin):
    __name__ = 'coop.patronage.configuration.account'

    for _name, _field in _accounts(Eval('company', -1)).items():
        locals()[_name] = _field
    del _name, _field


class ConfigurationApproval(ModelSQL, CompanyValueMixin):
    __name__ = 'coop.patronage.configuration.approval'

    resolution_required = resolution_required
    other_approver = other_approver
    solvency_required = solvency_required
    registration_date = registration_date
    unclaimed_years = unclaimed_years
    withholding_fund = _withholding_fund(Eval('company', -1))

    @classmethod
    def default_resolution_required(cls):
        return True

    @classmethod
    def default_other_approver(cls):
        return False

    @classmethod
    def default_solvency_required(cls):
        return False

    @classmethod
    def default_unclaimed_years(cls):
        return 5
