# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict
from decimal import Decimal

from sql import Null
from sql.aggregate import Sum

from trytond import backend
from trytond.i18n import gettext
from trytond.model import Index, ModelSQL, ModelView, fields
from trytond.model.exceptions import AccessError
from trytond.pool import Pool
from trytond.tools import grouped_slice, sqlite_apply_types
from trytond.transaction import Transaction

from . import rating
from .tariff import get_audience
from .usage import AMOUNT_DIGITS, QUANTITY_DIGITS, SLICE

_QUANTITY = Decimal(10) ** -QUANTITY_DIGITS[1]
_AMOUNT = Decimal(10) ** -AMOUNT_DIGITS[1]


class Charge(ModelSQL, ModelView):
    __name__ = 'coop.commons.usage.charge'
    __string__ = "Usage Charge"
    # Only runs write them, and what they do is logged on their document
    _log = False

    usage = fields.Many2One(
        'coop.commons.usage', "Usage", required=True, ondelete='CASCADE')
    component = fields.Many2One(
        'coop.commons.tariff.component', "Component", required=True,
        ondelete='RESTRICT')
    tariff = fields.Function(
        fields.Many2One('coop.commons.tariff', "Tariff"),
        'get_tariff', searcher='search_tariff')
    kind = fields.Selection([
            ('price', "Price"),
            ('flat', "Flat Amount"),
            ('included', "Included"),
            ('minimum', "Minimum"),
            ('cap', "Cap"),
            ('subsidy', "Subsidy"),
            ('event', "Event"),
            ], "Kind", required=True, sort=False)
    kind_string = kind.translated('kind')
    band = fields.Many2One(
        'coop.commons.tariff.band', "Band", ondelete='RESTRICT')
    tier = fields.Many2One(
        'coop.commons.tariff.tier', "Tier", ondelete='RESTRICT')
    date = fields.Date("Date", required=True)
    quantity = fields.Numeric(
        "Quantity", digits=QUANTITY_DIGITS, required=True)
    unit = fields.Function(
        fields.Many2One('product.uom', "Unit"), 'get_unit')
    unit_price = fields.Numeric(
        "Unit Price", digits=AMOUNT_DIGITS, required=True)
    amount = fields.Numeric(
        "Amount", digits=AMOUNT_DIGITS, required=True,
        help="The exact amount, it is rounded on the line that is billed.")
    currency = fields.Function(
        fields.Many2One('currency.currency', "Currency"), 'get_currency')
    billing = fields.Many2One(
        'coop.commons.billing', "Billing", readonly=True,
        ondelete='RESTRICT')
    invoice_line = fields.Many2One(
        'account.invoice.line', "Invoice Line", readonly=True,
        ondelete='RESTRICT')

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.__access__.add('usage')
        t = cls.__table__()
        cls._sql_indexes.update({
                Index(t, (t.billing, Index.Equality())),
                Index(t, (t.usage, Index.Equality()),
                    where=t.billing == Null),
                Index(t, (t.component, Index.Equality()),
                    (t.date, Index.Range())),
                })

    def get_unit(self, name):
        if self.kind in {'price', 'included'} and self.component.unit:
            return self.component.unit.id

    def get_tariff(self, name):
        return self.component.tariff.id

    @classmethod
    def search_tariff(cls, name, clause):
        return [('component.' + clause[0], *clause[1:])]

    def get_currency(self, name):
        return self.component.tariff.currency.id

    def get_rec_name(self, name):
        return '%s - %s' % (self.usage.rec_name, self.component.rec_name)

    @classmethod
    def search_rec_name(cls, name, clause):
        return ['OR',
            ('usage.rec_name', *clause[1:]),
            ('component.rec_name', *clause[1:]),
            ]

    @classmethod
    def check_modification(cls, mode, charges, values=None, external=False):
        super().check_modification(
            mode, charges, values=values, external=external)
        if (external
                or mode == 'delete'
                or (mode == 'write'
                    and values.keys() - {'billing', 'invoice_line'})):
            for charge in charges:
                raise AccessError(gettext(
                        'coop_commons.msg_charge_modify',
                        charge=charge.rec_name))

    @classmethod
    def set_usage_state(cls, charges, before, after):
        "Change the state of the usages that have the one before"
        Usage = Pool().get('coop.commons.usage')
        usages = [u for u in {c.usage for c in charges} if u.state == before]
        if usages:
            Usage.write(usages, {'state': after})

    @classmethod
    def get_counters(cls):
        "Return what serves to rate one part of the usages after the other"
        return Counters()

    @classmethod
    def rate(cls, usages, counters):
        """Create the charges of the usages

        Return the tariff and the audience of each, and the reason why others
        have none.
        """
        # What is taken back is rated before the row that does it
        usages = sorted(
            usages, key=lambda u: (bool(u.corrects), u.start, u.id))
        candidates, audiences, errors = cls._find_tariffs(usages)
        tariffs = {t for ts in candidates.values() for t in ts}
        counters.read(tariffs)
        tiers = {
            (c.id, i): t.id
            for tariff in tariffs
            for c in tariff.components
            for i, t in enumerate(c.tiers)}
        plans, rated, values = {}, {}, []
        for usage in usages:
            if usage in errors:
                continue
            usage_plans = []
            for tariff in candidates[usage]:
                key = tariff, usage.resource
                if key not in plans:
                    plans[key] = tariff.get_rating(usage.resource)
                usage_plans.append(plans[key])
            if usage.corrects in rated:
                tariff, _ = rated[usage.corrects]
                usage_plans = [plans[tariff, usage.resource]]
            plan, charges = rating.lowest(
                usage.get_rating(usage_plans), usage_plans,
                counters[usage.user])
            tariff, = [t for t in candidates[usage] if t.id == plan.key]
            rated[usage] = tariff, audiences[usage]
            components = {c.key: c for c in plan.components}
            for charge in charges:
                # As it is stored and read again
                charge = charge._replace(
                    quantity=charge.quantity.quantize(_QUANTITY),
                    unit_price=charge.unit_price.quantize(_AMOUNT),
                    amount=charge.amount.quantize(_AMOUNT))
                rating.count(
                    counters[usage.user], components[charge.component],
                    charge)
                values.append({
                        'usage': usage.id,
                        'component': charge.component,
                        'kind': charge.kind,
                        'band': charge.band,
                        'tier': tiers.get((charge.component, charge.tier)),
                        'date': charge.date,
                        'quantity': charge.quantity,
                        'unit_price': charge.unit_price,
                        'amount': charge.amount,
                        })
        for sub_values in grouped_slice(values, SLICE):
            cls.create(list(sub_values))
        return rated, errors

    @classmethod
    def _find_tariffs(cls, usages):
        """Return the tariffs that apply to each usage and its audience, or
        why there is none"""
        pool = Pool()
        Tariff = pool.get('coop.commons.tariff')
        approved = {
            company: Tariff.search([
                    ('company', '=', company.id),
                    ('state', '=', 'approved'),
                    ])
            for company in {u.company for u in usages}}
        categories = cls._get_categories(usages)
        candidates, audiences, found, errors = {}, {}, {}, {}
        for usage in usages:
            audience = get_audience(usage.cost_center, categories[usage])
            audiences[usage] = audience
            if usage.corrects:
                tariff = usage.corrects.tariff
                candidates[usage] = (
                    [tariff] if tariff
                    else candidates.get(usage.corrects, []))
            else:
                key = (
                    usage.resource, usage.date, audience, categories[usage])
                if key not in found:
                    found[key] = Tariff.find(approved[usage.company], *key)
                candidates[usage] = found[key]
            if not candidates[usage]:
                errors[usage] = gettext(
                    'coop_commons.msg_tariff_missing',
                    usage=usage.rec_name,
                    resource=usage.resource.rec_name,
                    date=usage.date,
                    audience=Tariff.get_audience_name(audience))
        return candidates, audiences, errors

    @classmethod
    def _get_categories(cls, usages):
        "Return the id of the category of the member on the day"
        pool = Pool()
        Member = pool.get('coop.member')
        members = defaultdict(set)
        for usage in usages:
            if usage.member:
                members[usage.date].add(usage.member)
        categories = {
            date: Member.categories_at(
                sorted(date_members, key=lambda m: m.id), date)
            for date, date_members in members.items()}
        return {
            u: categories[u.date].get(u.member.id) if u.member else None
            for u in usages}


