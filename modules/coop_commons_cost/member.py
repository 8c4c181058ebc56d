# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.model import ModelView, Workflow
from trytond.pool import Pool, PoolMeta


class Member(metaclass=PoolMeta):
    __name__ = 'coop.member'

    @classmethod
    @ModelView.button
    @Workflow.transition('left')
    def leave(cls, members):
        pool = Pool()
        Engagement = pool.get('coop.commons.engagement')
        super().leave(members)
        Engagement.end_with_exit(members)

    @classmethod
    @ModelView.button
    @Workflow.transition('rejected')
    def reject(cls, members):
        pool = Pool()
        Engagement = pool.get('coop.commons.engagement')
        super().reject(members)
        Engagement.end_with_rejection(members)

    @classmethod
    def exit_blockers(cls, members):
        pool = Pool()
        Engagement = pool.get('coop.commons.engagement')
        blockers = super().exit_blockers(members)
        for member, text in Engagement.find_unbilled(members):
            blockers[member].append(text)
        return blockers
