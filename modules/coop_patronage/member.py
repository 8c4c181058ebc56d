# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.pool import Pool, PoolMeta
from trytond.transaction import Transaction


class Member(metaclass=PoolMeta):
    __name__ = 'coop.member'

    @classmethod
    def set_category(cls, members, category, date):
        # Who changes the category is a member before and after
        with Transaction().set_context(_membership_continues=True):
            super().set_category(members, category, date)


class Membership(metaclass=PoolMeta):
    __name__ = 'coop.membership'

    @classmethod
    def check_modification(
            cls, mode, memberships, values=None, external=False):
        pool = Pool()
        Surplus = pool.get('coop.surplus')
        super().check_modification(
            mode, memberships, values=values, external=external)
        if not Transaction().context.get('_membership_continues'):
            Surplus.check_allocated(
                mode, memberships, values, lambda m: m.member.company,
                'coop_patronage.msg_membership_allocated')
