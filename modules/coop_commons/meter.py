# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.i18n import gettext
from trytond.model import DeactivableMixin, ModelSQL, ModelView, fields
from trytond.pyson import Eval
from trytond.transaction import Transaction

from .exceptions import ReadingError


class Meter(DeactivableMixin, ModelSQL, ModelView):
    __name__ = 'coop.commons.meter'
    __string__ = "Meter"

    name = fields.Char("Name", required=True, translate=True)
    company = fields.Many2One('company.company', "Company", required=True)
    resource = fields.Many2One(
        'coop.commons.resource', "Resource", required=True,
        ondelete='CASCADE',
        domain=[
            ('company', '=', Eval('company', -1)),
            ])
    unit = fields.Many2One(
        'product.uom', "Unit", required=True, ondelete='RESTRICT')
    readings = fields.One2Many(
        'coop.commons.reading', 'meter', "Readings", readonly=True)

    @classmethod
    def default_company(cls):
        return Transaction().context.get('company')

    @classmethod
    def validate_fields(cls, meters, field_names):
        super().validate_fields(meters, field_names)
        for meter in meters:
            if meter.unit.category not in meter.resource.unit_categories:
                raise ReadingError(gettext(
                        'coop_commons.msg_meter_unit',
                        meter=meter.rec_name,
                        unit=meter.unit.rec_name,
                        resource=meter.resource.rec_name))
