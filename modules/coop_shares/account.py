# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict
from decimal import Decimal

from trytond.i18n import gettext
from trytond.model import Index, fields
from trytond.model.exceptions import AccessError
from trytond.modules.coop_membership.additional_move import REPLACING
from trytond.modules.coop_membership.books import SLICE
from trytond.pool import Pool, PoolMeta
from trytond.pyson import Eval
from trytond.tools import grouped_slice
from trytond.transaction import Transaction


class Account(metaclass=PoolMeta):
    __name__ = 'account.account'

    member_loan = fields.Boolean("Loans of Members",
        states={
            'invisible': ~Eval('party_required', False),
            },
        help="Check to tell in the printed register what the cooperative owes "
        "to each member on the account.")

    @classmethod
    def default_member_loan(cls):
        return False


class Move(metaclass=PoolMeta):
    __name__ = 'account.move'

    @classmethod
    def __setup__(cls):
        super().__setup__()
        t = cls.__table__()
        # The lines to pay of subscriptions are found by the origin
        cls._sql_indexes.add(Index(t, (t.origin, Index.Equality())))

    @classmethod
    def _get_origin(cls):
        return super()._get_origin() + [
            'coop.share.subscription',
            'coop.share.transfer',
            'coop.share.redemption',
            'coop.share.call',
            'coop.share.revaluation',
            'coop.share.dividend',
            ]

    @classmethod
    def counted_drafts(cls, moves):
        pool = Pool()
        Payment = pool.get('coop.share.subscription.payment')
        documents = super().counted_drafts(moves)
        drafts = [m.id for m in moves if m.state == 'draft']
        for sub_drafts in grouped_slice(drafts, SLICE):
            paid = defaultdict(Decimal)
            for payment in Payment.search([
                        ('line.move', 'in', list(sub_drafts)),
                        ]):
                paid[payment.line.move, payment.subscription] += payment.amount
            for (move, subscription), amount in paid.items():
                # Else it was taken back
                if amount and move.origin != subscription:
                    documents.setdefault(move, subscription)
        return documents


class MoveLine(metaclass=PoolMeta):
    __name__ = 'account.move.line'

    @classmethod
    def _get_origin(cls):
        return super()._get_origin() + [
            'coop.share.subscription',
            'coop.share.redemption',
            'coop.share.dividend.line',
            ]

    @classmethod
    def get_paid_domain(cls):
        "Return the domain of the lines that are paid"
        return [('reconciliation', '!=', None)]

    @classmethod
    def on_its_way(cls, lines):
        """Return how much of each line is about to come, or to be paid out

        By what is not in the books yet.
        """
        return defaultdict(Decimal)

    @classmethod
    def on_modification(cls, mode, lines, field_names=None):
        pool = Pool()
        Payment = pool.get('coop.share.subscription.payment')
        super().on_modification(mode, lines, field_names=field_names)
        if mode == 'delete':
            # The money of a draft, which did not come
            for sub_lines in grouped_slice(lines, SLICE):
                Payment.enter_opposite(Payment.search([
                            ('line', 'in', [l.id for l in sub_lines]),
                            ]))

    @classmethod
    def reconcile(
            cls, *lines_list, date=None, writeoff=None, description=None,
            delegate_to=None):
        lines_list = [list(lines) for lines in lines_list]
        if writeoff:
            cls._check_write_off(lines_list)
        return super().reconcile(
            *lines_list, date=date, writeoff=writeoff,
            description=description, delegate_to=delegate_to)

    @classmethod
    def _check_write_off(cls, lines_list):
        "Check that no capital is waived that is not paid"
        pool = Pool()
        AdditionalMove = pool.get('coop.document.move')
        Subscription = pool.get('coop.share.subscription')
        for lines in lines_list:
            if not sum(l.debit - l.credit for l in lines):
                continue
            for claims in AdditionalMove.get_claims(lines).values():
                for claim in claims:
                    if isinstance(claim.move.origin, Subscription):
                        raise AccessError(gettext(
                                'coop_shares.msg_subscription_write_off',
                                subscription=claim.move.origin.rec_name))


class Reconciliation(metaclass=PoolMeta):
    __name__ = 'account.move.reconciliation'

    @classmethod
    def create(cls, vlist):
        vlist = [values.copy() for values in vlist]
        cls._set_numbers([v for v in vlist if not v.get('number')])
        return super().create(vlist)

    @classmethod
    def _set_numbers(cls, vlist):
        "Take the numbers of what a run reconciles at once"
        pool = Pool()
        Configuration = pool.get('account.configuration')
        by_company = defaultdict(list)
        for values in vlist:
            by_company[values.get('company', cls.default_company())].append(
                values)
        for company, c_values in by_company.items():
            if company is None:
                continue
            sequence = Configuration(1).get_multivalue(
                'reconciliation_sequence', company=company)
            if sequence:
                for values, number in zip(
                        c_values, sequence.get_many(len(c_values))):
                    values['number'] = number

    @classmethod
    def on_modification(cls, mode, reconciliations, field_names=None):
        pool = Pool()
        Redemption = pool.get('coop.share.redemption')
        Subscription = pool.get('coop.share.subscription')
        super().on_modification(
            mode, reconciliations, field_names=field_names)
        if Transaction().context.get(REPLACING):
            # It is no money, and what takes the place is not known yet
            return
        if mode == 'create':
            Subscription.reconciled(reconciliations)
            Redemption.check_paid(reconciliations)
        elif mode == 'delete':
            Subscription.unreconciled(reconciliations)
            Redemption.check_paid(reconciliations, reconciled=False)


class AdditionalMove(metaclass=PoolMeta):
    __name__ = 'coop.document.move'

    @classmethod
    def check_lines(cls, lines):
        pool = Pool()
        Payment = pool.get('coop.share.subscription.payment')
        super().check_lines(lines)
        for payment in Payment.search([
                    ('line', 'in', [l.id for l in lines]),
                    ('subscription.state', '=', 'draft'),
                    ], limit=1):
            raise AccessError(gettext(
                    'coop_shares.msg_subscription_deposit_replace',
                    subscription=payment.subscription.rec_name))

    @classmethod
    def added(cls, move, lines):
        pool = Pool()
        Redemption = pool.get('coop.share.redemption')
        Subscription = pool.get('coop.share.subscription')
        super().added(move, lines)
        Subscription.set_off(move, lines)
        Redemption.check_claims({
                c for claims in cls.get_claims(lines).values()
                for c in claims})
