# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict

from trytond.model import ModelSQL, Unique, fields
from trytond.modules.coop_membership.books import save_records
from trytond.modules.coop_membership.document import ResultMixin
from trytond.modules.coop_membership.locking import claim
from trytond.pool import Pool
from trytond.tools import grouped_slice
from trytond.transaction import Transaction

from .redemption_apportionment import grant


class RedemptionGrant(ResultMixin, ModelSQL):
    __name__ = 'coop.share.redemption.grant'
    __string__ = "Share Redemption Grant"
    # How many redemptions are granted in one transaction
    _chunk_size = 1000

    redemption = fields.Many2One(
        'coop.share.redemption', "Redemption", required=True,
        ondelete='CASCADE')
    quantity = fields.Numeric("Quantity", required=True,
        help="The part of the request that is met.")
    end_date = fields.Date("End Date", required=True,
        help="The last day the shares are held.")

    @classmethod
    def __setup__(cls):
        super().__setup__()
        t = cls.__table__()
        cls.__access__.add('redemption')
        cls._sql_constraints += [
            ('redemption_unique', Unique(t, t.redemption),
                'coop_shares.msg_redemption_grant_unique'),
            ]
        cls._order = [('id', 'ASC')]

    def get_rec_name(self, name):
        return self.redemption.rec_name

    @classmethod
    def get_pending(cls, share_class):
        "Return the grants of an allocation that was interrupted"
        return cls.search([
                ('redemption.share_class', '=', share_class.id),
                ])

    @classmethod
    def plan(cls, classes, fiscalyear, end_date):
        "Return the redemptions in the queues with what is granted to each"
        granted = {}
        for class_ in classes:
            grants = cls.get_pending(class_)
            if grants:
                granted.update((g.redemption, g.quantity) for g in grants)
            else:
                granted.update(cls._plan(class_, fiscalyear, end_date))
        return granted

    @classmethod
    def _plan(cls, class_, fiscalyear, end_date):
        pool = Pool()
        Redemption = pool.get('coop.share.redemption')
        redemptions = Redemption.get_queued(class_, end_date)
        budget = class_.remaining_budget(fiscalyear)
        return grant(
            budget / class_.par_value,
            [(r, r.quantity) for r in redemptions],
            order=class_.redemption_order, unit=class_.unit)

    @classmethod
    def allocate(cls, classes, fiscalyear, end_date):
        "Grant the budgets of the classes and return the redemptions"
        # The budget of a class is given once
        claim(classes)
        grants = []
        for class_ in classes:
            pending = cls.get_pending(class_)
            if not pending:
                pending = [
                    cls(
                        redemption=redemption, quantity=quantity,
                        end_date=end_date)
                    for redemption, quantity in cls._plan(
                        class_, fiscalyear, end_date).items()
                    if quantity]
                save_records(pending)
            grants.extend(pending)
        redemptions = [g.redemption for g in grants]
        cls.carry_out(grants)
        return redemptions

    @classmethod
    def carry_out(cls, grants):
        """Grant what is planned, in chunks if it is much.

        What an interruption leaves is pending until the next allocation.
        """
        if not grants:
            return
        if len(grants) <= cls._chunk_size:
            cls.grant(grants)
            return
        with Transaction().set_context(queue_name='coop'):
            for sub_grants in grouped_slice(grants, cls._chunk_size):
                cls.__queue__.grant(list(sub_grants))

    @classmethod
    def grant(cls, grants):
        pool = Pool()
        Redemption = pool.get('coop.share.redemption')
        cls.lock(grants)
        # Another allocation may have granted some of them meanwhile
        grants = cls.search([('id', 'in', [g.id for g in grants])])
        actions, rests = defaultdict(list), []
        for planned in grants:
            redemption = planned.redemption
            if redemption.state != 'approved' or redemption.granted:
                continue
            # It may have got less since it was planned
            quantity = min(planned.quantity, redemption.quantity)
            rest = redemption.quantity - quantity
            key = quantity if rest else None, planned.end_date
            actions[key].append(redemption)
            if rest:
                rests.append(Redemption(
                        company=redemption.company,
                        member=redemption.member,
                        share_class=redemption.share_class,
                        quantity=rest,
                        request_date=redemption.request_date,
                        reason=redemption.reason,
                        split_from=redemption,
                        set_off=redemption.set_off,
                        payment_term=redemption.payment_term,
                        approved_by=redemption.approved_by,
                        state='approved'))
        Redemption.set_number(rests)
        args = []
        for (quantity, end_date), redemptions in actions.items():
            values = {'granted': True, 'end_date': end_date}
            if quantity:
                values['quantity'] = quantity
            args.extend([redemptions, values])
        if args:
            Redemption.write(*args)
        save_records(rests)
        cls.delete(grants)
