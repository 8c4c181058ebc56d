# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.model import ModelStorage
from trytond.pool import PoolMeta


class FEC(metaclass=PoolMeta):
    __name__ = 'account.fr.fec'

    def get_start_balance(self):
        for row in super().get_start_balance():
            yield self._fill(
                row, PieceRef=row[self._column('EcritureNum')],
                EcritureLib=row[self._column('JournalLib')])

    def get_row(self, line, format_date, format_number):
        return self._fill(
            super().get_row(line, format_date, format_number),
            EcritureLib=(
                line.move_description_used or line.move.journal.name))

    def _fill(self, row, **values):
        "Fill the columns that are mandatory, where nothing was written"
        row = list(row)
        for name, value in values.items():
            if row[self._column(name)] in {None, '', '-'}:
                row[self._column(name)] = value
        return row

    def _column(self, name):
        return self.get_header().index(name)

    def get_reference(self, line):
        "Without a document the entry is its own"
        reference = super().get_reference(line)
        if not reference:
            origins = [line.origin, *(l.origin for l in line.move.lines)]
            for origin in origins:
                if isinstance(origin, ModelStorage):
                    return origin.rec_name
        return reference or line.move.number
