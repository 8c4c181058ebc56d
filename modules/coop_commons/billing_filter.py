# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.model import ModelSQL, fields
from trytond.modules.coop_membership.document import PartMixin


class _OfBilling(PartMixin):
    __slots__ = ()
    _document = 'billing'

    billing = fields.Many2One(
        'coop.commons.billing', "Billing", required=True, ondelete='CASCADE')

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.__access__.add('billing')


class BillingResource(_OfBilling, ModelSQL):
    __name__ = 'coop.commons.billing-coop.commons.resource'

    resource = fields.Many2One(
        'coop.commons.resource', "Resource", required=True,
        ondelete='CASCADE')


class BillingParty(_OfBilling, ModelSQL):
    __name__ = 'coop.commons.billing-party.party'

    party = fields.Many2One(
        'party.party', "Party", required=True, ondelete='CASCADE')
