# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict
from decimal import Decimal
from itertools import chain

from trytond.i18n import gettext
from trytond.model import ModelView
from trytond.pool import Pool
from trytond.tools import grouped_slice
from trytond.transaction import Transaction

from . import rating
from .digits import AMOUNT, QUANTITY
from .exceptions import TariffMissing
from .slices import SLICE, search_slices
from .tariff import get_audience
from .usage_ledger import get_charged, get_difference
from .usage_period import PeriodRating


class UsageRating:
    "The pricing of usages by the tariffs that apply to them"
    __slots__ = ()

    @classmethod
    @ModelView.button
    def rate(cls, usages):
        pool = Pool()
        Tariff = pool.get('coop.commons.tariff')
        Tariff.lock_approved({u.company for u in usages})
        errors = cls.try_rate([('id', 'in', [u.id for u in usages])])
        if errors:
            texts = list(errors.values())
            if len(texts) > 5:
                texts[5:] = ["…"]
            raise TariffMissing('\n'.join(texts))

    @classmethod
    def try_rate(cls, domain):
        """Rate the usages found and return why others have no price

        The approved tariffs must be locked, because the prices of a period
        depend on each other.
        """
        # The run is logged, not each of its rows
        with Transaction().set_context(_log=False):
            run = RatingRun()
            uses, backs = [], []
            for usages in search_slices(
                    cls, [('state', '=', 'confirmed'), domain]):
                for usage in usages:
                    if usage.corrects:
                        backs.append((usage.start, usage.id))
                        run.taken_back.add(usage.corrects.id)
                    else:
                        uses.append((usage.start, usage.id))
            for ids in _slices(uses):
                run.rate(cls.browse(ids))
            for ids in _slices(backs):
                run.take_back(cls.browse(ids))
            run.rate_periods()
            for ids in _slices(backs):
                run.negate(cls.browse(ids))
            run.mark()
            return run.errors

    def get_rating(self, plans):
        "Return the usage as the rating takes it"
        pool = Pool()
        Uom = pool.get('product.uom')
        quantities, profile = {}, {}
        for unit in {
                c.unit for p in plans for c in p.components
                if c.kind == 'metered'}:
            to_unit = Uom(unit)
            for line in self.quantities:
                quantity = abs(line.quantity)
                if line.unit != to_unit:
                    if line.unit.category != to_unit.category:
                        continue
                    quantity = Decimal(str(Uom.compute_qty(
                                line.unit, float(quantity), to_unit,
                                round=False)))
                quantities[unit] = quantities.get(unit, 0) + quantity
                if line.profile:
                    profile[unit] = line.get_profile()
        booked = noticed = None
        if self.booking and not self.event:
            booked = self.booking.start, self.booking.end
        elif self.booking:
            # When it was changed, or at last cancelled
            noticed = self.received_at or self.booking.cancelled_at
        return rating.Usage(
            self.start, self.end or self.start, quantities, booked,
            self.seats, self.sign, self.event, noticed, profile)


def _slices(rows):
    "Yield the ids of the rows, in the order of their times"
    for sub_rows in grouped_slice(sorted(rows), SLICE):
        yield [id_ for _, id_ in sub_rows]


