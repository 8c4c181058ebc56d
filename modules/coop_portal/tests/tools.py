# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.

from trytond.modules.coop_shares.tests.documents import SharesDocuments
from trytond.pool import Pool

# What the portal shows
EXTRAS = [
    'account_invoice', 'bank', 'coop_commons', 'coop_patronage',
    'coop_shares', 'notification_email']


class PortalDocuments(SharesDocuments):
    "Make the requests of members in each of their states"

    masters = {
        'coop.portal.configuration': "is set up by the administration",
        'coop.portal.configuration-coop.member.category':
        "belongs to the portal",
        }
    buttons = {
        **SharesDocuments.buttons,
        'coop.portal.request': {
            'requested': [],
            'accepted': ['accept'],
            'refused': ['refuse'],
            'withdrawn': ['withdraw'],
            },
        }

    def prepare_documents(self, company):
        Request = Pool().get('coop.portal.request')
        Request.lock()
        super().prepare_documents(company)

    def _get_request(self):
        return {
            'member': self._members[0],
            'kind': 'other',
            'text': "Please call me.",
            'answer': "We will.",
            }
