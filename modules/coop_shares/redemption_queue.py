# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from decimal import Decimal

from trytond.pool import Pool

from .redemption_apportionment import expected_years


class RedemptionQueue:
    "The requests of a share class that wait for its budget"
    __slots__ = ()

    @property
    def queued(self):
        return (
            self.state == 'approved' and self.share_class.budgeted
            and not self.granted)

    @classmethod
    def get_queue(cls, redemptions, names):
        pool = Pool()
        Date = pool.get('ir.date')
        FiscalYear = pool.get('account.fiscalyear')
        result = {
            name: dict.fromkeys(map(int, redemptions)) for name in names}
        values = {}
        for class_ in {r.share_class for r in redemptions if r.queued}:
            ahead = Decimal(0)
            fiscalyears = FiscalYear.search([
                    ('company', '=', class_.company.id),
                    ('start_date', '<=', Date.today()),
                    ], order=[('start_date', 'DESC')], limit=1)
            budget = None
            if fiscalyears:
                fiscalyear, = fiscalyears
                budget = class_.yearly_budget(fiscalyear)
            for position, redemption in enumerate(cls.get_queued(class_), 1):
                amount = redemption.quantity * class_.par_value
                years = None
                if budget:
                    years = expected_years(ahead, amount, budget)
                values[redemption.id] = {
                    'queue_position': position,
                    'amount_ahead': class_.currency.round(ahead),
                    'expected_year': (
                        fiscalyear.end_date.year + years - 1
                        if years else None),
                    }
                ahead += amount
        for id_, value in values.items():
            for name in names:
                if id_ in result[name]:
                    result[name][id_] = value[name]
        return result

    @classmethod
    def get_queued(cls, share_class, date=None):
        "Return the redemptions that wait for a budget in their order"
        domain = [
            ('share_class', '=', share_class.id),
            ('state', '=', 'approved'),
            ('granted', '!=', True),
            ]
        if date:
            domain.append(('request_date', '<=', date))
            domain.append(['OR',
                    ('end_date', '=', None),
                    ('end_date', '<=', date),
                    ])
        return cls.search(
            domain, order=[('request_date', 'ASC'), ('id', 'ASC')])
