# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict

from trytond.i18n import gettext
from trytond.model import ModelView
from trytond.modules.coop_membership.period import DAY
from trytond.pool import Pool
from trytond.transaction import Transaction

from .document import lock_members
from .exceptions import CallError


class CallForfeiture:
    """The shares that are forfeited because a call is not paid

    They return to the cooperative, which keeps what was paid of them and
    claims no more.
    """
    __slots__ = ()

    @classmethod
    @ModelView.button_action('coop_shares.wizard_call_forfeit')
    def forfeit(cls, calls):
        pass

    @classmethod
    def unpaid_lines(cls, calls, date):
        "Return the lines of the calls whose shares can be forfeited then"
        return [
            l for c in calls
            if c.state == 'posted' and c.forfeit_date
            and c.forfeit_date <= date
            for l in c.lines if l.open_amount]

    @classmethod
    def forfeit_lines(cls, calls, lines, date):
        "Let the shares of which the lines are not paid end on the day"
        pool = Pool()
        Redemption = pool.get('coop.share.redemption')
        cls.lock(calls)
        lock_members(l.member for l in lines)
        calls = cls.browse(calls)
        unpaid = set(cls.unpaid_lines(calls, date))
        # Some may have been paid since they were listed
        lines = [l for l in lines if l in unpaid]
        redemptions = []
        for call in calls:
            c_lines = [l for l in lines if l.call == call]
            if not c_lines:
                continue
            call.share_class.get_account('forfeited')
            held = call._get_held(c_lines)
            for line in c_lines:
                quantity = min(held[line], line.subscription.quantity)
                if quantity <= 0:
                    raise CallError(gettext(
                            'coop_shares.msg_call_forfeit_held',
                            call=call.rec_name,
                            member=line.member.rec_name))
                redemptions.append(Redemption(
                        company=call.company, member=line.member,
                        share_class=call.share_class, quantity=quantity,
                        reason='forfeiture', call_line=line,
                        # It waits for no budget, as nothing is paid
                        granted=True,
                        request_date=date, end_date=date,
                        settlement_date=date + DAY, payment_date=date + DAY,
                        deduction_reason=gettext(
                            'coop_shares.msg_call_forfeit_reason',
                            call=call.rec_name)))
        Redemption.save(redemptions)
        # It is what the call has told
        with Transaction().set_context(_skip_warnings=True):
            Redemption.approve(redemptions)
        Redemption.end(redemptions)
        Redemption.settle(redemptions)
        return redemptions

    def _get_held(self, lines):
        "Return how many of the shares of each line are still held"
        ShareMove = Pool().get('coop.share.move')
        lots = ShareMove.lots_at(
            self.company, None, {l.member.id for l in lines},
            [self.share_class])
        held = defaultdict(int)
        for line in lines:
            held[line] = sum(
                l.quantity
                for l in lots[line.member.id, self.share_class.id]
                if l.acquired_date == line.subscription.effective_date)
        return held
