# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.model import Workflow, fields
from trytond.modules.coop_membership.apportionment import apportion
from trytond.modules.coop_membership.books import SLICE
from trytond.modules.coop_membership.claim import paid_claims, standing_lines
from trytond.pool import Pool
from trytond.pyson import Eval
from trytond.tools import grouped_slice
from trytond.transaction import Transaction

from .debt import open_claims

# The redemptions whose lines are reconciled with what takes them back
CANCELLING = 'cancelling_redemptions'


class RedemptionPayable:
    "The lines in which a redemption owes its claim, and if they are paid"
    __slots__ = ()

    payable_lines = fields.Function(
        fields.Many2Many(
            'account.move.line', None, None, "Lines to Pay",
            states={
                'invisible': ~Eval('payable_lines', [0]),
                }),
        'get_payable_lines')

    @classmethod
    def get_payables(cls, redemptions):
        """Return by redemption the lines to pay, the oldest maturity first

        What the settlement has replaced is none any more.
        """
        Line = Pool().get('account.move.line')
        payables = {r: [] for r in redemptions}
        for sub_redemptions in grouped_slice(redemptions, SLICE):
            by_id = {r.id: r for r in sub_redemptions}
            for line in Line.search([
                        ('origin', 'in', [
                                f'{cls.__name__},{id_}' for id_ in by_id]),
                        ], order=[('maturity_date', 'ASC'), ('id', 'ASC')]):
                redemption = by_id[line.origin.id]
                if (redemption.state != 'cancelled'
                        and (line.move != redemption.move
                            or not redemption.settle_move)):
                    payables[redemption].append(line)
        return payables

    @classmethod
    def get_payable_lines(cls, redemptions, name):
        return {
            r.id: [l.id for l in lines]
            for r, lines in cls.get_payables(redemptions).items()}

    @classmethod
    def _standing(cls, redemptions):
        "Return by redemption the lines that stand for its lines to pay"
        payables = cls.get_payables(redemptions)
        standing = standing_lines({
                l for lines in payables.values() for l in lines})
        return {
            redemption: list(dict.fromkeys(
                    l for line in lines for l in standing[line]))
            for redemption, lines in payables.items()}

    @classmethod
    def bank_open_domain(cls):
        return [('state', '=', 'settled')]

    @classmethod
    def bank_return_domain(cls):
        return [('state', 'in', ['settled', 'paid'])]

    @classmethod
    def bank_claims(cls, redemptions):
        return cls.get_payables(redemptions)

    @classmethod
    def check_paid(cls, reconciliations, reconciled=True):
        "Follow the reconciliation of the lines to pay with the state"
        pool = Pool()
        AdditionalMove = pool.get('coop.document.move')
        Line = pool.get('account.move.line')
        for sub_reconciliations in grouped_slice(reconciliations, SLICE):
            ids = [r.id for r in sub_reconciliations]
            claims = set(Line.search([
                        ('reconciliation', 'in', ids),
                        ('origin', 'like', cls.__name__ + ',%'),
                        ]))
            for row in AdditionalMove.search([
                        ('document', 'like', cls.__name__ + ',%'),
                        ['OR',
                            ('line.reconciliation', 'in', ids),
                            ('replaced.reconciliation', 'in', ids),
                            ],
                        ]):
                claims.add(row.claim)
            cls.check_claims(claims, reconciled=reconciled)

    @classmethod
    def check_claims(cls, claims, reconciled=True):
        "Follow what became of the lines to pay with the state"
        ids = {c.origin.id for c in claims if isinstance(c.origin, cls)}
        ids -= set(Transaction().context.get(CANCELLING, []))
        redemptions = []
        for sub_ids in grouped_slice(ids, SLICE):
            redemptions.extend(cls.search([
                        ('id', 'in', list(sub_ids)),
                        ('state', '=', 'settled' if reconciled else 'paid'),
                        ]))
        if redemptions and reconciled:
            payables = cls.get_payables(redemptions)
            paid = paid_claims({l for ls in payables.values() for l in ls})
            redemptions = [
                r for r in redemptions
                if payables[r] and paid.issuperset(payables[r])]
        if redemptions:
            if reconciled:
                cls.set_paid(redemptions)
            else:
                cls.set_settled(redemptions)

    @classmethod
    def _open_parts(cls, redemptions):
        """Return by redemption the lines to pay and how much of each is open

        What is put together with others is of each as it has claimed it.
        """
        standing = cls._standing([
                r for r in redemptions if r.state == 'settled'])
        amounts = open_claims({
                l for ls in standing.values() for l in ls
                if not l.reconciliation})
        claims = cls._get_claims(amounts)
        parts = {
            line: apportion(
                amount, {c.id: c.credit for c in claims[line]},
                line.currency.rounding)
            for line, amount in amounts.items() if amount > 0}
        result = {}
        for redemption in redemptions:
            shares = [
                (line, sum(
                    parts[line][c.id] for c in claims[line]
                    if c.origin == redemption))
                for line in standing.get(redemption, []) if line in parts]
            result[redemption] = [(l, a) for l, a in shares if a]
        return result

    @classmethod
    def _get_claims(cls, lines):
        "Return by line the claims for which it stands"
        AdditionalMove = Pool().get('coop.document.move')
        claims = AdditionalMove.get_claims(list(lines))
        return {line: claims.get(line, [line]) for line in lines}

    @classmethod
    @Workflow.transition('paid')
    def set_paid(cls, redemptions):
        pass

    @classmethod
    @Workflow.transition('settled')
    def set_settled(cls, redemptions):
        cls.write(redemptions, {'interest_complete': False})
