# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.pool import PoolMeta


class Journal(metaclass=PoolMeta):
    __name__ = 'account.journal'

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.type.selection.append(('cooperative', "Cooperative"))


class Period(metaclass=PoolMeta):
    __name__ = 'account.period'

    @classmethod
    def find_open(cls, company, date):
        """Return the period and the date to post an event of the date on.

        The date is the event's own unless its period is closed: then it is
        the first day of the next open period.
        """
        period = cls.find(company, date=date, test_state=False)
        if period.state != 'open':
            periods = cls.search([
                    ('company', '=', int(company)),
                    ('type', '=', 'standard'),
                    ('state', '=', 'open'),
                    ('start_date', '>', date),
                    ], order=[('start_date', 'ASC')], limit=1)
            if periods:
                period, = periods
                date = period.start_date
            else:
                # Raise the error of a closed period
                period = cls.find(company, date=date)
        return period, date
