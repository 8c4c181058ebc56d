# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from dateutil.relativedelta import relativedelta
from sql import Null

from trytond.model import Check, ModelSQL, ModelView, fields
from trytond.pyson import Eval

from .quantity import number


class ShareClassMinimum(ModelSQL, ModelView):
    __name__ = 'coop.share.class.minimum'
    __string__ = "Step of the Minimum"

    share_class = fields.Many2One(
        'coop.share.class', "Share Class", required=True, ondelete='CASCADE')
    start_date = fields.Date("From",
        help="The day from which on the minimum is asked for.\n"
        "Leave empty if it always is.")
    months = fields.Integer("After",
        help="The number of months a membership lasts before the minimum is "
        "asked for.\n"
        "Leave empty if it is asked for at once.")
    minimum = fields.Numeric("Minimum", required=True,
        digits=(None, Eval('_parent_share_class', {}).get(
                'quantity_digits', 0)),
        depends={'share_class'},
        help="The quantity a member holds at least.")

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.__access__.add('share_class')
        t = cls.__table__()
        cls._sql_constraints += [
            ('months_positive', Check(t, (t.months == Null) | (t.months >= 0)),
                'coop_shares.msg_minimum_months_positive'),
            ('minimum_positive', Check(t, number(t.minimum) > 0),
                'coop_shares.msg_minimum_positive'),
            ]
        cls._order = [
            ('start_date', 'ASC NULLS FIRST'),
            ('months', 'ASC NULLS FIRST'),
            ('id', 'ASC'),
            ]

    def is_asked(self, admission_date, date):
        "Return whether the minimum is asked for on the day"
        if self.start_date and date < self.start_date:
            return False
        if self.months:
            return bool(admission_date) and (
                date >= admission_date + relativedelta(months=self.months))
        return True
