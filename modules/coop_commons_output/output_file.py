# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""Read what a meter has written into a CSV file"""
import csv
from decimal import Decimal, InvalidOperation

from trytond.i18n import gettext
from trytond.modules.coop_commons.local_time import Clock, parse
from trytond.pool import Pool

from .exceptions import OutputError
from .output_user import set_user


def read_intervals(output, content):
    "Return the intervals of the output in the content of the file"
    pool = Pool()
    Interval = pool.get('coop.commons.output.interval')
    Consumption = pool.get('coop.commons.output.consumption')
    users = output.get_file_users()
    clock, intervals = Clock(output.resource.zone), []
    for line, row in _get_rows(content):
        interval = Interval(output=output, consumptions=[])
        for name, cell in row.items():
            try:
                if name == 'start':
                    interval.start = clock.read(parse(cell))
                elif name == 'output':
                    interval.quantity = Decimal(cell)
                else:
                    consumption = Consumption(quantity=Decimal(cell))
                    set_user(consumption, users[name])
                    interval.consumptions += (consumption,)
            except (InvalidOperation, KeyError, TypeError,
                    ValueError) as error:
                raise OutputError(gettext(
                        'coop_commons_output.msg_output_import_cell',
                        line=line, column=name, value=cell)) from error
        intervals.append(interval)
    return intervals


def _get_rows(content):
    "Yield the number of each row and its cells"
    try:
        text = content.decode('utf-8-sig')
    except UnicodeDecodeError as error:
        raise OutputError(gettext(
                'coop_commons_output.msg_output_import_file')) from error
    reader = csv.DictReader(text.splitlines())
    names = reader.fieldnames or []
    if not {'start', 'output'} <= set(names):
        raise OutputError(gettext(
                'coop_commons_output.msg_output_import_file'))
    for row in reader:
        yield reader.line_num, row
