# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.model import ModelSingleton, ModelSQL, ModelView, fields
from trytond.modules.company.model import (
    CompanyMultiValueMixin, CompanyValueMixin)
from trytond.modules.coop_membership.chart import default_account
from trytond.pool import Pool
from trytond.pyson import Eval, Id


def _sequence(string, type_, company, help):
    return fields.Many2One(
        'ir.sequence', string, required=True,
        domain=[
            ('company', 'in', [company, None]),
            ('sequence_type', '=', Id('coop_commons', type_)),
            ],
        help=help)


def _internal_charge_account(company):
    return fields.Many2One(
        'account.account', "Internal Charge Account",
        domain=[
            ('type.statement', '=', 'income'),
            ('closed', '!=', True),
            ('company', '=', company),
            ],
        help="The account of both lines by which a cost centre of the "
        "cooperative is charged for its use.")


def _deposit_account(company):
    return fields.Many2One(
        'account.account', "Deposit Account",
        domain=[
            ('type.deferred', '=', True),
            ('closed', '!=', True),
            ('company', '=', company),
            ],
        help="The account of what is owed for deposits, and of nothing else.")


def _deposit_kept_account(company):
    return fields.Many2One(
        'account.account', "Account of Kept Deposits",
        domain=[
            ('type.statement', '=', 'income'),
            ('closed', '!=', True),
            ('company', '=', company),
            ],
        help="The income account of what is kept of deposits, as for a "
        "damage.")


GROUPINGS = [
    ('party', "Party"),
    ('resource', "Party and Resource"),
    ]
DETAILS = [
    ('component', "Component"),
    ('price', "Price"),
    ('usage', "Usage"),
    ]
billing_grouping = fields.Selection(
    GROUPINGS, "Invoice per", required=True, sort=False,
    help="What has its own invoice in new billings.")
billing_detail = fields.Selection(
    DETAILS, "Line per", required=True, sort=False,
    help="What has its own line on the invoices of new billings, "
    "for each resource.")

_context_company = Eval('context', {}).get('company', -1)
_value_company = Eval('company', -1)


def default_sequence(name):
    @classmethod
    def default(cls, **pattern):
        ModelData = Pool().get('ir.model.data')
        try:
            return ModelData.get_id('coop_commons', name)
        except KeyError:
            return None
    return default


class Configuration(
        ModelSingleton, ModelSQL, ModelView, CompanyMultiValueMixin):
    __name__ = 'coop.commons.configuration'
    __string__ = "Commons Configuration"

    booking_sequence = fields.MultiValue(_sequence(
            "Booking Sequence", 'sequence_type_booking', _context_company,
            "Used to generate the numbers of the bookings."))
    billing_sequence = fields.MultiValue(_sequence(
            "Billing Sequence", 'sequence_type_billing', _context_company,
            "Used to generate the numbers of the billings."))
    internal_charge_account = fields.MultiValue(
        _internal_charge_account(_context_company))
    deposit_account = fields.MultiValue(_deposit_account(_context_company))
    deposit_kept_account = fields.MultiValue(
        _deposit_kept_account(_context_company))
    billing_grouping = fields.MultiValue(billing_grouping)
    billing_detail = fields.MultiValue(billing_detail)

    default_booking_sequence = default_sequence('sequence_booking')
    default_billing_sequence = default_sequence('sequence_billing')
    default_internal_charge_account = default_account(
        'coop_commons', 'account_template_internal_charge')
    default_deposit_account = default_account(
        'coop_commons', 'account_template_deposit_held')
    default_deposit_kept_account = default_account(
        'coop_commons', 'account_template_deposit_kept')
    # The accounts by the name of their template
    _chart_accounts = {
        'deposit_account': ('coop_commons', 'account_template_deposit_held'),
        'deposit_kept_account': (
            'coop_commons', 'account_template_deposit_kept'),
        'internal_charge_account': (
            'coop_commons', 'account_template_internal_charge'),
        }

    @classmethod
    def default_billing_grouping(cls, **pattern):
        return cls.multivalue_model(
            'billing_grouping').default_billing_grouping()

    @classmethod
    def default_billing_detail(cls, **pattern):
        return cls.multivalue_model('billing_detail').default_billing_detail()

    @classmethod
    def multivalue_model(cls, field):
        pool = Pool()
        if field in {'booking_sequence', 'billing_sequence'}:
            return pool.get('coop.commons.configuration.sequence')
        elif field in cls._chart_accounts:
            return pool.get('coop.commons.configuration.account')
        elif field in {'billing_grouping', 'billing_detail'}:
            return pool.get('coop.commons.configuration.billing')
        return super().multivalue_model(field)


class ConfigurationSequence(ModelSQL, CompanyValueMixin):
    __name__ = 'coop.commons.configuration.sequence'

    booking_sequence = _sequence(
        "Booking Sequence", 'sequence_type_booking', _value_company,
        "Used to generate the numbers of the bookings.")
    billing_sequence = _sequence(
        "Billing Sequence", 'sequence_type_billing', _value_company,
        "Used to generate the numbers of the billings.")

    default_booking_sequence = default_sequence('sequence_booking')
    default_billing_sequence = default_sequence('sequence_billing')


class ConfigurationAccount(ModelSQL, CompanyValueMixin):
    __name__ = 'coop.commons.configuration.account'

    internal_charge_account = _internal_charge_account(_value_company)
    deposit_account = _deposit_account(_value_company)
    deposit_kept_account = _deposit_kept_account(_value_company)


class ConfigurationBilling(ModelSQL, CompanyValueMixin):
    __name__ = 'coop.commons.configuration.billing'

    billing_grouping = billing_grouping
    billing_detail = billing_detail

    @classmethod
    def default_billing_grouping(cls):
        return 'party'

    @classmethod
    def default_billing_detail(cls):
        return 'component'
