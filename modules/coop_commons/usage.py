# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from decimal import Decimal
from itertools import chain

from sql import Null
from sql.aggregate import Min, Sum

from trytond import backend
from trytond.i18n import gettext
from trytond.model import (
    Check, Index, ModelSQL, ModelView, Unique, Workflow, fields)
from trytond.modules.coop_membership.document import DocumentMixin
from trytond.modules.coop_membership.locking import claim
from trytond.modules.coop_membership.query import fetch_sums
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool
from trytond.pyson import Bool, Eval
from trytond.tools import grouped_slice
from trytond.transaction import Transaction

from . import rating, rating_time
from .digits import QUANTITY_DIGITS
from .drafting import DraftingMixin
from .exceptions import UsageError
from .for_user import ForPerson, ForUser
from .profile import read_profile
from .resource import CHARGE_MODES
from .sealed import SealedPartMixin
from .slices import SLICE
from .tariff import AUDIENCES
from .tariff_component import EVENTS
from .usage_rating import UsageRating
from .usage_waiting import UsageWaiting

CONFIRMED = ['confirmed', 'rated', 'charged']


def _get_measure(unit):
    seconds, months = unit.get_length()
    return rating.Component(unit.id, 'time', seconds=seconds, months=months)


class Usage(
        UsageRating, UsageWaiting, ForPerson, ForUser, DocumentMixin,
        DraftingMixin, ModelSQL, ModelView):
    __name__ = 'coop.commons.usage'
    __string__ = "Usage"
    _not_copied = {'source', 'external_id'}
    _search_names = (
        'resource.rec_name', 'member.rec_name', 'party.rec_name',
        'cost_center.rec_name', 'person.rec_name')
    # They follow from the start and from the resource, whatever is given
    _internal_given = {'charge_mode', 'date'}
    # What is confirmed is only priced and taken back
    _sealed_states = dict.fromkeys(
        CONFIRMED, {
            'state', 'tariff', 'audience', 'charge_mode', 'unpriced'})
    _delete_states = {'draft', 'cancelled'}

    resource = fields.Many2One(
        'coop.commons.resource', "Resource", required=True,
        ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ])
    start = fields.DateTime("Start", required=True)
    end = fields.DateTime("End")
    date = fields.Date(
        "Date", readonly=True,
        help="The day of the start in the time zone of the resource.")
    seats = fields.Integer(
        "Seats", required=True,
        help="How many of the capacity were used.")
    booking = fields.Many2One(
        'coop.commons.booking', "Booking", readonly=True,
        ondelete='RESTRICT',
        states={
            'invisible': ~Eval('booking'),
            })
    event = fields.Selection(
        EVENTS, "Event", readonly=True, sort=False,
        states={
            'invisible': ~Eval('event'),
            },
        help="What is charged for instead of a use.")
    quantities = fields.One2Many(
        'coop.commons.usage.quantity', 'usage', "Quantities")
    description = fields.Char("Description")
    corrects = fields.Many2One(
        'coop.commons.usage', "Takes Back", readonly=True,
        ondelete='RESTRICT',
        states={
            'invisible': ~Eval('corrects'),
            },
        help="The usage that this one takes back.")
    corrections = fields.One2Many(
        'coop.commons.usage', 'corrects', "Taken Back by", readonly=True,
        states={
            'invisible': ~Eval('corrections'),
            })
    source = fields.Char(
        "Source",
        states={
            'required': Bool(Eval('external_id')),
            },
        help="The system that has counted the usage.")
    external_id = fields.Char(
        "External Identifier",
        help="What identifies the usage in the source.")
    received_at = fields.DateTime("Received at", readonly=True)
    audience = fields.Selection(
        AUDIENCES, "Charged as", readonly=True, sort=False,
        states={
            'invisible': ~Eval('audience'),
            },
        help="As what the user is charged.")
    charge_mode = fields.Selection(
        CHARGE_MODES, "Charged Time", readonly=True, sort=False,
        states={
            'invisible': ~Eval('charge_mode'),
            },
        help="The time that is charged, whatever the resource is set to "
        "since.")
    charges = fields.One2Many(
        'coop.commons.usage.charge', 'usage', "Charges", readonly=True)
    tariff = fields.Many2One(
        'coop.commons.tariff', "Tariff", readonly=True, ondelete='RESTRICT')
    unpriced = fields.Boolean(
        "Without Price", readonly=True,
        states={
            'invisible': ~Eval('unpriced'),
            },
        help="No tariff applied when it was to be rated.")
    amount = fields.Function(Monetary(
            "Amount", currency='currency', digits='currency'),
        'get_amount')
    state = fields.Selection([
            ('draft', "Draft"),
            ('confirmed', "Confirmed"),
            ('rated', "Rated"),
            ('charged', "Charged"),
            ('cancelled', "Cancelled"),
            ], "State", required=True, readonly=True, sort=False)

    @classmethod
    def __setup__(cls):
        cls.external_id.search_unaccented = False
        super().__setup__()
        t = cls.__table__()
        cls._sql_constraints += [
            ('external_id_unique',
                Unique(t, t.company, t.source, t.external_id),
                'coop_commons.msg_usage_external_id_unique'),
            ('corrects_unique', Unique(t, t.corrects),
                'coop_commons.msg_usage_corrects_once'),
            ('end_after_start', Check(t, t.end >= t.start),
                'coop_commons.msg_usage_end_before_start'),
            ('seats_positive', Check(t, t.seats > 0),
                'coop_commons.msg_usage_seats_positive'),
            ]
        cls._sql_indexes.update({
                Index(t, (t.resource, Index.Range()), (t.start, Index.Range()),
                    (t.end, Index.Range())),
                Index(t, (t.state, Index.Equality(cardinality='low')),
                    where=t.state.in_(['draft', 'confirmed', 'rated'])),
                Index(t, (t.date, Index.Range())),
                Index(t, (t.company, Index.Range()),
                    (t.start, Index.Range()), (t.id, Index.Range())),
                })
        cls._order = [('start', 'DESC'), ('id', 'DESC')]
        cls._transitions |= {
            ('draft', 'confirmed'),
            ('confirmed', 'rated'),
            ('rated', 'charged'),
            # A billing run that is undone
            ('charged', 'rated'),
            }
        cls._buttons.update({
                'confirm': {
                    'invisible': Eval('state') != 'draft',
                    'depends': ['state'],
                    },
                'rate': {
                    'invisible': Eval('state') != 'confirmed',
                    'depends': ['state'],
                    },
                'take_back': {
                    'invisible': (
                        ~Eval('state').in_(CONFIRMED)
                        | Bool(Eval('corrects'))
                        | Bool(Eval('corrections', []))),
                    'depends': ['state', 'corrects', 'corrections'],
                    },
                })

    @classmethod
    def default_unpriced(cls):
        return False

    @classmethod
    def default_seats(cls):
        return 1

    @fields.depends('company', 'tariff')
    def on_change_with_currency(self, name=None):
        if self.tariff:
            return self.tariff.currency
        return self.company.currency if self.company else None

    @classmethod
    def get_amount(cls, usages, name):
        pool = Pool()
        Charge = pool.get('coop.commons.usage.charge')
        charge = Charge.__table__()
        amounts = dict.fromkeys((u.id for u in usages), Decimal(0))
        for sub_usages in grouped_slice(
                usages, backend.MAX_QUERY_PARAMS // 4):
            query = charge.select(
                charge.usage, Sum(charge.amount).as_('amount'),
                where=fields.SQL_OPERATORS['in'](
                    charge.usage, [u.id for u in sub_usages]),
                group_by=charge.usage)
            amounts.update(fetch_sums(query))
        for usage in usages:
            currency = usage.on_change_with_currency()
            amounts[usage.id] = currency.round(amounts[usage.id])
        return amounts

    def get_rec_name(self, name):
        return '%s @ %s' % (
            self.resource.rec_name,
            self.resource.get_local(self.start).strftime('%Y-%m-%d %H:%M'))

    @property
    def sign(self):
        return -1 if self.corrects else 1

    @property
    def duration(self):
        return self.end - self.start if self.end else dt.timedelta()

    def compute_fields(self, field_names=None):
        values = super().compute_fields(field_names=field_names)
        if field_names is None or field_names & {'start', 'resource'}:
            date = self.resource.get_local(self.start).date()
            if getattr(self, 'date', None) != date:
                values['date'] = date
        if field_names is None or 'resource' in field_names:
            mode = self.resource.charge_mode
            if getattr(self, 'charge_mode', None) != mode:
                values['charge_mode'] = mode
        return values

    @classmethod
    @ModelView.button
    @Workflow.transition('confirmed')
    def confirm(cls, usages):
        for sub_usages in grouped_slice(usages, SLICE):
            sub_usages = cls.browse(list(sub_usages))
            cls.set_time(sub_usages)
            for usage in sub_usages:
                usage.check_confirm()
        cls.check_overlap(usages)

    @classmethod
    def accept(cls, usages):
        "Confirm drafts that are complete and checked, without a log of each"
        cls.write(usages, {'state': 'confirmed'})

    @classmethod
    def set_time(cls, usages):
        "Complete the time from the quantities and the reverse"
        cls.save([
                u for u in usages
                if not (u.corrects or u.event) and u.complete()])

    def complete(self):
        "Set the time that is missing and return if something was"
        Quantity = Pool().get('coop.commons.usage.quantity')
        changed = False
        if not self.end:
            self.end = self.find_end()
            changed = bool(self.end)
        quantity = self.find_quantity()
        if quantity is not None:
            lines = list(self.quantities)
            line, = [l for l in lines if l.computed] or [None]
            if not line:
                line = Quantity(computed=True)
                lines.append(line)
            unit = self.resource.unit
            if (getattr(line, 'unit', None) != unit
                    or getattr(line, 'quantity', None) != quantity):
                line.unit, line.quantity = unit, quantity
                self.quantities = lines
                changed = True
        return changed

    @property
    def _times(self):
        "The quantities of time that are given"
        time = Pool().get('ir.model.data').get_id('product', 'uom_cat_time')
        return [
            q for q in self.quantities
            if q.unit.category.id == time and q.quantity and not q.computed]

    def find_end(self):
        "Return when the use ends by the time that is given as a quantity"
        end = self.start
        for line in self._times:
            try:
                end = rating_time.extend(
                    _get_measure(line.unit), end, line.quantity / self.seats,
                    self.resource.zone)
            except (OverflowError, ValueError):
                # There is no such day
                lang = Pool().get('ir.lang').get()
                raise UsageError(gettext(
                        'coop_commons.msg_usage_quantity_long',
                        quantity=lang.format_number_symbol(
                            line.quantity, line.unit,
                            digits=line.unit.digits))) from None
        return end if end != self.start else None

    def find_quantity(self):
        "Return the quantity of time, unless it is given"
        time = Pool().get('ir.model.data').get_id('product', 'uom_cat_time')
        unit = self.resource.unit
        if (self.duration and unit.category.id == time
                and not self._times):
            return round(
                self.seats * rating_time.measure(
                    _get_measure(unit), [(self.start, self.end)],
                    self.resource.zone),
                QUANTITY_DIGITS[1])

    def check_confirm(self):
        resource = self.resource
        # What is charged instead of a use, or taken back, is no use
        if (not (self.event or self.corrects)
                and not resource.serves(self.date, self.date)):
            raise UsageError(gettext(
                    'coop_commons.msg_usage_out_of_service',
                    # It may be checked before it is saved
                    usage=self.get_rec_name(None),
                    resource=resource.rec_name,
                    date=self.date))
        if self.seats > resource.capacity:
            raise UsageError(gettext(
                    'coop_commons.msg_usage_capacity',
                    usage=self.get_rec_name(None),
                    seats=self.seats,
                    capacity=resource.capacity))
        categories = resource.unit_categories
        for line in self.quantities:
            if line.unit.category not in categories:
                raise UsageError(gettext(
                        'coop_commons.msg_usage_unit',
                        usage=self.get_rec_name(None),
                        unit=line.unit.rec_name,
                        resource=resource.rec_name))
            line.check_sign()

    @classmethod
    def check_overlap(cls, usages):
        "Check that nobody else used an exclusive resource at the same time"
        for id_, other in sorted(cls.find_overlaps(usages).items()):
            usage = cls(id_)
            raise UsageError(gettext(
                    'coop_commons.msg_usage_overlap',
                    usage=usage.rec_name,
                    resource=usage.resource.rec_name,
                    other=other.rec_name,
                    user=other.user.rec_name))

    @classmethod
    def find_overlaps(cls, usages):
        "Return by id a usage of an exclusive resource at the same time"
        table, other, back = (cls.__table__() for _ in range(3))
        cursor = Transaction().connection.cursor()
        resources, exclusive = set(), []
        for sub_usages in grouped_slice(usages, SLICE):
            for usage in cls.browse(list(sub_usages)):
                if (usage.resource.exclusive and usage.duration
                        and not (usage.corrects or usage.event)):
                    resources.add(usage.resource)
                    exclusive.append(usage.id)
        if not exclusive:
            return {}
        claim(resources)
        overlaps = {}
        taken_back = back.select(
            back.corrects, where=back.corrects != Null)
        for ids in grouped_slice(exclusive, backend.MAX_QUERY_PARAMS // 4):
            ids = list(ids)
            cursor.execute(*table.join(other, condition=(
                        (table.resource == other.resource)
                        & (table.id != other.id)
                        & (table.start < other.end)
                        & (other.start < table.end))
                    ).select(table.id, Min(other.id),
                    where=fields.SQL_OPERATORS['in'](table.id, ids)
                    & (other.state.in_(CONFIRMED)
                        # The first of two that come together is good
                        | (fields.SQL_OPERATORS['in'](other.id, ids)
                            & (other.id < table.id)))
                    & (other.corrects == Null)
                    & (other.event == Null)
                    & ~other.id.in_(taken_back),
                    group_by=table.id))
            overlaps.update(cursor)
        return {id_: cls(other) for id_, other in overlaps.items()}

    @classmethod
    @ModelView.button_action('coop_commons.act_usage_form_correction')
    def take_back(cls, usages):
        "Undo the usages by a negative row and propose the right one"
        negatives = cls._take_back(usages)
        corrected = cls.copy(usages, default=cls._same_booking())
        # What the resource is set to since is for what happens since
        modes = [
            ([new], {'charge_mode': old.charge_mode})
            for new, old in zip(corrected, usages) if old.charge_mode]
        if modes:
            cls.write(*chain.from_iterable(modes))
        return {'res_id': [u.id for u in negatives + corrected]}

    @classmethod
    def _same_booking(cls):
        "Return the default of what takes the place of the copied usages"
        return {
            'booking': lambda data: data['booking'],
            'event': lambda data: data['event'],
            # When it was changed tells what the event costs
            'received_at': lambda data: (
                data['received_at'] if data['event'] else None),
            }

    @classmethod
    def _take_back(cls, usages):
        cls.lock(usages)
        for usage in usages:
            if usage.corrects or usage.corrections:
                raise UsageError(gettext(
                        'coop_commons.msg_usage_corrects_unique',
                        usage=usage.rec_name))
        negatives = cls.copy(usages, default={
                **cls._same_booking(),
                'corrects': lambda data: data['id'],
                'quantities.quantity': lambda data: -data['quantity'],
                })
        cls.confirm(negatives)
        return negatives

    @classmethod
    def sum_quantities(cls, resource, start=None, end=None):
        """Return the confirmed use of the resource, a quantity for each unit

        What is on the days from the start to the end.
        """
        pool = Pool()
        Quantity = pool.get('coop.commons.usage.quantity')
        Uom = pool.get('product.uom')
        table = cls.__table__()
        line = Quantity.__table__()
        where = (
            (table.resource == int(resource))
            & table.state.in_(CONFIRMED))
        if start:
            where &= table.date >= start
        if end:
            where &= table.date <= end
        query = table.join(line, condition=line.usage == table.id).select(
            line.unit, Sum(line.quantity).as_('quantity'),
            where=where, group_by=line.unit)
        return {
            Uom(unit): float(round(quantity, QUANTITY_DIGITS[1]))
            for unit, quantity in fetch_sums(query)}


class UsageQuantity(SealedPartMixin, ModelSQL, ModelView):
    __name__ = 'coop.commons.usage.quantity'
    __string__ = "Usage Quantity"
    _document = 'usage'

    usage = fields.Many2One(
        'coop.commons.usage', "Usage", required=True, ondelete='CASCADE')
    quantity = fields.Numeric(
        "Quantity", digits=QUANTITY_DIGITS, required=True)
    unit = fields.Many2One(
        'product.uom', "Unit", required=True, ondelete='RESTRICT')
    computed = fields.Boolean(
        "Computed", readonly=True,
        help="Computed from the start to the end.")
    profile = fields.Text(
        "Metered", readonly=True,
        states={
            'invisible': ~Eval('profile'),
            },
        help="When it was metered within the use, if that is known: from and "
        "until when, in UTC, and how much then.")

    @classmethod
    def __setup__(cls):
        super().__setup__()
        t = cls.__table__()
        cls.__access__.add('usage')
        cls._sql_constraints += [
            ('unit_unique', Unique(t, t.usage, t.unit),
                'coop_commons.msg_usage_quantity_unit_unique'),
            ]

    def get_rec_name(self, name):
        return f'{self.quantity.normalize():f} {self.unit.symbol}'

    def get_profile(self):
        "Return the starts, the ends and the weights of what was metered"
        return read_profile(self.profile) if self.profile else []

    @classmethod
    def copy(cls, lines, default=None):
        default = default.copy() if default is not None else {}
        # Else it would count as given, and no more follow the time
        default.setdefault('computed', lambda data: data['computed'])
        default.setdefault('profile', lambda data: data['profile'])
        return super().copy(lines, default=default)

    @classmethod
    def validate_fields(cls, lines, field_names):
        super().validate_fields(lines, field_names)
        for line in lines:
            line.check_sign()

    def check_sign(self):
        usage = self.usage
        if self.quantity * usage.sign < 0:
            raise UsageError(gettext(
                    'coop_commons.msg_usage_negative',
                    # It may be checked before it is saved
                    usage=usage.get_rec_name(None),
                    quantity=self.quantity,
                    unit=self.unit.rec_name))
