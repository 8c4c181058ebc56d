# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict
from decimal import Decimal

from trytond.modules.coop_membership.books import save_records
from trytond.modules.coop_shares.debt import of_shares, open_debts, pay_debts
from trytond.pool import Pool


class SetOffMixin:
    "A document that sets off what it gives against overdue debts"
    __slots__ = ()

    def _get_line(self, move, account, amount, **values):
        "Return an unsaved line: a positive amount is a debit"
        Line = Pool().get('account.move.line')
        return Line(
            move=move,
            account=account,
            debit=max(amount, Decimal(0)),
            credit=max(-amount, Decimal(0)),
            description=move.description,
            **values)

    def _get_overdue(self, date, parties=None):
        "Return by party what it had to pay before the date"
        return defaultdict(list, {
                party: [
                    (line, amount) for line, amount in debts
                    if line.maturity_date < date]
                for party, debts in open_debts(
                    self.company, parties).items()})

    def _post_set_offs(self, books, date, payables, description):
        "Pay the overdue debts of the parties with the payable lines"
        pool = Pool()
        Line = pool.get('account.move.line')
        Move = pool.get('account.move')
        if not payables:
            return
        debts = self._get_overdue(date, {line.party for line in payables})
        move = books.move(date, [], origin=self, description=description)
        move.save()
        groups, paid = [], defaultdict(list)
        for payable in payables:
            left = payable.credit
            groups.append([payable, self._get_line(
                        move, payable.account, left, party=payable.party)])
            for debt, amount in debts[payable.party]:
                part = min(left, amount)
                if part:
                    paid[debt].append(self._get_line(
                            move, debt.account, -part, party=payable.party))
                    left -= part
        save_records([
                *(line for _, line in groups),
                *(line for lines in paid.values() for line in lines)])
        Move.post([move])
        Line.reconcile(*groups)
        pay_debts(paid)


class PoolSetOff(SetOffMixin):
    "Set off the overdue debts of the patrons of a pool"
    __slots__ = ()

    def get_debts(self, among):
        """Return by party id what is overdue, in all and for shares

        Of the parties of the ids.
        """
        if not self.surplus.posting_date:
            return {}
        result = {}
        overdue = {
            party: debts for party, debts in self._get_overdue(
                self.surplus.posting_date).items() if party.id in among}
        shares = of_shares([
                line for debts in overdue.values() for line, _ in debts])
        for party, debts in overdue.items():
            result[party.id] = (
                sum((amount for _, amount in debts), Decimal(0)),
                sum((
                        amount for line, amount in debts
                        if line in shares),
                    Decimal(0)))
        return result
