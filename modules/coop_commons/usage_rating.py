# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict
from decimal import Decimal
from itertools import chain

from sql.aggregate import Sum

from trytond.i18n import gettext
from trytond.model import ModelView, fields
from trytond.modules.coop_membership.query import fetch_sums
from trytond.pool import Pool
from trytond.tools import grouped_slice
from trytond.transaction import Transaction

from . import rating
from .digits import AMOUNT, QUANTITY
from .exceptions import TariffMissing
from .slices import SLICE, search_slices
from .tariff import get_audience


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
        # What is taken back is rated before the row that does it
        ids = [
            id_ for *_, id_ in sorted(
                (bool(usage.corrects), usage.start, usage.id)
                for usages in search_slices(
                    cls, [('state', '=', 'confirmed'), domain])
                for usage in usages)]
        errors, counters = {}, Counters()
        # The run is logged, not each of its rows
        with Transaction().set_context(_log=False):
            for sub_ids in grouped_slice(ids, SLICE):
                rated, sub_errors = create_charges(
                    cls.browse(list(sub_ids)), counters)
                errors.update(sub_errors)
                by_tariff = defaultdict(list)
                for usage, key in rated.items():
                    by_tariff[key].append(usage)
                if by_tariff:
                    cls.write(*chain.from_iterable(
                            (key_usages, {
                                    'tariff': tariff.id,
                                    'audience': audience,
                                    'state': 'rated',
                                    })
                            for (tariff, audience), key_usages
                            in by_tariff.items()))
        return errors

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
        elif self.booking and self.booking.cancelled_at:
            noticed = self.booking.cancelled_at
        return rating.Usage(
            self.start, self.end or self.start, quantities, booked,
            self.seats, self.sign, self.event, noticed, profile)


def create_charges(usages, counters):
    """Create the charges of the usages

    Return the tariff and the audience of each, and the reason why others
    have none.
    """
    pool = Pool()
    Charge = pool.get('coop.commons.usage.charge')
    # What is taken back is rated before the row that does it
    usages = sorted(
        usages, key=lambda u: (bool(u.corrects), u.start, u.id))
    candidates, audiences, errors = _find_tariffs(usages)
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
                quantity=charge.quantity.quantize(QUANTITY),
                unit_price=charge.unit_price.quantize(AMOUNT),
                amount=charge.amount.quantize(AMOUNT))
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
        Charge.create(list(sub_values))
    return rated, errors


def _find_tariffs(usages):
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
    categories = _get_categories(usages)
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


def _get_categories(usages):
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
        for (member, party, cost_center, component, kind, date, quantity,
                amount) in fetch_sums(query, 2):
            user = (
                'coop.member,%s' % member if member
                else 'party.party,%s' % party if party
                else 'analytic_account.account,%s' % cost_center)
            rating.count(
                self[user], components[component], rating.Charge(
                    component, kind, date, quantity.quantize(QUANTITY),
                    Decimal(0), amount.quantize(AMOUNT)))
