# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.model import ModelView, Workflow
from trytond.pool import Pool, PoolMeta

from .allocated_year import changed_days


class Member(metaclass=PoolMeta):
    __name__ = 'coop.member'

    @classmethod
    def _check_admission(cls, company, memberships):
        super()._check_admission(company, memberships)
        cls._check_allocated(
            (m.member, (m.start_date, None)) for m in memberships)

    @classmethod
    def _set_exit(cls, members):
        ends = cls._get_ends(members)
        super()._set_exit(members)
        cls._check_exits(members, ends)

    @classmethod
    @ModelView.button
    @Workflow.transition('member')
    def withdraw_notice(cls, members):
        ends = cls._get_ends(members)
        super().withdraw_notice(members)
        cls._check_exits(members, ends)

    @classmethod
    def _get_ends(cls, members):
        return [m.memberships[-1].end_date for m in members]

    @classmethod
    def _check_exits(cls, members, ends):
        cls._check_allocated(
            (member, days)
            for member, old, new in zip(
                members, ends, cls._get_ends(cls.browse(members)))
            for days in changed_days((None, old), (None, new)))

    @classmethod
    def _check_allocated(cls, changes):
        "Refuse to change who was a member on days that are allocated"
        pool = Pool()
        Surplus = pool.get('coop.surplus')
        Surplus.check_allocated(
            changes, 'coop_patronage.msg_membership_allocated')
