# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from sql import Cast, Null
from sql.functions import Extract, Round

from trytond.pool import Pool, PoolMeta
from trytond.pyson import Eval, If


class Category(metaclass=PoolMeta):
    __name__ = 'coop.patronage.category'

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.source.selection += [
            ('timesheet', "Timesheets"),
            ]
        cls.measure.domain = [
            cls.measure.domain or [],
            If(Eval('source') == 'timesheet',
                ('measure', '=', 'quantity'),
                ()),
            ]


class Activity(metaclass=PoolMeta):
    __name__ = 'coop.patronage.activity'

    @classmethod
    def _get_origin(cls):
        return super()._get_origin() + ['timesheet.line']

    @classmethod
    def _query_timesheet(cls, category):
        pool = Pool()
        Employee = pool.get('company.employee')
        Line = pool.get('timesheet.line')
        ModelData = pool.get('ir.model.data')
        Unit = pool.get('product.uom')
        employee = Employee.__table__()
        line = Line.__table__()

        second = Unit(ModelData.get_id('product', 'uom_second'))
        unit = category.unit or Unit(ModelData.get_id('product', 'uom_hour'))
        return line.join(employee, condition=line.employee == employee.id), {
            'id': line.id,
            'party': employee.party,
            'date': line.date,
            'quantity': Round(Cast(
                    Extract('EPOCH', line.duration)
                    * second.factor / unit.factor, 'NUMERIC'), 6),
            'amount': Null,
            'origin': Line.__name__,
            }, line.company == category.company.id
