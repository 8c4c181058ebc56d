# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from itertools import groupby

from trytond.modules.company import CompanyReport


class QueueReport(CompanyReport):
    __name__ = 'coop.share.redemption.queue'

    @classmethod
    def get_context(cls, records, header, data):
        context = super().get_context(records, header, data)
        queued = sorted(
            (r for r in records if r.queue_position),
            key=lambda r: (
                r.share_class.code, r.share_class.id, r.queue_position))
        context['queues'] = [
            (class_, list(redemptions)) for class_, redemptions in groupby(
                queued, key=lambda r: r.share_class)]
        return context
