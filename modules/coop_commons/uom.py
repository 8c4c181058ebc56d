# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict

from trytond.model import fields
from trytond.pool import Pool, PoolMeta

_DAY = 24 * 60 * 60
# Whatever the average is
_MONTH = range(30 * _DAY, 31 * _DAY + 1)
_YEAR = range(365 * _DAY, 366 * _DAY + 1)
_DOTS = str.maketrans(dict.fromkeys('⋅·•∙*. '))


class Uom(metaclass=PoolMeta):
    __name__ = 'product.uom'

    aliases = fields.Char(
        "Other Symbols",
        help="What else machines and files call the unit, separated by "
        "commas.")

    @classmethod
    def find_written(cls, texts):
        """Return the units by the texts that stand for them

        The symbol is looked at first, then the name, the other symbols and
        last all of them without regard to dots and capitals.  A text that
        may be several units is None.
        """
        exact, others, similar = (defaultdict(set) for _ in range(3))
        names = defaultdict(set)
        for unit in cls.search([]):
            aliases = [
                a.strip() for a in (unit.aliases or '').split(',')
                if a.strip()]
            exact[unit.symbol].add(unit)
            names[unit.name].add(unit)
            for alias in aliases:
                others[alias].add(unit)
            for text in [unit.symbol, unit.name, *aliases]:
                similar[_simplify(text)].add(unit)
        found = {}
        for text in texts:
            units = (
                exact.get(text) or names.get(text) or others.get(text)
                or similar.get(_simplify(text)))
            if units:
                found[text] = units.pop() if len(units) == 1 else None
        return found

    def get_length(self):
        """Return how long the unit of time is

        In seconds and, if it is one of the calendar, in months.
        """
        pool = Pool()
        ModelData = pool.get('ir.model.data')
        second = self.__class__(ModelData.get_id('product', 'uom_second'))
        seconds = round(self.compute_qty(self, 1, second, round=False))
        months = 1 if seconds in _MONTH else 12 if seconds in _YEAR else 0
        return seconds, months


def _simplify(text):
    return text.translate(_DOTS).casefold()
