# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from itertools import groupby

from trytond.i18n import gettext
from trytond.model import Index, ModelSQL, ModelView, Workflow, fields
from trytond.modules.coop_membership.document import DocumentMixin
from trytond.modules.coop_membership.locking import claim
from trytond.pool import Pool
from trytond.pyson import Bool, Eval

from .digits import QUANTITY_DIGITS, not_negative
from .exceptions import ReadingError
from .for_user import USER, ForUser


class Reading(ForUser, DocumentMixin, Workflow, ModelSQL, ModelView):
    __name__ = 'coop.commons.reading'
    __string__ = "Reading"
    _search_names = (
        'meter.rec_name', 'member.rec_name', 'party.rec_name',
        'cost_center.rec_name')
    # What follows from the readings before it, which may come late
    _sealed_states = {
        'done': {'previous', 'difference', 'incident', 'usage'}}
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
    corrects = fields.Many2One(
        'coop.commons.reading', "Takes the Place of", readonly=True,
        ondelete='RESTRICT',
        states={
            'invisible': ~Eval('corrects'),
            },
        help="The reading that was wrong.")
    corrections = fields.One2Many(
        'coop.commons.reading', 'corrects', "Corrections", readonly=True,
        states={
            'invisible': ~Eval('corrections'),
            })
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
                'correct': {
                    'invisible': (
                        (Eval('state') != 'done')
                        | Bool(Eval('corrections', []))),
                    'depends': ['state', 'corrections'],
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
    def copy(cls, readings, default=None):
        default = default.copy() if default is not None else {}
        default.setdefault('corrections')
        return super().copy(readings, default=default)

    @classmethod
    @ModelView.button_action('coop_commons.act_reading_form_correction')
    def correct(cls, readings):
        "Propose a reading that takes the place of each"
        corrections = cls.copy(readings, default={
                'corrects': lambda data: data['id'],
                })
        return {'res_id': [r.id for r in corrections]}

    @classmethod
    @ModelView.button
    @Workflow.transition('done')
    def do(cls, readings):
        pool = Pool()
        Usage = pool.get('coop.commons.usage')
        claim(r.meter for r in readings)
        corrected, changed, wrong = [], [], []
        for meter, new in groupby(
                sorted(readings, key=lambda r: (r.meter.id, r.time, r.id)),
                key=lambda r: r.meter):
            new = list(new)
            for reading in new:
                reading.check_corrects(new)
            old = [r.corrects for r in new if r.corrects]
            corrected.extend(old)
            previous, following = cls._get_sequence(meter, new, old)
            for reading in following:
                if reading in new or not reading.is_after(previous):
                    if reading.usage:
                        wrong.append(reading.usage)
                    reading.set_previous(previous)
                    changed.append(reading)
                previous = reading
        for reading in corrected:
            reading.incident = None
            if reading.usage:
                wrong.append(reading.usage)
        if wrong:
            Usage._take_back(Usage.browse(wrong))
        usages = []
        for reading in changed:
            before, reading.usage = reading.usage, None
            if reading.difference and reading.user:
                reading.usage = reading.get_usage(before)
                usages.append(reading.usage)
        Usage.save(usages)
        cls.save(changed + corrected)
        Usage.confirm(Usage.browse(usages))

    def check_corrects(self, new):
        """Check that what it takes the place of stands for itself

        And that none of the new ones takes its place too.
        """
        wrong = self.corrects
        if wrong and (
                wrong.state != 'done' or wrong.meter != self.meter
                or any(
                    r.state == 'done' or r in new
                    for r in wrong.corrections if r != self)):
            raise ReadingError(gettext(
                    'coop_commons.msg_reading_corrected',
                    reading=self.rec_name,
                    corrects=wrong.rec_name))

    @classmethod
    def _get_sequence(cls, meter, new, old):
        "Return the reading before those and, in their order, what follows"
        domain = [
            ('meter', '=', meter.id),
            ('state', '=', 'done'),
            # Others correct nothing, and SQL can not tell what is not in that
            ('corrections', 'not where', [
                    ('state', '=', 'done'),
                    ('corrects', '!=', None),
                    ]),
            ('id', 'not in', [r.id for r in old]),
            ]
        first = min(r.time for r in [*new, *old])
        before = cls.search(
            [domain, ('time', '<', first)],
            order=[('time', 'DESC'), ('id', 'DESC')], limit=1)
        after = cls.search([domain, ('time', '>=', first)], order=[])
        return before[0] if before else None, sorted(
            [*new, *after], key=lambda r: (r.time, r.id))

    def is_after(self, previous):
        "Return if it is what it was, since it follows the reading"
        return self.previous == previous and (
            not previous
            or self.difference == self._get_difference(previous))

    def _get_difference(self, previous):
        value = self.last_value if self.kind == 'exchange' else self.value
        return value - previous.value

    def set_previous(self, previous):
        "Compare with the previous reading of the meter"
        self.previous = previous
        self.difference = None
        self.incident = 'exchange' if self.kind == 'exchange' else None
        if not previous:
            return
        self.difference = self._get_difference(previous)
        if self.difference < 0:
            raise ReadingError(gettext(
                    'coop_commons.msg_reading_rollback',
                    reading=self.rec_name,
                    value=previous.value + self.difference,
                    previous=previous.rec_name,
                    previous_value=previous.value))
        if self.difference and not self.incident and not self.user:
            self.incident = 'gap'

    def get_usage(self, before=None):
        """Return the usage of what was metered

        In the place of the one before, if there was one.
        """
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
            external_id=f'{self.id}-{before.id}' if before else str(self.id),
            quantities=[Quantity(
                    unit=self.meter.unit, quantity=self.difference)])
