# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.model import ModelSQL, fields


class BillingResource(ModelSQL):
    __name__ = 'coop.commons.billing-coop.commons.resource'
    billing = fields.Many2One(
        'coop.commons.billing', "Billing", required=True, ondelete='CASCADE')
    resource = fields.Many2One(
        'coop.commons.resource', "Resource", required=True,
        ondelete='CASCADE')


class BillingParty(ModelSQL):
    __name__ = 'coop.commons.billing-party.party'
    billing = fields.Many2One(
        'coop.commons.billing', "Billing", required=True, ondelete='CASCADE')
    party = fields.Many2One(
        'party.party', "Party", required=True, ondelete='CASCADE')
