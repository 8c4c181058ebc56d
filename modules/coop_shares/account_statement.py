# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict

from trytond.model import fields
from trytond.modules.coop_membership.claim import open_lines
from trytond.pool import Pool, PoolMeta
from trytond.pyson import Bool, Eval, If

from .instalment import complete_sets


class StatementLine(metaclass=PoolMeta):
    __name__ = 'account.statement.line'

    @classmethod
    def __setup__(cls):
        super().__setup__()
        draft = Eval('statement_state') == 'draft'
        member = [
            ('company', '=', Eval('company', -1)),
            If(Bool(Eval('party')),
                ('member.party', '=', Eval('party', -1)),
                ()),
            ]
        cls.related_to.domain['coop.share.subscription'] = member + [
            If(draft,
                # Money may be given back
                If(Eval('amount', 0) < 0,
                    ('state', 'in', ['confirmed', 'paid']),
                    ('state', 'in', ['draft', 'confirmed'])),
                ()),
            ]
        cls.related_to.domain['coop.share.redemption'] = member + [
            If(draft, ('state', '=', 'settled'), ()),
            ]

    @classmethod
    def _get_relations(cls):
        return super()._get_relations() + [
            'coop.share.subscription', 'coop.share.redemption']

    @property
    @fields.depends('related_to')
    def share_document(self):
        "The subscription or redemption the line pays"
        pool = Pool()
        related_to = getattr(self, 'related_to', None)
        if (isinstance(related_to, (
                        pool.get('coop.share.subscription'),
                        pool.get('coop.share.redemption')))
                and related_to.id >= 0):
            return related_to

    @fields.depends('party', 'account', methods=['share_document'])
    def on_change_related_to(self):
        pool = Pool()
        Subscription = pool.get('coop.share.subscription')
        super().on_change_related_to()
        document = self.share_document
        if document:
            class_ = document.share_class
            if not self.party:
                self.party = document.member.party
            if (isinstance(document, Subscription)
                    and document.state != 'draft'):
                self.account = class_.account_subscribed
            else:
                self.account = class_.account_redemption

    @fields.depends('party', methods=['share_document'])
    def on_change_party(self):
        document = self.share_document
        if document and document.member.party != self.party:
            self.related_to = None
        super().on_change_party()

    @classmethod
    def post_move(cls, lines):
        super().post_move(lines)
        cls._pay_shares([l for l in lines if l.share_document])

    @classmethod
    def _pay_shares(cls, lines):
        "Enter the payments of the subscriptions and redemptions"
        pool = Pool()
        Line = pool.get('account.move.line')
        Payment = pool.get('coop.share.subscription.payment')
        Subscription = pool.get('coop.share.subscription')
        payments, redemptions, to_pay, returned = [], set(), {}, {}
        for line in lines:
            document = line.share_document
            if not isinstance(document, Subscription):
                redemptions.add(document)
                continue
            for move_line in Line.search([
                        ('move', '=', line.move.id),
                        ('origin', '=', str(line)),
                        ('reconciliation', '=', None),
                        ]):
                if move_line.debit:
                    returned[move_line] = document
                # Several lines may pay the same subscription
                to_pay.setdefault(document, document.amount_to_pay)
                amount = min(move_line.credit, to_pay[document])
                if amount > 0:
                    to_pay[document] -= amount
                    payments.append(Payment(
                            subscription=document, date=move_line.date,
                            amount=amount, line=move_line))
        Payment.enter(payments)
        Subscription.reconcile([
                s for s in {p.subscription for p in payments}
                if s.state != 'draft'])
        Subscription.give_back(returned)
        cls._reconcile_redemptions(redemptions)

    @classmethod
    def _reconcile_redemptions(cls, redemptions):
        "Reconcile what is completely paid of the lines of the redemptions"
        pool = Pool()
        Line = pool.get('account.move.line')
        redemptions = [r for r in redemptions if r.payable_line]
        open_ = open_lines({r.payable_line for r in redemptions})
        to_reconcile = []
        for redemption in redemptions:
            money = Line.search([
                    ('origin.related_to', '=', str(redemption), cls.__name__),
                    ('reconciliation', '=', None),
                    ('move_state', '=', 'posted'),
                    ('debit', '>', 0),
                    ], order=[('id', 'ASC')])
            keys = defaultdict(lambda: ([], []))
            for line in open_[redemption.payable_line]:
                keys[line.account, line.party][0].append((line, line.credit))
            for line in money:
                keys[line.account, line.party][1].append((line, line.debit))
            for debts, amounts in keys.values():
                to_reconcile.extend(complete_sets(debts, amounts))
        Line.reconcile(*to_reconcile)
