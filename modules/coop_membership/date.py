# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.pool import Pool
from trytond.pyson import Date
from trytond.transaction import Transaction

# What was due before this day is shown in red
LONG_AGO = Date(delta_days=-30)


def context_date():
    return (Transaction().context.get('date')
        or Pool().get('ir.date').today())


def format_date(date):
    return Pool().get('ir.lang').get().strftime(date) if date else ''