class RatingRun:
    "What a run has found out and what it has priced"

    def __init__(self):
        # The ids of what is taken back by a row that is rated too
        self.taken_back = set()
        self.errors = {}
        self.periods = PeriodRating(self)
        self._approved = {}
        self._found = {}
        self._plans = {}
        self._tiers = {}
        self._unpriced = set()

    def rate(self, usages):
        "Price what costs the same whatever else is used"
        rated = []
        for usage, plans, audience in self.find(usages):
            rated_usage = usage.get_rating(plans)
            spans = _get_spans(rated_usage, plans)
            if spans:
                self.periods.add(usage, spans, new=True)
                continue
            plan, charges = self.get_price(rated_usage, plans)
            rated.append((usage.id, plan.key, audience, charges))
        self.save(rated)

    def take_back(self, usages):
        "Price the periods again out of which a usage is taken"
        for usage, plans, _ in self.find(
                [u.corrects for u in usages if u.corrects.tariff]):
            spans = _get_spans(usage.get_rating(plans), plans)
            if spans:
                self.periods.add(usage, spans)

    def rate_periods(self):
        self.periods.rate()

    def negate(self, usages):
        "Take back what the usages were charged that the rows name"
        rated, values = [], []
        charged = get_charged([u.corrects.id for u in usages])
        for usage in usages:
            corrected = usage.corrects
            if not corrected.tariff:
                # None of both has a price
                continue
            rated.append(
                (usage.id, corrected.tariff.id, corrected.audience, []))
            values.extend(get_difference(
                    usage.id, {}, charged[corrected.id]))
        self.create(values)
        self.save(rated)

    def get_price(self, usage, plans, counters=None):
        plan, charges = rating.lowest(usage, plans, counters)
        # As they are stored and read again
        return plan, [
            c._replace(
                quantity=c.quantity.quantize(QUANTITY),
                unit_price=c.unit_price.quantize(AMOUNT),
                amount=c.amount.quantize(AMOUNT))
            for c in charges]

    def get_values(self, usage, charge):
        "Return the values of a charge of the usage"
        return {
            'usage': usage,
            'component': charge.component,
            'kind': charge.kind,
            'band': charge.band,
            'tier': self._tiers.get((charge.component, charge.tier)),
            'date': charge.date,
            'quantity': charge.quantity,
            'unit_price': charge.unit_price,
            'amount': charge.amount,
            }

    def create(self, values):
        Charge = Pool().get('coop.commons.usage.charge')
        for sub_values in grouped_slice(values, SLICE):
            Charge.create(list(sub_values))

    def save(self, rated):
        """Save the charges and what the usages are charged by

        They are the ids of the usage and of the tariff, the audience and the
        charges.
        """
        Usage = Pool().get('coop.commons.usage')
        self.create([
                self.get_values(id_, c)
                for id_, _, _, charges in rated for c in charges])
        for sub_rated in grouped_slice(rated, SLICE):
            by_tariff = defaultdict(list)
            for id_, tariff, audience, _ in sub_rated:
                by_tariff[tariff, audience].append(id_)
            Usage.write(*chain.from_iterable(
                    (Usage.browse(ids), {
                            'tariff': tariff,
                            'audience': audience,
                            'state': 'rated',
                            'unpriced': False,
                            })
                    for (tariff, audience), ids in by_tariff.items()))

    def mark(self):
        "Mark what has no price, so that it is found"
        Usage = Pool().get('coop.commons.usage')
        for ids in grouped_slice(sorted(self._unpriced), SLICE):
            Usage.write(Usage.browse(list(ids)), {'unpriced': True})

    def find(self, usages):
        """Yield the usages with the tariffs that apply and the audience

        What there is none for is an error.
        """
        Tariff = Pool().get('coop.commons.tariff')
        categories = get_categories(usages)
        for usage in usages:
            category = categories[usage]
            audience = (
                usage.audience if usage.tariff
                else get_audience(usage.cost_center, category))
            tariffs = self.find_tariffs(usage, audience, category)
            if tariffs:
                mode = usage.charge_mode or usage.resource.charge_mode
                yield usage, [
                    self._get_plan(t, usage.resource, mode) for t in tariffs
                    ], audience
            # Nobody asks for the price of what is taken back
            elif usage.id not in self.taken_back:
                if not usage.unpriced:
                    self._unpriced.add(usage.id)
                self.errors[usage] = gettext(
                    'coop_commons.msg_tariff_missing',
                    usage=usage.rec_name,
                    resource=usage.resource.rec_name,
                    date=usage.date,
                    audience=Tariff.get_audience_name(audience))

    def find_tariffs(self, usage, audience, category):
        "Return the tariffs that apply, of which the cheapest is taken"
        Tariff = Pool().get('coop.commons.tariff')
        key = usage.resource, usage.date, audience, category
        if key not in self._found:
            self._found[key] = Tariff.find(
                self.get_approved(usage.company), *key)
        tariffs = self._found[key]
        if usage.tariff and usage.tariff not in tariffs:
            # What was decided on since does not change what is charged
            return [usage.tariff]
        return tariffs

    def get_approved(self, company):
        Tariff = Pool().get('coop.commons.tariff')
        if company not in self._approved:
            self._approved[company] = Tariff.search([
                    ('company', '=', company.id),
                    ('state', '=', 'approved'),
                    ])
        return self._approved[company]

    def _get_plan(self, tariff, resource, mode):
        key = tariff, resource, mode
        if key not in self._plans:
            self._plans[key] = tariff.get_rating(resource, mode)
            for component in tariff.components:
                for index, tier in enumerate(component.tiers):
                    self._tiers[component.id, index] = tier.id
        return self._plans[key]


def _get_spans(usage, plans):
    "Return the periods that the usage is in by each of its tariffs"
    spans = (rating.get_span(usage, p) for p in plans)
    return [s for s in spans if s]


def get_categories(usages):
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