class Counters:
    "What each user was charged in the periods of the tariffs"

    def __init__(self):
        self._tariffs = set()
        self._counters = defaultdict(dict)

    def __getitem__(self, user):
        return self._counters[str(user)]

    def read(self, tariffs):
        "Read what was charged by tariffs that are not read yet"
        pool = Pool()
        Charge = pool.get('coop.commons.usage.charge')
        Usage = pool.get('coop.commons.usage')
        charge = Charge.__table__()
        usage = Usage.__table__()
        cursor = Transaction().connection.cursor()
        components = {
            c.id: c.get_rating()
            for t in tariffs - self._tariffs for c in t.components}
        components = {
            i: c for i, c in components.items() if rating.is_periodic(c)}
        self._tariffs |= tariffs
        if not components:
            return
        columns = [
            usage.member, usage.party, usage.cost_center, charge.component,
            charge.kind, charge.date]
        query = charge.join(usage, condition=charge.usage == usage.id).select(
            *columns,
            Sum(charge.quantity).as_('quantity'),
            Sum(charge.amount).as_('amount'),
            where=fields.SQL_OPERATORS['in'](
                charge.component, list(components)),
            group_by=columns)
        if backend.name == 'sqlite':
            sqlite_apply_types(
                query, [None] * len(columns) + ['NUMERIC', 'NUMERIC'])
        cursor.execute(*query)
        for (member, party, cost_center, component, kind, date, quantity,
                amount) in cursor:
            user = (
                'coop.member,%s' % member if member
                else 'party.party,%s' % party if party
                else 'analytic_account.account,%s' % cost_center)
            rating.count(
                self[user], components[component], rating.Charge(
                    component, kind, date, quantity.quantize(_QUANTITY),
                    Decimal(0), amount.quantize(_AMOUNT)))
