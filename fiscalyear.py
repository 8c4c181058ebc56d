# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.i18n import gettext
from trytond.pool import Pool, PoolMeta


def create_closing_period(fiscalyear):
    "Create the period in which the result of the year is closed"
    Period = Pool().get('account.period')
    if Period.search([
                ('fiscalyear', '=', fiscalyear.id),
                ('type', '=', 'adjustment'),
                ], limit=1):
        return
    Period(
        name=gettext('coop.msg_configuration_closing', name=fiscalyear.name),
        fiscalyear=fiscalyear,
        type='adjustment',
        start_date=fiscalyear.end_date,
        end_date=fiscalyear.end_date).save()


class RenewFiscalYear(metaclass=PoolMeta):
    __name__ = 'account.fiscalyear.renew'

    def create_fiscalyear(self):
        fiscalyear = super().create_fiscalyear()
        create_closing_period(fiscalyear)
        return fiscalyear
