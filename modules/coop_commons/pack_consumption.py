# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""Take from prepaid packs what they cover of the use.

What the packs of a user cover follows from his uses in the order in which
they happened, and from nothing else.  A billing takes, or gives back, the
difference between this and what was taken already: in how many parts the uses
are billed and what of them is taken back does not change what is covered in
the end.
"""
import datetime as dt
from collections import defaultdict
from decimal import Decimal
from operator import itemgetter
from typing import Any, NamedTuple

from sql import Null

from trytond.modules.coop_membership.locking import claim
from trytond.pool import Pool
from trytond.tools import grouped_slice

from . import pack_calculation
from .digits import AMOUNT, QUANTITY
from .slices import SLICE
from .usage_ledger import Key, get_charged

ZERO = Decimal(0)
PARTIES = 100


def use_packs(billing):
    """Take what the billing charges from the packs

    The packs that were sold first are used first.
    """
    pool = Pool()
    Pack = pool.get('coop.commons.pack')
    Use = pool.get('coop.commons.pack.use')
    packs = Pack.search([
            ('company', '=', billing.company.id),
            ('state', '=', 'sold'),
            ('offer.kind', '=', 'use'),
            ['OR',
                ('invoice_line.invoice.state', 'in', ['posted', 'paid']),
                ('uses', '!=', None),
                ],
            ], order=[('date', 'ASC'), ('id', 'ASC')])
    if not packs:
        return
    claim(packs)
    cover = _Cover(billing, packs)
    found = _find_starts(billing, cover.packs.keys())
    for party, start in _find_unused(billing, packs):
        found[party] = min(start, found.get(party, start))
    starts = sorted(found.items(), key=itemgetter(1))
    for sub_starts in grouped_slice(starts, PARTIES):
        cover.add(dict(sub_starts))
    for sub_uses in grouped_slice(cover.get_uses(), SLICE):
        Use.save(list(sub_uses))


def _of_parties(parties):
    ids = [p.id for p in parties]
    return ['OR', ('member.party', 'in', ids), ('party', 'in', ids)]


def _find_starts(billing, parties):
    "Return by party the start of the first use that the billing charges"
    Usage = Pool().get('coop.commons.usage')
    starts = {}
    for sub_parties in grouped_slice(
            sorted(parties, key=lambda p: p.id), 500):
        ids = [u.id for u in Usage.search([
                    ('charges', 'where', [('billing', '=', billing.id)]),
                    _of_parties(sub_parties),
                    ], order=[])]
        for sub_ids in grouped_slice(ids, SLICE):
            for usage in Usage.browse(list(sub_ids)):
                party = usage.payer
                starts[party] = min(
                    usage.start, starts.get(party, usage.start))
    return starts


def _find_unused(billing, packs):
    """Yield the parties and the starts of packs that cover nothing yet

    They may be for uses that were billed before the packs were sold.
    """
    parties = {p.id for p in billing.for_parties}
    for pack in packs:
        party = pack.party
        if not (pack.uses
                or (parties and party.id not in parties)
                or (billing.for_resources
                    and not any(map(pack.offer.is_for, billing.for_resources)))
                # No invoice can be sent to it
                or not party.address_get(type='invoice')):
            # In no time zone the day begins before
            yield party, dt.datetime.combine(
                pack.date - dt.timedelta(days=1), dt.time())


class _Use(NamedTuple):
    "What was billed of a use for a component, without what is taken back"
    order: tuple
    usage: Any
    component: Any
    # The quantity and the amount
    totals: dict


class _Taken(NamedTuple):
    quantity: Decimal = ZERO
    amount: Decimal = ZERO

    def __add__(self, other):
        return _Taken(*map(sum, zip(self, other)))

    def __neg__(self):
        return _Taken(*(-v for v in self))


class _Cover:
    "What is taken from packs by the uses of their parties"

    def __init__(self, billing, packs):
        self.billing = billing
        self.packs = defaultdict(list)
        self.remaining = {}
        for pack in packs:
            self.packs[pack.party].append(pack)
            # What is not sold any more covers what it did
            sold = pack.invoice_line.invoice.state in {'posted', 'paid'}
            self.remaining[pack] = pack.remaining if sold else ZERO
        # The pack, the usage, the key of its charge and what is taken
        self.changes = []
        self.charges = {}

    def add(self, starts):
        "Cover the uses of the parties since the start of each"
        taken = defaultdict(lambda: defaultdict(_Taken))
        uses = sorted(self._load(starts, taken), key=lambda u: u.order)
        for by_pack in taken.values():
            for (pack, _), values in by_pack.items():
                self.remaining[pack] += values.quantity
        for use in uses:
            key = use.usage.id, use.component.id
            changes = taken[key]
            for part, values in self._take(use):
                changes[part] += -values
            self.changes.extend(
                (pack, use.usage, charge_key, -values)
                for (pack, charge_key), values in changes.items()
                if any(values))

    def _load(self, starts, taken):
        "Yield the uses, and add up what is taken from the packs by them"
        pool = Pool()
        Component = pool.get('coop.commons.tariff.component')
        Usage = pool.get('coop.commons.usage')
        usages = [
            u for u in Usage.search([
                    ('company', '=', self.billing.company.id),
                    _of_parties(starts),
                    ('start', '>=', min(starts.values())),
                    ('state', 'in', ['rated', 'charged']),
                    ], order=[('start', 'ASC'), ('id', 'ASC')])
            if u.start >= starts[u.payer]]
        totals = defaultdict(lambda: defaultdict(_Taken))
        charged = get_charged(
            [u.id for u in usages], lambda charge: charge.billing != Null)
        billed = {}
        for usage in usages:
            # What is taken back goes together with what takes it back
            of = usage.corrects or usage
            for key, values in charged.get(usage.id, {}).items():
                totals[of, key.component][key] += _Taken(*values)
                billed[usage.id] = of
        self._load_taken(billed, taken)
        for (usage, component), values in totals.items():
            component = Component(component)
            if component.unit:
                yield _Use((
                        usage.start, usage.end or usage.start,
                        usage.resource.id, usage.seats, usage.id,
                        component.id),
                    usage, component, values)

    def _load_taken(self, billed, taken):
        pool = Pool()
        Charge = pool.get('coop.commons.usage.charge')
        Use = pool.get('coop.commons.pack.use')
        for ids in grouped_slice(sorted(billed), 500):
            ids = list(ids)
            for use in Use.search([('charge.usage', 'in', ids)], order=[]):
                usage, key = billed[use.charge.usage.id], _get_key(use.charge)
                taken[usage.id, key.component][use.pack, key] += _Taken(
                    use.quantity, use.amount)
            for charge in Charge.search([
                        ('usage', 'in', ids),
                        ('billing', '=', self.billing.id),
                        ], order=[('id', 'ASC')]):
                usage = billed[charge.usage.id]
                self.charges[usage, _get_key(charge)] = charge

    def _take(self, use):
        "Yield what the use takes of each pack, by the key of the charge"
        total = sum(
            (v.quantity for k, v in use.totals.items() if k.kind == 'price'),
            ZERO)
        if total <= 0:
            return
        factors = {
            p: self._get_factor(use.component, p)
            for p in self._find_packs(use)}
        done = ZERO
        for pack, part in pack_calculation.take(total, [
                    (p, self.remaining[p] / f) for p, f in factors.items()]):
            before, after = done / total, (done + part) / total
            quantity = min(
                (part * factors[pack]).quantize(QUANTITY),
                self.remaining[pack])
            self.remaining[pack] -= quantity
            done += part
            priced = given = ZERO
            for key, values in use.totals.items():
                of_key = ZERO
                if key.kind == 'price':
                    priced += values.quantity
                    of_key = (quantity * priced / total).quantize(
                        QUANTITY) - given
                    given += of_key
                amount = (
                    (values.amount * after).quantize(AMOUNT)
                    - (values.amount * before).quantize(AMOUNT))
                yield (pack, key), _Taken(of_key, amount)

    def _find_packs(self, use):
        "Return the packs that the use can be taken from"
        usage = use.usage
        return [
            p for p in self.packs[usage.payer]
            if self.remaining[p] > 0
            and p.date <= usage.date
            and (not p.end_date or usage.date <= p.end_date)
            and p.offer.is_for(usage.resource)
            and p.unit.category == use.component.unit.category]

    @classmethod
    def _get_factor(cls, component, pack):
        "Return how much of the unit of the pack is one of the component"
        Uom = Pool().get('product.uom')
        if component.unit == pack.unit:
            return Decimal(1)
        return Decimal(str(Uom.compute_qty(
                    component.unit, 1, pack.unit, round=False)))

    def get_uses(self):
        "Return the uses of the packs that make the changes"
        Use = Pool().get('coop.commons.pack.use')
        self._create_charges()
        used, uses = {}, []
        # What is given back can be taken again
        for pack, usage, key, (quantity, amount) in sorted(
                self.changes, key=lambda c: c[-1].quantity > 0):
            before = used.setdefault(pack, pack.quantity - pack.remaining)
            used[pack] = before + quantity
            uses.append(Use(
                    pack=pack,
                    charge=self.charges[usage, key],
                    date=usage.date,
                    quantity=quantity,
                    amount=amount,
                    value=pack_calculation.release(
                        pack.price, pack.quantity, before, used[pack],
                        Decimal(10) ** -pack.currency.digits),
                    billing=self.billing))
        return uses

    def _create_charges(self):
        "Create charges of nothing for what was billed before"
        Charge = Pool().get('coop.commons.usage.charge')
        missing = list(dict.fromkeys(
                (usage, key) for _, usage, key, _ in self.changes
                if (usage, key) not in self.charges))
        for sub_missing in grouped_slice(missing, SLICE):
            sub_missing = list(sub_missing)
            self.charges.update(zip(sub_missing, Charge.create([{
                                'usage': usage.id,
                                **key._asdict(),
                                'quantity': ZERO,
                                'amount': ZERO,
                                'billing': self.billing.id,
                                }
                            for usage, key in sub_missing])))


def _get_key(charge):
    return Key(
        charge.component.id, charge.kind, charge.band and charge.band.id,
        charge.tier and charge.tier.id, charge.date, charge.unit_price)
