# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.i18n import gettext
from trytond.model import Index, ModelSQL, ModelView, Workflow, fields
from trytond.modules.coop_membership.document import DocumentMixin
from trytond.modules.coop_membership.locking import claim
from trytond.pool import Pool
from trytond.pyson import Eval

from .digits import QUANTITY_DIGITS, not_negative
from .exceptions import ReadingError
from .for_user import USER, ForUser


class Reading(ForUser, DocumentMixin, Workflow, ModelSQL, ModelView):
    __name__ = 'coop.commons.reading'
    __string__ = "Reading"
    _search_names = (
        'meter.rec_name', 'member.rec_name', 'party.rec_name',
        'cost_center.rec_name')
    _sealed_states = {'done': set()}
    _user_required = False

    resource = fields.Function(
        fields.Many2One('coop.commons.resource', "Resource"),
        'on_change_with_resource', searcher='search_resource')
    meter = fields.Many2One(
        'coop.commons.meter', "Meter", required=True, ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ])
    unit = fields.Function(
        fields.Many2One('product.uom', "Unit"), 'on_change_with_unit')
    time = fields.DateTime("Time", required=True)
    kind = fields.Selection([
            ('start', "Start of a Use"),
            ('end', "End of a Use"),
            ('exchange', "Exchange of the Meter"),
            ], "Kind", required=True, sort=False)
    value = fields.Numeric(
        "Value", digits=QUANTITY_DIGITS, required=True)
    last_value = fields.Numeric(
        "Last Value of the Old Meter", digits=QUANTITY_DIGITS,
        states={
            'required': Eval('kind') == 'exchange',
            'invisible': Eval('kind') != 'exchange',
            })
    previous = fields.Many2One(
        'coop.commons.reading', "Previous", readonly=True,
        ondelete='RESTRICT')
    difference = fields.Numeric(
        "Difference", digits=QUANTITY_DIGITS, readonly=True,
        help="What was metered since the previous reading.")
    incident = fields.Selection([
            (None, ""),
            ('gap', "Gap"),
            ('exchange', "Exchange"),
            ], "Incident", readonly=True, sort=False,
        help="A gap was metered between two uses and is nobody's.")
    usage = fields.Many2One(
        'coop.commons.usage', "Usage", readonly=True, ondelete='RESTRICT')
    state = fields.Selection([
            ('draft', "Draft"),
            ('done', "Done"),
            ], "State", required=True, readonly=True, sort=False)

    @classmethod
    def __setup__(cls):
        super().__setup__()
        t = cls.__table__()
        for name in USER:
            getattr(cls, name).states['invisible'] |= Eval('kind') == 'start'
        cls._sql_constraints.append((
                'not_negative', not_negative(t, 'value', 'last_value'),
                'coop_commons.msg_not_negative'))
        cls._sql_indexes.add(
            Index(t, (t.meter, Index.Equality()), (t.time, Index.Range())))
        cls._order = [('time', 'DESC'), ('id', 'DESC')]
        cls._transitions.add(('draft', 'done'))
        cls._buttons.update({
                'do': {
                    'invisible': Eval('state') != 'draft',
                    'depends': ['state'],
                    },
                })

    @classmethod
    def default_kind(cls):
        return 'end'

    @fields.depends('meter', '_parent_meter.resource')
    def on_change_with_resource(self, name=None):
        return self.meter.resource if self.meter else None

    @classmethod
    def search_resource(cls, name, clause):
        return [('meter.' + clause[0], *clause[1:])]

    @fields.depends('meter', '_parent_meter.unit')
    def on_change_with_unit(self, name=None):
        return self.meter.unit if self.meter else None

    def get_rec_name(self, name):
        local = self.meter.resource.get_local(self.time)
        return f'{self.meter.rec_name} @ {local:%Y-%m-%d %H:%M}'

    @classmethod
    @ModelView.button
    @Workflow.transition('done')
    def do(cls, readings):
        pool = Pool()
        Usage = pool.get('coop.commons.usage')
        claim(r.meter for r in readings)
        last, usages = {}, []
        for reading in sorted(readings, key=lambda r: (r.time, r.id)):
            if reading.meter not in last:
                last[reading.meter] = next(iter(cls.search([
                                ('meter', '=', reading.meter.id),
                                ('state', '=', 'done'),
                                ], order=[
                                ('time', 'DESC'), ('id', 'DESC')], limit=1)),
                    None)
            reading.set_previous(last[reading.meter])
            last[reading.meter] = reading
            if reading.difference and reading.user:
                reading.usage = reading.get_usage()
                usages.append(reading.usage)
        Usage.save(usages)
        cls.save(readings)
        Usage.confirm(Usage.browse(usages))

    def set_previous(self, previous):
        "Compare with the previous reading of the meter"
        self.previous = previous
        if self.kind == 'exchange':
            self.incident = 'exchange'
        if not previous:
            return
        if previous.time > self.time:
            raise ReadingError(gettext(
                    'coop_commons.msg_reading_order',
                    reading=self.rec_name,
                    previous=previous.rec_name))
        value = self.last_value if self.kind == 'exchange' else self.value
        if value < previous.value:
            raise ReadingError(gettext(
                    'coop_commons.msg_reading_rollback',
                    reading=self.rec_name,
                    value=value,
                    previous=previous.rec_name,
                    previous_value=previous.value))
        self.difference = value - previous.value
        if self.difference and not self.incident and not self.user:
            self.incident = 'gap'

    def get_usage(self):
        pool = Pool()
        Quantity = pool.get('coop.commons.usage.quantity')
        Usage = pool.get('coop.commons.usage')
        return Usage(
            company=self.company,
            resource=self.meter.resource,
            member=self.member,
            party=self.party,
            cost_center=self.cost_center,
            start=self.previous.time,
            end=self.time,
            source='meter',
            external_id=str(self.id),
            quantities=[Quantity(
                    unit=self.meter.unit, quantity=self.difference)])
