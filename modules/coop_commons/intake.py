# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""Take usages from machines, door readers and files."""
import datetime as dt
from decimal import Decimal, InvalidOperation

from trytond.exceptions import UserError
from trytond.i18n import gettext
from trytond.pool import Pool
from trytond.tools import grouped_slice
from trytond.transaction import Transaction

from . import local_time
from .exceptions import UsageError
from .slices import SLICE
from .usage_waiting import get_time_category

# What identifies the user of an event: the model and the field of its code
USERS = {
    'member': ('coop.member', 'number'),
    'party': ('party.party', 'code'),
    'cost_center': ('analytic_account.account', 'code'),
    }
TEXTS = {
    'resource', 'booking', 'external_id', 'source', 'description', 'person',
    *USERS}
NAMES = TEXTS | {'start', 'end', 'seats', 'quantities'}
# The booking has begun or will
BOOKED = {'confirmed', 'running', 'done'}


def parse_quantity(value):
    "Return a quantity with the digits of the usage"
    if isinstance(value, bool) or not isinstance(
            value, (int, str, float, Decimal)):
        raise ValueError("not a number")
    try:
        quantity = Decimal(str(value))
        if not quantity.is_finite() or abs(quantity) >= 10 ** 10:
            raise ValueError("out of range")
        return round(quantity, 6)
    except InvalidOperation as error:
        raise ValueError("not a number") from error


