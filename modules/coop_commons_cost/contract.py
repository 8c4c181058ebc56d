# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt

from trytond.i18n import gettext
from trytond.model import fields
from trytond.modules.coop_membership.locking import claim
from trytond.pool import Pool, PoolMeta
from trytond.pyson import Eval

from .exceptions import EngagementError


class Contract(metaclass=PoolMeta):
    __name__ = 'coop.commons.contract'

    engagement = fields.Many2One(
        'coop.commons.engagement', "Engagement", ondelete='RESTRICT',
        domain=[
            ('member', '=', Eval('member', -1)),
            ],
        help="The engagement without which the member can not have the "
        "contract.")

    @classmethod
    def check_required(cls, contracts):
        Engagement = Pool().get('coop.commons.engagement')
        super().check_required(contracts)
        contracts = {c: d for c, d in contracts.items() if c.engagement}
        claim({c.engagement for c in contracts})
        for contract, last in contracts.items():
            engagement = Engagement(contract.engagement.id)
            if (engagement.state != 'confirmed'
                    or engagement.start_date > contract.valid_from
                    or engagement.end_date < (last or dt.date.max)):
                raise EngagementError(gettext(
                        'coop_commons_cost.msg_contract_engagement',
                        contract=contract.rec_name,
                        engagement=engagement.rec_name))
