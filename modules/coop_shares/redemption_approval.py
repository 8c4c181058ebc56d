# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict

from trytond.i18n import gettext
from trytond.modules.coop_membership.document import by_company
from trytond.pool import Pool

from .exceptions import LastShareWarning, MinimumCapitalWarning
from .quantity import plain_number

MANDATORY = {'exit', 'death', 'exclusion', 'forfeiture'}


class RedemptionApproval:
    "What stands against a redemption, and what its approval warns of"
    __slots__ = ()

    @classmethod
    def refusals_approve(cls, redemptions):
        pool = Pool()
        ShareMove = pool.get('coop.share.move')
        refused = {}
        members = {r.member for r in redemptions}
        open_ = cls.open_quantities(members)
        approved = cls.open_quantities(members, states=['approved'])
        for company, c_redemptions in by_company(redemptions):
            lots = ShareMove.lots_at(
                company, None, {r.member.id for r in c_redemptions},
                {r.share_class.id for r in c_redemptions})
            for redemption in c_redemptions:
                class_, member = redemption.share_class, redemption.member
                key = member.id, class_.id
                approved[key] += redemption.quantity
                held = sum(l.quantity for l in lots[key])
                free = sum(l.quantity for l in redemption.free_lots(lots[key]))
                if approved[key] > held:
                    refused[redemption] = redemption.get_refusal(
                        'more_than_held', held)
                elif approved[key] > free:
                    refused[redemption] = redemption.get_refusal(
                        'lock_in', free)
                elif class_.keep_last and redemption.takes_last(
                        held - open_[key]):
                    refused[redemption] = redemption.get_refusal(
                        'last_share', held)
                elif redemption.reason != 'forfeiture':
                    reason = class_.refuse_minimum(
                        member, held - open_[key],
                        redemption.end_date or redemption.request_date)
                    if reason:
                        refused[redemption] = reason
        return refused

    def takes_last(self, left):
        "Return whether the member stays one without a membership share"
        return (
            self.share_class.kind == 'membership'
            and self.reason not in MANDATORY
            and left <= 0)

    def get_refusal(self, name, quantity):
        return gettext(
            f'coop_shares.msg_redemption_{name}',
            redemption=self.rec_name,
            member=self.member.rec_name,
            share_class=self.share_class.rec_name,
            quantity=plain_number(quantity))

    @classmethod
    def _warn_last_share(cls, redemptions):
        "Warn of those after which a member has no share of the membership"
        pool = Pool()
        ShareMove = pool.get('coop.share.move')
        Warning = pool.get('res.user.warning')
        redemptions = [r for r in redemptions if r.takes_last(0)]
        if not redemptions:
            return
        open_ = cls.open_quantities({r.member for r in redemptions})
        for company, c_redemptions in by_company(redemptions):
            holdings = ShareMove.holdings_at(
                company, None, members={r.member for r in c_redemptions},
                classes={r.share_class for r in c_redemptions})
            for redemption in c_redemptions:
                key = redemption.member.id, redemption.share_class.id
                held, _ = holdings[key]
                if held > open_[key]:
                    continue
                warning = Warning.format('last_share', [redemption])
                if Warning.check(warning):
                    raise LastShareWarning(
                        warning, redemption.get_refusal('last_share', held))

    @classmethod
    def _warn_minimum_capital(cls, redemptions):
        "Warn of those that have to wait because the capital is too small"
        Warning = Pool().get('res.user.warning')
        by_class = defaultdict(list)
        for redemption in redemptions:
            if redemption.share_class.minimum_capital is not None:
                by_class[redemption.share_class].append(redemption)
        for class_, c_redemptions in by_class.items():
            left = class_.capital() - class_.minimum_capital - sum(
                r.quantity for r in cls.search([
                        ('share_class', '=', class_.id),
                        ('state', '=', 'approved'),
                        ])) * class_.par_value
            for redemption in c_redemptions:
                left -= redemption.quantity * class_.par_value
                if left >= 0:
                    continue
                warning = Warning.format('minimum_capital', [redemption])
                if Warning.check(warning):
                    raise MinimumCapitalWarning(
                        warning, redemption.get_refusal(
                            'minimum_capital_wait', redemption.quantity))