class Intake:
    "The usages of a company that come as dictionaries"

    def __init__(self, company, events, source=None, skip=False):
        self.company = company
        self.events = events
        self.source = source
        self.skip = skip
        self.received_at = dt.datetime.now(dt.timezone.utc).replace(
            microsecond=0, tzinfo=None)
        # The result of each event: the state and the reason
        self.results = [None] * len(events)
        self.usages = {}
        # Those that wait for what was metered
        self.waiting = set()

    def check(self):
        "Check the events and make the usages of the new ones"
        Usage = Pool().get('coop.commons.usage')
        self._load()
        usages = {}
        for i, event in enumerate(self.events):
            try:
                usages[i] = self._parse(event)
            except UserError as error:
                self.results[i] = 'error', error.message
        self._set_times(usages)
        usages = {i: u for i, u in usages.items() if not self.results[i]}
        missing = Usage.find_missing(usages.values())
        seen, used = {}, set()
        for i, usage in usages.items():
            # What it lacks may be entered since
            without = missing.get(usage, [])
            try:
                key = usage.source, usage.external_id
                known = seen.get(key)
                if key in self.existing:
                    existing = self.existing[key]
                    known = get_content(existing, without)
                    if usage.booking and not self.events[i].get('person'):
                        # That of the booking may have changed since
                        usage.person = existing.person
                content = get_content(usage, without)
                if known is not None and known != content:
                    raise UsageError(gettext(
                            'coop_commons.msg_intake_other_content',
                            external_id=usage.external_id))
                if known is not None:
                    self.results[i] = 'exists', None
                    continue
                if usage.booking:
                    problem = find_booking_problem(
                        usage.booking, usage.resource, usage.user, used)
                    if problem:
                        _, message, variables = problem
                        raise UsageError(gettext(message, **variables))
                usage.check_confirm()
                usage.complete()
            except UserError as error:
                self.results[i] = 'error', error.message
                continue
            seen[key] = content
            used.add(usage.booking)
            self.usages[i] = usage
            reason = None
            if without:
                self.waiting.add(i)
                reason = gettext(
                    'coop_commons.msg_intake_waits',
                    units=', '.join(u.name for u in without))
            self.results[i] = 'created', reason

    def _set_times(self, usages):
        "Set the times that are written in the events"
        indexes, stretches = [], []
        for i, usage in usages.items():
            times = []
            try:
                for name in ['start', 'end']:
                    value = self.events[i].get(name)
                    if name == 'start' and not value:
                        self._get(self.events[i], name)
                    try:
                        times.append(
                            local_time.parse(value) if value else None)
                    except local_time.TimeError:
                        self._refuse(name, value)
            except UserError as error:
                self.results[i] = 'error', error.message
                continue
            known = self.existing.get((usage.source, usage.external_id))
            indexes.append(i)
            stretches.append(local_time.Stretch(
                    get_clock(usage.resource, usage.user),
                    usage.resource.zone, *times,
                    (known.start, known.end) if known else (None, None)))
        for i, instants in zip(
                indexes, local_time.read_stretches(stretches)):
            for name, instant in zip(['start', 'end'], instants):
                if isinstance(instant, local_time.TimeError):
                    self.results[i] = 'error', gettext(
                        'coop_commons.msg_intake_time_missing',
                        name=name, value=self.events[i][name])
                    break
                setattr(usages[i], name, instant)
            else:
                try:
                    self._check_times(usages[i])
                except UserError as error:
                    self.results[i] = 'error', error.message

    def _check_times(self, usage):
        "Check and complete the times"
        if usage.end and usage.end < usage.start:
            raise UsageError(gettext(
                    'coop_commons.msg_usage_end_before_start'))
        if not usage.end and not usage.quantities:
            raise UsageError(gettext(
                    'coop_commons.msg_intake_missing', name='end'))
        if not usage.end:
            usage.end = usage.find_end()
        usage.date = usage.resource.get_local(usage.start).date()

    def save(self):
        "Save the new usages and confirm those that do not overlap"
        pool = Pool()
        Booking = pool.get('coop.commons.booking')
        Usage = pool.get('coop.commons.usage')
        if not self.usages:
            return
        usages = list(self.usages.values())
        for sub_usages in grouped_slice(usages, SLICE):
            Usage.save(list(sub_usages))
        overlaps = Usage.find_overlaps(
            [u for u in usages if u.resource.exclusive])
        to_delete = []
        for i, usage in list(self.usages.items()):
            other = overlaps.get(usage.id)
            if other:
                self.results[i] = 'error', gettext(
                    'coop_commons.msg_intake_overlap',
                    other=other.rec_name, user=other.user.rec_name)
                to_delete.append(self.usages.pop(i))
        Usage.delete(to_delete)
        if not to_delete or self.skip:
            Booking.replace_uses([
                    u.booking for u in self.usages.values() if u.booking])
            # Each is checked already
            usages = [
                u for i, u in self.usages.items() if i not in self.waiting]
            for sub_usages in grouped_slice(usages, SLICE):
                Usage.accept(Usage.browse(list(sub_usages)))

    @property
    def errors(self):
        return [r for r in self.results if r[0] == 'error']

    def _get_texts(self, name):
        return sorted({_get_text(e, name) for e in self.events} - {None, ''})

    def _load(self):
        pool = Pool()
        Booking = pool.get('coop.commons.booking')
        Resource = pool.get('coop.commons.resource')
        Uom = pool.get('product.uom')
        Usage = pool.get('coop.commons.usage')

        def search(Model, domain, name, values):
            records = []
            for sub_values in grouped_slice(values, 500):
                records.extend(Model.search(
                        [*domain, (name, 'in', list(sub_values))]))
            return records

        company = [('company', '=', self.company.id)]
        self.resources = {
            r.code: r for r in search(
                Resource, company, 'code', self._get_texts('resource'))}
        self.users = {}
        for name, (model, code) in USERS.items():
            domain = company if name != 'party' else []
            if name == 'cost_center':
                domain = [*domain, ('type', '=', 'normal')]
            self.users[name] = {
                getattr(r, code): r for r in search(
                    pool.get(model), domain, code, self._get_texts(name))}
        self.persons = {
            p.code: p for p in search(
                pool.get('party.party'), [], 'code',
                self._get_texts('person'))}
        self.bookings = {
            b.number: b for b in search(
                Booking, company, 'number', self._get_texts('booking'))}
        self.units = Uom.find_written({
                symbol for e in self.events if isinstance(e, dict)
                and isinstance(e.get('quantities'), dict)
                for symbol in e['quantities']})
        self.existing = {
            (u.source, u.external_id): u
            for u in search(
                Usage, company, 'external_id',
                self._get_texts('external_id'))}

    def _parse(self, event):
        pool = Pool()
        Quantity = pool.get('coop.commons.usage.quantity')
        Usage = pool.get('coop.commons.usage')
        if not isinstance(event, dict):
            raise UsageError(gettext('coop_commons.msg_intake_format'))
        for name, value in event.items():
            if (name not in NAMES
                    or (name in TEXTS
                        and value is not None and not is_text(value))):
                raise UsageError(gettext(
                        'coop_commons.msg_intake_value',
                        name=str(name)[:50], value=str(value)[:50]))
        booking = None
        if event.get('booking'):
            booking = self._find(self.bookings, 'booking', event['booking'])
        resource = booking and booking.resource
        if not booking or event.get('resource'):
            resource = self._find(
                self.resources, 'resource', self._get(event, 'resource'))
        usage = Usage(
            company=self.company,
            source=event.get('source') or self.source,
            external_id=self._get(event, 'external_id'),
            description=event.get('description'),
            resource=resource,
            booking=booking,
            corrects=None,
            event=None,
            tariff=None,
            charge_mode=resource.charge_mode,
            state='draft',
            received_at=self.received_at)
        seats = event.get('seats', booking.quantity if booking else 1)
        if isinstance(seats, bool) or not isinstance(seats, int) or (
                not 0 < seats < 2 ** 31):
            self._refuse('seats', seats)
        usage.seats = seats
        users = [name for name in USERS if event.get(name)]
        if len(users) != 1 and not (booking and not users):
            raise UsageError(gettext('coop_commons.msg_intake_user'))
        for name in USERS:
            user = getattr(booking, name) if booking and not users else None
            if name in users:
                user = self._find(self.users[name], name, event[name])
            setattr(usage, name, user)
        usage.person = booking.person if booking else None
        if event.get('person'):
            usage.person = self._find(self.persons, 'person', event['person'])
        quantities = event.get('quantities') or {}
        if not isinstance(quantities, dict):
            self._refuse('quantities', quantities)
        lines = []
        for symbol, value in quantities.items():
            try:
                quantity = parse_quantity(value)
            except ValueError:
                self._refuse(symbol, value)
            lines.append(Quantity(
                    unit=self._find(self.units, 'quantities', symbol),
                    quantity=quantity, computed=False))
        usage.quantities = lines
        return usage

    def _refuse(self, name, value):
        raise UsageError(gettext(
                'coop_commons.msg_intake_value',
                name=name, value=str(value)[:50]))

    def _get(self, event, name):
        if not event.get(name):
            raise UsageError(gettext(
                    'coop_commons.msg_intake_missing', name=name))
        return event[name]

    def _find(self, records, name, code):
        if not records.get(code):
            raise UsageError(gettext(
                    'coop_commons.msg_intake_unknown', name=name, code=code))
        return records[code]


