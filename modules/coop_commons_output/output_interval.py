# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.model import Check, ModelSQL, ModelView, Unique, fields
from trytond.modules.coop_membership.document import PartMixin

from .output_user import OutputUserMixin


class OutputInterval(PartMixin, ModelSQL, ModelView):
    __name__ = 'coop.commons.output.interval'
    __string__ = "Output Interval"
    _document = 'output'

    output = fields.Many2One(
        'coop.commons.output', "Output", required=True, ondelete='CASCADE')
    start = fields.DateTime("Start", required=True)
    local_time = fields.Function(
        fields.Char(
            "Local Time",
            help="The time in the time zone of the resource."),
        'on_change_with_local_time')
    unit = fields.Function(
        fields.Many2One('product.uom', "Unit"), 'on_change_with_unit')
    quantity = fields.Numeric(
        "Output", digits='unit', required=True,
        domain=[
            ('quantity', '>=', 0),
            ],
        help="What the resource has made in the interval.")
    consumptions = fields.One2Many(
        'coop.commons.output.consumption', 'interval', "Consumptions")

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.__access__.add('output')
        t = cls.__table__()
        cls._sql_constraints += [
            ('start_unique', Unique(t, t.output, t.start),
                'coop_commons_output.msg_output_interval_unique'),
            ('quantity_positive', Check(t, t.quantity >= 0),
                'coop_commons_output.msg_output_quantity_positive'),
            ]
        cls._order = [('start', 'ASC'), ('id', 'ASC')]

    @fields.depends('output', '_parent_output.resource', 'start')
    def on_change_with_local_time(self, name=None):
        if self.output and self.output.resource and self.start:
            return self.output.resource.get_local(self.start).strftime(
                '%Y-%m-%d %H:%M %Z')

    @fields.depends('output', '_parent_output.unit')
    def on_change_with_unit(self, name=None):
        return self.output.unit if self.output else None

    def get_rec_name(self, name):
        return '%s %s' % (self.output.resource.rec_name, self.local_time)


class OutputConsumption(
        PartMixin, OutputUserMixin, ModelSQL, ModelView):
    __name__ = 'coop.commons.output.consumption'
    __string__ = "Output Consumption"
    _document = 'interval'

    interval = fields.Many2One(
        'coop.commons.output.interval', "Interval", required=True,
        ondelete='CASCADE')
    unit = fields.Function(
        fields.Many2One('product.uom', "Unit"), 'on_change_with_unit')
    quantity = fields.Numeric(
        "Quantity", digits='unit', required=True,
        domain=[
            ('quantity', '>=', 0),
            ],
        help="What the user has consumed in the interval.")

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.__access__.add('interval')
        t = cls.__table__()
        cls._sql_constraints.append((
                'quantity_positive', Check(t, t.quantity >= 0),
                'coop_commons_output.msg_output_quantity_positive'))

    @fields.depends('interval', '_parent_interval.output')
    def on_change_with_company(self, name=None):
        if self.interval and self.interval.output:
            return self.interval.output.company

    @fields.depends('interval', '_parent_interval.unit')
    def on_change_with_unit(self, name=None):
        return self.interval.unit if self.interval else None

    def get_rec_name(self, name):
        return '%s @ %s' % (self.user.rec_name, self.interval.rec_name)
