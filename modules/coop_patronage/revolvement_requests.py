# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict
from decimal import Decimal

from trytond.modules.coop_shares.redemption import MANDATORY
from trytond.pool import Pool


class RevolvementRequests:
    "Let who leaves ask for no more than a revolvement leaves"
    __slots__ = ()

    def _get_requests(self):
        "Return the requests for what is paid, and what is held besides them"
        pool = Pool()
        Redemption = pool.get('coop.share.redemption')
        ShareMove = pool.get('coop.share.move')
        members = list({line.member.id for line in self.lines})
        requests = Redemption.search([
                ('member', 'in', members),
                ('share_class', 'in', [c.id for c in self.classes]),
                ('state', 'in', ['requested', 'approved']),
                ], order=[('request_date', 'DESC'), ('id', 'DESC')])
        held = ShareMove.holdings_at(
            self.company, None, members=[r.member.id for r in requests],
            classes=self.classes)
        left = defaultdict(Decimal)
        for key, (quantity, _) in held.items():
            left[key] += quantity
        for request in requests:
            left[request.member.id, request.share_class.id] -= request.quantity
        return requests, left

    def lower_requests(self):
        "Lower the requests to what is still held, the last one first"
        pool = Pool()
        Redemption = pool.get('coop.share.redemption')
        requests, left = self._get_requests()
        lowered, met = [], []
        for request in requests:
            key = request.member.id, request.share_class.id
            part = min(-left[key], request.quantity)
            if part <= 0:
                continue
            left[key] += part
            if part == request.quantity:
                met.append(request)
            else:
                request.quantity -= part
                lowered.append(request)
        Redemption.save(lowered)
        if met:
            Redemption.cancel(met)

    def raise_requests(self):
        "Let those ask for all again who can not ask for less"
        pool = Pool()
        Redemption = pool.get('coop.share.redemption')
        requests, left = self._get_requests()
        restored = defaultdict(Decimal)
        for line in self.lines:
            for share_move in line.share_moves:
                if not share_move.reversal_of:
                    restored[line.member.id, line.share_class.id] += (
                        share_move.quantity)
        raised = []
        for request in requests:
            key = request.member.id, request.share_class.id
            part = min(left[key], restored.pop(key, Decimal(0)))
            if request.reason in MANDATORY and part > 0:
                request.quantity += part
                raised.append(request)
        Redemption.save(raised)
