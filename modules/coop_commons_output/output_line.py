# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt

from trytond.model import ModelSQL, ModelView, fields
from trytond.modules.coop_membership.document import ResultMixin
from trytond.pool import Pool

from .output_user import OutputUserMixin

CARRIED_DIGITS = (None, 9)


class OutputLine(
        ResultMixin, OutputUserMixin, ModelSQL, ModelView):
    __name__ = 'coop.commons.output.line'
    __string__ = "Output Line"

    output = fields.Many2One(
        'coop.commons.output', "Output", required=True, ondelete='CASCADE')
    date = fields.Date(
        "Date", required=True,
        help="The day in the time zone of the resource.")
    unit = fields.Function(
        fields.Many2One('product.uom', "Unit"), 'on_change_with_unit')
    quantity = fields.Numeric(
        "Quantity", digits='unit', required=True,
        help="The part of the output of the day.")
    profile = fields.Text(
        "Hours",
        help="When the output was made: from and until when, in UTC, and how "
        "much then.")
    carried = fields.Numeric(
        "Carried", digits=CARRIED_DIGITS, required=True,
        help="What the rounding has given the user too little, and the next "
        "interval makes up for.\n"
        "It is negative when it was too much.")
    usage = fields.Many2One(
        'coop.commons.usage', "Usage", readonly=True, ondelete='RESTRICT')

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.__access__.add('output')
        cls._order = [('date', 'ASC'), ('id', 'ASC')]

    @fields.depends('output', '_parent_output.company')
    def on_change_with_company(self, name=None):
        return self.output.company if self.output else None

    @fields.depends('output', '_parent_output.unit')
    def on_change_with_unit(self, name=None):
        return self.output.unit if self.output else None

    def get_rec_name(self, name):
        return '%s %s @ %s' % (
            self.user.rec_name, self.date, self.output.resource.rec_name)

    def get_usage(self):
        pool = Pool()
        Quantity = pool.get('coop.commons.usage.quantity')
        Usage = pool.get('coop.commons.usage')
        resource = self.output.resource
        return Usage(
            company=self.output.company,
            resource=resource,
            member=self.member,
            party=self.party,
            cost_center=self.cost_center,
            start=resource.get_instant(self.date),
            end=resource.get_instant(self.date + dt.timedelta(days=1)),
            quantities=[Quantity(
                    unit=self.unit, quantity=self.quantity,
                    profile=self.profile)],
            source=self.output.__name__,
            external_id=str(self.id))
