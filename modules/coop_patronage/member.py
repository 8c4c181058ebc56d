# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.model import ModelView, Workflow
from trytond.pool import Pool, PoolMeta

from .allocated_year import changed_days
from .exceptions import ActivityLocked


class Member(metaclass=PoolMeta):
    __name__ = 'coop.member'

    @classmethod
    def _refuse_admissions(cls, memberships):
        refused = super()._refuse_admissions(memberships)
        refused.update(cls._refuse_allocated(
                (m.member, (m.start_date, None)) for m in memberships))
        return refused

    @classmethod
    def refusals_undo_admission(cls, members):
        refused = super().refusals_undo_admission(members)
        refused.update(cls._refuse_allocated(
                (m, (m.memberships[-1].start_date, None)) for m in members))
        return refused

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
    def _refuse_allocated(cls, changes):
        "Yield who would be a member on other days that are allocated"
        Surplus = Pool().get('coop.surplus')
        return Surplus.refuse_allocated(
            changes, 'coop_patronage.msg_membership_allocated')

    @classmethod
    def _check_allocated(cls, changes):
        "Refuse to change who was a member on days that are allocated"
        for _, text in cls._refuse_allocated(changes):
            raise ActivityLocked(text)
