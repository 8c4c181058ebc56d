# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.i18n import gettext
from trytond.model import Index, ModelSQL, ModelView, Workflow, fields
from trytond.model.exceptions import AccessError
from trytond.modules.coop_membership.locking import claim
from trytond.pool import Pool
from trytond.pyson import Bool, Eval
from trytond.transaction import Transaction

from .digits import QUANTITY_DIGITS
from .exceptions import ReadingError


class Reading(Workflow, ModelSQL, ModelView):
    __name__ = 'coop.commons.reading'
    __string__ = "Reading"

    _states = {
        'readonly': Eval('state') != 'draft',
        }

    company = fields.Many2One(
        'company.company', "Company", required=True, states=_states)
    resource = fields.Function(
        fields.Many2One('coop.commons.resource', "Resource"),
        'on_change_with_resource', searcher='search_resource')
    meter = fields.Many2One(
        'coop.commons.meter', "Meter", required=True, ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        states=_states)
    unit = fields.Function(
        fields.Many2One('product.uom', "Unit"), 'on_change_with_unit')
    time = fields.DateTime("Time", required=True, states=_states)
    kind = fields.Selection([
            ('start', "Start of a Use"),
            ('end', "End of a Use"),
            ('exchange', "Exchange of the Meter"),
            ], "Kind", required=True, sort=False, states=_states)
    value = fields.Numeric(
        "Value", digits=QUANTITY_DIGITS, required=True, states=_states)
    last_value = fields.Numeric(
        "Last Value of the Old Meter", digits=QUANTITY_DIGITS,
        states={
            'readonly': _states['readonly'],
            'required': Eval('kind') == 'exchange',
            'invisible': Eval('kind') != 'exchange',
            })
    member = fields.Many2One(
        'coop.member', "Member", ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        states={
            'readonly': _states['readonly'],
            'invisible': (
                (Eval('kind') == 'start')
                | Bool(Eval('party')) | Bool(Eval('cost_center'))),
            })
    party = fields.Many2One(
        'party.party', "Non-member", ondelete='RESTRICT',
        context={
            'company': Eval('company', -1),
            },
        states={
            'readonly': _states['readonly'],
            'invisible': (
                (Eval('kind') == 'start')
                | Bool(Eval('member')) | Bool(Eval('cost_center'))),
            },
        depends={'company'})
    cost_center = fields.Many2One(
        'analytic_account.account', "Cost Centre", ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ('type', '=', 'normal'),
            ],
        states={
            'readonly': _states['readonly'],
            'invisible': (
                (Eval('kind') == 'start')
                | Bool(Eval('member')) | Bool(Eval('party'))),
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

    del _states

    @classmethod
    def __setup__(cls):
        super().__setup__()
        t = cls.__table__()
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
    def default_company(cls):
        return Transaction().context.get('company')

    @classmethod
    def default_kind(cls):
        return 'end'

    @classmethod
    def default_state(cls):
        return 'draft'

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
    def search_rec_name(cls, name, clause):
        return [('meter.rec_name', *clause[1:])]

    @classmethod
    def copy(cls, readings, default=None):
        default = default.copy() if default is not None else {}
        for name in ['previous', 'difference', 'incident', 'usage']:
            default.setdefault(name)
        return super().copy(readings, default=default)

    @classmethod
    def check_modification(cls, mode, readings, values=None, external=False):
        super().check_modification(
            mode, readings, values=values, external=external)
        if mode == 'delete' or (mode == 'write' and external):
            for reading in readings:
                if reading.state == 'done':
                    raise AccessError(gettext(
                            'coop_commons.msg_reading_modify',
                            reading=reading.rec_name))

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
            if reading.difference and (
                    reading.member or reading.party or reading.cost_center):
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
        if self.difference and not self.incident and not (
                self.member or self.party or self.cost_center):
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
