# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.pool import PoolMeta


class Redemption(metaclass=PoolMeta):
    __name__ = 'coop.share.redemption'

    def get_payout_account(self, name):
        for account in self.member.party.bank_accounts:
            for number in account.numbers:
                return number.number
