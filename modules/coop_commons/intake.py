# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""Take usages from machines, door readers and files."""
import datetime as dt
from decimal import Decimal, InvalidOperation

from trytond.exceptions import UserError
from trytond.i18n import gettext
from trytond.pool import Pool
from trytond.tools import grouped_slice
from trytond.transaction import check_access

from .exceptions import UsageError

# What identifies the user of an event: the model and the field of its code
USERS = {
    'member': ('coop.member', 'number'),
    'party': ('party.party', 'code'),
    'cost_center': ('analytic_account.account', 'code'),
    }
TEXTS = {'resource', 'external_id', 'source', 'description', *USERS}
NAMES = TEXTS | {'start', 'end', 'seats', 'quantities'}


def parse_instant(text):
    "Return the naive instant in UTC of a time in ISO 8601"
    if text.endswith('Z'):
        # Python 3.10 does not know it
        text = text[:-1] + '+00:00'
    instant = dt.datetime.fromisoformat(text)
    if instant.tzinfo:
        instant = instant.astimezone(dt.timezone.utc)
    if not 1900 <= instant.year < 3000:
        raise ValueError("out of range")
    return instant.replace(tzinfo=None, microsecond=0)


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
        # The result of each event: the state and the reason
        self.results = [None] * len(events)
        self.usages = {}

    def check(self):
        "Check the events and make the usages of the new ones"
        self._load()
        seen = {}
        for i, event in enumerate(self.events):
            try:
                usage = self._parse(event)
                key = usage.source, usage.external_id
                content = get_content(usage)
                known = self.existing.get(key, seen.get(key))
                if known is not None and known != content:
                    raise UsageError(gettext(
                            'coop_commons.msg_intake_other_content',
                            external_id=usage.external_id))
                if known is not None:
                    self.results[i] = 'exists', None
                    continue
                usage.check_confirm()
            except UserError as error:
                self.results[i] = 'error', error.message
                continue
            seen[key] = content
            self.usages[i] = usage
            self.results[i] = 'created', None

    def save(self):
        "Save the new usages and confirm those that do not overlap"
        Usage = Pool().get('coop.commons.usage')
        if not self.usages:
            return
        Usage.save(list(self.usages.values()))
        overlaps = Usage.find_overlaps(
            Usage.browse(list(self.usages.values())))
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
            # Routes run without access checks
            with check_access():
                Usage.confirm(Usage.browse(list(self.usages.values())))

    @property
    def errors(self):
        return [r for r in self.results if r[0] == 'error']

    def _get_texts(self, name):
        return sorted({_get_text(e, name) for e in self.events} - {None, ''})

    def _load(self):
        pool = Pool()
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
        self.units = {u.symbol: u for u in Uom.search([])}
        self.existing = {
            (u.source, u.external_id): get_content(u)
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
        usage = Usage(
            company=self.company,
            source=event.get('source') or self.source,
            external_id=self._get(event, 'external_id'),
            description=event.get('description'),
            resource=self._find(
                self.resources, 'resource', self._get(event, 'resource')),
            start=self._get_instant(event, 'start', required=True),
            end=self._get_instant(event, 'end'),
            corrects=None,
            event=None,
            state='draft',
            received_at=dt.datetime.now(dt.timezone.utc).replace(
                microsecond=0, tzinfo=None))
        if usage.end and usage.end < usage.start:
            raise UsageError(gettext(
                    'coop_commons.msg_usage_end_before_start'))
        usage.date = usage.resource.get_local(usage.start).date()
        seats = event.get('seats', 1)
        if isinstance(seats, bool) or not isinstance(seats, int) or (
                not 0 < seats < 2 ** 31):
            self._refuse('seats', seats)
        usage.seats = seats
        users = [name for name in USERS if event.get(name)]
        if len(users) != 1:
            raise UsageError(gettext('coop_commons.msg_intake_user'))
        for name in USERS:
            setattr(
                usage, name,
                self._find(self.users[name], name, event[name])
                if name in users else None)
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
        if code not in records:
            raise UsageError(gettext(
                    'coop_commons.msg_intake_unknown', name=name, code=code))
        return records[code]

    def _get_instant(self, event, name, required=False):
        value = self._get(event, name) if required else event.get(name)
        if not value:
            return
        try:
            return parse_instant(value)
        except (AttributeError, TypeError, ValueError, OverflowError):
            self._refuse(name, value)


def get_content(usage):
    "Return what must be the same when a usage is sent again"
    return (
        usage.resource, usage.user, usage.start, usage.seats,
        frozenset(
            (q.unit, q.quantity.normalize()) for q in usage.quantities
            if not q.computed),
        usage.end)


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