def get_clock(resource, user):
    """Return what has a clock of its own in a list of uses

    One use of an exclusive resource follows the other, whoever uses it.
    """
    return resource if resource.exclusive else (resource, user)


def find_booking_problem(booking, resource, user, used=()):
    """Return why the use can not be that of the booking, if so

    `used` are the bookings that will have a use of their own.  What is
    returned are the name of what is wrong and the message with its variables.
    """
    for name, value, booked in [
            ('resource', resource, booking.resource),
            ('user', user, booking.user)]:
        if value != booked:
            return name, 'coop_commons.msg_intake_booking_other', {
                'booking': booking.rec_name,
                'other': booked.rec_name,
                }
    if booking.state not in BOOKED:
        return 'booking', 'coop_commons.msg_intake_booking_state', {
            'booking': booking.rec_name,
            'state': booking.state_string,
            }
    # What waits without having been sent is replaced
    uses = [u for u in booking.uses if u.state != 'draft' or u.external_id]
    # Some trips may be parts of one booking if each is charged by itself
    if (uses or booking in used) and not (
            booking.resource.charge_mode == 'usage'
            and all(u.external_id for u in uses)):
        return 'booking', 'coop_commons.msg_intake_booking_used', {
            'booking': booking.rec_name,
            }
    return None


def get_content(usage, without=()):
    """Return what must be the same when a usage is sent again

    But for what is told in some units: the end, if they are those of time.
    """
    others = {u.category for u in without}
    return (
        usage.resource, usage.user, usage.person, usage.start, usage.seats,
        frozenset(
            (q.unit, q.quantity.normalize()) for q in usage.quantities
            if not q.computed and q.unit.category not in others),
        None if others and get_time_category() in others else usage.end)


def is_text(value):
    "Return whether the value is a text that each database can keep"
    if not isinstance(value, str) or '\0' in value:
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _get_text(event, name):
    value = event.get(name) if isinstance(event, dict) else None
    return value if is_text(value) else None


def receive(company, events, source=None, skip=False):
    """Take the events and return what became of each

    Without `skip` one that is bad lets none of them in.
    """
    Usage = Pool().get('coop.commons.usage')
    intake = Intake(company, events, source, skip)
    # They tell themselves when they were received
    with Transaction().set_context(_log=False):
        intake.check()
        if skip or not intake.errors:
            intake.save()
        refused = bool(intake.errors) and not skip
        if refused:
            # Those that overlap are known only once all are saved
            usages = [u for u in intake.usages.values() if u.id]
            Usage.delete(Usage.browse(usages))
    results = []
    for event, (status, reason) in zip(events, intake.results):
        result = {
            'external_id': _get_text(event, 'external_id'),
            'status': (
                'refused' if refused and status == 'created' else status),
            }
        if reason:
            result['reason'] = reason
        results.append(result)
    return results
